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


class Ask(NamedTuple):
    """A view of a part of a trace."""

    view: str
    selection: Selection = EVERYTHING
