"""The paper's figures as small tables of what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from genscope.analysis.paper.panels import About, Panel, Recording, SettingPanels
from genscope.analysis.paper.results import PaperReport
from genscope.cli.document import Column, Row, Table
from genscope.cli.formatting import duration, percent, ratio, scaled, significant, times

Cells = list[list[str]]

_CATEGORIES = ("Attention", "Convolution", "Linear", "Normalization", "Elementwise", "Memory")
_MOST_LENGTHS = 8


def tables(result: PaperReport) -> Iterator[Table]:
    """A table for each figure that has anything in it, setting by setting, and what is missing."""
    titles = {model.name: model.title for model in result.models}
    for one in result.figures.measured:
        where = f", setting {one.setting + 1}" if len(result.settings) > 1 else ""
        for about in result.figures.about:
            if about.id not in _FIGURES:
                continue
            columns, cells = _FIGURES[about.id]
            rows = cells(one, titles)
            if rows:
                yield Table(
                    title=f"{about.ref}: {about.title}{where}",
                    columns=[Column(name, text=not at) for at, name in enumerate(columns)],
                    rows=[Row(row) for row in rows],
                    caption=about.caption,
                )
    missing = [
        Row([about.ref, need.what, need.command])
        for one in result.figures.measured
        for about in result.figures.about
        for need in _needs(one, about)
    ]
    if missing:
        yield Table(
            title="What would fill the figures",
            columns=[
                Column("figure", text=True),
                Column("lacks", text=True, ends=True),
                Column("command", text=True, ends=True),
            ],
            rows=missing,
        )


def _needs(one: SettingPanels, about: About) -> Sequence[Recording]:
    panel = getattr(one, about.id, None)
    return panel.needs if isinstance(panel, Panel) else []


def _roofline(one: SettingPanels, titles: dict[str, str]) -> Cells:
    return [
        [
            _named(point.model, point.role, titles),
            ratio(point.intensity),
            ratio(point.moved_intensity),
            scaled(point.flops_per_s, "FLOP/s"),
            ratio(one.roofline.ridge),
            point.placed or "–",
            point.bound or "–",
        ]
        for point in one.roofline.points
    ]


def _operators(one: SettingPanels, titles: dict[str, str]) -> Cells:
    return [
        [
            _named(bar.model, bar.role, titles),
            duration(bar.sum_ns),
            percent(bar.of_baseline),
            *(percent(bar.shares.get(name, 0)) for name in _CATEGORIES),
            percent(sum(part for name, part in bar.shares.items() if name not in _CATEGORIES)),
        ]
        for bar in one.operators.bars
    ]


def _speedups(one: SettingPanels, titles: dict[str, str]) -> Cells:
    return [
        [titles.get(cell.model, cell.model), times(cell.speedup), cell.how]
        for cell in one.speedups.cells
    ]


def _phases(one: SettingPanels, titles: dict[str, str]) -> Cells:
    return [
        [
            titles.get(cell.model, cell.model),
            cell.component or "–",
            ", ".join(f"{name} {calls}" for name, calls in cell.phases.items()) or "–",
        ]
        for cell in one.phases.cells
    ]


def _lengths(one: SettingPanels, titles: dict[str, str]) -> Cells:
    return [
        [
            titles.get(series.model, series.model),
            series.shape or "–",
            "grows" if series.grows else str(series.period or "–"),
            str(series.calls),
            f"{min(series.lengths)} to {max(series.lengths)}",
        ]
        for series in one.lengths.series
        if series.lengths
    ]


def _sizes(one: SettingPanels, _: dict[str, str]) -> Cells:
    return [
        [
            f"{size.image_size} px",
            ", ".join(
                f"{length} ({calls})"
                for length, calls in [*zip(size.lengths, size.calls, strict=True)][-_MOST_LENGTHS:]
            ),
        ]
        for size in one.sizes.sizes
    ]


def _growth(one: SettingPanels, _: dict[str, str]) -> Cells:
    points = [
        [
            f"{point.image_size} px, {point.role}",
            duration(point.attention_ns),
            duration(point.convolution_ns),
        ]
        for point in one.growth.points
    ]
    powers = {(fit.role, fit.category): significant(fit.exponent) for fit in one.growth.fits}
    return [
        *points,
        *(
            [
                f"power, {role}",
                powers.get((role, "Attention"), "–"),
                powers.get((role, "Convolution"), "–"),
            ]
            for role in dict.fromkeys(role for role, _ in powers)
        ),
    ]


def _axes(one: SettingPanels, _: dict[str, str]) -> Cells:
    return [
        [
            f"{bar.axis}, {bar.role or 'alone'}",
            duration(bar.time_ns),
            percent(bar.time_share),
            scaled(bar.flops, "FLOP"),
            percent(bar.flops_share),
            str(bar.calls),
        ]
        for bar in one.axes.bars
    ]


def _frames(one: SettingPanels, _: dict[str, str]) -> Cells:
    rows: Cells = []
    for size in one.frames.sizes:
        by_axis = {(point.frames, point.axis): point.flops for point in size.sweep.points}
        for frames in sorted({frames for frames, _ in by_axis}):
            rows.append(
                [
                    f"{size.image_size} px, {frames} frames",
                    *(scaled(by_axis.get((frames, axis)), "FLOP") for axis in _AXES),
                ]
            )
        crossing = next((one for one in size.sweep.crossovers if one.of == "flops"), None)
        if crossing is not None:
            how = "" if crossing.measured else ", predicted"
            rows.append(
                [f"{size.image_size} px, equal at {crossing.frames:.0f} frames{how}", "", ""]
            )
    return rows


_AXES = ("spatial", "temporal")


def _named(model: str, role: str | None, titles: dict[str, str]) -> str:
    return f"{titles.get(model, model)}{f', {role}' if role else ''}"


_FIGURES: dict[str, tuple[Sequence[str], Callable[[SettingPanels, dict[str, str]], Cells]]] = {
    "roofline": (
        ("model", "FLOPs/parameter byte", "FLOPs/byte moved", "rate", "ridge", "side", "bound"),
        _roofline,
    ),
    "operators": (("model", "time", "of baseline", *_CATEGORIES, "rest"), _operators),
    "speedups": (("model", "speedup", "of"), _speedups),
    "phases": (("model", "component", "calls by phase"), _phases),
    "lengths": (("model", "shape", "period", "calls", "lengths"), _lengths),
    "sizes": (("image", "lengths (calls)"), _sizes),
    "growth": (("image", "Attention", "Convolution"), _growth),
    "axes": (("axis", "time", "share", "FLOPs", "share", "calls"), _axes),
    "frames": (("frames", *_AXES), _frames),
}
