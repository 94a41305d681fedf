"""Limiting the work of a trace to a selection."""

from __future__ import annotations

import numpy as np

from genscope.analysis.classify import PASSES, Classes
from genscope.analysis.modules import row_components
from genscope.analysis.selection import Selection
from genscope.analysis.steps import chosen_steps
from genscope.analysis.tree import frames_of, module_tree
from genscope.analysis.work import Work
from genscope.trace.model import Trace


def selected(trace: Trace, work: Work, classes: Classes, selection: Selection) -> Work:
    """Rows of `work` that the selection takes; names that the trace does not have take none."""
    if selection.is_everything:
        return work
    mask = np.ones(len(work.rows), dtype=np.bool_)
    if selection.passes:
        wanted = np.array([name in selection.passes for name in PASSES])
        mask &= wanted[classes.pass_[work.rows]]
    if selection.components:
        tree = module_tree(trace, frames_of(trace, work.rows, work.op))
        names, group = row_components(trace, work, tree)
        taken = np.array([name in selection.components for name in names], dtype=np.bool_)
        mask &= taken[group] if len(taken) else False
    if selection.has_steps:
        at = np.where(work.launch >= 0, work.launch, work.op)
        start = trace.events.start_ns[np.maximum(at, 0)]
        mask &= chosen_steps(trace, selection).around(start) & (at >= 0)
    return work.where(mask)
