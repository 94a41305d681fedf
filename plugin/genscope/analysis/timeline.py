"""Busy time on the clock: merged intervals, their coverage of bins, and the gaps between them."""

from __future__ import annotations

import numpy as np

from genscope.trace.model import Int64


def merge(start: Int64, end: Int64) -> tuple[Int64, Int64]:
    """Join intervals that touch or overlap; sorted, disjoint starts and ends, shape (m,)."""
    if not len(start):
        return start, end
    order = np.argsort(start, kind="stable")
    start, end = start[order], end[order]
    reached = np.maximum.accumulate(end)
    begins = np.flatnonzero(np.r_[True, start[1:] > reached[:-1]])
    return start[begins], reached[np.r_[begins[1:] - 1, len(start) - 1]]


def coverage(start: Int64, end: Int64, edges: Int64) -> Int64:
    """Time that disjoint sorted intervals cover between each two `edges`; shape (edges - 1,)."""
    if not len(start):
        return np.zeros(len(edges) - 1, dtype=np.int64)
    before = np.r_[0, np.cumsum(end - start)]
    place = np.searchsorted(start, edges, side="right") - 1
    inside = np.maximum(place, 0)
    partly = np.where(place >= 0, np.minimum(edges, end[inside]) - start[inside], 0)
    covered: Int64 = np.where(place >= 0, before[inside], 0) + partly
    return np.diff(covered)


def gaps(start: Int64, end: Int64, first: int, last: int) -> tuple[Int64, Int64]:
    """Starts and ends of what disjoint sorted intervals leave free from `first` to `last`."""
    begins = np.r_[first, np.clip(end, first, last)]
    ends = np.r_[np.clip(start, first, last), last]
    free = ends > begins
    return begins[free], ends[free]
