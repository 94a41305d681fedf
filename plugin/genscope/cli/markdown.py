"""A document as GitHub-flavoured Markdown; names are whole and cannot become markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genscope.cli.document import Document, Table
from genscope.cli.formatting import neutral

_ESCAPES = str.maketrans(
    {c: f"\\{c}" for c in "\\`*_[]~|$"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
)


def escape(text: str) -> str:
    """`text` so that Markdown shows it as it is, inside a table too."""
    # A bare address would become a link without the backslash in it.
    return neutral(text).translate(_ESCAPES).replace("://", "\\://").strip()


def render(document: Document) -> str:
    """`document` as Markdown, ending in one newline. Bars are left out: the tables say it."""
    blocks = [f"**{escape(document.headline)}**"]
    if document.facts:
        blocks.append("\n".join(f"- {escape(k)}: {escape(v)}" for k, v in document.facts))
    for table in document.tables:
        blocks.append(f"### {escape(table.title)}")
        blocks.append("\n".join(_lines(table)))
        if table.caption:
            blocks.append(escape(table.caption))
    if document.warnings:
        blocks.append("### Warnings")
        blocks.append("\n".join(f"- {escape(warning)}" for warning in document.warnings))
    return "\n\n".join(blocks) + "\n"


def _lines(table: Table) -> Iterator[str]:
    yield _line([escape(column.title) for column in table.columns])
    yield _line(["---" if column.text else "---:" for column in table.columns])
    for row in table.rows:
        cells = [escape(cell) for cell in row.cells]
        if row.strong:
            cells = [f"**{cell}**" if cell else "" for cell in cells]
        yield _line(["&emsp;" * row.depth + cells[0], *cells[1:]])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
