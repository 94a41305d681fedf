"""Leaves out of a plan for a device what a device never sees: views, and what ops call inside."""

from __future__ import annotations

import numpy as np

from genscope.analysis.attention import attention_calls
from genscope.analysis.flops.count import Counted
from genscope.trace.model import Bool, Int64, Kind, Trace
from genscope.trace.plan.document import COLUMNS, Plan
from genscope.trace.plan.expand import Rows


def kept(trace: Trace, table: Counted) -> Bool:
    """Mask of the events of `trace`, shape (n,), that have work, or are around such."""
    events = trace.events
    is_op = events.kind == Kind.CPU_OP
    wanted: Bool = ~is_op
    wanted[table.row] = True
    wanted |= is_op & (attention_calls(trace).of_event >= 0)
    wanted |= is_op & (table.of_event < 0) & ~table.free
    parent = trace.links.parent
    at: Int64 = parent[np.flatnonzero(wanted & is_op)].astype(np.int64)
    while len(at := np.unique(at[at >= 0])):
        at = at[~wanted[at]]
        wanted[at] = True
        at = parent[at].astype(np.int64)
    return wanted


def prune(plan: Plan, rows: Rows, keep: Bool) -> None:
    """Drop the events of bodies that `keep`, shape (rows,), leaves out wherever they run.

    What is in an event that goes must go as well, so that depths stay right.
    """
    masks = [np.zeros(len(body.depth), dtype=np.bool_) for body in plan.bodies]
    for number, loop in enumerate(plan.loops):
        mine = rows.loop == number
        body, event, wanted = rows.body[mine], rows.event[mine], keep[: len(rows)][mine]
        for place, index in enumerate(loop.bodies):
            here = wanted & (body == place)
            masks[index][event[here]] = True
    for body, mask in zip(plan.bodies, masks, strict=True):
        places = np.flatnonzero(mask).tolist()
        for name in ("depth", "kind", *COLUMNS):
            column = getattr(body, name)
            setattr(body, name, [column[place] for place in places])
    for loop in plan.loops:
        loop.ns = [
            [
                [time for time, wanted in zip(times, masks[index].tolist(), strict=True) if wanted]
                for times, index in zip(sample, loop.bodies, strict=True)
            ]
            for sample in loop.ns
        ]
