"""The profiler steps of a trace."""

from __future__ import annotations

import numpy as np

from genscope.analysis.selection import Selection
from genscope.trace.link import rows_named
from genscope.trace.model import NONE, Bool, Int64, Kind, Trace

_PREFIX = "ProfilerStep#"


def step_rows(trace: Trace) -> Int64:
    """Rows of the `ProfilerStep#` annotations in order of time."""
    events = trace.events
    annotations = np.flatnonzero(events.kind == Kind.ANNOTATION)
    rows = rows_named(events, trace.strings, annotations, lambda name: name.startswith(_PREFIX))
    return rows[np.argsort(events.start_ns[rows], kind="stable")]


def chosen_steps(trace: Trace, selection: Selection) -> Int64:
    """Rows of the steps that a selection takes; all of them where it names none."""
    rows = step_rows(trace)
    first = selection.first_step or 0
    last = len(rows) - 1 if selection.last_step is None else selection.last_step
    return rows[max(first, 0) : max(last + 1, 0)]


def window_ns(trace: Trace, selection: Selection, whole: tuple[int, int]) -> tuple[int, int]:
    """Start and end of the chosen steps; `whole` where the selection names none."""
    if not selection.has_steps:
        return whole
    rows = chosen_steps(trace, selection)
    if not len(rows):
        return whole[0], whole[0]
    return int(trace.events.start_ns[rows].min()), int(trace.events.end_ns[rows].max())


def in_steps(trace: Trace, rows: Int64, at_ns: Int64) -> Bool:
    """Whether each point in time, shape (k,), lies in one of the steps `rows`."""
    if not len(rows):
        return np.zeros(len(at_ns), dtype=np.bool_)
    start, end = trace.events.start_ns[rows], trace.events.end_ns[rows]
    place = np.searchsorted(start, at_ns, side="right") - 1
    inside: Bool = (place != NONE) & (at_ns < end[np.maximum(place, 0)])
    return inside
