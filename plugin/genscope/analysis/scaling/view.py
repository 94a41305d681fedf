"""How time, FLOPs and memory grow over several runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genscope.analysis.attention.axes import SPATIAL, TEMPORAL
from genscope.analysis.classify import ATTENTION
from genscope.analysis.scaling.lines import CONVOLUTION, NEITHER, lines_of, said
from genscope.analysis.scaling.results import (
    AXIS,
    BASELINE,
    CATEGORY,
    FLOPS,
    FUSED,
    TIME,
    Change,
    Contribution,
    Growth,
    Line,
    Scaling,
    Sweep,
)
from genscope.analysis.scaling.sweeps import Group, groups_of
from genscope.trace.errors import TraceWarning

_MUCH = 0.1
"""Share of a run's time without known FLOPs from which on a sweep says so."""


def scaling(runs: Sequence[tuple[str, Contribution]], by: str | None = None) -> Scaling:
    """Set runs side by side that differ in one parameter, `by` or whichever it is.

    A run can be in several sweeps; those in none are listed with the reason.
    """
    groups, left_out = groups_of(runs, by)
    sweeps = [_sweep(group, groups) for group in groups]
    known = dict(runs)
    return Scaling(
        by=by,
        sweeps=sweeps,
        left_out=left_out,
        sentence=_whole(sweeps, len(runs)),
        warnings=list(_of_runs(known)),
    )


def _of_runs(runs: dict[str, Contribution]) -> Iterator[TraceWarning]:
    """Yield the warnings of single runs, with their names."""
    for label, run in runs.items():
        for one in run.warnings:
            yield TraceWarning(code=one.code, count=one.count, message=f"{label}: {one.message}")
        if run.unknown_score_calls:
            yield TraceWarning(
                code="scores_unknown",
                count=run.unknown_score_calls,
                message=f"{label}: nothing tells the score matrices of "
                f"{run.unknown_score_calls:,} attention calls; they count no bytes.",
            )


def _sweep(group: Group, groups: Sequence[Group]) -> Sweep:
    first = group.runs[0][1]
    lines = lines_of(group)
    changes = list(_changes(lines))
    sweep = Sweep(
        name=_name(group, groups),
        model=first.model,
        parameter=group.parameter.name,
        unit=group.parameter.unit,
        found_by=group.found_by,
        fixed=group.fixed,
        basis=first.basis,
        devices=sorted(set(first.devices)),
        values=group.values,
        per_step=group.per_step,
        lines=lines,
        changes=changes,
        sentence="",
        warnings=list(_warnings(group, lines)),
    )
    sweep.sentence = _sentence(sweep)
    return sweep


def _name(group: Group, others: Sequence[Group]) -> str:
    """The model and the parameter, with what tells the sweep from others of the same."""
    model = group.fixed.get("model", "unknown model")
    alike = [
        other
        for other in others
        if other.parameter == group.parameter
        and other.fixed.get("model") == group.fixed.get("model")
    ]
    differs = [
        f"{word} {value}"
        for word, value in group.fixed.items()
        if any(other.fixed.get(word) != value for other in alike)
    ]
    return ", ".join([f"{model}: {group.parameter.words}", *differs])


def _changes(lines: Sequence[Line]) -> Iterator[Change]:
    for before, baseline in enumerate(lines):
        for after, fused in enumerate(lines):
            if baseline.role != BASELINE or fused.role != FUSED:
                continue
            for one, other in zip(baseline.growth, fused.growth, strict=True):
                yield Change(
                    metric=one.metric,
                    baseline=before,
                    fused=after,
                    before=one.faster,
                    after=other.faster,
                    fastest_before=one.fastest,
                    fastest_after=other.fastest,
                    attention_before=one.attention_exponent,
                    attention_after=other.attention_exponent,
                    convolution_before=one.convolution_exponent,
                    convolution_after=other.convolution_exponent,
                )


