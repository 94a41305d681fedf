"""A document for the terminal: colours where it has them, names shortened to its width."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from genscope.cli import bars
from genscope.cli.document import Document, Row, Table
from genscope.cli.formatting import ELLIPSIS, neutral

GAP = 2
INDENT = 2
NARROWEST = (24, 12)
"""A name column and any further text column are never narrower than this."""
ROOM = 44
"""Columns to spare are left out where text would have less than this."""


def render(document: Document, console: Console) -> None:
    """Print `document` on `console`."""
    _paragraph(console, document.headline, "bold")
    if document.facts:
        console.print()
        _facts(console, document.facts)
    if document.bars:
        console.print()
        _bars(console, document)
    for table in document.tables:
        console.print()
        _table(console, table)
    if document.warnings:
        console.print()
        for warning in document.warnings:
            _paragraph(console, f"Warning: {warning}", "yellow")


def shorten(text: str, width: int, *, at_end: bool = False) -> str:
    """`text` in at most `width` terminal cells, its middle (or end) left out where it is longer."""
    if cell_len(text) <= width:
        return text
    if width < 1:
        return ""
    tail_width = 0 if at_end else (width - 1) // 2
    head = _fitting(text, width - 1 - tail_width)
    tail = _fitting(text[::-1], tail_width)[::-1]
    return f"{head}{ELLIPSIS}{tail}"


def _fitting(text: str, width: int) -> str:
    """The longest start of `text` that fits in `width` cells."""
    used = 0
    for i, character in enumerate(text[: width * 2 + 1]):
        used += cell_len(character)
        if used > width:
            return text[:i]
    return text[: width * 2 + 1]


def _paragraph(console: Console, text: str, style: str = "") -> None:
    for line in Text(neutral(text), style=style).wrap(console, console.width):
        _line(console, line)


def _line(console: Console, line: Text) -> None:
    line.rstrip()
    console.print(line, soft_wrap=True)


def _letters(console: Console) -> bool:
    """Whether bars are letters: too few colours to tell the categories apart, or no blocks."""
    few = console.no_color or console.color_system not in ("truecolor", "256")
    return few or console.options.ascii_only


def _facts(console: Console, facts: Sequence[tuple[str, str]]) -> None:
    width = max(cell_len(name) for name, _ in facts)
    for name, value in facts:
        line = Text(_pad(neutral(name), width), style="dim")
        line.append(" " * GAP)
        line.append(neutral(value), style="not dim")
        _line(console, line)


def _bars(console: Console, document: Document) -> None:
    """Draw the bars to one scale: the longest one fills what their labels leave."""
    letters = _letters(console)
    labels = [shorten(neutral(bar.label), max(12, console.width // 4)) for bar in document.bars]
    label_width = max(cell_len(label) for label in labels)
    figure_width = max(cell_len(bar.figure) for bar in document.bars)
    room = (
        console.width - label_width - figure_width - GAP * (bool(label_width) + bool(figure_width))
    )
    longest = max(sum(segment.size for segment in bar.segments) for bar in document.bars)
    width = int(max(10, room) / max(1.0, longest))
    full = round(width * max(1.0, longest))
    for label, bar in zip(labels, document.bars, strict=True):
        line = Text(_pad(label, label_width + GAP) if label_width else "")
        drawn = bars.bar(bar.segments, width, letters=letters)
        line.append_text(drawn)
        line.append(" " * (full - len(drawn) + GAP) + _align(bar.figure, figure_width, left=False))
        _line(console, line)


def _table(console: Console, table: Table) -> None:
    letters = _letters(console)
    widths = _widths(table, console.width)
    _line(console, Text(neutral(table.title), style="bold"))
    header = Text(style="dim")
    shown = [i for i, width in enumerate(widths) if width]
    for i in shown:
        column, width = table.columns[i], widths[i]
        title = shorten(column.title, width, at_end=True)
        header.append(_align(title, width, left=column.text) + " " * GAP)
    _line(console, header)
    for row in table.rows:
        line = Text(style="bold" if row.strong else "")
        lead = _lead(row)
        line.append(" " * (INDENT * row.depth))
        if row.category is not None:
            line.append_text(bars.mark(row.category, letters=letters))
            line.append(" ")
        for i in shown:
            column = table.columns[i]
            room = widths[i] - lead if i == 0 else widths[i]
            cell = neutral(row.cells[i])
            if column.text:
                cell = shorten(cell, room, at_end=column.ends)
            line.append(_align(cell, room, left=column.text) + " " * GAP)
        _line(console, line)
    if table.caption:
        _paragraph(console, table.caption, "dim")


def _lead(row: Row) -> int:
    """Cells that indentation and swatch take from the first column."""
    return INDENT * row.depth + (2 if row.category is not None else 0)


def _widths(table: Table, available: int) -> list[int]:
    """Cells for each column: figures take what they need, text columns share what is left.

    0 for a column that has no room: spare figures, the last ones first, then texts but the first.
    """
    natural = [cell_len(column.title) for column in table.columns]
    for row in table.rows:
        for i, cell in enumerate(row.cells):
            need = cell_len(neutral(cell)) + (_lead(row) if i == 0 else 0)
            natural[i] = max(natural[i], need)
    texts = [i for i, column in enumerate(table.columns) if column.text]
    left = available - GAP * (len(natural) - 1)
    left -= sum(width for i, width in enumerate(natural) if i not in texts)
    for i in range(len(natural) - 1, -1, -1):
        if table.columns[i].spare and left < ROOM:
            left += natural[i] + GAP
            natural[i] = 0
    # A further text column takes what the name leaves, and where that is little, a quarter.
    for i in texts[:0:-1]:
        if left < sum(NARROWEST):
            natural[i] = 0
            left += GAP
            continue
        spare = left - natural[texts[0]]
        natural[i] = min(natural[i], max(NARROWEST[1], left // 4, spare))
        left -= natural[i]
    if texts:
        natural[texts[0]] = min(natural[texts[0]], max(NARROWEST[0], left))
    return natural


def _align(text: str, width: int, *, left: bool) -> str:
    return _pad(text, width) if left else " " * (width - cell_len(text)) + text


def _pad(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))
