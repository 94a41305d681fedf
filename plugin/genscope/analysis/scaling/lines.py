"""Runs of a sweep that compute attention alike, as a line: its points, fits and crossings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import msgspec

from genscope.analysis.classify import ATTENTION
from genscope.analysis.scaling.crossings import Crossing, foretold, measured
from genscope.analysis.scaling.laws import Law, law
from genscope.analysis.scaling.results import (
    AXIS,
    BASELINE,
    CATEGORY,
    COMPONENT,
    FLOPS,
    FUSED,
    KIND,
    LARGEST,
    MOVED,
    PEAK,
    SCORES,
    TIME,
    TOTAL,
    WRITTEN,
    Amount,
    Contribution,
    Crossover,
    Fit,
    Growth,
    Line,
    Point,
)
from genscope.analysis.scaling.sweeps import Group, Run, described
from genscope.analysis.speedup.pairs import pair_runs
from genscope.analysis.speedup.results import RunInfo
from genscope.analysis.speedup.side import UNFUSED

CONVOLUTION, NEITHER = "Convolution", "neither"

MATTERS = 0.02
"""Part of a run that a category has at some point, to be named as growing or crossing."""

_MOSTLY = 0.5

_OF_PART = (TIME, FLOPS, MOVED)
_OF_GROUP = {
    TOTAL: (*_OF_PART, SCORES, WRITTEN),
    CATEGORY: _OF_PART,
    COMPONENT: _OF_PART,
    KIND: (TIME, FLOPS, SCORES, WRITTEN),
    AXIS: (TIME, FLOPS, SCORES, WRITTEN),
}
_OF_RUN = (LARGEST, PEAK)

_Key = tuple[str, str, str | None]
"""Group, name and component of an amount."""


def lines_of(group: Group) -> list[Line]:
    """The lines of a sweep, baselines first."""
    role = _roles(group)
    members: dict[tuple[str, str | None], list[Run]] = {}
    for label, run in group.runs:
        members.setdefault((role[label], run.attention), []).append((label, run))
    order = sorted(members, key=lambda key: (key[0] != BASELINE, key[1] or ""))
    return [_line(group, key[0], members[key]) for key in order]


def _roles(group: Group) -> dict[str, str]:
    """Baseline or fused: by the run that it is paired with, else by how most of it attends."""
    found = pair_runs(
        [
            RunInfo(
                label=label,
                workload=str(sorted(described(run).items())),
                attention=run.attention,
                rank=run.rank,
                unfused_share=run.unfused_share,
            )
            for label, run in group.runs
        ]
    )
    roles = {}
    for label, run in group.runs:
        if run.unfused_share is None:
            roles[label] = BASELINE if run.attention in UNFUSED else FUSED
        else:
            roles[label] = BASELINE if run.unfused_share >= _MOSTLY else FUSED
    for pair in found.pairs:
        roles[pair.baseline], roles[pair.fused] = BASELINE, FUSED
    return roles


def _why(runs: Sequence[Contribution]) -> str:
    shares = [run.unfused_share for run in runs if run.unfused_share is not None]
    if not shares:
        return "as it was asked for: there are no attention calls"
    low, high = round(100 * min(shares)), round(100 * max(shares))
    part = f"{low}" if low == high else f"{low} to {high}"
    return f"{part} % of its attention time is unfused ({' or '.join(UNFUSED)})"


def _line(group: Group, role: str, runs: Sequence[Run]) -> Line:
    order = sorted(runs, key=lambda run: (group.value(run[1]), run[0]))
    points = [_point(group, label, run) for label, run in order]
    asked = order[0][1].attention
    ran = sorted({run.implementation for _, run in order if run.implementation})
    laws = dict(_laws(points))
    return Line(
        role=role,
        attention=asked or " or ".join(ran) or None,
        reason=_why([run for _, run in order]),
        points=points,
        fits=[_fit(key, metric, one, points) for (key, metric), one in laws.items()],
        growth=[_growth(metric, laws, points) for metric in _OF_PART],
        crossovers=list(_crossovers(group, laws, points)),
    )


# Points -----------------------------------------------------------------------------------------


def _point(group: Group, label: str, run: Contribution) -> Point:
    steps = run.recorded_steps if group.per_step else None
    amounts = run.amounts if steps is None else [_shared(one, steps) for one in run.step_amounts]
    total = next((one for one in amounts if one.group == TOTAL), None)
    value = group.value(run)
    words = said(value)
    if group.parameter.name == "image_size" and run.image_size:
        words = " x ".join(str(side) for side in run.image_size)
    return Point(
        run=label,
        value=value,
        label=words,
        implementation=run.implementation,
        steps=steps,
        unknown_share=total.unknown_ns / max(total.time_ns, 1) if total else 0.0,
        amounts=amounts,
        largest_score_bytes=run.largest_score_bytes,
        peak_memory_bytes=run.peak_memory_bytes,
    )


def said(value: float) -> str:
    """A value as people write it: whole, or with three digits."""
    return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.3g}"


_FIGURES = ("time_ns", "flops", "unknown_ns", "moved_bytes", "score_bytes", "written_score_bytes")


def _shared(amount: Amount, steps: int) -> Amount:
    """The part of one of several steps."""
    figures = {name: getattr(amount, name) for name in _FIGURES}
    return msgspec.structs.replace(
        amount,
        **{name: None if one is None else round(one / steps) for name, one in figures.items()},
    )


def _amounts(points: Sequence[Point]) -> dict[_Key, list[Amount | None]]:
    """Each part that any point has, with its amount at every point."""
    keys = [(one.group, one.name, one.component) for point in points for one in point.amounts]
    of_point = [
        {(one.group, one.name, one.component): one for one in point.amounts} for point in points
    ]
    return {key: [known.get(key) for known in of_point] for key in dict.fromkeys(keys)}


# Fits -------------------------------------------------------------------------------------------


def _laws(points: Sequence[Point]) -> Iterator[tuple[tuple[_Key, str], Law]]:
    """Yield a law for each figure that is above 0 somewhere."""
    for key, amounts in _amounts(points).items():
        for metric in _OF_GROUP[key[0]]:
            values = [None if one is None else getattr(one, metric) for one in amounts]
            if any(values):
                pairs = [(point.value, one) for point, one in zip(points, values, strict=True)]
                yield (key, metric), law(pairs)
    for metric in _OF_RUN:
        pairs = [(point.value, getattr(point, metric)) for point in points]
        if any(value for _, value in pairs):
            yield ((TOTAL, "all", None), metric), law(pairs)


def _fit(key: _Key, metric: str, one: Law, points: Sequence[Point]) -> Fit:
    return Fit(
        group=key[0],
        name=key[1],
        component=key[2],
        metric=metric,
        points=one.points,
        runs=one.runs,
        exponent=one.exponent,
        error=one.error,
        slope=one.slope,
        factor=one.factor,
        r2=one.r2,
        deviation=one.deviation,
        share=_share(key, metric, points[-1]),
        reason=one.reason,
    )


def _share(key: _Key, metric: str, point: Point) -> float | None:
    if metric in _OF_RUN:
        return None
    found = {(one.group, one.name, one.component): one for one in point.amounts}
    total = found.get((TOTAL, "all", None))
    whole = getattr(total, metric) if total else 0
    if not whole:
        return None
    part = found.get(key)
    return (getattr(part, metric) or 0) / whole if part else 0.0


def _matter(key: _Key, metric: str, points: Sequence[Point]) -> bool:
    """Whether a part is MATTERS of its like at some point: kinds of a component's attention."""
    for point in points:
        like = [one for one in point.amounts if (one.group, one.component) == (key[0], key[2])]
        mine = sum(getattr(one, metric) or 0 for one in like if one.name == key[1])
        if mine and mine >= MATTERS * sum(getattr(one, metric) or 0 for one in like):
            return True
    return False


