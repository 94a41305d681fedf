"""The steps of a trace: those of the profiler, or those that annotated components count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genscope.analysis.annotations import annotations_of
from genscope.analysis.selection import Selection
from genscope.trace.errors import TraceWarning
from genscope.trace.link import rows_named
from genscope.trace.model import NONE, Bool, Int64, Kind, Trace

_PREFIX = "ProfilerStep#"


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps in order of time; `names` has one entry a step, the arrays have shape (s,)."""

    names: list[str]
    start_ns: Int64
    end_ns: Int64

    def __len__(self) -> int:
        return len(self.names)

    def part(self, first: int, behind: int) -> Steps:
        """The steps from number `first` up to, but without, `behind`."""
        return Steps(
            self.names[first:behind], self.start_ns[first:behind], self.end_ns[first:behind]
        )

    def around(self, at_ns: Int64) -> Bool:
        """Whether each point in time, shape (k,), lies in one of the steps."""
        if not len(self):
            return np.zeros(len(at_ns), dtype=np.bool_)
        place = np.searchsorted(self.start_ns, at_ns, side="right") - 1
        inside: Bool = (place != NONE) & (at_ns < self.end_ns[np.maximum(place, 0)])
        return inside


def steps_of(trace: Trace) -> Steps:
    """The `ProfilerStep#` annotations, if they tell parts of the trace apart.

    Where there are fewer than two, the steps of the component that has steps for most of the time:
    each is a number that its calls give, from the first call to the last, and on to the next
    number where that is one more, since what stands between (a scheduler, sampling) belongs to it.
    """
    events = trace.events
    annotations = np.flatnonzero(events.kind == Kind.ANNOTATION)
    rows = rows_named(events, trace.strings, annotations, lambda name: name.startswith(_PREFIX))
    if len(rows) < 2:
        counted = _component_steps(trace)
        if len(counted):
            return counted
    rows = rows[np.argsort(events.start_ns[rows], kind="stable")]
    names = [trace.name_of(row) for row in rows.tolist()]
    return Steps(names, events.start_ns[rows], events.end_ns[rows])


def _component_steps(trace: Trace) -> Steps:
    annotated = annotations_of(trace)
    calls = annotated.components
    stepping = calls.step >= 0
    if not stepping.any():
        none = np.zeros(0, dtype=np.int64)
        return Steps([], none, none)
    ids, which = np.unique(calls.component[stepping], return_inverse=True)
    spent = np.zeros(len(ids), dtype=np.int64)
    np.add.at(spent, which, trace.events.dur_ns[calls.row[stepping]])
    chosen = stepping & (calls.component == ids[int(spent.argmax())])
    rows, step = calls.row[chosen], calls.step[chosen]
    start, end = trace.events.start_ns[rows], np.maximum.accumulate(trace.events.end_ns[rows])
    first = np.flatnonzero(np.r_[True, step[1:] != step[:-1]])
    last = np.r_[first[1:], len(rows)] - 1
    start, end, step = start[first], end[last], step[first]
    goes_on = (step[1:] == step[:-1] + 1) | (end[:-1] > start[1:])
    end[:-1] = np.where(goes_on, start[1:], end[:-1])
    call = annotated.calls[int(trace.events.name[rows[0]])]
    names = [f"{annotated.label(call)} step {number}" for number in step.tolist()]
    return Steps(names, start, end)


def chosen_steps(trace: Trace, selection: Selection) -> Steps:
    """The steps that a selection takes; all of them where it names none."""
    steps = steps_of(trace)
    first = selection.first_step or 0
    last = len(steps) - 1 if selection.last_step is None else selection.last_step
    return steps.part(max(first, 0), max(last + 1, 0))


def window_ns(trace: Trace, selection: Selection, whole: tuple[int, int]) -> tuple[int, int]:
    """Start and end of the chosen steps; `whole` where the selection names none."""
    if not selection.has_steps:
        return whole
    steps = chosen_steps(trace, selection)
    if not len(steps):
        return whole[0], whole[0]
    return int(steps.start_ns.min()), int(steps.end_ns.max())


def step_warnings(trace: Trace, selection: Selection) -> list[TraceWarning]:
    """What to know where a selection names steps that the trace does not have."""
    return missing_steps(len(steps_of(trace)), selection) if selection.has_steps else []


def missing_steps(count: int, selection: Selection) -> list[TraceWarning]:
    """What to know where a selection names steps beyond the `count` that there are."""
    if not selection.has_steps:
        return []
    first = max(selection.first_step or 0, 0)
    last = first if selection.last_step is None else selection.last_step
    lacking = max(first, count)
    if last < lacking:
        return []
    have = f"Its steps are {_range(0, count - 1)}" if count else "The trace has no steps"
    rest = f"the figures are of {_range(first, count - 1)}" if first < count else "nothing is left"
    return [
        TraceWarning(
            code="steps_missing",
            count=last - lacking + 1,
            message=f"{have}, without the selected {_range(lacking, last)}: {rest}. Steps count "
            "from 0 in each trace, whatever number the profiler gave them.",
        )
    ]


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"
