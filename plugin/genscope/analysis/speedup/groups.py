"""Aligned calls that are alike, together: by component, kind, axis, phase, pass and shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from genscope.analysis.classify import PASSES
from genscope.analysis.speedup.alike import alike
from genscope.analysis.speedup.amdahl import ratio
from genscope.analysis.speedup.match import Aligned, Columns
from genscope.analysis.speedup.results import GroupSpeedup, ShapeSpeedup
from genscope.analysis.speedup.shapes import shape_words
from genscope.analysis.speedup.side import Side
from genscope.trace.model import Int64

_TEXTS = ("component", "kind", "axis", "phase")
_SIZES = ("batch", "heads", "kv_heads", "q_len", "kv_len", "head_dim", "v_head_dim")


def groups_of(baseline: Side, fused: Side, aligned: Aligned) -> list[GroupSpeedup]:
    """Speedups by each of the words that calls have, largest baseline time first."""
    columns = Columns(baseline.calls, fused.calls)
    times = baseline.time_ns[aligned.baseline], fused.time_ns[aligned.fused]
    rows: list[GroupSpeedup] = []
    for name in _TEXTS:
        values = columns.together(name, aligned.baseline, aligned.fused)
        if (values < 0).all():
            continue
        rows += [
            GroupSpeedup(
                by=name, name=columns.word(int(values[places[0]])), **_figures(*times, places)
            )
            for places in alike([values])
        ]
    passes = columns.passes()[0][aligned.baseline]
    rows += [
        GroupSpeedup(by="pass", name=PASSES[int(passes[places[0]])], **_figures(*times, places))
        for places in alike([passes])
    ]
    order = {by: place for place, by in enumerate((*_TEXTS, "pass"))}
    return sorted(rows, key=lambda row: (order[row.by], -row.baseline_ns))


def shapes_of(baseline: Side, fused: Side, aligned: Aligned) -> list[ShapeSpeedup]:
    """Speedups by shape, largest baseline time first."""
    columns = Columns(baseline.calls, fused.calls)
    first, second = aligned.baseline, aligned.fused
    sizes = {name: columns.together(name, first, second) for name in _SIZES}
    texts = {name: columns.together(name, first, second) for name in ("kind", "axis", "mask")}
    by = [
        column[places]
        for column, places in zip(columns.text("implementation"), (first, second), strict=True)
    ]
    dtype = columns.together("dtype", first, second)
    mine, theirs = baseline.calls.causal[first], fused.calls.causal[second]
    causal = np.where(mine < 0, theirs, mine).astype(np.int64)
    passes = columns.passes()[0][first]
    times = baseline.time_ns[first], fused.time_ns[second]
    rows = []
    for places in alike([passes, *sizes.values(), *texts.values(), *by, dtype, causal]):
        at = int(places[0])
        fields: dict[str, Any] = {name: known(int(sizes[name][at])) for name in _SIZES}
        fields |= {name: columns.word(int(texts[name][at])) for name in texts}
        fields["causal"] = None if causal[at] < 0 else bool(causal[at])
        rows.append(
            ShapeSpeedup(
                by="shape",
                name=shape_words(**{name: fields[name] for name in _WORDED}),
                pass_=PASSES[int(passes[at])],
                dtype=columns.word(int(dtype[at])),
                baseline_implementation=columns.word(int(by[0][at])),
                fused_implementation=columns.word(int(by[1][at])),
                **fields,
                **_figures(*times, places),
            )
        )
    return sorted(rows, key=lambda row: -row.baseline_ns)


_WORDED = ("batch", "heads", "kv_heads", "q_len", "kv_len", "head_dim", "causal")


def known(value: int) -> int | None:
    """A length, or None for -1."""
    return None if value < 0 else value


def _figures(baseline: Int64, fused: Int64, places: Int64) -> dict[str, Any]:
    before, after = baseline[places], fused[places]
    timed = (before > 0) & (after > 0)
    single = before[timed] / after[timed]
    has = bool(len(single))
    return {
        "calls": len(places),
        "baseline_ns": int(before.sum()),
        "fused_ns": int(after.sum()),
        "speedup": ratio(int(before.sum()), int(after.sum())),
        "baseline_median_ns": int(np.median(before)),
        "fused_median_ns": int(np.median(after)),
        "median_speedup": float(np.median(single)) if has else None,
        "low": float(single.min()) if has else None,
        "high": float(single.max()) if has else None,
    }
