"""What a view says, before it is text or Markdown: a headline, facts, bars, tables, warnings.

A view builds one `Document` from its result; `text` and `markdown` each draw any document. All
strings are plain and may be hostile: the two renderers escape them, nobody else does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """How much of a tree to show."""

    depth: int = 3
    """1 shows categories, 2 ops as well, 3 kernels as well."""
    rows: int = 5
    """At most this many rows under one row, and in a flat table; the rest is one row."""


@dataclass(frozen=True)
class Segment:
    """A part of a stacked bar, in units of the bar's full width (1 is the base, or all)."""

    category: str
    size: float
    hatched: float = 0.0
    """The part of `size` that is drawn hatched: unlinked time."""


@dataclass(frozen=True)
class Bar:
    """A stacked bar with its name before it and its figure behind it."""

    label: str
    segments: Sequence[Segment]
    figure: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table: figures stand right, text stands left and may be shortened."""

    title: str
    text: bool = False
    ends: bool = False
    """A text that is shortened at its end, not in its middle: a list, largest first."""
    spare: bool = False
    """Figures that a narrow terminal leaves out before it shortens names."""


@dataclass(frozen=True)
class Row:
    """A row of a table; `depth` indents its first cell, `category` gives it a swatch."""

    cells: Sequence[str]
    depth: int = 0
    category: str | None = None
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """A table with a title and a line below it that says what is counted."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    caption: str = ""


@dataclass(frozen=True)
class Document:
    """A whole page of output."""

    headline: str
    facts: Sequence[tuple[str, str]] = ()
    bars: Sequence[Bar] = ()
    tables: Sequence[Table] = ()
    warnings: Sequence[str] = field(default=())
