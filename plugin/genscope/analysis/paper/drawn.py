"""The paper's figures from the runs of one setting. What the paper states is not seen here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from genscope.analysis.attention.frames import frames_sweep
from genscope.analysis.attention.period import find_period
from genscope.analysis.paper import structure
from genscope.analysis.paper.claims import SuiteModel
from genscope.analysis.paper.figures import GROUP_NORM, Call, Figures
from genscope.analysis.paper.measures import whole_run
from genscope.analysis.paper.panels import (
    AxisBar,
    AxisPanel,
    AxisRatio,
    FramesAtSize,
    FramesPanel,
    GrowthFit,
    GrowthPanel,
    GrowthPoint,
    LengthPanel,
    LengthSeries,
    OperatorBar,
    OperatorPanel,
    PhaseCell,
    PhasePanel,
    Recording,
    RoofPanel,
    RoofPoint,
    SettingPanels,
    SizeLengths,
    SizePanel,
    SpeedupCell,
    SpeedupPanel,
)
from genscope.analysis.paper.recordings import Place
from genscope.analysis.paper.runs import BASELINE, FUSED, Runs, exponent, generated
from genscope.trace.model import Int64

IMAGES, VIDEO = "stable-diffusion", "make-a-video"
"""The models that the paper sweeps over image sizes, and over frames."""

_FEWEST_SIZES = 2
_SHOWN_CALLS = 48
"""Calls that short periods are repeated to, so that a line can be seen."""
_MOST_POINTS = 1200
_AXES = ("spatial", "temporal")
_CATEGORIES = ("Attention", "Convolution")


def panels(setting: int, runs: Runs, models: Sequence[SuiteModel], place: Place) -> SettingPanels:
    """Draw what there is of `models`, the paper's, in their order."""
    names = [model.name for model in models]
    return SettingPanels(
        setting=setting,
        roofline=_roofline(runs, names, place),
        operators=_operators(runs, names, place),
        lengths=_lengths(runs, names, place),
        sizes=_sizes(runs, place),
        growth=_growth(runs, place),
        axes=_axes(runs, place),
        frames=_frames(runs, place),
        speedups=_speedups(runs, names, place),
        phases=_phases(runs, names, place),
    )


def _of_models(there: set[str], names: Sequence[str], place: Place, what: str) -> list[Recording]:
    """What records the models that are missing."""
    missing = [name for name in names if name not in there]
    return [place.recording(what.format(", ".join(missing)), missing)] if missing else []


def _roofline(runs: Runs, names: Sequence[str], place: Place) -> RoofPanel:
    drawn = [
        run
        for name in names
        for role in (BASELINE, FUSED, None)
        if (run := runs.usual(name, role)) is not None
        and (role is not None or runs.role.get(run.label) is None)
    ]
    known = next((run.roof for run in drawn if run.roof.ridge is not None), None)
    return RoofPanel(
        points=[
            RoofPoint(
                run=run.label,
                model=run.model,
                role=runs.role.get(run.label),
                flops=run.roof.flops,
                parameter_bytes=run.roof.parameter_bytes,
                intensity=run.roof.intensity,
                moved_intensity=run.roof.moved_intensity,
                flops_per_s=run.roof.flops_per_s,
                placed=run.roof.placed,
                bound=run.roof.bound,
                bound_ns=run.roof.bound_ns,
            )
            for run in drawn
        ],
        device=known.device if known else None,
        peak_flops_per_s=known.peak_flops_per_s if known else None,
        bandwidth_bytes_per_s=known.bandwidth_bytes_per_s if known else None,
        ridge=known.ridge if known else None,
        needs=_of_models({run.model for run in drawn}, names, place, "a run of {}"),
    )


