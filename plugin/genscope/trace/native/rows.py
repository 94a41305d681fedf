"""Which end belongs to which begin: on each track the last one that is still open."""

from __future__ import annotations

import numpy as np

from genscope.trace.columns import Column
from genscope.trace.model import NONE, Bool, Int32, Int64


def pair(lane: Int32, time: Int64, opens: Bool) -> Int64:
    """Return for each begin the index of its end, -1 where it has none; -1 for ends.

    All have shape (k,), in the order of the file, which decides between equal times. An end
    without a begin belongs to nothing.
    """
    partner = np.full(len(lane), NONE, dtype=np.int64)
    order = np.lexsort((time, lane))
    while len(order):
        step = np.where(opens[order], 1, -1).astype(np.int64)
        lanes = lane[order]
        first = np.flatnonzero(np.r_[True, lanes[1:] != lanes[:-1]])
        total = np.cumsum(step)
        sizes = np.diff(np.r_[first, len(order)])
        depth = total - np.repeat(np.r_[0, total[first[1:] - 1]], sizes)
        # An end below everything before it on its lane has no begin; each lane is put a step
        # lower than all before it can reach, so that one running minimum serves all of them.
        drop = np.repeat(np.arange(len(first), dtype=np.int64) * (2 * len(order) + 2), sizes)
        lowest = np.minimum.accumulate(np.minimum(depth, 0) - drop)
        before = np.r_[1, lowest[:-1]]
        before[first] = -drop[first]
        stray = lowest < before
        if not stray.any():
            break
        order = order[~stray]
    else:
        return partner
    # At one depth of a lane begins and ends take turns.
    level = np.where(opens[order], depth, depth + 1)
    by_level = np.lexsort((np.arange(len(order)), level, lanes))
    here, following = by_level[:-1], by_level[1:]
    match = (
        opens[order[here]]
        & ~opens[order[following]]
        & (lanes[here] == lanes[following])
        & (level[here] == level[following])
    )
    partner[order[here[match]]] = order[following[match]]
    return partner


_NOBODY = -1


def _grown(values: Int64, count: int, fill: int) -> Int64:
    if count <= len(values):
        return values
    grown = np.full(2 * count, fill, dtype=np.int64)
    grown[: len(values)] = values
    return grown


class Marks:
    """Begins and ends as they come, paired as early as they can be.

    Most slices end in the block of packets in which they began. What is left is kept until all
    is read; so are the marks of tracks whose times go back, or that have several writers, since
    earlier ones may still come.
    """

    def __init__(self) -> None:
        self._left = {
            name: Column(np.dtype(dtype))
            for name, dtype in (("lane", np.int32), ("time", np.int64), ("row", np.int32))
        }
        self._latest = np.empty(0, dtype=np.int64)
        self._writer = np.empty(0, dtype=np.int64)
        self.last_ns = np.iinfo(np.int64).min
        """The time of the last mark of all."""

    def add(self, lane: Int32, time: Int64, row: Int64, writer: Int64) -> Int64:
        """Take marks in the order of the file; return the durations of those begins that ended.

        All have shape (k,); `row` is -1 for an end, and so is the duration where it is not known.
        """
        duration = np.full(len(lane), NONE, dtype=np.int64)
        if not len(lane):
            return duration
        self.last_ns = max(self.last_ns, int(time.max()))
        ordered = np.flatnonzero(self._in_order(lane, time, writer))
        partner = pair(lane[ordered], time[ordered], row[ordered] >= 0)
        begins = np.flatnonzero(partner >= 0)
        ends = ordered[partner[begins]]
        begins = ordered[begins]
        duration[begins] = time[ends] - time[begins]
        left = np.ones(len(lane), dtype=np.bool_)
        left[begins] = left[ends] = False
        for name, values in (("lane", lane), ("time", time), ("row", row)):
            self._left[name].append(values[left])
        return duration

    def _in_order(self, lane: Int32, time: Int64, writer: Int64) -> Bool:
        """Which marks are on lanes of one writer, whose times have not gone back."""
        most = int(lane.max()) + 1
        self._latest = _grown(self._latest, most, np.iinfo(np.int64).min)
        self._writer = _grown(self._writer, most, _NOBODY)
        order = np.argsort(lane, kind="stable")
        lanes, times, writers = lane[order], time[order], writer[order]
        first = np.flatnonzero(np.r_[True, lanes[1:] != lanes[:-1]])
        before = np.r_[times[:1], times[:-1]]
        before[first] = self._latest[lanes[first]]
        nobody = first[self._writer[lanes[first]] == _NOBODY]
        self._writer[lanes[nobody]] = writers[nobody]
        back = np.unique(lanes[(times < before) | (writers != self._writer[lanes])])
        np.maximum.at(self._latest, lane, time)
        # Once so, always: what was kept must not be paired without the rest.
        self._latest[back] = np.iinfo(np.int64).max
        return ~np.isin(lane, back)

    def finish(self) -> tuple[Int32, Int64, Int64]:
        """Return what is left: lanes, times and rows, each of shape (k,)."""
        lane, time, row = (column.finish() for column in self._left.values())
        return lane, time, row