def _growth(metric: str, laws: dict[tuple[_Key, str], Law], points: Sequence[Point]) -> Growth:
    ranked = sorted(
        (
            (one.exponent, one.error or 0.0, key[1])
            for (key, of), one in laws.items()
            if key[0] == CATEGORY
            and of == metric
            and one.exponent is not None
            and _matter(key, metric, points)
        ),
        reverse=True,
    )
    first, second = (ranked[place] if len(ranked) > place else None for place in (0, 1))
    of = {
        name: laws.get(((CATEGORY, name, None), metric), Law(0, 0))
        for name in (ATTENTION, CONVOLUTION)
    }
    return Growth(
        metric=metric,
        fastest=first[2] if first else None,
        exponent=first[0] if first else None,
        second=second[2] if second else None,
        second_exponent=second[0] if second else None,
        clear=bool(first and (not second or _apart(first[:2], second[:2]))),
        attention_exponent=of[ATTENTION].exponent,
        convolution_exponent=of[CONVOLUTION].exponent,
        faster=_faster(of[ATTENTION], of[CONVOLUTION]),
    )


def _apart(first: tuple[float, float], second: tuple[float, float]) -> bool:
    return abs(first[0] - second[0]) > max(first[1] + second[1], 1e-6)


def _faster(attention: Law, convolution: Law) -> str | None:
    if attention.exponent is None or convolution.exponent is None:
        return None
    pair = (
        (attention.exponent, attention.error or 0),
        (
            convolution.exponent,
            convolution.error or 0,
        ),
    )
    if not _apart(*pair):
        return NEITHER
    return ATTENTION if attention.exponent > convolution.exponent else CONVOLUTION