def _operators(runs: Runs, names: Sequence[str], place: Place) -> OperatorPanel:
    pairs = {pair.baseline.model: pair for pair in runs.usual_pairs()}
    bars = []
    for name in names:
        if name not in pairs:
            continue
        pair = pairs[name]
        whole = max(1, pair.baseline.side.sum_ns)
        for role, run in ((BASELINE, pair.baseline), (FUSED, pair.fused)):
            times = dict(run.side.categories)
            bars.append(
                OperatorBar(
                    run=run.label,
                    model=name,
                    role=role,
                    basis=run.side.basis,
                    sum_ns=run.side.sum_ns,
                    of_baseline=run.side.sum_ns / whole,
                    times_ns=times,
                    shares={category: ns / whole for category, ns in times.items()},
                    group_norm_ns=run.time_ns.get(GROUP_NORM, 0),
                )
            )
    return OperatorPanel(bars=bars, needs=_of_models(set(pairs), names, place, "a pair of {}"))


def _lengths(runs: Runs, names: Sequence[str], place: Place) -> LengthPanel:
    drawn = [
        run
        for name in names
        if (run := runs.usual(name, BASELINE) or runs.usual(name)) is not None and run.calls
    ]
    shapes = {one.of: one.words for one in structure.lengths(runs)}
    return LengthPanel(
        series=[_series(run, shapes.get(run.model)) for run in drawn],
        needs=_of_models({run.model for run in drawn}, names, place, "a run of {}"),
    )


