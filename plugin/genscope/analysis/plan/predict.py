"""Times for the ops of a plan."""

from __future__ import annotations

import numpy as np

from genscope.analysis.categories import CATEGORIES
from genscope.analysis.classify import classify
from genscope.analysis.flops.count import counted
from genscope.analysis.plan.model import Model, free_times, roofs_ns
from genscope.analysis.plan.prune import kept, prune
from genscope.analysis.plan.results import PlanResult
from genscope.analysis.plan.view import result
from genscope.analysis.tables import category_of_row
from genscope.analysis.work import gather
from genscope.trace.model import NONE, Kind, Trace
from genscope.trace.plan.document import Plan
from genscope.trace.plan.expand import Rows, grows, rows_of, samples
from genscope.trace.plan.reader import NoFile, trace_of


def sampled(plan: Plan) -> tuple[Rows, Trace]:
    """The rounds of a plan whose times are told, as rows and as a trace of CPU ops alone."""
    for loop in plan.loops:
        loop.at = samples(loop.count, grows=bool(grows(plan, loop.bodies)))
        loop.ns = [[[0] * len(plan.bodies[one].depth) for one in loop.bodies] for _ in loop.at]
    rows = rows_of(plan, sampled=True)
    was, plan.on_cpu = plan.on_cpu, True
    try:
        return rows, trace_of(plan, rows, NoFile())
    finally:
        plan.on_cpu = was


def predict(plan: Plan, model: Model) -> PlanResult:
    """Fill in the times of `plan`, leave out what takes none on its device, and add up."""
    rows, trace = sampled(plan)
    table = counted(trace)
    work = gather(trace, classify(trace))
    category = np.full(len(trace.events), NONE, dtype=np.int64)
    category[work.rows] = category_of_row(work, classify(trace))
    roofs = roofs_ns(table, model.rates)
    own = np.zeros(len(trace.events))
    names = trace.events.name[table.row]
    kinds = category[table.row]
    known = table.flops >= 0
    for name, kind in {*zip(names.tolist(), kinds.tolist(), strict=True)}:
        mine = (names == name) & (kinds == kind) & known
        named = trace.strings[name], CATEGORIES[kind] if kind >= 0 else ""
        own[table.row[mine]] = np.maximum(model.ns(*named, roofs[mine]), 1)
    if plan.on_cpu:
        ops = np.flatnonzero((trace.events.kind == Kind.CPU_OP) & (table.of_event == NONE))
        own[ops] = free_times(trace, ops, model)
    times = np.rint(own).astype(np.int64)
    rows.own_ns = times[: len(rows)]
    for loop, sample, body, event, ns in zip(
        rows.loop.tolist(),
        rows.sample.tolist(),
        rows.body.tolist(),
        rows.event.tolist(),
        rows.own_ns.tolist(),
        strict=True,
    ):
        if ns:
            plan.loops[loop].ns[sample][body][event] = ns
    plan.assumed = model.assumed
    found = result(plan, rows, trace, model.rates)
    if not plan.on_cpu:
        prune(plan, rows, kept(trace, table))
    return found
