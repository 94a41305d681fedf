"""Which attention calls a view is of: the filters of the other views, and words of calls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.classify import PASSES
from genscope.analysis.modules import NO_MODULE
from genscope.analysis.selection import Selection
from genscope.analysis.steps import steps_of
from genscope.trace.model import NONE, Bool, Int64, Trace

FORWARD_PASSES = ("forward", "unknown")
"""Passes listed unless others are asked for. What a graph replays, or was launched before the
recording, is most likely forward."""

NO_WORD = "none"
"""The word of calls of which nothing tells the kind, axis or phase."""


class Where(Selection, frozen=True, kw_only=True):
    """Attention calls of a part of a trace, and of some kinds, axes and phases.

    Empty fields take everything, but for `passes`: those are FORWARD_PASSES unless named. `none`
    takes the calls without a kind, an axis or a phase; a word that no call has takes none.
    """

    kinds: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()

    @property
    def has_words(self) -> bool:
        """Whether it is limited to calls with some words."""
        return bool(self.kinds or self.axes or self.phases)


ALL_CALLS = Where()


def chosen(
    calls: Calls, where: Where, steps: Int64, *, passes: Sequence[str] = FORWARD_PASSES
) -> Int64:
    """Places of the calls that `where` takes, in order of start.

    `steps`, shape (c,), is what `steps_of_calls` gives; `passes` holds where none are named.
    """
    mask = in_passes(calls, where.passes or passes)
    mask &= with_words(calls, where)
    mask &= _with_word(calls, "component", where.components, NO_MODULE)
    if where.has_steps:
        mask &= (steps >= (where.first_step or 0)) & (steps != NONE)
        if where.last_step is not None:
            mask &= steps <= where.last_step
    return np.flatnonzero(mask)


def in_passes(calls: Calls, passes: Sequence[str]) -> Bool:
    """Mask of shape (c,) of the calls of some passes."""
    wanted = np.array([name in passes for name in PASSES])
    mask: Bool = wanted[calls.pass_]
    return mask


def with_words(calls: Calls, where: Where) -> Bool:
    """Mask of shape (c,) of the calls of the kinds, axes and phases that `where` names."""
    mask = _with_word(calls, "kind", where.kinds, NO_WORD)
    mask &= _with_word(calls, "axis", where.axes, NO_WORD)
    return mask & _with_word(calls, "phase", where.phases, NO_WORD)


def _with_word(calls: Calls, column: str, words: Sequence[str], none: str) -> Bool:
    mask = np.full(len(calls), not words)
    for word in words:
        mask |= calls.is_word(column, word)
        if word == none:
            mask |= calls.texts[column] == NONE
    return mask


def steps_of_calls(trace: Trace, calls: Calls) -> Int64:
    """Place of the step in which each call was launched, -1 for none; shape (c,)."""
    found = np.full(len(calls), NONE, dtype=np.int64)
    steps = steps_of(trace)
    if not len(steps) or not len(calls):
        return found
    launch = trace.links.launch[calls.row].astype(np.int64)
    at = np.where(launch >= 0, launch, calls.row)
    start = trace.events.start_ns[at]
    inside = steps.around(start)
    # Of a device event whose launch is not in the trace nothing tells the step.
    inside &= (launch >= 0) | ~trace.events.is_device[calls.row]
    found[inside] = (np.searchsorted(steps.start_ns, start, side="right") - 1)[inside]
    return found
