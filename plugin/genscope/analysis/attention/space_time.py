"""Spatial against temporal attention: what each takes, and how it grows with the frames."""

from __future__ import annotations

import math
from collections.abc import Sequence as Listed

import numpy as np

from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.axes import SEQUENCE, SPATIAL, SPATIOTEMPORAL, TEMPORAL
from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.intensity import attention_flops
from genscope.analysis.attention.results import (
    AxisLayer,
    AxisRow,
    Crossover,
    FramesSweep,
    SpaceTime,
    SweepFit,
    SweepPoint,
)
from genscope.analysis.attention.view import (
    CPU,
    FORWARD_PASSES,
    in_passes,
    shape_warning,
    time_of,
)
from genscope.analysis.work import DEVICE, file_name
from genscope.trace.errors import TraceWarning
from genscope.trace.model import Int64, Trace

IN_BATCH = {
    SPATIAL: "frames, where there are several, are in the batch",
    TEMPORAL: "the positions of a frame are in the batch",
    SPATIOTEMPORAL: "nothing: positions and frames are one sequence",
    SEQUENCE: "nothing but sequences",
}
"""What was moved into the batch for attention along each axis."""

_LAYERS = 2000


def space_time(trace: Trace) -> SpaceTime:
    """Return what attention along each axis takes in a trace."""
    calls = attention_calls(trace)
    listed = np.flatnonzero(in_passes(calls, FORWARD_PASSES))
    known = listed[calls.has_shape[listed] & (calls.texts["axis"][listed] >= 0)]
    time, flops = time_of(calls), np.maximum(attention_flops(calls), 0)
    rows = _axes(calls, known, time, flops)
    by_axis = {row.axis: row for row in rows}
    spatial, temporal = by_axis.get(SPATIAL), by_axis.get(TEMPORAL)
    both = spatial is not None and temporal is not None
    return SpaceTime(
        trace=file_name(trace),
        base_ns=str(trace.base_ns),
        rank=trace.rank,
        basis=DEVICE if trace.has_device else CPU,
        frames=frames_of(trace, calls),
        axes=rows,
        layers=_layers(calls, known, time, flops)[:_LAYERS],
        temporal_over_spatial_time=(
            temporal.time_ns / spatial.time_ns
            if both and temporal and spatial and spatial.time_ns
            else None
        ),
        spatial_over_temporal_flops=(
            spatial.flops / temporal.flops
            if both and temporal and spatial and temporal.flops
            else None
        ),
        sentence=_sentence(spatial, temporal, by_axis.get(SPATIOTEMPORAL)),
        warnings=[*trace.warnings, *shape_warning(calls, listed), *_missing(spatial, temporal)],
    )


def frames_of(trace: Trace, calls: Calls) -> int | None:
    """Frames as the model sees them: the length of temporal attention, else what was annotated."""
    temporal = calls.is_word("axis", TEMPORAL) & calls.has_shape
    if temporal.any():
        values, counts = np.unique(calls.sizes["q_len"][temporal], return_counts=True)
        return int(values[counts.argmax()])
    return trace.document.workload.frames if trace.document is not None else None


def _axes(calls: Calls, known: Int64, time: Int64, flops: Int64) -> list[AxisRow]:
    total = max(int(time[known].sum()), 1)
    axis = calls.texts["axis"][known]
    rows = []
    for number in np.unique(axis).tolist():
        inside = known[axis == number]
        word = calls.words.text(number) or SEQUENCE
        spent, work = int(time[inside].sum()), int(flops[inside].sum())
        counted = int(time[inside][flops[inside] > 0].sum())
        q, batch = calls.sizes["q_len"][inside], calls.sizes["batch"][inside]
        rows.append(
            AxisRow(
                axis=word,
                calls=len(inside),
                time_ns=spent,
                share=spent / total,
                flops=work,
                flops_per_s=work / counted * 1e9 if counted else None,
                q_range=[int(q.min()), int(q.max())],
                batch_range=[int(batch.min()), int(batch.max())],
                in_batch=IN_BATCH[word],
            )
        )
    return sorted(rows, key=lambda row: -row.time_ns)


def _layers(calls: Calls, known: Int64, time: Int64, flops: Int64) -> list[AxisLayer]:
    """Calls of one module, axis and length together, in order of their first call."""
    if not len(known):
        return []
    names = ("component", "module", "axis")
    keys = np.stack(
        [calls.texts[name][known].astype(np.int64) for name in names]
        + [calls.sizes["q_len"][known], calls.sizes["batch"][known]],
        axis=1,
    )
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1)
    count = np.bincount(group)
    spent = np.zeros(len(first), dtype=np.int64)
    work = np.zeros(len(first), dtype=np.int64)
    np.add.at(spent, group, time[known])
    np.add.at(work, group, flops[known])
    rows = []
    for number in np.argsort(first, kind="stable").tolist():
        at = int(known[first[number]])
        layer, batch = int(calls.layer[at]), int(calls.sizes["batch"][at])
        rows.append(
            AxisLayer(
                component=calls.text("component", at),
                module=calls.text("module", at),
                layer=None if layer < 0 else layer,
                axis=calls.text("axis", at) or SEQUENCE,
                calls=int(count[number]),
                time_ns=int(spent[number]),
                flops=int(work[number]),
                q_len=int(calls.sizes["q_len"][at]),
                batch=None if batch < 0 else batch,
            )
        )
    return rows


