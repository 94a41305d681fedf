"""The time to be explained, as columns: device events, or CPU self time where there is none.

What the operator views add up. `Work.figures` sums any grouping of the same rows, so that every
table of a result is cut from one set of numbers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from genscope.analysis.classify import Classes
from genscope.analysis.intervals import self_segments, union_by_group
from genscope.trace.errors import TraceWarning
from genscope.trace.model import DEVICE_KINDS, NONE, Bool, Int64, Kind, Trace

DEVICE = "device"
CPU_SELF = "cpu_self"

_WORKING = (*DEVICE_KINDS, Kind.CPU_OP)


@dataclass(slots=True)
class Work:
    """Rows of the basis; all arrays have shape (k,).

    `time_ns` is the duration of a device event or the self time of a CPU op. `stretch_*` are the
    stretches on the clock behind it, shape (s,), `stretch_row` their position among the rows.
    """

    basis: str
    rows: Int64
    time_ns: Int64
    unlinked: Bool
    launch: Int64
    op: Int64
    stretch_row: Int64
    stretch_start: Int64
    stretch_end: Int64
    stretch_lane: Int64
    lanes: int

    def where(self, mask: Bool) -> Work:
        """The rows for which `mask`, shape (k,), holds."""
        place = np.cumsum(mask) - 1
        seen = mask[self.stretch_row]
        return Work(
            basis=self.basis,
            rows=self.rows[mask],
            time_ns=self.time_ns[mask],
            unlinked=self.unlinked[mask],
            launch=self.launch[mask],
            op=self.op[mask],
            stretch_row=place[self.stretch_row[seen]],
            stretch_start=self.stretch_start[seen],
            stretch_end=self.stretch_end[seen],
            stretch_lane=self.stretch_lane[seen],
            lanes=self.lanes,
        )

    def figures(self, group: Int64, groups: int) -> Sums:
        """Add up by `group`, shape (k,), numbered from 0; negative ones are left out."""
        inside = group >= 0
        which = group[inside]
        time = self.time_ns[inside]
        lost = self.unlinked[inside]
        sums = np.zeros(groups, dtype=np.int64)
        np.add.at(sums, which, time)
        unlinked = np.zeros(groups, dtype=np.int64)
        np.add.at(unlinked, which[lost], time[lost])
        launches = np.zeros(groups, dtype=np.int64)
        if self.basis == DEVICE:
            launches = np.bincount(which, minlength=groups).astype(np.int64)
        of_stretch = group[self.stretch_row]
        seen = of_stretch >= 0
        return Sums(
            sum_ns=sums,
            busy_ns=self._busy(of_stretch, seen, groups),
            unlinked_ns=unlinked,
            launches=launches,
            host_launches=_distinct(which, self.launch[inside], groups),
            calls=_distinct(which, self.op[inside], groups),
        )

    def _busy(self, group: Int64, seen: Bool, groups: int) -> Int64:
        combined = group[seen] * self.lanes + self.stretch_lane[seen]
        union = union_by_group(
            combined, self.stretch_start[seen], self.stretch_end[seen], groups * self.lanes
        )
        whole: Int64 = union.reshape(groups, self.lanes).sum(axis=1)
        return whole


@dataclass(frozen=True, slots=True)
class Sums:
    """Figures of a grouping; each array has shape (groups,)."""

    sum_ns: Int64
    busy_ns: Int64
    unlinked_ns: Int64
    launches: Int64
    host_launches: Int64
    calls: Int64


def _distinct(group: Int64, value: Int64, groups: int) -> Int64:
    """Count the distinct values that are not -1 in each group."""
    known = value >= 0
    if not known.any():
        return np.zeros(groups, dtype=np.int64)
    span = int(value.max()) + 1
    pairs = np.unique(group[known] * span + value[known])
    return np.bincount(pairs // span, minlength=groups).astype(np.int64)


def wall(trace: Trace) -> tuple[int, int]:
    """First start and last end, in nanoseconds, over all slices but the profiler's own."""
    events = trace.events
    counted = ~events.is_kind(Kind.TRACE, Kind.OVERHEAD)
    if not counted.any():
        return 0, 0
    return int(events.start_ns[counted].min()), int(events.end_ns[counted].max())


