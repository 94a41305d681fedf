"""The views that a run has: what computes each from a trace. A new view is a new line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from genscope.analysis.attention.phase_view import phases
from genscope.analysis.attention.sequence import Stretch
from genscope.analysis.flops.joined import operator_work
from genscope.analysis.memory.view import memory
from genscope.analysis.operators import breakdown
from genscope.analysis.overview import overview
from genscope.analysis.paper.packed import contribution
from genscope.analysis.roofline.as_if import roofline_on
from genscope.analysis.scaling import contribution as scaling_run
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.speedup import run_info, side_of
from genscope.analysis.speedup.packed import pack
from genscope.analysis.windows import Window
from genscope.trace import Trace

Analyse = Callable[[Trace, Any], msgspec.Struct]
"""From a trace and a part of it: a `Selection`, or a `Where` in the views of attention."""

OPERATORS = "operators"

MEMORY = "memory"

SIDE, RUN_INFO, OF_SUITE = "side", "run-info", "of-suite"
SCALING_RUN = "scaling-run"
"""What a run contributes to the routes of several runs; no routes of their own."""

VIEWS: Mapping[str, Analyse] = {
    OPERATORS: breakdown,
    "overview": overview,
}
"""By name, which is that of the route and of `--view`. They are computed when a trace is read."""

LATER: Mapping[str, Analyse] = {
    "phases": phases,
    "roofline": roofline_on,
    MEMORY: lambda trace, _: memory(trace),
    SCALING_RUN: scaling_run,
    "work": operator_work,
    SIDE: lambda trace, selection: pack(side_of(trace, selection)),
    RUN_INFO: lambda trace, _: run_info("", side_of(trace)),
    OF_SUITE: lambda trace, _: contribution(trace),
}
"""Views that are computed when somebody looks at them. More of these are in `attention`."""

TIMELINE = "timeline"
"""The view that takes a stretch of time; what is asked of it is never the same for long."""


class Ask(NamedTuple):
    """A view of a part of a trace.

    `span_ns`, first and last nanosecond of a stretch of the trace, is for the timeline alone;
    `window` says which rows of a list are wanted, or which calls of a sequence.
    """

    view: str
    selection: Selection = EVERYTHING
    span_ns: tuple[int, int] | None = None
    window: Window | Stretch | None = None

    @property
    def is_default(self) -> bool:
        """Whether it is the view as it opens: of the whole trace, from the beginning of a list."""
        return self.selection.is_everything and self.span_ns is None and self.window is None
