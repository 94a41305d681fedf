"""Where the time of a trace goes: by category, op and kernel, by pass, component and module."""

from __future__ import annotations

import numpy as np

from genscope.analysis.classify import PASSES, Classes, classify
from genscope.analysis.devices import device_names
from genscope.analysis.drilldown import category_rows
from genscope.analysis.modules import module_rows
from genscope.analysis.results import DeviceInfo, Operators, PassRow
from genscope.analysis.select import selected
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.steps import step_warnings, window_ns
from genscope.analysis.tables import by_category, category_of_row, figures
from genscope.analysis.work import DEVICE, Work, file_name, gather, wall, work_warnings
from genscope.trace.model import Int64, Trace


def breakdown(trace: Trace, selection: Selection = EVERYTHING) -> Operators:
    """Add up the time of a trace by category and by everything it can be drilled down to.

    Device time where the trace has a device event, else CPU self time (`Operators.basis`). All
    figures are of the `selection`; wall time is that of its steps, else of the whole trace.
    """
    classes = classify(trace)
    work = selected(trace, gather(trace, classes), classes, selection)
    total = int(work.time_ns.sum())
    whole = work.figures(np.zeros(len(work.rows), dtype=np.int64), 1)
    has_device = work.basis == DEVICE
    category = category_of_row(work, classes)
    start, end = window_ns(trace, selection, wall(trace))
    components, modules, module_warnings = module_rows(trace, work, category, total)
    warnings = [
        *trace.warnings,
        *step_warnings(trace, selection),
        *work_warnings(trace, work),
        *module_warnings,
    ]
    return Operators(
        trace=file_name(trace),
        selection=selection,
        base_ns=str(trace.base_ns),
        rank=trace.rank,
        basis=work.basis,
        basis_sum_ns=total,
        device_sum_ns=total if has_device else 0,
        device_busy_ns=int(whole.busy_ns[0]) if has_device else 0,
        wall_ns=end - start,
        unlinked_ns=int(whole.unlinked_ns[0]),
        devices=_devices(trace, work),
        categories=category_rows(trace, work, classes, category, total),
        passes=_passes(work, classes, category, total),
        components=components,
        modules=modules,
        warnings=warnings,
    )


def _devices(trace: Trace, work: Work) -> list[DeviceInfo]:
    if work.basis != DEVICE:
        return []
    found, group = np.unique(trace.events.device[work.rows], return_inverse=True)
    sums = work.figures(group.astype(np.int64), len(found))
    names = device_names(trace, found.tolist())
    return [
        DeviceInfo(
            index=index,
            name=names[index],
            sum_ns=int(sums.sum_ns[place]),
            busy_ns=int(sums.busy_ns[place]),
        )
        for place, index in enumerate(found.tolist())
    ]


def _passes(work: Work, classes: Classes, category: Int64, total: int) -> list[PassRow]:
    group = classes.pass_[work.rows].astype(np.int64)
    sums = work.figures(group, len(PASSES))
    split = by_category(work, group, len(PASSES), category)
    present = np.bincount(group, minlength=len(PASSES)) > 0
    return [
        PassRow(pass_=name, categories=split[place], **figures(sums, place, total))
        for place, name in enumerate(PASSES)
        if present[place]
    ]
