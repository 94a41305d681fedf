"""Spatial against temporal attention of one trace: what each takes."""

from __future__ import annotations

import numpy as np

from genscope.analysis.attention.axes import SEQUENCE, SPATIAL, SPATIOTEMPORAL, TEMPORAL
from genscope.analysis.attention.columns import Calls, alike
from genscope.analysis.attention.intensity import (
    attention_flops,
    causal_unknown,
    counts_causal,
)
from genscope.analysis.attention.record import Record, record_of
from genscope.analysis.attention.results import AxisLayer, AxisRow, SpaceTime
from genscope.analysis.attention.view import shape_warning, time_of
from genscope.analysis.attention.where import ALL_CALLS, Where
from genscope.trace.errors import TraceWarning
from genscope.trace.model import Int64, Trace

FRAMES = "the frames are in the batch"
IMAGES = "nothing but images"
WINDOWS = "images, and the windows of an image"

IN_BATCH = {
    TEMPORAL: "the positions of a frame are in the batch",
    SPATIOTEMPORAL: "nothing: positions and frames are one sequence",
    SEQUENCE: "nothing but sequences",
}
"""What was moved into the batch for attention along each axis; of images, see `_in_batch`."""

_LAYERS = 2000
_MOST_SHAPES = 200


def space_time(trace: Trace, where: Where = ALL_CALLS) -> SpaceTime:
    """Return what attention along each axis takes in a trace, of the calls that `where` takes."""
    return space_time_of(record_of(trace), where)


def space_time_of(record: Record, where: Where = ALL_CALLS) -> SpaceTime:
    """Return what attention along each axis takes in a record."""
    calls = record.calls
    listed = record.places(where)
    known = listed[calls.has_shape[listed] & (calls.texts["axis"][listed] >= 0)]
    time, flops = time_of(calls), np.maximum(attention_flops(calls), 0)
    frames = _frames(record)
    rows = _axes(calls, known, time, flops, frames)
    by_axis = {row.axis: row for row in rows}
    spatial, temporal = by_axis.get(SPATIAL), by_axis.get(TEMPORAL)
    both = spatial is not None and temporal is not None
    return SpaceTime(
        trace=record.trace,
        base_ns=record.base_ns,
        rank=record.rank,
        basis=record.basis,
        selection=where,
        frames=frames,
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
        warnings=[
            *record.warnings(where),
            *shape_warning(calls, listed),
            *_missing(spatial, temporal),
            *_uncertain(calls, known),
        ],
    )


def _frames(record: Record) -> int | None:
    """Frames as the model sees them: the length of temporal attention, else what was annotated."""
    calls = record.calls
    temporal = calls.is_word("axis", TEMPORAL) & calls.has_shape
    if temporal.any():
        values, counts = np.unique(calls.sizes["q_len"][temporal], return_counts=True)
        return int(values[counts.argmax()])
    return record.frames


def _axes(
    calls: Calls, known: Int64, time: Int64, flops: Int64, frames: int | None
) -> list[AxisRow]:
    total = max(int(time[known].sum()), 1)
    axis = calls.texts["axis"][known]
    causal, unknown = counts_causal(calls), causal_unknown(calls)
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
                in_batch=_in_batch(calls, inside, word, frames),
                causal_calls=int(causal[inside].sum()),
                causal_unknown=int(unknown[inside].sum()),
            )
        )
    return sorted(rows, key=lambda row: -row.time_ns)


def _in_batch(calls: Calls, inside: Int64, axis: str, frames: int | None) -> str:
    """What was moved into the batch for the calls `inside`, shape (k,), along one axis."""
    if axis != SPATIAL:
        return IN_BATCH[axis]
    if frames is not None and frames > 1:
        return FRAMES
    columns = (calls.texts["component"], calls.sizes["batch"], calls.sizes["q_len"])
    seen = {
        (int(part), int(batch), int(q))
        for part, batch, q in np.stack([one[inside] for one in columns], axis=1).tolist()
        if batch > 0
    }
    shapes = sorted(seen)[:_MOST_SHAPES]
    for part, batch, q in shapes:
        for other, whole, area in shapes:
            inner = part == other and batch > whole and batch % whole == 0 and q < area
            # Windows at the edge are padded.
            if inner and area <= batch // whole * q < 2 * area:
                return WINDOWS
    return IMAGES


def _uncertain(calls: Calls, known: Int64) -> list[TraceWarning]:
    """Say of how many calls FLOPs may be too high."""
    found = []
    count = int((causal_unknown(calls) & (attention_flops(calls) > 0))[known].sum())
    if count:
        found.append(
            TraceWarning(
                code="causal_unknown",
                count=count,
                message=f"Nothing tells whether {count:,} of {len(known):,} attention calls are "
                "causal: their FLOPs count all keys for every query, up to twice too many.",
            )
        )
    sizes = calls.sizes
    uneven = sizes["q_tokens"] < sizes["batch"] * sizes["q_len"]
    count = int((uneven & (sizes["q_tokens"] >= 0) & (attention_flops(calls) > 0))[known].sum())
    if count:
        found.append(
            TraceWarning(
                code="lengths_differ",
                count=count,
                message=f"The sequences of {count:,} of {len(known):,} attention calls differ in "
                "length: their FLOPs count each as long as the longest, so they are too high.",
            )
        )
    return found


def _layers(calls: Calls, known: Int64, time: Int64, flops: Int64) -> list[AxisLayer]:
    """Calls of one module, axis and length together, in order of their first call."""
    if not len(known):
        return []
    names = ("component", "module", "axis")
    first, group = alike(
        [
            *(calls.texts[name][known] for name in names),
            calls.sizes["q_len"][known],
            calls.sizes["batch"][known],
        ]
    )
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
