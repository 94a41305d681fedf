"""Flows between slices: from a launch to what it put on a device, from a forward op to backward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genscope.perfetto.ragged import UInt64
from genscope.trace.model import Bool, Int64, Trace

LAUNCH, BACKWARD = 1, 2
"""What the remainder of a flow's number by 4 says."""


@dataclass(frozen=True, slots=True)
class Flows:
    """Ends of flows, sorted by row; arrays have shape (f,), two entries a flow."""

    row: Int64
    number: UInt64
    is_last: Bool
    """The other end is earlier."""
    launches: int
    backwards: int


def flows_of(trace: Trace, first: int = 1) -> Flows:
    """Find the flows of a trace; they are numbered from `first`."""
    events, links = trace.events, trace.links
    device = np.flatnonzero(links.launch >= 0)
    launch = links.launch[device].astype(np.int64)
    heads = _nodes(trace)
    tails = links.forward_op[heads].astype(np.int64)
    source, target = np.r_[launch, tails], np.r_[device, heads]
    kind = np.repeat([LAUNCH, BACKWARD], [len(device), len(heads)])
    number = (np.arange(first, first + len(source)) * 4 + kind).astype(np.uint64)
    # Clocks of a device and its host can disagree so far that work precedes its launch.
    turned = events.start_ns[target] < events.start_ns[source]
    row = np.r_[source, target]
    order = np.argsort(row, kind="stable")
    return Flows(
        row=row[order],
        number=np.r_[number, number][order],
        is_last=np.r_[turned, ~turned][order],
        launches=len(device),
        backwards=len(heads),
    )


def _nodes(trace: Trace) -> Int64:
    """Outermost ops that differentiate a forward op: what is inside has it from them."""
    links = trace.links
    rows = np.flatnonzero(links.forward_op >= 0)
    parent = links.parent[rows]
    inherited = (parent >= 0) & (links.forward_op[parent] == links.forward_op[rows])
    found: Int64 = rows[~inherited]
    return found
