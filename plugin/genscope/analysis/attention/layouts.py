"""How positions and frames were laid out as tokens and batch, as reshapes before a call tell.

Where as many frames as positions are attended, lengths tell nothing. A reshape of
(batch, height, width, frames, channels) to (batch x height x width, frames, channels) still does.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec
import numpy as np
import numpy.typing as npt

from genscope.analysis.attention.columns import Calls
from genscope.analysis.chains import parse_dims
from genscope.trace.model import Int64, Kind, Trace

_RESHAPES = ("aten::reshape", "aten::view", "aten::_unsafe_view", "aten::flatten")

Dims = tuple[int, ...]


class Layout(IntEnum):
    """What became the tokens of a (batch, length, channels) tensor."""

    UNKNOWN = 0
    PLANE = 1
    """Two dimensions, so positions of a frame."""
    VOLUME = 2
    """Three dimensions: positions of all frames."""
    LINE = 3
    """One dimension, while at least three went into the batch: frames."""


def layouts_of(trace: Trace, calls: Calls) -> npt.NDArray[np.int8]:
    """Layout of the tokens of each call, shape (c,), by the last reshape to its batch and length.

    Only calls count whose batch and length were reached along a line at least once: elsewhere
    lengths tell more.
    """
    found = np.zeros(len(calls), dtype=np.int8)
    batch, q_len = calls.sizes["batch"], calls.sizes["q_len"]
    start_ns, track, size, layout = _reshapes(trace)
    lined = {size[at] for at in np.flatnonzero(layout == Layout.LINE).tolist()}
    if not lined:
        return found
    by_size: dict[tuple[int, int], list[int]] = {}
    for at, one in enumerate(size):
        if one in lined:
            by_size.setdefault(one, []).append(at)
    for (rows, length), listed in by_size.items():
        mine = np.flatnonzero((batch == rows) & (q_len == length))
        reshapes = np.array(listed, dtype=np.int64)
        for lane in np.unique(calls.track[mine]).tolist():
            here = mine[calls.track[mine] == lane]
            marks = reshapes[track[reshapes] == lane]
            before = np.searchsorted(start_ns[marks], calls.start_ns[here]) - 1
            told = before >= 0
            found[here[told]] = layout[marks[before[told]]]
    return found


def _reshapes(
    trace: Trace,
) -> tuple[Int64, npt.NDArray[np.int32], list[tuple[int, int]], npt.NDArray[np.int8]]:
    """Starts, tracks, (batch, length) and layouts of reshapes to three dimensions, by start."""
    events, strings = trace.events, trace.strings
    wanted = [at for at, text in enumerate(strings) if text in _RESHAPES]
    rows = np.flatnonzero(
        (events.kind == Kind.CPU_OP)
        & np.isin(events.name, wanted)
        & (events.dims >= 0)
        & (events.inputs >= 0)
    )
    key = events.dims[rows].astype(np.int64) * (len(strings) + 1) + events.inputs[rows]
    keys, first, text = np.unique(key, return_index=True, return_inverse=True)
    read = [
        _read(strings[int(events.dims[row])], strings[int(events.inputs[row])])
        for row in rows[first].tolist()
    ]
    told = np.array([one is not None for one in read], dtype=np.bool_)
    kept = told[text.reshape(-1)] if len(keys) else np.zeros(0, dtype=np.bool_)
    rows, text = rows[kept], text.reshape(-1)[kept]
    order = np.argsort(events.start_ns[rows], kind="stable")
    rows, text = rows[order], text[order]
    pairs = [one for at in text.tolist() if (one := read[at]) is not None]
    return (
        events.start_ns[rows],
        events.track[rows],
        [size for size, _ in pairs],
        np.array([layout for _, layout in pairs], dtype=np.int8),
    )


def _read(dims: str, inputs: str) -> tuple[tuple[int, int], Layout] | None:
    """(batch, length) that a reshape makes and what became the length; None if it tells none."""
    sizes = parse_dims(dims)
    if not sizes or len(sizes[0]) < 4:
        return None
    made = _made(sizes[0], inputs)
    if made is None or len(made) != 3:
        return None
    groups = _groups(sizes[0], made)
    if groups is None:
        return None
    batch, length, channels = groups
    if channels != 1:
        return None
    if length >= 2:
        return (made[0], made[1]), Layout.PLANE if length == 2 else Layout.VOLUME
    if batch >= 2:
        return (made[0], made[1]), Layout.LINE if batch >= 3 else Layout.UNKNOWN
    return None


def _made(given: Dims, inputs: str) -> Dims | None:
    """Sizes that a reshape asks for, with the one that it leaves open filled in."""
    try:
        listed = msgspec.json.decode(inputs)
        sizes = msgspec.json.decode(listed[1]) if len(listed) > 1 and listed[1] else None
    except (msgspec.DecodeError, RecursionError, TypeError):
        return None
    if not isinstance(sizes, list) or not all(type(one) is int for one in sizes):
        return None
    whole, asked = 1, 1
    for one in given:
        whole *= one
    for one in sizes:
        asked *= one if one >= 0 else 1
    if sizes.count(-1) == 1 and asked > 0 and whole % asked == 0:
        return tuple(whole // asked if one == -1 else one for one in sizes)
    return tuple(sizes) if asked == whole and min(sizes, default=0) > 0 else None


def _groups(given: Dims, made: Dims) -> list[int] | None:
    """How many dimensions longer than 1 went into each that was made; None if one was split."""
    counts = []
    at = 0
    for size in made:
        product, count = 1, 0
        while product < size and at < len(given):
            product *= given[at]
            count += given[at] > 1
            at += 1
        if product != size:
            return None
        counts.append(count)
    return counts if all(one == 1 for one in given[at:]) else None
