"""Which interval encloses which, on the tracks of a trace."""

from __future__ import annotations

import numpy as np

from genscope.trace.model import NONE, Int32, Int64


class Nest:
    """Intervals given by rows, and the innermost one around any point of a track.

    An interval encloses a point that is not before its start and before its end; of two that
    start together the longer is around the other, of equal ones the earlier row. Intervals that
    overlap without nesting are taken as a call stack would: the later start is inside while the
    earlier one is open.
    """

    def __init__(self, rows: Int64, track: Int32, start: Int64, end: Int64) -> None:
        """Take (k,) row numbers and whole columns of shape (n,)."""
        order = np.lexsort((rows, -end[rows], start[rows], track[rows]))
        self.rows = rows[order]
        self._track = track[self.rows].astype(np.int64)
        self._start = start[self.rows]
        self._end = end[self.rows]
        self._outer = np.arange(-1, len(rows) - 1, dtype=np.int64)
        if len(rows):
            first = np.r_[True, self._track[1:] != self._track[:-1]]
            self._outer[first] = NONE
            self._climb(self._outer, self._start, self._outer)

    def parents(self) -> tuple[Int64, Int64]:
        """Return rows and, for each, the row of the interval around it or -1; shape (k,)."""
        return self.rows, np.where(self._outer < 0, NONE, self.rows[self._outer])

    def enclosing(self, track: Int32, time: Int64) -> Int64:
        """Return the row of the innermost interval around each point, -1 for none; shape (m,)."""
        if not len(self.rows) or not len(track):
            return np.full(len(track), NONE, dtype=np.int64)
        found = self._last_before(track.astype(np.int64), time)
        self._climb(found, time, self._outer)
        return np.where(found < 0, NONE, self.rows[found])

    def _climb(self, at: Int64, time: Int64, outer: Int64) -> None:
        """Move each candidate outwards, in place, until it is still open at its `time`."""
        todo = np.flatnonzero(at >= 0)
        while len(todo):
            ended = self._end[at[todo]] <= time[todo]
            todo = todo[ended]
            at[todo] = outer[at[todo]]
            todo = todo[at[todo] >= 0]

    def _last_before(self, track: Int64, time: Int64) -> Int64:
        """Position of the last interval that starts at or before each point on its track."""
        found = np.full(len(track), NONE, dtype=np.int64)
        lows = np.flatnonzero(np.r_[True, self._track[1:] != self._track[:-1]])
        highs = np.r_[lows[1:], len(self._track)]
        order = np.argsort(track, kind="stable")
        wanted, begins = np.unique(track[order], return_index=True)
        ends = np.r_[begins[1:], len(order)]
        present = self._track[lows]
        for lane, begin, end in zip(wanted.tolist(), begins, ends, strict=True):
            position = int(np.searchsorted(present, lane))
            if position == len(present) or present[position] != lane:
                continue
            low, high = int(lows[position]), int(highs[position])
            points = order[begin:end]
            hits = np.searchsorted(self._start[low:high], time[points], side="right") - 1
            found[points] = np.where(hits < 0, NONE, hits + low)
        return found
