"""How time, FLOPs and memory grow over several runs, in words and tables."""

from __future__ import annotations

from collections.abc import Iterator

from genscope.analysis.classify import ATTENTION
from genscope.analysis.flops.view import scaled
from genscope.analysis.scaling.lines import said
from genscope.analysis.scaling.results import (
    AXIS,
    CATEGORY,
    COMPONENT,
    FLOPS,
    KIND,
    MOVED,
    TIME,
    TOTAL,
    Amount,
    Crossover,
    Fit,
    Line,
    Point,
    Scaling,
    Sweep,
)
from genscope.cli.document import Column, Document, Limits, Row, Table
from genscope.cli.formatting import duration, percent, size

_METRICS = {TIME: "time", FLOPS: "FLOPs", MOVED: "bytes moved"}

_SHOWN = 0.01
"""Categories and components below this in all metrics are left to JSON."""

_MANY = 4
"""Rows of a table here for one of `--rows`."""


def document(result: Scaling, limits: Limits) -> Document:
    """Say how the runs of each sweep grow."""
    tables = [table for sweep in result.sweeps for table in _sweep(sweep, limits)]
    warnings = [
        warning.message if len(result.sweeps) == 1 else f"{sweep.name}: {warning.message}"
        for sweep in result.sweeps
        for warning in sweep.warnings
    ]
    return Document(
        headline=result.sentence,
        facts=list(_facts(result)),
        tables=tables,
        warnings=[*warnings, *(warning.message for warning in result.warnings)],
    )


def _facts(result: Scaling) -> Iterator[tuple[str, str]]:
    for sweep in result.sweeps:
        if len(result.sweeps) > 1:
            yield "sweep", sweep.name
        yield "differs by", f"{sweep.parameter}, known from {sweep.found_by}"
        what = "device, added up" if sweep.basis == "device" else "CPU, self"
        yield "time", what + (", of one step" if sweep.per_step else ", of the whole run")
    for run in result.left_out:
        yield "left out", f"{run.run}: {run.reason}"


def _sweep(sweep: Sweep, limits: Limits) -> Iterator[Table]:
    title = sweep.name
    yield _points(sweep, title)
    yield _growth(sweep, title)
    if any(line.crossovers for line in sweep.lines):
        yield _crossovers(sweep, title, limits)


# Points -----------------------------------------------------------------------------------------


def _points(sweep: Sweep, title: str) -> Table:
    with_peak = any(point.peak_memory_bytes for line in sweep.lines for point in line.points)
    return Table(
        title=title,
        columns=[
            Column("attention", text=True),
            Column(sweep.unit),
            *(Column(name) for name in ("time", "Attention", "Convolution", "FLOPs")),
            Column("FLOPs unknown", spare=True),
            Column("scores"),
            Column("written"),
            Column("largest", spare=True),
            *([Column("peak memory")] if with_peak else []),
            Column("run", text=True),
        ],
        rows=[Row(_point(line, point, with_peak)) for line in sweep.lines for point in line.points],
        caption=(
            "scores are the score matrices of all attention calls, written those that go to "
            "memory, largest that of one call; FLOPs unknown is a part of the time."
        ),
    )


def _point(line: Line, point: Point, with_peak: bool) -> list[str]:
    total = _of(point, TOTAL, "all")
    assert total is not None
    parts = [
        percent(one.time_ns / total.time_ns if one and total.time_ns else 0.0)
        for one in (_of(point, CATEGORY, "Attention"), _of(point, CATEGORY, "Convolution"))
    ]
    peak = point.peak_memory_bytes
    return [
        _name(line),
        point.label,
        duration(total.time_ns),
        *parts,
        scaled(total.flops).strip(),
        percent(point.unknown_share),
        size(total.score_bytes),
        size(total.written_score_bytes),
        size(point.largest_score_bytes),
        *([] if not with_peak else ["–" if peak is None else size(peak)]),
        point.run,
    ]


def _of(point: Point, group: str, name: str) -> Amount | None:
    return next((one for one in point.amounts if (one.group, one.name) == (group, name)), None)


def _name(line: Line) -> str:
    return f"{line.attention} ({line.role})" if line.attention else line.role


# Growth -----------------------------------------------------------------------------------------