def _warnings(group: Group, lines: Sequence[Line]) -> Iterator[TraceWarning]:
    points = [point for line in lines for point in line.points]
    lost = [point for point in points if point.unknown_share >= _MUCH]
    if lost:
        worst = max(point.unknown_share for point in lost)
        yield TraceWarning(
            code="unknown_work",
            count=len(lost),
            message=f"In {len(lost)} of {len(points)} runs the FLOPs behind a part of the time "
            f"are not known, up to {100 * worst:.0f} %: FLOPs are too low there.",
        )
    if group.per_step:
        yield TraceWarning(
            code="per_step",
            count=len(points),
            message="The runs have different numbers of steps, so figures are of one step, the "
            "mean of those recorded; work outside steps is left out.",
        )
    few = [line for line in lines if len({point.value for point in line.points}) < 3]
    if few:
        which = " and ".join(_of(line) for line in few)
        yield TraceWarning(
            code="few_points",
            count=len(few),
            message=f"{which} has fewer than three values: slopes between two points, no laws."
            if len(few) == 1
            else f"{which} have fewer than three values each: slopes between two points, no laws.",
        )


# Sentences --------------------------------------------------------------------------------------


def _of(line: Line) -> str:
    return f"the {'baseline' if line.role == BASELINE else 'fused'} line" + (
        f" ({line.attention})" if line.attention else ""
    )


def _whole(sweeps: Sequence[Sweep], runs: int) -> str:
    if not sweeps:
        return (
            "No two runs differ in one parameter alone: record one model with several image sizes, "
            "numbers of frames, batches or prompt lengths."
        )
    more = len(sweeps) - 1
    return sweeps[0].sentence + (
        f" {more} more sweep{'s' if more > 1 else ''} can be made of these runs." if more else ""
    )


def _sentence(sweep: Sweep) -> str:
    low, high = said(sweep.values[0]), said(sweep.values[-1])
    start = f"{sweep.name}, {low} to {high} {sweep.unit}"
    told = [words for line in sweep.lines if (words := _of_line(line))]
    if not told:
        return f"{start}: too few points for a law."
    return f"{start}: {'. '.join(words[0].upper() + words[1:] for words in told)}."


def _of_line(line: Line) -> str | None:
    growth = next(one for one in line.growth if one.metric == TIME)
    said = [_grows(growth), _meeting(line, CATEGORY, TIME, ATTENTION, CONVOLUTION), _axes(line)]
    told = "; ".join(words for words in said if words)
    return f"with {line.attention or line.role} attention, {told}" if told else None


def _grows(growth: Growth) -> str | None:
    if growth.faster is not None:
        words = (
            f"time grows with the power {growth.attention_exponent:.2f} in {ATTENTION} and "
            f"{growth.convolution_exponent:.2f} in {CONVOLUTION}"
        )
        return words + (" (no clear difference)" if growth.faster == NEITHER else "")
    if growth.fastest is not None:
        words = f"time grows fastest in {growth.fastest}, with the power {growth.exponent:.2f}"
        return words + ("" if growth.clear else f" (not clearly faster than in {growth.second})")
    return None


def _meeting(line: Line, group: str, metric: str, *names: str) -> str | None:
    """Say where two parts of the whole run cross in one metric."""
    for one in line.crossovers:
        same = (one.group, one.metric, one.component) == (group, metric, None)
        if same and {one.upper, one.lower} == set(names):
            how = "" if one.measured else ", extrapolated"
            return f"{one.upper} overtakes {one.lower} at {one.label}{how}"
    return None


def _axes(line: Line) -> str | None:
    """Say how FLOPs of temporal and spatial attention grow where there are both."""
    of = {
        fit.name: fit.exponent
        for fit in line.fits
        if fit.group == AXIS and fit.metric == FLOPS and fit.component is None
    }
    temporal, spatial = of.get(TEMPORAL), of.get(SPATIAL)
    if temporal is None or spatial is None:
        return None
    words = (
        f"FLOPs with the power {temporal:.2f} in temporal and {spatial:.2f} in spatial attention"
    )
    meeting = _meeting(line, AXIS, FLOPS, TEMPORAL, SPATIAL)
    return f"{words}, and {meeting}" if meeting else words
