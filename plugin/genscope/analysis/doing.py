"""What a CPU thread did in a stretch of time, told in parts that add up to it."""

from __future__ import annotations

import numpy as np

from genscope.analysis.annotations import annotations_of
from genscope.analysis.results import Activity
from genscope.trace.link import MODULE_PREFIX, rows_named
from genscope.trace.model import Int64, Kind, Trace
from genscope.trace.nest import Nest

NAMED = 8
"""So many events are named one by one."""

NOTHING = "nothing recorded"

_STEP = "ProfilerStep#"
"""Steps are around whatever a thread does, and say nothing of it."""

_KINDS: dict[Kind, str] = {
    Kind.ANNOTATION: "annotation",
    Kind.RUNTIME: "runtime",
    Kind.CPU_OP: "op",
    Kind.PYTHON: "python",
}


class Doing:
    """The events of a trace that tell what its threads did."""

    def __init__(self, trace: Trace) -> None:
        events = trace.events
        rows = np.flatnonzero(events.is_kind(*_KINDS))
        notes = rows[events.kind[rows] == Kind.ANNOTATION]
        steps = rows_named(events, trace.strings, notes, lambda name: name.startswith(_STEP))
        annotated = annotations_of(trace)
        self._trace = trace
        self._labels = {index: annotated.label(call) for index, call in annotated.calls.items()}
        self._rows = np.setdiff1d(rows, steps, assume_unique=True)
        self._track = events.track[self._rows]
        self._start = events.start_ns[self._rows]
        self._end = self._start + events.dur_ns[self._rows]

    def between(self, track: int, start: int, end: int) -> list[Activity]:
        """What the thread `track` did from `start` to `end`; the parts add up to that time.

        Every moment belongs to the innermost event that is open then. Largest first, and last what
        is not named one by one.
        """
        mine = (self._track == track) & (self._start < end) & (self._end > start)
        edges = np.concatenate([self._start[mine], self._end[mine], [start, end]])
        edges = np.unique(np.clip(edges, start, end))
        nest = Nest(np.flatnonzero(mine), self._track, self._start, self._end)
        at = np.full(len(edges) - 1, track, dtype=np.int32)
        return self._named(nest.enclosing(at, edges[:-1]), np.diff(edges))

    def _named(self, places: Int64, lengths: Int64) -> list[Activity]:
        """Add up `lengths` by the name and kind at `places`, shape (k,); -1 is nothing."""
        events = self._trace.events
        recorded = places >= 0
        rows = self._rows[places[recorded]]
        keys = events.name[rows].astype(np.int64) * 256 + events.kind[rows]
        found, of_row = np.unique(keys, return_inverse=True)
        sums = np.zeros(len(found), dtype=np.int64)
        np.add.at(sums, of_row, lengths[recorded])
        order = np.argsort(-sums, kind="stable")
        made = [self._activity(int(found[i]), int(sums[i])) for i in order[:NAMED].tolist()]
        idle = int(lengths[~recorded].sum())
        if idle:
            made.append(Activity(name=NOTHING, kind="none", overlap_ns=idle))
        made.sort(key=lambda activity: -activity.overlap_ns)
        rest = order[NAMED:]
        if len(rest):
            others = f"{len(rest):,} other {'event' if len(rest) == 1 else 'events'}"
            made.append(Activity(name=others, kind="other", overlap_ns=int(sums[rest].sum())))
        return made

    def _activity(self, key: int, overlap_ns: int) -> Activity:
        index, kind = key // 256, Kind(key % 256)
        name = self._trace.strings[index]
        label = _KINDS[kind]
        if index in self._labels:
            name, label = self._labels[index], "module"
        elif kind == Kind.PYTHON and name.startswith(MODULE_PREFIX):
            name, label = name.removeprefix(MODULE_PREFIX), "module"
        return Activity(name=name, kind=label, overlap_ns=overlap_ns)