def file_name(trace: Trace) -> str:
    """Last part of the path, as text that JSON can hold whatever bytes the name has."""
    return os.fsencode(os.path.basename(trace.path)).decode("utf-8", "replace")


def work_warnings(trace: Trace, work: Work) -> list[TraceWarning]:
    """What to know about figures of this work beside what reading the trace has warned of."""
    return [*_empty_warning(trace, work), *_unlinked_warning(work)]


def _empty_warning(trace: Trace, work: Work) -> list[TraceWarning]:
    # A selection that takes nothing of a trace says nothing about the trace.
    if len(work.rows) or not len(trace.events) or trace.events.is_kind(*_WORKING).any():
        return []
    return [
        TraceWarning(
            code="no_work",
            count=len(trace.events),
            message="The trace has neither device events nor CPU ops, so there is no time to break "
            "down: was it written by torch.profiler?",
        )
    ]


def _unlinked_warning(work: Work) -> list[TraceWarning]:
    lost = int(work.time_ns[work.unlinked].sum())
    if not lost:
        return []
    share = 100 * lost / max(int(work.time_ns.sum()), 1)
    return [
        TraceWarning(
            code="unlinked",
            count=int(work.unlinked.sum()),
            message=f"{share:.1f} % of device time has no launch in the trace (it began before "
            "the recording, or its launch was lost): kernel names alone give its category. "
            "Warm-up steps before the recording avoid this.",
        )
    ]


def gather(trace: Trace, classes: Classes) -> Work:
    """Take the device events of a trace, or its CPU ops where it has none."""
    return _device_work(trace, classes) if trace.has_device else _cpu_work(trace)


def _device_work(trace: Trace, classes: Classes) -> Work:
    events, links = trace.events, trace.links
    rows = np.flatnonzero(events.is_device)
    _, lane = np.unique(events.device[rows], return_inverse=True)
    return Work(
        basis=DEVICE,
        rows=rows,
        time_ns=events.dur_ns[rows],
        unlinked=links.launch[rows] == NONE,
        launch=links.launch[rows].astype(np.int64),
        op=classes.op[rows].astype(np.int64),
        stretch_row=np.arange(len(rows), dtype=np.int64),
        stretch_start=events.start_ns[rows],
        stretch_end=events.start_ns[rows] + events.dur_ns[rows],
        stretch_lane=lane.astype(np.int64),
        lanes=int(lane.max()) + 1,
    )


def _cpu_work(trace: Trace) -> Work:
    """Self time: the duration of an op less that of its direct child ops on its thread."""
    events, links = trace.events, trace.links
    rows = np.flatnonzero(events.kind == Kind.CPU_OP)
    parent = links.parent[rows]
    time = events.dur_ns[rows].copy()
    children = np.zeros(len(events), dtype=np.int64)
    np.add.at(children, parent[parent >= 0], time[parent >= 0])
    time -= children[rows]
    position = np.full(len(events), NONE, dtype=np.int64)
    position[rows] = np.arange(len(rows))
    stretch_row, start, end = self_segments(
        rows,
        events.track[rows].astype(np.int64),
        events.start_ns[rows],
        events.start_ns[rows] + events.dur_ns[rows],
        np.where(parent >= 0, position[parent], NONE),
    )
    return Work(
        basis=CPU_SELF,
        rows=rows,
        time_ns=time,
        unlinked=np.zeros(len(rows), dtype=np.bool_),
        launch=np.full(len(rows), NONE, dtype=np.int64),
        op=rows.astype(np.int64),
        stretch_row=stretch_row,
        stretch_start=start,
        stretch_end=end,
        stretch_lane=np.zeros(len(stretch_row), dtype=np.int64),
        lanes=1,
    )
