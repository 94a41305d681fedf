"""The attention views on the command line: which calls they are of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from genscope.analysis.attention.where import Where

if TYPE_CHECKING:
    from genscope.analysis.attention import results
    from genscope.trace.model import Trace

Names = Sequence[str]


def words(text: str) -> tuple[str, ...]:
    """The words of `cross,joint`, each once."""
    return tuple(sorted({word.strip() for word in text.split(",")} - {""}))


def attention(trace: Trace, *, capture: Trace | None = None, **names: Names) -> results.Attention:
    """The view `attention`; `names` are those of `where`."""
    from genscope.analysis.attention.view import attention

    return attention(trace, where(**names), capture=capture)


def sequence(trace: Trace, **names: Names) -> results.Sequence:
    """The view `sequence`."""
    from genscope.analysis.attention.sequence import sequence

    return sequence(trace, where(**names))


def phases(trace: Trace, **names: Names) -> results.Phases:
    """The view `phases`."""
    from genscope.analysis.attention.phase_view import phases

    return phases(trace, where(**names))


def space_time(trace: Trace, **names: Names) -> results.SpaceTime:
    """The view `spatial-temporal`."""
    from genscope.analysis.attention.space_time import space_time

    return space_time(trace, where(**names))


def where(*, passes: Names = (), kinds: Names = (), axes: Names = (), phases: Names = ()) -> Where:
    """The calls with some of these names."""
    return Where(passes=tuple(passes), kinds=tuple(kinds), axes=tuple(axes), phases=tuple(phases))


def only(selection: Where) -> Iterator[tuple[str, str]]:
    """The words that a result is limited to, as a fact."""
    named = {"kind": selection.kinds, "axis": selection.axes, "phase": selection.phases}
    wanted = [f"{name} {' or '.join(chosen)}" for name, chosen in named.items() if chosen]
    if wanted:
        yield "only", ", ".join(wanted)
