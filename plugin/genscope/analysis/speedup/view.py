"""What fused attention gains over a baseline: two runs, their calls aligned one by one."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from genscope.analysis.classify import ATTENTION
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.speedup import amdahl
from genscope.analysis.speedup.amdahl import ratio
from genscope.analysis.speedup.groups import groups_of, shapes_of
from genscope.analysis.speedup.match import Aligned, match
from genscope.analysis.speedup.notes import differences
from genscope.analysis.speedup.pairs import roles
from genscope.analysis.speedup.results import (
    Amdahl,
    Bottleneck,
    CategoryShift,
    Measure,
    ModuleSpeedup,
    Speedup,
)
from genscope.analysis.speedup.rows import aligned_rows, unaligned_rows
from genscope.analysis.speedup.side import Side, side_of
from genscope.schema import Workload
from genscope.trace.errors import TraceWarning
from genscope.trace.model import Trace

_MOST_REPEATS = 1000


def speedup(
    baseline: Trace,
    fused: Trace,
    selection: Selection = EVERYTHING,
    *,
    captures: tuple[Trace | None, Trace | None] = (None, None),
) -> Speedup:
    """Compare two runs of one workload, with baseline and with fused attention.

    Both are limited to the `selection`. `captures` give the shapes that graph replays hide.
    """
    return between(
        side_of(baseline, selection, capture=captures[0]),
        side_of(fused, selection, capture=captures[1]),
    )


def between(
    baseline: Side, fused: Side, *, calls: bool = True, aligned: Aligned | None = None
) -> Speedup:
    """Compare two runs that are summed up already; without `calls` none is listed.

    `aligned` is what `match` gave of them, or a part of that: calls are then of that part alone.
    """
    if aligned is None:
        aligned = match(baseline.calls, fused.calls)
    comparable = baseline.basis == fused.basis
    laws = _laws(baseline, fused) if comparable else []
    categories = amdahl.shifts(baseline.categories, fused.categories) if comparable else []
    largest = amdahl.bottleneck(categories)
    measures = _measures(baseline, fused, comparable)
    module = _module(baseline, fused, aligned) if comparable else []
    return Speedup(
        baseline=baseline.result(),
        fused=fused.result(),
        roles=roles(baseline, fused),
        basis=baseline.basis if comparable else None,
        sentence=_sentence(measures, laws, largest, categories),
        end_to_end=measures,
        module=module,
        amdahl=laws,
        bottleneck=largest,
        categories=categories,
        groups=groups_of(baseline, fused, aligned) if comparable else [],
        shapes=shapes_of(baseline, fused, aligned) if comparable else [],
        aligned=len(aligned.baseline),
        unaligned_baseline=len(aligned.only_baseline),
        unaligned_fused=len(aligned.only_fused),
        unaligned_reasons=dict(
            Counter([*aligned.reasons_baseline, *aligned.reasons_fused]).most_common()
        ),
        calls=aligned_rows(baseline, fused, aligned) if calls else [],
        unaligned=unaligned_rows(baseline, fused, aligned) if calls else [],
        warnings=[
            *differences(baseline, fused, aligned),
            *_own("baseline", baseline),
            *_own("fused run", fused),
        ],
    )


def _laws(baseline: Side, fused: Side) -> list[Amdahl]:
    sides = (baseline, fused)
    laws = [amdahl.explain("sum", *(amdahl.basis_parts(side.categories) for side in sides))]
    if baseline.lanes == fused.lanes:
        parts = [
            amdahl.wall_parts(side.categories, side.sum_ns, side.busy_ns, side.wall_ns * side.lanes)
            for side in sides
        ]
        laws.append(amdahl.explain("wall", *parts))
    return laws


def _measures(baseline: Side, fused: Side, comparable: bool) -> list[Measure]:
    found = [*_unprofiled(baseline.document.workload, fused.document.workload)]
    found.append(_measure("wall", baseline.wall_ns, fused.wall_ns))
    if comparable:
        found.append(_measure("busy", baseline.busy_ns, fused.busy_ns))
        found.append(_measure("sum", baseline.sum_ns, fused.sum_ns))
    if len(baseline.step_ns) and len(fused.step_ns):
        before, after = (int(np.median(side.step_ns)) for side in (baseline, fused))
        found.append(_measure("step", before, after))
    return found


def _measure(
    name: str, before: int, after: int, single: tuple[float | None, float | None] = (None, None)
) -> Measure:
    return Measure(
        name=name,
        baseline_ns=before,
        fused_ns=after,
        speedup=ratio(before, after),
        low=single[0],
        high=single[1],
    )


def _unprofiled(baseline: Workload, fused: Workload) -> list[Measure]:
    """Wall times that `collect_pair` measured without a profiler and wrote into both."""
    medians = [_seconds(run.extra.get("unprofiled_median_s")) for run in (baseline, fused)]
    before, after = medians
    if before is None or after is None:
        return []
    repeats = [
        [_seconds(word) for word in str(run.extra.get("unprofiled_repeats_s", "")).split()]
        for run in (baseline, fused)
    ]
    single = [
        slow / fast
        for slow, fast in zip(*(part[:_MOST_REPEATS] for part in repeats), strict=False)
        if slow is not None and fast is not None
    ]
    span = (min(single), max(single)) if single else (None, None)
    return [_measure("unprofiled", round(before * 1e9), round(after * 1e9), span)]


def _seconds(value: object) -> float | None:
    """A time above 0 from an annotation, which may hold anything."""
    try:
        seconds = float(value) if isinstance(value, str | int | float) else math.nan
    except ValueError:
        return None
    return seconds if 0 < seconds < 1e9 else None


def _module(baseline: Side, fused: Side, aligned: Aligned) -> list[ModuleSpeedup]:
    whole = baseline.attention_sum_ns, fused.attention_sum_ns
    mine = int(baseline.time_ns[aligned.baseline].sum())
    theirs = int(fused.time_ns[aligned.fused].sum())
    return [
        ModuleSpeedup(
            scope="category",
            calls=None,
            baseline_ns=whole[0],
            fused_ns=whole[1],
            speedup=ratio(*whole),
        ),
        ModuleSpeedup(
            scope="aligned",
            calls=len(aligned.baseline),
            baseline_ns=mine,
            fused_ns=theirs,
            speedup=ratio(mine, theirs),
        ),
    ]


def _own(which: str, side: Side) -> list[TraceWarning]:
    return [
        TraceWarning(code=one.code, count=one.count, message=f"The {which}: {one.message}")
        for one in side.warnings
    ]


def _sentence(
    measures: list[Measure],
    laws: list[Amdahl],
    largest: Bottleneck | None,
    categories: list[CategoryShift],
) -> str:
    found = {measure.name: measure for measure in measures}
    names = [name for name in _LEADING if name in found][:_TOLD]
    end = ", ".join(f"{_times(found[name].speedup)} in {_LEADING[name]}" for name in names)
    shift = next((row for row in categories if row.category == ATTENTION), None)
    if not laws or shift is None or largest is None:
        return f"End to end {end}."
    law = laws[0]
    stays = "stays" if largest.before == largest.after else "becomes"
    return (
        f"End to end {end}; attention {_times(law.module_speedup)}, from "
        f"{_percent(shift.baseline_share)} to {_percent(shift.fused_share)} of the time; "
        f"{largest.after} {stays} the largest ({_percent(largest.after_share)}). Of the "
        f"{_times(law.measured_speedup)}, attention alone explains "
        f"{_times(law.predicted_speedup)}; {_times(law.limit_speedup)} if it cost nothing."
    )


_LEADING = {
    "unprofiled": "wall time without profiler",
    "busy": "busy time",
    "wall": "wall time of the recording",
}
"""Measures for the sentence, the best first."""

_TOLD = 2


def _times(value: float | None) -> str:
    return "not known" if value is None else f"{value:.2f}x"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
