"""Where a device waits, and for what.

A gap ends with a device event. If that was launched in the second half of the gap, the device
waited for the CPU: which was loading data, was in a blocking call when the gap began or in its
middle (a synchronisation lets the queue run dry), or was on its way to the launch. If it was
launched earlier, the event stood in the queue: for its launch to reach the device, or for another
stream.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genscope.analysis import timeline
from genscope.analysis.doing import Doing
from genscope.analysis.results import Gap
from genscope.trace.link import rows_named
from genscope.trace.model import NONE, Bool, Int64, Kind, Trace
from genscope.trace.nest import Nest

LAUNCH, SYNC, DATA, QUEUE, UNKNOWN = range(5)
CAUSES = ("launch", "sync", "data", "queue", "unknown")

LARGEST = 20
"""So many gaps are described one by one."""

_SYNC = re.compile(r"Synchronize|^(cuda|hip)Memcpy($|DtoH|HtoD|2D$)|EventQuery|hipMemcpyWithStream")
_DATA = re.compile(r"DataLoader|dataloader|data_loader|load_batch", re.ASCII)
_REASONS = {
    LAUNCH: "the CPU had not launched the next kernel yet",
    SYNC: "the CPU was in a call that waits for the device, and launched more only after it",
    DATA: "the CPU was loading data",
    QUEUE: "the next kernel was launched already, but had not started (its launch was under way, "
    "it waited for another stream, or the device did work that was not recorded)",
    UNKNOWN: "the launch of the next kernel is not in the trace",
}
_AT_END = "nothing more was launched in the recording"


@dataclass(frozen=True, slots=True)
class Gaps:
    """The gaps of all devices; arrays of shape (g,). `before` and `after` are rows or -1."""

    device: Int64
    start: Int64
    end: Int64
    before: Int64
    after: Int64
    cause: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)


def find(trace: Trace, rows: Int64, window: tuple[int, int]) -> Gaps:
    """Find the idle stretches between the device events `rows` within `window` (start, end)."""
    events = trace.events
    parts: list[tuple[int, Int64, Int64, Int64, Int64]] = []
    for device in np.unique(events.device[rows]).tolist():
        mine = rows[events.device[rows] == device]
        start, end = events.start_ns[mine], events.end_ns[mine]
        begin, until = timeline.gaps(*timeline.merge(start, end), *window)
        by_start = mine[np.argsort(start, kind="stable")]
        by_end = mine[np.argsort(end, kind="stable")]
        after = np.searchsorted(events.start_ns[by_start], until, side="left")
        before = np.searchsorted(events.end_ns[by_end], begin, side="right") - 1
        parts.append((
            device,
            begin,
            until,
            np.where(before >= 0, by_end[np.maximum(before, 0)], NONE),
            np.where(
                after < len(by_start), by_start[np.minimum(after, len(by_start) - 1)], NONE
            ),
        ))  # fmt: skip
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Gaps(none, none, none, none, none, none)
    device_of = np.concatenate([np.full(len(part[1]), part[0]) for part in parts])
    start, end, before, after = (
        np.concatenate([part[column] for part in parts]) for column in range(1, 5)
    )
    return Gaps(device_of, start, end, before, after, _causes(trace, start, end, after))


def _causes(trace: Trace, start: Int64, end: Int64, after: Int64) -> Int64:
    """Cause of each gap from `start` to `end`, where the device event `after` begins."""
    events = trace.events
    launch = np.where(after >= 0, trace.links.launch[after], NONE).astype(np.int64)
    known = launch >= 0
    wait = events.start_ns[launch] - start
    late = known & (2 * wait > end - start)
    cause = np.where(late, LAUNCH, np.where(known, QUEUE, UNKNOWN)).astype(np.int64)
    cause[after == NONE] = LAUNCH
    middle = start + wait // 2
    for code, kind, pattern, points in (
        (SYNC, Kind.RUNTIME, _SYNC, (start, middle)),
        (DATA, Kind.ANNOTATION, _DATA, (middle,)),
    ):
        waits = _matching(trace, kind, pattern.search)
        nest = Nest(waits, events.track, events.start_ns, events.end_ns)
        for point in points:
            inside: Bool = nest.enclosing(events.track[launch], point) >= 0
            cause[late & inside] = code
    return cause


def _matching(trace: Trace, kind: Kind, test: Callable[[str], object]) -> Int64:
    rows = np.flatnonzero(trace.events.kind == kind)
    return rows_named(trace.events, trace.strings, rows, test)


def describe(trace: Trace, gaps: Gaps) -> list[Gap]:
    """Describe the largest gaps, largest first."""
    order = np.argsort(gaps.start - gaps.end, kind="stable")[:LARGEST]
    doing = Doing(trace)
    return [
        Gap(
            device=int(gaps.device[place]),
            start_ns=int(gaps.start[place]),
            dur_ns=int(gaps.end[place] - gaps.start[place]),
            before=_name(trace, int(gaps.before[place])),
            after=_name(trace, int(gaps.after[place])),
            cause=CAUSES[int(gaps.cause[place])],
            reason=_AT_END if gaps.after[place] == NONE else _REASONS[int(gaps.cause[place])],
            cpu=doing.between(
                _thread(trace, int(gaps.after[place])),
                int(gaps.start[place]),
                int(gaps.end[place]),
            ),
        )
        for place in order.tolist()
    ]


def _name(trace: Trace, row: int) -> str:
    return trace.name_of(row) if row >= 0 else ""


def _thread(trace: Trace, after: int) -> int:
    """Track of the thread that launched `after`, else of the one with the most launches."""
    events = trace.events
    launch = int(trace.links.launch[after]) if after >= 0 else NONE
    if launch >= 0:
        return int(events.track[launch])
    launches = trace.links.launch[trace.links.launch >= 0]
    rows = launches if len(launches) else np.flatnonzero(events.kind == Kind.CPU_OP)
    return int(np.bincount(events.track[rows]).argmax()) if len(rows) else NONE
