"""Tables of attention times by shape: what a replay needs, and what a pair of runs gives."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec.structs import replace

from genscope.analysis.attention import attention_calls
from genscope.analysis.speedup.results import Shape, Speedup, Table, TableRow, Timing
from genscope.analysis.speedup.shapes import DEFAULT_DTYPE, distinct_shapes
from genscope.trace.errors import TraceWarning
from genscope.trace.model import Trace

PAIR, REPLAY = "pair", "replay"

_HEAD_BYTES = 256
_HEAD_OF_A_TABLE = re.compile(rb'"view"\s*:\s*"(?:replay"|speedup"\s*,\s*"mode"\s*:\s*"measured")')


def looks_like_table(head: bytes) -> bool:
    """Whether a file that begins with `head` is what `read_table` takes, as far as that tells."""
    return head.startswith(b"{") and _HEAD_OF_A_TABLE.search(head[:_HEAD_BYTES]) is not None


def read_table(text: bytes) -> Table | None:
    """Read a table from the JSON of a replay, or of a speedup of two runs; None for other text."""
    for kind in (Table, Speedup):
        try:
            found: Any = msgspec.json.decode(text, type=kind)
        except (msgspec.DecodeError, RecursionError):
            continue
        return found if isinstance(found, Table) else table_of(found)
    return None


def shapes_to_measure(
    trace: Trace, *, dtype: str | None = None
) -> tuple[dict[Shape, int], list[TraceWarning]]:
    """Distinct shapes of forward attention with the number of calls, most work first.

    With `dtype`, all are of that data type and not of the recorded one. Calls that no shape stands
    for are counted in the warnings by their reason.
    """
    shapes, places = distinct_shapes(attention_calls(trace))
    counts: dict[Shape, int] = {}
    left: dict[str, int] = {}
    for shape, members in zip(shapes, places, strict=True):
        if isinstance(shape, str):
            left[shape] = left.get(shape, 0) + len(members)
        else:
            shape = replace(shape, dtype=dtype) if dtype else shape
            counts[shape] = counts.get(shape, 0) + len(members)
    warnings = [
        TraceWarning(
            code="not_replayed",
            count=count,
            message=f"{count:,} attention calls are left out: {reason}.",
        )
        for reason, count in left.items()
    ]
    order = sorted(counts, key=lambda one: -(one.batch * one.heads * one.q_len * one.kv_len))
    return {shape: counts[shape] for shape in order}, warnings


def table_of(result: Speedup) -> Table:
    """The times that two aligned runs give, by shape and implementation.

    Shapes whose lengths neither run tells, and calls of the backward pass, are left out.
    """
    rows: dict[Shape, TableRow] = {}
    for row in result.shapes:
        if row.pass_ != "forward" or row.mask == "window":
            continue
        sizes = (row.batch, row.heads, row.q_len, row.kv_len, row.head_dim)
        batch, heads, q_len, kv_len, head_dim = (size or 0 for size in sizes)
        if not all(sizes):
            continue
        shape = Shape(
            batch=batch,
            heads=heads,
            kv_heads=row.kv_heads or heads,
            q_len=q_len,
            kv_len=kv_len,
            head_dim=head_dim,
            v_head_dim=row.v_head_dim or head_dim,
            dtype=row.dtype or DEFAULT_DTYPE,
            causal=bool(row.causal),
            mask="tensor" if row.mask == "tensor" else "causal" if row.causal else "none",
        )
        timings = [
            Timing(
                implementation=name,
                median_ns=median,
                low_ns=median,
                high_ns=median,
                repeats=row.calls,
            )
            for name, median in (
                (row.baseline_implementation, row.baseline_median_ns),
                (row.fused_implementation, row.fused_median_ns),
            )
            if name is not None and median > 0
        ]
        known = rows.setdefault(shape, TableRow(shape=shape, calls=0, timings=[]))
        known.calls += row.calls
        have = {timing.implementation for timing in known.timings}
        known.timings += [one for one in timings if one.implementation not in have]
    return Table(
        source=PAIR,
        trace=f"{result.baseline.trace}, {result.fused.trace}",
        device="device" if result.basis == "device" else "cpu",
        device_name=", ".join(sorted({*result.baseline.devices, *result.fused.devices})),
        torch=None,
        rows=list(rows.values()),
        warnings=[one for one in result.warnings if one.code in ("other_dtype", "other_device")],
    )
