"""Amdahl's law over two runs: what attention explains, and what else changed, to the nanosecond."""

from __future__ import annotations

from collections.abc import Mapping

from genscope.analysis.classify import ATTENTION
from genscope.analysis.speedup.results import Amdahl, Bottleneck, CategoryShift, Change

CATEGORY, IDLE, OVERLAP = "category", "idle", "overlap"

Part = tuple[str, str]
"""Name and kind of a part of the time."""


def explain(measure: str, baseline: Mapping[Part, int], fused: Mapping[Part, int]) -> Amdahl:
    """Set the parts of two times, in nanoseconds, beside each other.

    The parts of each add up to its time; one of them is the category Attention, in both or none.
    """
    attention = (ATTENTION, CATEGORY)
    before, after = sum(baseline.values()), sum(fused.values())
    spent, left = baseline.get(attention, 0), fused.get(attention, 0)
    predicted = before - spent + left
    changes = [
        Change(
            name=name,
            kind=kind,
            baseline_ns=baseline.get((name, kind), 0),
            fused_ns=fused.get((name, kind), 0),
            delta_ns=fused.get((name, kind), 0) - baseline.get((name, kind), 0),
        )
        for name, kind in dict.fromkeys([*baseline, *fused])
        if (name, kind) != attention
    ]
    return Amdahl(
        measure=measure,
        baseline_ns=before,
        fused_ns=after,
        attention_baseline_ns=spent,
        attention_fused_ns=left,
        attention_share=spent / before if before else 0.0,
        module_speedup=ratio(spent, left),
        predicted_ns=predicted,
        predicted_speedup=ratio(before, predicted),
        limit_ns=before - spent,
        limit_speedup=ratio(before, before - spent),
        measured_speedup=ratio(before, after),
        difference_ns=after - predicted,
        changes=sorted(changes, key=lambda change: -abs(change.delta_ns)),
    )


def wall_parts(
    categories: Mapping[str, int], sum_ns: int, busy_ns: int, wall_ns: int
) -> dict[Part, int]:
    """Wall time, added over devices, as categories, what overlapped (below 0), and idle time."""
    return {
        **basis_parts(categories),
        ("Overlap", OVERLAP): busy_ns - sum_ns,
        ("Idle", IDLE): wall_ns - busy_ns,
    }


def basis_parts(categories: Mapping[str, int]) -> dict[Part, int]:
    """The time of the basis as its categories."""
    return {(name, CATEGORY): value for name, value in categories.items()}


def shifts(baseline: Mapping[str, int], fused: Mapping[str, int]) -> list[CategoryShift]:
    """Every category of either run, the baseline's largest first."""
    before, after = sum(baseline.values()), sum(fused.values())
    rows = [
        CategoryShift(
            category=name,
            baseline_ns=baseline.get(name, 0),
            fused_ns=fused.get(name, 0),
            delta_ns=fused.get(name, 0) - baseline.get(name, 0),
            baseline_share=baseline.get(name, 0) / before if before else 0.0,
            fused_share=fused.get(name, 0) / after if after else 0.0,
            speedup=ratio(baseline.get(name, 0), fused.get(name, 0)),
        )
        for name in dict.fromkeys([*baseline, *fused])
        if baseline.get(name, 0) or fused.get(name, 0)
    ]
    return sorted(rows, key=lambda row: (-row.baseline_ns, -row.fused_ns, row.category))


def bottleneck(categories: list[CategoryShift]) -> Bottleneck | None:
    """The largest category before and after; None where one of the runs has no time."""
    if not any(row.baseline_ns for row in categories) or not any(r.fused_ns for r in categories):
        return None
    before = max(categories, key=lambda row: row.baseline_ns)
    after = max(categories, key=lambda row: row.fused_ns)
    return Bottleneck(
        before=before.category,
        before_share=before.baseline_share,
        after=after.category,
        after_share=after.fused_share,
    )


def ratio(before: float, after: float) -> float | None:
    """A speedup; None where one of the times is not above 0."""
    return before / after if before > 0 and after > 0 else None
