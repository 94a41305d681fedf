"""Attention calls as a result: every call, and those that are alike together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.columns import SIZES, Calls
from genscope.analysis.attention.results import Attention, AttentionCall, AttentionGroup
from genscope.analysis.classify import ATTENTION, PASSES, classify
from genscope.analysis.work import CPU_SELF, file_name, gather, work_warnings
from genscope.trace.errors import TraceWarning
from genscope.trace.model import NONE, Bool, Int64, Trace

CPU = "cpu"

FORWARD_PASSES = ("forward", "unknown")
"""Passes listed unless others are asked for. What a graph replays, or was launched before the
recording, is most likely forward."""

_GROUP_TEXTS = ("component", "kind", "axis", "implementation", "phase", "dtype")
_GROUP_SIZES = ("batch", "heads", "kv_heads", "q_len", "kv_len", "head_dim")


def attention(
    trace: Trace, *, passes: Sequence[str] = FORWARD_PASSES, capture: Trace | None = None
) -> Attention:
    """Return the attention calls of a trace.

    `passes` are those of `genscope.analysis.classify.PASSES` to list; `capture` is a trace that
    gives the shapes that a graph replay hides.
    """
    classes = classify(trace)
    calls = attention_calls(trace, capture=capture)
    work = gather(trace, classes)
    of_rule = np.array([rule.category == ATTENTION for rule in classes.rules] + [False])
    listed = np.flatnonzero(in_passes(calls, passes))
    time = time_of(calls)
    return Attention(
        trace=file_name(trace),
        base_ns=str(trace.base_ns),
        rank=trace.rank,
        basis=CPU if work.basis == CPU_SELF else work.basis,
        passes=list(passes),
        category_ns=int(work.time_ns[of_rule[classes.rule[work.rows]]].sum()),
        time_ns=int(time[listed].sum()),
        without_shapes=int((~calls.has_shape[listed]).sum()),
        groups=groups_of(calls, listed, time),
        calls=call_rows(calls, listed),
        warnings=[*trace.warnings, *work_warnings(trace, work), *shape_warning(calls, listed)],
    )


def in_passes(calls: Calls, passes: Sequence[str]) -> Bool:
    """Mask of shape (c,) of the calls of some passes."""
    wanted = np.array([name in passes for name in PASSES])
    mask: Bool = wanted[calls.pass_]
    return mask


def time_of(calls: Calls) -> Int64:
    """Device time of each call, or CPU time where the trace has no device; shape (c,)."""
    return np.where(calls.device_ns == NONE, calls.cpu_ns, calls.device_ns)


def call_rows(calls: Calls, places: Int64) -> list[AttentionCall]:
    """Return the calls at `places`, shape (k,), as typed rows."""
    columns = {name: column[places].tolist() for name, column in calls.sizes.items()}
    texts = {name: column[places].tolist() for name, column in calls.texts.items()}
    plain = {
        name: getattr(calls, name)[places].tolist()
        for name in ("start_ns", "device_ns", "cpu_ns", "layout_ns", "layer", "step", "causal")
    }
    passes = calls.pass_[places].tolist()
    forward = calls.forward[places].tolist()
    word = calls.words.text
    return [
        AttentionCall(
            index=int(place),
            pass_=PASSES[passes[at]],
            forward_index=_known(forward[at]),
            start_ns=plain["start_ns"][at],
            device_ns=_known(plain["device_ns"][at]),
            cpu_ns=plain["cpu_ns"][at],
            layout_ns=_known(plain["layout_ns"][at]),
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
    keys = np.stack(
        [calls.pass_[places].astype(np.int64), calls.causal[places].astype(np.int64)]
        + [calls.texts[name][places].astype(np.int64) for name in _GROUP_TEXTS]
        + [calls.sizes[name][places] for name in _GROUP_SIZES],
        axis=1,
    )
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1)
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