def _growth(sweep: Sweep, title: str) -> Table:
    kinds = (TIME, FLOPS, MOVED)
    fits = [
        {(fit.group, fit.component, fit.name, fit.metric): fit for fit in line.fits}
        for line in sweep.lines
    ]
    parts = dict.fromkeys(key[:3] for of_line in fits for key in of_line)
    in_video = any(part[0] == AXIS and part[2] in _OF_VIDEO for part in parts)
    rows = []
    for part in sorted(parts, key=lambda one: (_ORDER.index(one[0]), one[1] or "")):
        group, component, name = part
        if group == AXIS and (component or not in_video):
            continue
        found = [[of_line.get((*part, metric)) for metric in kinds] for of_line in fits]
        if group in (CATEGORY, COMPONENT) and not _has(found, [_SHOWN] * len(fits)):
            continue
        attention = [of_line.get((CATEGORY, None, ATTENTION, TIME)) for of_line in fits]
        if component and not _has(
            found, [(one.share or 0) / 10 if one else 0 for one in attention]
        ):
            continue
        words = {TOTAL: "whole run", KIND: f"{name} attention", AXIS: f"{name} attention"}
        rows.append(
            Row(
                [
                    f"{component}: {name}" if component else words.get(group, name),
                    *(_power(fit) for line in found for fit in line),
                ],
                depth=0 if group == TOTAL else 1,
                category=name if group == CATEGORY else None,
            )
        )
    columns = [
        Column(f"{_short(line)} {_METRICS[metric]}", spare=metric == MOVED)
        for line in sweep.lines
        for metric in kinds
    ]
    return Table(
        title=f"{title}: the power with which each part grows",
        columns=[Column("part", text=True), *columns],
        rows=rows,
        caption="Least squares on logarithms, ± the standard error; in brackets a slope between "
        "two points, which is no law. FLOPs of kinds and axes are those of their two products.",
    )


_OF_VIDEO = ("temporal", "spatiotemporal")
"""Axes of which a trace has one only where it has frames; elsewhere axes tell what kinds do."""

_ORDER = (TOTAL, CATEGORY, COMPONENT, KIND, AXIS)


def _short(line: Line) -> str:
    return line.attention or line.role


def _has(found: list[list[Fit | None]], shares: list[float]) -> bool:
    """Whether a part is so large in time or another metric, on some line."""
    return any(
        fit is not None and (fit.share or 0) >= share
        for line, share in zip(found, shares, strict=True)
        for fit in line
    )


def _power(fit: Fit | None) -> str:
    if fit is None:
        return "–"
    if fit.exponent is not None:
        error = fit.error or 0.0
        return f"{_rounded(fit.exponent)}" + (f" ± {error:.2f}" if error >= 0.005 else "")
    return "–" if fit.slope is None else f"({_rounded(fit.slope)})"


def _rounded(value: float) -> str:
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text


# Crossings --------------------------------------------------------------------------------------


def _crossovers(sweep: Sweep, title: str, limits: Limits) -> Table:
    every = [(line, one) for line in sweep.lines for one in line.crossovers]
    every.sort(key=lambda pair: (_rank(pair[1]), _ORDER.index(pair[1].group)))
    shown = every[: limits.rows * _MANY]
    left = len(every) - len(shown)
    return Table(
        title=f"{title}: crossovers",
        columns=[
            Column("what overtakes what", text=True),
            Column("of"),
            Column("at"),
            Column("how", text=True, ends=True),
        ],
        rows=[
            Row(
                [
                    f"{one.component + ': ' if one.component else ''}{one.upper} > {one.lower}",
                    f"{_short(line)} {_METRICS[one.metric]}",
                    one.label,
                    _how(one),
                ]
            )
            for line, one in shown
        ],
        caption="a > b: from there on a is the larger. Measured ones lie between two points, "
        "extrapolated ones where two fits meet beyond them, at most four times beyond."
        + (f" {left:,} more: --format json has them." if left else ""),
    )


def _rank(one: Crossover) -> tuple[bool, bool, bool]:
    """The pairs that the paper is about first, then what was measured."""
    pair = {one.upper, one.lower}
    known = pair in ({"Attention", "Convolution"}, {"temporal", "spatial"})
    return not known, one.metric == MOVED, not one.measured


def _how(one: Crossover) -> str:
    if one.between is not None:
        low, high = (said(value) for value in one.between)
        return f"measured, between {low} and {high}"
    assert one.low is not None and one.high is not None
    return (
        f"extrapolated, {said(one.low)} to {said(one.high)}; powers "
        f"{one.upper_exponent:.2f} and {one.lower_exponent:.2f} of {one.points} points"
    )