def _series(run: Figures, shape: str | None) -> LengthSeries:
    calls = generated(run)
    rounds = _rounds(calls)
    period = None if rounds else find_period(_symbols(calls))
    if rounds:
        places = rounds
    elif period is None:
        places = list(range(len(calls)))
    else:
        repeats = max(1, min(_SHOWN_CALLS, period.covered) // period.length)
        places = list(range(period.start, period.start + repeats * period.length))
    places = places[:: max(1, -(-len(places) // _MOST_POINTS))]
    return LengthSeries(
        run=run.label,
        model=run.model,
        component=calls[0].component,
        shape=shape,
        calls=len(calls),
        period=period.length if period else None,
        grows=bool(rounds),
        places=places,
        lengths=[calls[at].kv_len if rounds else calls[at].q_len for at in places],
        kinds=[calls[at].kind for at in places],
        axes=[calls[at].axis for at in places],
    )


def _rounds(calls: Sequence[Call]) -> list[int]:
    """The first call of self attention at each length of keys, if these only grow."""
    own = [(at, call.kv_len) for at, call in enumerate(calls) if call.kind != "cross"]
    found = [at for n, (at, keys) in enumerate(own) if n == 0 or keys != own[n - 1][1]]
    keys = [calls[at].kv_len for at in found]
    return found if len(keys) > 2 and all(a < b for a, b in pairwise(keys)) else []


def _symbols(calls: Sequence[Call]) -> Int64:
    numbers: dict[tuple[object, ...], int] = {}
    keys = [(call.q_len, call.kv_len, call.kind, call.axis) for call in calls]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _sizes(runs: Runs, place: Place) -> SizePanel:
    sizes = []
    for run in runs.swept(IMAGES, "image_size", BASELINE) or runs.swept(IMAGES, "image_size"):
        counts = Counter(call.q_len for call in generated(run))
        total = max(1, counts.total())
        lengths = sorted(counts)
        sizes.append(
            SizeLengths(
                run=run.label,
                image_size=run.image_size or 0,
                lengths=lengths,
                calls=[counts[length] for length in lengths],
                shares=[counts[length] / total for length in lengths],
            )
        )
    return SizePanel(sizes=sizes, needs=_image_sizes(len(sizes), place))


def _image_sizes(there: int, place: Place) -> list[Recording]:
    if there >= _FEWEST_SIZES:
        return []
    what = "Stable Diffusion at several image sizes"
    return [place.recording(what, [IMAGES], {"image_size": place.image_sizes()})]


def _growth(runs: Runs, place: Place) -> GrowthPanel:
    points: list[GrowthPoint] = []
    fits: list[GrowthFit] = []
    for role in (BASELINE, FUSED):
        swept = runs.swept(IMAGES, "image_size", role)
        points += [
            GrowthPoint(
                run=run.label,
                role=role,
                image_size=run.image_size or 0,
                attention_ns=run.time_ns.get("Attention", 0),
                convolution_ns=run.time_ns.get("Convolution", 0),
            )
            for run in swept
        ]
        sizes = [float(run.image_size or 0) for run in swept]
        for category in _CATEGORIES:
            power = exponent(sizes, [float(run.time_ns.get(category, 0)) for run in swept])
            if power is not None:
                fits.append(GrowthFit(role=role, category=category, exponent=power))
    return GrowthPanel(
        points=points, fits=fits, needs=_image_sizes(len(points) // 2 if fits else 0, place)
    )


def _axes(runs: Runs, place: Place) -> AxisPanel:
    bars: list[AxisBar] = []
    ratios: list[AxisRatio] = []
    shown = [run for run in runs.all if run.model == VIDEO and run.is_usual]
    for run in sorted(shown, key=lambda run: runs.role.get(run.label) != BASELINE):
        rows = [row for row in run.space_time.axes if row.axis in _AXES]
        if len(rows) < len(_AXES):
            continue
        time, flops = (max(1, sum(getattr(row, of) for row in rows)) for of in ("time_ns", "flops"))
        role, asked = runs.role.get(run.label), run.side.document.workload.attention
        bars += [
            AxisBar(
                run=run.label,
                role=role,
                attention=asked,
                axis=row.axis,
                calls=row.calls,
                time_ns=row.time_ns,
                time_share=row.time_ns / time,
                flops=row.flops,
                flops_share=row.flops / flops,
            )
            for row in sorted(rows, key=lambda row: row.axis)
        ]
        ratios.append(
            AxisRatio(
                run=run.label,
                role=role,
                attention=asked,
                temporal_over_spatial_time=run.space_time.temporal_over_spatial_time,
                spatial_over_temporal_flops=run.space_time.spatial_over_temporal_flops,
            )
        )
    needs = [] if bars else [place.recording("a run of Make-A-Video", [VIDEO])]
    return AxisPanel(bars=bars, ratios=ratios, needs=needs)


def _frames(runs: Runs, place: Place) -> FramesPanel:
    sizes = []
    for size in sorted({run.image_size or 0 for run in runs.all if run.model == VIDEO}):
        swept = runs.swept(VIDEO, "frames", at=size)
        if len(swept) >= _FEWEST_SIZES:
            sweep = frames_sweep([(run.label, run.space_time) for run in swept])
            sizes.append(FramesAtSize(image_size=size, sweep=sweep))
    needs = []
    if len(sizes) < _FEWEST_SIZES:
        what = "Make-A-Video with several numbers of frames at two image sizes"
        needs = [place.recording(what, [VIDEO], place.frames())]
    return FramesPanel(sizes=sizes, needs=needs)


def _speedups(runs: Runs, names: Sequence[str], place: Place) -> SpeedupPanel:
    cells = []
    pairs = {pair.baseline.model: pair for pair in runs.usual_pairs()}
    for name in names:
        found = whole_run(pairs[name]) if name in pairs else None
        if found is not None:
            value, measure, how = found
            cells.append(
                SpeedupCell(
                    model=name,
                    baseline=pairs[name].baseline.label,
                    fused=pairs[name].fused.label,
                    speedup=value,
                    low=measure.low,
                    high=measure.high,
                    how=how,
                )
            )
    there = {cell.model for cell in cells}
    return SpeedupPanel(cells=cells, needs=_of_models(there, names, place, "a pair of {}"))


def _phases(runs: Runs, names: Sequence[str], place: Place) -> PhasePanel:
    drawn = [run for name in names if (run := runs.usual(name)) is not None and run.calls]
    return PhasePanel(
        cells=[_phase_cell(run) for run in drawn],
        needs=_of_models({run.model for run in drawn}, names, place, "a run of {}"),
    )


def _phase_cell(run: Figures) -> PhaseCell:
    calls = generated(run)
    return PhaseCell(
        run=run.label,
        model=run.model,
        component=calls[0].component,
        phases=dict(Counter(call.phase for call in calls if call.phase is not None)),
    )