# Crossings --------------------------------------------------------------------------------------


def _crossovers(
    group: Group, laws: dict[tuple[_Key, str], Law], points: Sequence[Point]
) -> Iterator[Crossover]:
    """Yield where categories, components, kinds and axes overtake each other."""
    keys = list(_amounts(points))
    values = sorted({point.value for point in points})
    for metric in _OF_PART:
        able = [key for key in keys if (key, metric) in laws and _matter(key, metric, points)]
        for one, other in combinations(able, 2):
            if one[0] != other[0] or one[0] == TOTAL or one[2] != other[2]:
                continue
            lines = _known(one, metric, points), _known(other, metric, points)
            both = laws[one, metric], laws[other, metric]
            found = measured(values, *lines)
            ahead = None if found else foretold(values, *lines, both)
            for crossing in [*found, *([ahead] if ahead else [])]:
                yield _crossover(group, metric, (one, other), both, crossing)


def _known(key: _Key, metric: str, points: Sequence[Point]) -> dict[float, float]:
    """The geometric mean of a figure at each value of the parameter, where all are above 0."""
    found: dict[float, list[float]] = {}
    for point in points:
        for amount in point.amounts:
            if (amount.group, amount.name, amount.component) == key:
                found.setdefault(point.value, []).append(getattr(amount, metric) or 0)
    return {
        value: math.exp(sum(map(math.log, figures)) / len(figures))
        for value, figures in found.items()
        if min(figures) > 0
    }


def _crossover(
    group: Group, metric: str, keys: tuple[_Key, _Key], laws: tuple[Law, Law], one: Crossing
) -> Crossover:
    upper, lower = (0, 1) if one.first_above else (1, 0)
    told = one.between is None
    return Crossover(
        group=keys[0][0],
        component=keys[0][2],
        metric=metric,
        upper=keys[upper][1],
        lower=keys[lower][1],
        value=one.value,
        label=f"{said(one.value)} {group.parameter.unit}",
        measured=not told,
        between=one.between,
        low=one.low,
        high=one.high,
        upper_exponent=laws[upper].exponent if told else None,
        lower_exponent=laws[lower].exponent if told else None,
        points=min(law.points for law in laws) if told else 2,
    )
