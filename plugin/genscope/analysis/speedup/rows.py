"""Calls of two runs as typed rows: those that both make, and those that one makes alone."""

from __future__ import annotations

import numpy as np

from genscope.analysis.classify import PASSES
from genscope.analysis.speedup.amdahl import ratio
from genscope.analysis.speedup.groups import known
from genscope.analysis.speedup.match import Aligned, Columns
from genscope.analysis.speedup.results import AlignedCall, UnalignedCall
from genscope.analysis.speedup.side import Side
from genscope.trace.model import Int64


def aligned_rows(baseline: Side, fused: Side, aligned: Aligned) -> list[AlignedCall]:
    """The calls that both runs make, in order."""
    columns = Columns(baseline.calls, fused.calls)
    first, second = aligned.baseline, aligned.fused
    sizes = {
        name: columns.together(name, first, second).tolist()
        for name in ("batch", "heads", "q_len", "kv_len", "head_dim")
    }
    texts = {
        name: columns.together(name, first, second).tolist()
        for name in ("component", "kind", "axis", "phase")
    }
    by = [
        column[places].tolist()
        for column, places in zip(columns.text("implementation"), (first, second), strict=True)
    ]
    passes = columns.passes()[0][first].tolist()
    layers, steps = (getattr(baseline.calls, name)[first].tolist() for name in ("layer", "step"))
    starts = baseline.calls.start_ns[first].tolist(), fused.calls.start_ns[second].tolist()
    times = baseline.time_ns[first].tolist(), fused.time_ns[second].tolist()
    indices = baseline.index[first].tolist(), fused.index[second].tolist()
    notes = notes_of(columns, aligned)
    word = columns.word
    return [
        AlignedCall(
            baseline_index=mine,
            fused_index=theirs,
            pass_=PASSES[passes[at]],
            component=word(texts["component"][at]),
            kind=word(texts["kind"][at]),
            axis=word(texts["axis"][at]),
            phase=word(texts["phase"][at]),
            layer=known(layers[at]),
            step=known(steps[at]),
            batch=known(sizes["batch"][at]),
            heads=known(sizes["heads"][at]),
            q_len=known(sizes["q_len"][at]),
            kv_len=known(sizes["kv_len"][at]),
            head_dim=known(sizes["head_dim"][at]),
            baseline_implementation=word(by[0][at]),
            fused_implementation=word(by[1][at]),
            baseline_start_ns=starts[0][at],
            fused_start_ns=starts[1][at],
            baseline_ns=times[0][at],
            fused_ns=times[1][at],
            speedup=ratio(times[0][at], times[1][at]),
            note=notes.get(at),
        )
        for at, (mine, theirs) in enumerate(zip(*indices, strict=True))
    ]


_NOTED_SIZES = {"batch": "batch", "heads": "heads", "head_dim": "width"}
_NOTED_TEXTS = ("dtype", "kind", "axis")


def notes_of(columns: Columns, aligned: Aligned) -> dict[int, str]:
    """What differs between the two of an aligned pair, by the place of the pair."""
    parts: dict[int, list[str]] = {}

    def differing(mine: Int64, theirs: Int64) -> list[int]:
        apart = (mine != theirs) & (mine >= 0) & (theirs >= 0)
        return list(np.flatnonzero(apart).tolist())

    for name, said in _NOTED_SIZES.items():
        first, second = columns.size(name)
        mine, theirs = first[aligned.baseline], second[aligned.fused]
        for at in differing(mine, theirs):
            parts.setdefault(at, []).append(f"{said} {mine[at]} and {theirs[at]}")
    for name in _NOTED_TEXTS:
        first, second = columns.text(name)
        mine, theirs = first[aligned.baseline], second[aligned.fused]
        for at in differing(mine, theirs):
            words = columns.word(int(mine[at])), columns.word(int(theirs[at]))
            parts.setdefault(at, []).append(f"{words[0]} and {words[1]}")
    for side, places in zip(columns.calls, (aligned.baseline, aligned.fused), strict=True):
        which = "baseline" if side is columns.calls[0] else "fused run"
        for at in np.flatnonzero(~side.has_shape[places]).tolist():
            parts.setdefault(at, []).append(f"the {which} does not tell lengths: by order")
    return {at: "; ".join(said) for at, said in parts.items()}


def unaligned_rows(baseline: Side, fused: Side, aligned: Aligned) -> list[UnalignedCall]:
    """The calls that only one of the runs makes, the baseline's first."""
    return [
        *_alone("baseline", baseline, aligned.only_baseline, aligned.reasons_baseline),
        *_alone("fused", fused, aligned.only_fused, aligned.reasons_fused),
    ]


def _alone(run: str, side: Side, places: Int64, reasons: list[str]) -> list[UnalignedCall]:
    calls = side.calls
    return [
        UnalignedCall(
            run=run,
            index=int(side.index[place]),
            pass_=PASSES[int(calls.pass_[place])],
            component=calls.text("component", place),
            kind=calls.text("kind", place),
            axis=calls.text("axis", place),
            batch=known(int(calls.sizes["batch"][place])),
            heads=known(int(calls.sizes["heads"][place])),
            q_len=known(int(calls.sizes["q_len"][place])),
            kv_len=known(int(calls.sizes["kv_len"][place])),
            implementation=calls.text("implementation", place),
            start_ns=int(calls.start_ns[place]),
            time_ns=int(side.time_ns[place]),
            reason=reason,
        )
        for place, reason in zip(places.tolist(), reasons, strict=True)
    ]