def _missing(spatial: AxisRow | None, temporal: AxisRow | None) -> list[TraceWarning]:
    if spatial is not None and temporal is not None:
        return []
    return [
        TraceWarning(
            code="no_space_and_time",
            count=1,
            message="Spatial and temporal attention are not both in this trace: it is of no video "
            "model that attends along each apart, or its shapes were not recorded.",
        )
    ]


def _sentence(spatial: AxisRow | None, temporal: AxisRow | None, whole: AxisRow | None) -> str:
    if spatial is not None and temporal is not None and spatial.time_ns and temporal.flops:
        ratio = temporal.time_ns / spatial.time_ns
        work = spatial.flops / temporal.flops
        longer = f"{ratio:.3g}x the time of" if ratio >= 1 else f"{1 / ratio:.3g}x less time than"
        fewer = f"{work:.3g}x fewer" if work >= 1 else f"{1 / work:.3g}x more"
        return f"Temporal attention takes {longer} spatial attention, with {fewer} FLOPs."
    if whole is not None:
        return "Positions and frames are attended together, as one sequence."
    if spatial is not None:
        return "Attention is spatial; there is none along frames."
    return "No attention along frames in this trace."


def frames_sweep(runs: Listed[tuple[str, Trace]]) -> FramesSweep:
    """Set runs of one model with different numbers of frames side by side.

    Runs without temporal attention or a known number of frames are left out.
    """
    points = []
    for label, trace in runs:
        result = space_time(trace)
        if result.frames is None:
            continue
        points += [
            SweepPoint(
                run=label,
                frames=result.frames,
                axis=row.axis,
                time_ns=row.time_ns,
                flops=row.flops,
                calls=row.calls,
            )
            for row in result.axes
            if row.axis in (SPATIAL, TEMPORAL)
        ]
    fits = [_fit(points, axis, of) for axis in (SPATIAL, TEMPORAL) for of in ("flops", "time_ns")]
    crossovers = [
        found for of in ("flops", "time_ns") if (found := _crossover(points, fits, of)) is not None
    ]
    return FramesSweep(
        points=points, fits=fits, crossovers=crossovers, sentence=_sweep_sentence(fits, crossovers)
    )


def _fit(points: Listed[SweepPoint], axis: str, of: str) -> SweepFit:
    mine = [(p.frames, getattr(p, of)) for p in points if p.axis == axis and getattr(p, of) > 0]
    if len({frames for frames, _ in mine}) < 2:
        return SweepFit(axis=axis, of=of, exponent=None, factor=None)
    x = np.log([frames for frames, _ in mine])
    y = np.log([value for _, value in mine])
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    return SweepFit(
        axis=axis, of=of, exponent=slope, factor=math.exp(float(y.mean() - slope * x.mean()))
    )


def _crossover(points: Listed[SweepPoint], fits: Listed[SweepFit], of: str) -> Crossover | None:
    """Where factor_s · f ** e_s equals factor_t · f ** e_t."""
    by_axis = {fit.axis: fit for fit in fits if fit.of == of}
    spatial, temporal = by_axis[SPATIAL], by_axis[TEMPORAL]
    if spatial.exponent is None or temporal.exponent is None:
        return None
    if spatial.factor is None or temporal.factor is None:
        return None
    slope = temporal.exponent - spatial.exponent
    if abs(slope) < 1e-9:
        return None
    power = (math.log(spatial.factor) - math.log(temporal.factor)) / slope
    if abs(power) > 40:
        return None
    frames = math.exp(power)
    seen = [point.frames for point in points]
    return Crossover(of=of, frames=frames, measured=min(seen) <= frames <= max(seen))


def _sweep_sentence(fits: Listed[SweepFit], crossovers: Listed[Crossover]) -> str:
    exponents = {(fit.axis, fit.of): fit.exponent for fit in fits}
    spatial, temporal = exponents[SPATIAL, "flops"], exponents[TEMPORAL, "flops"]
    if spatial is None or temporal is None:
        return "Runs with at least two numbers of frames show how attention grows with them."
    text = (
        f"FLOPs grow with the frames to the power {spatial:.2f} in spatial and {temporal:.2f} in "
        "temporal attention"
    )
    for crossover in crossovers:
        if crossover.of == "flops":
            how = "" if crossover.measured else " (predicted)"
            text += f"; temporal overtakes at {crossover.frames:,.0f} frames{how}"
    return text + "."
