"""Traces of a UNet's attention, of a decoder's, and of an allocator, made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from genscope.schema import METADATA_KEY, Component, Document, Site, Workload, dumps
from genscope.trace import Trace
from tests.trace.support import Event, document, event, read

SD_CALLS = {4096: 5, 1024: 5, 256: 5, 64: 1}
"""Self attention of one step of the SD v1 UNet at 512 px, by length; cross attention is alike."""

TEXT = 77
HEADS, BATCH, DEPTH = 8, 2, 40
HALF = "c10::Half"


def unet(
    folder: Path,
    *,
    calls: Mapping[int, int] = SD_CALLS,
    px: int | None = 512,
    steps: int = 2,
    fused: bool = False,
    text: int = TEXT,
    last: int | None = None,
    events: Sequence[Event] = (),
    peak: int | None = None,
) -> Trace:
    """Read a trace of a UNet in half precision; of its last step only the first `last` calls."""
    made: list[Event] = list(events)
    at = 0.0
    for step in range(steps):
        start = at
        listed = list(_lengths(calls, text))
        if last is not None and step == steps - 1:
            listed = listed[:last]
        for q, kv in listed:
            made += _call(at + 1, q, kv, fused=fused)
            at += 20
        made.append(
            event(
                f"genscope.component#1 unet step={step}",
                cat="user_annotation",
                ts=start,
                dur=at - start,
            )
        )
        at += 10
    told = Document(
        workload=Workload(model="sd", image_size=None if px is None else (px, px)),
        components=(Component(1, "unet", "UNet2DConditionModel", 100, 200),),
        sites=(
            Site(0, component=1, kind="self", axis="spatial"),
            Site(1, component=1, kind="cross", axis="spatial"),
        ),
        peak_memory_bytes=peak,
    )
    return loaded(folder, made, told)


def _lengths(calls: Mapping[int, int], text: int) -> Iterator[tuple[int, int]]:
    for length, count in calls.items():
        for _ in range(count):
            yield length, length
            if text:
                yield length, text


def _call(at: float, q: int, kv: int, *, fused: bool) -> list[Event]:
    """One call of attention in 18 µs, in its annotation."""
    site = int(q != kv)
    kind = "cross" if site else "self"
    inputs = [[BATCH, HEADS, n, DEPTH] for n in (q, kv, kv)]
    rows, scores = BATCH * HEADS, [BATCH, HEADS, q, kv]
    backend = (
        "_scaled_dot_product_flash_attention" if fused else ("_scaled_dot_product_attention_math")
    )
    made = [
        event(f"genscope.attention#{site} {kind} q={q} kv={kv} b={BATCH}", ts=at, dur=18),
        op("aten::scaled_dot_product_attention", inputs, at + 1, 16),
        op(f"aten::{backend}", inputs, at + 2, 14),
    ]
    if not fused:
        made += [
            op("aten::bmm", [[rows, q, DEPTH], [rows, DEPTH, kv]], at + 3, 3),
            op("aten::_softmax", [scores], at + 7, 3),
            op("aten::bmm", [[rows, q, kv], [rows, kv, DEPTH]], at + 11, 3),
        ]
    return made


def op(name: str, dims: Sequence[Sequence[int]], ts: float, dur: float) -> Event:
    """An op on half-precision tensors."""
    args = {"Input Dims": [list(one) for one in dims], "Input type": [HALF] * len(dims)}
    return event(name, ts=ts, dur=dur, args=args)


def block(
    ts: float, size: int, address: int, total: int, *, kind: int = 1, reserved: int = 0
) -> Event:
    """An instant of an allocator; a negative size frees."""
    return {
        "ph": "i",
        "cat": "cpu_instant_event",
        "s": "t",
        "name": "[memory]",
        "pid": 1,
        "tid": 1,
        "ts": ts,
        "args": {
            "Total Reserved": reserved,
            "Total Allocated": total,
            "Bytes": size,
            "Addr": address,
            "Device Id": 0 if kind else -1,
            "Device Type": kind,
            "Ev Idx": 0,
        },
    }


def loaded(folder: Path, events: Sequence[Event], told: Document | None = None) -> Trace:
    """Read a trace of these events, with a document where one is given."""
    members = {} if told is None else {METADATA_KEY: json.loads(dumps(told))}
    return read(folder, document(list(events), **members))
