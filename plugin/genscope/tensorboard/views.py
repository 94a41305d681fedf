"""The views that a run has: what computes each from a trace. A new view is a new line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from genscope.analysis.operators import breakdown
from genscope.analysis.overview import overview
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.trace import Trace

Analyse = Callable[[Trace, Selection], msgspec.Struct]

OPERATORS = "operators"

VIEWS: Mapping[str, Analyse] = {
    OPERATORS: breakdown,
    "overview": overview,
}
"""By name, which is that of the route and of `--view`."""


TIMELINE = "timeline"
"""The view that takes a stretch of time; what is asked of it is never the same for long."""


class Ask(NamedTuple):
    """A view of a part of a trace.

    `span_ns`, first and last nanosecond of a stretch of the trace, is for the timeline alone.
    """

    view: str
    selection: Selection = EVERYTHING
    span_ns: tuple[int, int] | None = None
