"""Attention calls as a result: every call, and those that are alike together."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from genscope.analysis.attention.columns import SIZES, TEXTS, Calls, alike
from genscope.analysis.attention.record import Record, record_of
from genscope.analysis.attention.results import (
    Attention,
    AttentionCall,
    AttentionGroup,
    CallsWindow,
)
from genscope.analysis.attention.where import ALL_CALLS, FORWARD_PASSES, Where
from genscope.analysis.classify import PASSES
from genscope.analysis.flops.calls import CallWork, no_work
from genscope.analysis.windows import BEGINNING, Window, first_of, order_of
from genscope.trace.errors import TraceWarning
from genscope.trace.model import NONE, Bool, Int64, Trace

COLUMNS = tuple(field.encode_name for field in msgspec.structs.fields(AttentionCall))
"""What calls can be sorted by: the fields of a call, as they are called in JSON."""

_PLAIN = (
    "start_ns",
    "device_start_ns",
    "device_ns",
    "cpu_ns",
    "layout_ns",
    "layer",
    "step",
    "causal",
)
_COUNTS = ("flops", "moved_bytes")
_RATES = ("flops_per_s", "intensity")
_GROUP_TEXTS = ("component", "kind", "axis", "implementation", "phase", "dtype")
_GROUP_SIZES = ("batch", "heads", "kv_heads", "q_len", "kv_len", "head_dim")


def attention(trace: Trace, where: Where = ALL_CALLS, *, capture: Trace | None = None) -> Attention:
    """Return the attention calls of a trace that `where` takes.

    `capture` is a trace that gives the shapes that a graph replay hides.
    """
    return attention_of(record_of(trace, capture=capture), where)


def attention_of(record: Record, where: Where = ALL_CALLS, *, with_calls: bool = True) -> Attention:
    """Return the attention calls of a record, or all but the list of them."""
    calls, time = record.calls, time_of(record.calls)
    listed = record.places(where)
    return Attention(
        trace=record.trace,
        base_ns=record.base_ns,
        rank=record.rank,
        basis=record.basis,
        selection=where,
        passes=list(where.passes or FORWARD_PASSES),
        category_ns=record.category_ns,
        time_ns=int(time[listed].sum()),
        without_shapes=int((~calls.has_shape[listed]).sum()),
        calls_total=len(listed),
        groups=groups_of(calls, listed, time),
        calls=call_rows(calls, listed, record.work) if with_calls else [],
        warnings=[
            *record.warnings(where),
            *record.work_warnings,
            *shape_warning(calls, listed),
        ],
    )


def calls_window(
    record: Record, where: Where = ALL_CALLS, window: Window = BEGINNING
) -> CallsWindow:
    """Return a part of the sorted list of calls. Raises KeyError for what is no column."""
    calls = record.calls
    places = record.places(where)
    wanted = None
    if window.at is not None:
        wanted = window.at if (places == window.at).any() else None
    elif window.at_ns is not None and len(places):
        wanted = int(places[np.abs(_timeline_start(calls)[places] - window.at_ns).argmin()])
    column = window.sort or "index"
    values, known = _column(record, places, column)
    places = places[order_of(values, known, descending=window.descending)]
    at = int(np.flatnonzero(places == wanted)[0]) if wanted is not None else None
    first = first_of(window, len(places), at)
    return CallsWindow(
        total=len(places),
        first=first,
        sort=column,
        descending=window.descending,
        at=wanted,
        calls=call_rows(calls, places[first : first + window.count], record.work),
    )


def _timeline_start(calls: Calls) -> Int64:
    """Where each call begins in the timeline: on the device, if it has anything there."""
    return np.where(calls.device_start_ns == NONE, calls.start_ns, calls.device_start_ns)


def _column(record: Record, places: Int64, name: str) -> tuple[npt.NDArray[Any], Bool]:
    """Values of a column for `places`, in their order if not in their unit, and which are known."""
    calls = record.calls
    if name == "index":
        return places, np.ones(len(places), dtype=np.bool_)
    if name == "pass":
        by_name = np.argsort(np.argsort(PASSES))
        return by_name[calls.pass_[places]], np.ones(len(places), dtype=np.bool_)
    if name in TEXTS:
        numbers = calls.texts[name][places]
        by_word = np.argsort(np.argsort(np.array([*calls.words.listed, ""], dtype=object)))
        return by_word[numbers], numbers >= 0
    if name in SIZES:
        values = calls.sizes[name][places]
    elif name == "forward_index":
        values = calls.forward[places]
    elif name in _PLAIN:
        values = getattr(calls, name)[places].astype(np.int64)
    elif name in _COUNTS:
        values = getattr(record.work, name)[places]
    elif name in _RATES:
        rates = getattr(record.work, name)[places]
        return rates, ~np.isnan(rates)
    else:
        raise KeyError(name)
    return values, values >= 0


def time_of(calls: Calls) -> Int64:
    """Device time of each call, or CPU time where the trace has no device; shape (c,)."""
    return np.where(calls.device_ns == NONE, calls.cpu_ns, calls.device_ns)


def call_rows(calls: Calls, places: Int64, work: CallWork | None = None) -> list[AttentionCall]:
    """Return the calls at `places`, shape (k,), as typed rows; `work` is that of all calls."""
    work = work or no_work(len(calls))
    counts = {name: getattr(work, name)[places].tolist() for name in _COUNTS}
    rates = {name: getattr(work, name)[places].tolist() for name in _RATES}
    columns = {name: column[places].tolist() for name, column in calls.sizes.items()}
    texts = {name: column[places].tolist() for name, column in calls.texts.items()}
    plain = {name: getattr(calls, name)[places].tolist() for name in _PLAIN}
    passes = calls.pass_[places].tolist()
    forward = calls.forward[places].tolist()
    word = calls.words.text
    return [
        AttentionCall(
            index=int(place),
            pass_=PASSES[passes[at]],
            forward_index=_known(forward[at]),
            start_ns=plain["start_ns"][at],
            device_start_ns=_known(plain["device_start_ns"][at]),
            device_ns=_known(plain["device_ns"][at]),
            cpu_ns=plain["cpu_ns"][at],
            layout_ns=_known(plain["layout_ns"][at]),
            flops=_known(counts["flops"][at]),
            moved_bytes=_known(counts["moved_bytes"][at]),
            flops_per_s=_number(rates["flops_per_s"][at]),
            intensity=_number(rates["intensity"][at]),
            **{name: _known(columns[name][at]) for name in SIZES},
            dtype=word(texts["dtype"][at]),
            causal=None if plain["causal"][at] < 0 else bool(plain["causal"][at]),
            mask=word(texts["mask"][at]),
            kind=word(texts["kind"][at]),
            axis=word(texts["axis"][at]),
            implementation=word(texts["implementation"][at]),
            phase=word(texts["phase"][at]),
            component=word(texts["component"][at]),
            module=word(texts["module"][at]),
            layer=_known(plain["layer"][at]),
            step=_known(plain["step"][at]),
            reason=word(texts["reason"][at]),
        )
        for at, place in enumerate(places.tolist())
    ]


def groups_of(calls: Calls, places: Int64, time: Int64) -> list[AttentionGroup]:
    """Put the calls at `places` together by what they are; `time`, shape (c,), is added up."""
    if not len(places):
        return []
    first, group = alike(
        [
            calls.pass_[places],
            calls.causal[places],
            *(calls.texts[name][places] for name in _GROUP_TEXTS),
            *(calls.sizes[name][places] for name in _GROUP_SIZES),
        ]
    )
    count = np.bincount(group)
    sums = np.zeros(len(first), dtype=np.int64)
    np.add.at(sums, group, time[places])
    total = max(int(time[places].sum()), 1)
    word = calls.words.text
    rows = []
    for number, at in enumerate(places[first].tolist()):
        # Named fields of two types: mypy cannot tell which names are which.
        fields: dict[str, Any] = {
            **{name: word(int(calls.texts[name][at])) for name in _GROUP_TEXTS},
            **{name: _known(int(calls.sizes[name][at])) for name in _GROUP_SIZES},
        }
        causal = int(calls.causal[at])
        rows.append(
            AttentionGroup(
                pass_=PASSES[int(calls.pass_[at])],
                causal=None if causal < 0 else bool(causal),
                calls=int(count[number]),
                time_ns=int(sums[number]),
                share=int(sums[number]) / total,
                first_index=at,
                **fields,
            )
        )
    return sorted(rows, key=lambda row: (-row.time_ns, row.first_index))


def _known(value: int) -> int | None:
    return None if value < 0 else value


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def shape_warning(calls: Calls, listed: Int64) -> list[TraceWarning]:
    """Say how many of the calls at `listed`, shape (k,), have no lengths, and why."""
    missing = listed[~calls.has_shape[listed]]
    if not len(missing):
        return []
    reasons, counts = np.unique(calls.texts["reason"][missing], return_counts=True)
    listed_reasons = "; ".join(
        f"{count:,} x {calls.words.text(int(reason)) or 'unknown'}"
        for reason, count in sorted(
            zip(reasons.tolist(), counts.tolist(), strict=True), key=lambda pair: -pair[1]
        )
    )
    return [
        TraceWarning(
            code="attention_without_shapes",
            count=len(missing),
            message=f"{len(missing):,} of {len(listed):,} attention calls have no lengths: "
            f"{listed_reasons}.",
        )
    ]
