"""Slices of one track apart in lanes, in each of which they nest or do not touch.

A viewer of nested slices cannot draw two that intersect. Recorders do write them: work of a stream
overlaps, and times are rounded.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from genscope.trace.model import Int32, Int64
from genscope.trace.nest import Nest

MOST_LANES = 200
"""Slices that would need more lanes than these on one track are cut short where they intersect."""

_BATCH = 1 << 15


def lanes(track: Int32, start: Int64, end: Int64) -> tuple[Int32, Int64, int]:
    """Return the lane of each slice within its track, its end, and how many had to be cut short.

    All arrays have shape (n,). A slice goes to the first lane where nothing open ends within it.
    """
    lane = np.zeros(len(start), dtype=np.int32)
    inner, outer = Nest(np.arange(len(start), dtype=np.int64), track, start, end).parents()
    wrong = (outer >= 0) & (end[inner] > end[np.maximum(outer, 0)])
    if not wrong.any():
        return lane, end, 0
    end = end.copy()
    del outer
    crossed = np.unique(track[inner[wrong]])
    # `inner` is in order of track, start and length, the longest first.
    todo = inner[np.isin(track[inner], crossed)]
    cut = 0
    bounds = np.r_[np.flatnonzero(np.r_[True, np.diff(track[todo]) != 0]), len(todo)].tolist()
    for first, behind in pairwise(bounds):
        cut += _fill(todo[first:behind], start, end, lane)
    return lane, end, cut


def _fill(rows: Int64, start: Int64, end: Int64, lane: Int32) -> int:
    """Put the slices of one track, in their order, into lanes; return how many were cut."""
    first_lane: list[int] = []
    open_ends = [first_lane]
    cut = 0
    for first in range(0, len(rows), _BATCH):
        part = rows[first : first + _BATCH]
        found = []
        columns = (part.tolist(), start[part].tolist(), end[part].tolist())
        for row, begin, stop in zip(*columns, strict=True):
            # Most fit into the first lane; a call for each would take twice as long.
            while first_lane and first_lane[-1] <= begin:
                first_lane.pop()
            if not first_lane or stop <= first_lane[-1]:
                first_lane.append(stop)
                found.append(0)
                continue
            number = _fitting(open_ends, begin, stop)
            if number == MOST_LANES:
                number -= 1
                cut += 1
                stop = end[row] = open_ends[number][-1]
            open_ends[number].append(stop)
            found.append(number)
        lane[part] = found
    return cut


def _fitting(open_ends: list[list[int]], begin: int, stop: int) -> int:
    """The first lane that takes a slice, a new one if none does; MOST_LANES where all are full."""
    for number, stack in enumerate(open_ends):
        while stack and stack[-1] <= begin:
            stack.pop()
        if not stack or stop <= stack[-1]:
            return number
    if len(open_ends) < MOST_LANES:
        open_ends.append([])
        return len(open_ends) - 1
    return MOST_LANES
