"""Units of work: one run of a component, from its first op to its last.

A unit is a call of an annotated component, else of an outermost nn.Module, and everything that was
launched inside it. Phases are decided for units, since what stands between two attention calls of
one belongs to the same phase.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genscope.analysis.annotations import annotations_of
from genscope.trace.model import NONE, Int64, Trace
from genscope.trace.nest import Nest


@dataclass(frozen=True, slots=True)
class Units:
    """Rows of the ranges that are units, in order of start; arrays of shape (u,)."""

    row: Int64
    start_ns: Int64
    end_ns: Int64

    def __len__(self) -> int:
        return len(self.row)

    def around(self, trace: Trace, at: Int64) -> Int64:
        """Number of the unit around each row of the trace, shape (k,), -1 for none or for -1."""
        found = np.full(len(at), NONE, dtype=np.int64)
        known = at >= 0
        if not len(self.row) or not known.any():
            return found
        events = trace.events
        nest = Nest(self.row, events.track, events.start_ns, events.end_ns)
        rows = nest.enclosing(events.track[at[known]], events.start_ns[at[known]])
        number = np.full(len(events) + 1, NONE, dtype=np.int64)
        number[self.row] = np.arange(len(self.row))
        found[known] = number[rows]
        return found


def units_of(trace: Trace) -> Units:
    """Find the units of a trace; none where neither components nor modules are recorded."""
    annotated = annotations_of(trace)
    rows = annotated.components.row
    if not len(rows):
        rows = _outermost_modules(trace)
    events = trace.events
    rows = rows[np.lexsort((rows, events.start_ns[rows]))]
    return Units(rows, events.start_ns[rows], events.end_ns[rows])


def _outermost_modules(trace: Trace) -> Int64:
    links = trace.links
    frames = np.unique(links.module[links.module >= 0]).astype(np.int64)
    while len(frames):
        outer = links.module_parent[frames]
        inner = outer >= 0
        if not inner.any():
            break
        frames = np.unique(np.where(inner, outer, frames)).astype(np.int64)
    return frames


def launches_of(trace: Trace, rows: Int64, op: Int64) -> Int64:
    """Row on the CPU that put each row of work there: its launch, its op, or -1; shape (k,)."""
    launch = trace.links.launch[rows].astype(np.int64)
    found: Int64 = np.where(trace.events.is_device[rows], launch, rows)
    missing = (found < 0) & (op >= 0)
    found[missing] = op[missing]
    return found
