"""The views of `genscope report`, a row each; functions are named, not imported: a quick start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import msgspec

    from genscope.cli.document import Document, Limits
    from genscope.trace.model import Trace


@dataclass(frozen=True)
class View:
    """One view: what computes its result, and what turns that into a document."""

    help: str
    analyse: str
    """`module:function`, from a trace to a result."""
    present: str
    """`module:function`, from the result and limits to a document."""

    def result(self, trace: Trace) -> msgspec.Struct:
        """Compute the view's result for `trace`."""
        return cast("Callable[[Trace], msgspec.Struct]", resolve_name(self.analyse))(trace)

    def document(self, result: msgspec.Struct, limits: Limits) -> Document:
        """Say `result` in words and tables."""
        return cast("Callable[[Any, Limits], Document]", resolve_name(self.present))(result, limits)


VIEWS = {
    "operators": View(
        help="time by category, op and kernel",
        analyse="genscope.analysis.operators:breakdown",
        present="genscope.cli.operators:document",
    ),
    "overview": View(
        help="how busy the device is, and what it waits for",
        analyse="genscope.analysis.overview:overview",
        present="genscope.cli.overview:document",
    ),
}
