"""The order of packets: by time, and at one instant so that slices nest."""

from __future__ import annotations

import numpy as np

from genscope.trace.model import Int32, Int64


def stream(start: Int64, end: Int64, slices: int) -> Int32:
    """Return the rows in the order of their packets, a slice's end as the complement of its row.

    `start` and `end` have shape (n,); the first `slices` rows are slices, the others are points
    that end where they start. What ends at an instant goes before what starts there, what is
    around before what is inside, and points last.
    """
    count = len(start)
    order = np.lexsort((-end, start)).astype(np.int32)
    begins = start[order]
    lasting = np.flatnonzero(end[:slices] > start[:slices]).astype(np.int32)
    lasting = lasting[np.argsort(end[lasting], kind="stable")]
    ends = end[lasting]
    # A slice without a duration ends right behind its start.
    empty = (order < slices) & (end[order] == begins)
    place = np.cumsum(empty) - empty
    behind = np.searchsorted(begins, ends, side="left")
    turn = np.arange(len(lasting)) + behind + np.r_[place, int(empty.sum())][behind]
    place += np.searchsorted(ends, begins, side="right")
    place += np.arange(count)
    del behind, begins, ends
    found = np.empty(count + slices, dtype=np.int32)
    found[turn] = ~lasting
    found[place] = order
    found[place[empty] + 1] = ~order[empty]
    return found
