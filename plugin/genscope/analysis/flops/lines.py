"""The counted work of a trace beside its time, and the time that no work explains.

A line is an op or attention call with its work and all its time, or a device event (a CPU op, where
there is no device) that has time and no known work. All tables of the FLOPs and roofline views are
groupings of the same lines, so they add up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from genscope.analysis.attention import attention_calls, phase_view
from genscope.analysis.attention.rounds import rounds_of
from genscope.analysis.attention.serving import serving_steps
from genscope.analysis.categories import CATEGORIES
from genscope.analysis.classify import PASSES, classify
from genscope.analysis.flops.count import Counted, counted
from genscope.analysis.modules import NO_MODULE, row_components
from genscope.analysis.select import selected
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.tables import category_of_row
from genscope.analysis.tree import frames_of, module_tree
from genscope.analysis.work import DEVICE, Work, gather
from genscope.trace.model import NONE, Bool, Int64, Trace

COUNTED, UNKNOWN, OVERHEAD = range(3)
"""Kinds of lines: with work, with none that is known, and CPU time around other ops."""

NO_PHASE = "(no phase)"


@dataclass(slots=True)
class Lines:
    """Arrays have shape (m,); times in nanoseconds on the basis of the operators view."""

    trace: Trace
    counted: Counted
    basis: str
    rows: Int64
    """Rows of the trace: the op, the attention call's row, or what has no work."""
    item: Int64
    """Place in `counted`, -1 for lines without work."""
    kind: Int64
    time_ns: Int64
    launches: Int64
    """Device events."""
    flops: Int64
    """0 where unknown; so is `moved`."""
    moved: Int64
    has_flops: Bool
    has_moved: Bool
    is_matrix: Bool
    work: Work
    """The lines as work, for what groups work."""

    def groups(self, scope: str) -> tuple[list[str], Int64]:
        """Group the lines by `category`, `pass`, `component` or `phase`: names, and their numbers.

        Components and phases that nothing tells have a name too; there are no names at all where
        nothing tells any.
        """
        return _SCOPES[scope](self)


def lines_of(trace: Trace, selection: Selection = EVERYTHING) -> Lines:
    """Set the work of a trace beside its time, of what `selection` takes."""
    classes = classify(trace)
    basis = gather(trace, classes)
    work = selected(trace, basis, classes, selection)
    table = counted(trace)
    item = table.of_event[work.rows]
    count = len(table)
    time = np.zeros(count, dtype=np.int64)
    launches = np.zeros(count, dtype=np.int64)
    mine = item >= 0
    np.add.at(time, item[mine], work.time_ns[mine])
    np.add.at(launches, item[mine], 1 if basis.basis == DEVICE else 0)
    here = np.arange(count)
    if not selection.is_everything:
        here = np.unique(item[mine])
    rest = np.flatnonzero(~mine)
    kind = _kinds(trace, table, work, rest)
    rows = np.concatenate([table.row[here], work.rows[rest]])
    is_device = trace.events.is_device[rows]
    flops, moved = _both(table.flops, here, len(rest)), _both(table.moved, here, len(rest))
    times = np.concatenate([time[here], work.time_ns[rest]])
    return Lines(
        trace=trace,
        counted=table,
        basis=basis.basis,
        rows=rows,
        item=np.concatenate([here, np.full(len(rest), NONE, dtype=np.int64)]),
        kind=np.concatenate([np.where(flops[: len(here)] < 0, UNKNOWN, COUNTED), kind]),
        time_ns=times,
        launches=np.concatenate([launches[here], is_device[len(here) :].astype(np.int64)]),
        flops=np.maximum(flops, 0),
        moved=np.maximum(moved, 0),
        has_flops=flops >= 0,
        has_moved=moved >= 0,
        is_matrix=np.concatenate([table.is_matrix[here], np.zeros(len(rest), dtype=np.bool_)]),
        work=replace(
            work.where(np.zeros(len(work.rows), dtype=np.bool_)),
            rows=rows,
            time_ns=times,
            launch=np.where(is_device, trace.links.launch[rows], NONE).astype(np.int64),
            op=classes.op[rows].astype(np.int64),
        ),
    )


def _both(column: Int64, here: Int64, more: int) -> Int64:
    return np.concatenate([column[here], np.full(more, NONE, dtype=np.int64)])


def _kinds(trace: Trace, table: Counted, work: Work, rest: Int64) -> Int64:
    """Whether time without work is unknown work, or what a CPU takes to call other ops."""
    if work.basis == DEVICE:
        return np.full(len(rest), UNKNOWN, dtype=np.int64)
    calls = np.zeros(len(trace.events), dtype=np.bool_)
    parent = trace.links.parent
    calls[parent[parent >= 0]] = True
    rows = work.rows[rest]
    return np.where(calls[rows] | table.free[rows], OVERHEAD, UNKNOWN)


def _categories(lines: Lines) -> tuple[list[str], Int64]:
    return list(CATEGORIES), category_of_row(lines.work, classify(lines.trace))


def _passes(lines: Lines) -> tuple[list[str], Int64]:
    return list(PASSES), classify(lines.trace).pass_[lines.rows].astype(np.int64)


def _components(lines: Lines) -> tuple[list[str], Int64]:
    tree = module_tree(lines.trace, frames_of(lines.trace, lines.rows, lines.work.op))
    names, group = row_components(lines.trace, lines.work, tree)
    return (names, group) if names and set(names) != {NO_MODULE} else ([], group)


def _phases(lines: Lines) -> tuple[list[str], Int64]:
    trace = lines.trace
    calls = attention_calls(trace)
    names, group = phase_view.phase_of_work(
        trace, calls, lines.work, rounds_of(trace, calls), serving_steps(trace)
    )
    if not names:
        return [], group
    return [*names, NO_PHASE], np.where(group < 0, len(names), group)


_SCOPES = {
    "category": _categories,
    "pass": _passes,
    "component": _components,
    "phase": _phases,
}
SCOPES = tuple(_SCOPES)
