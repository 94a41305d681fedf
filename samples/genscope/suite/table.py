"""The suite as a table in words, and what `genscope suite list` says as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from genscope.suite.registry import ROWS, Row

_WIDTH = 96


def document() -> dict[str, Any]:
    """Return the rows as plain values."""
    return {"models": [_values(row) for row in ROWS]}


def _values(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "title": row.title,
        "in_paper": row.in_paper,
        "kind": row.kind,
        "generator": row.generator,
        "source": row.source,
        "published": [
            {
                "components": list(one.components),
                "stated": one.stated,
                "parameters": one.parameters,
                "source": one.source,
                "proxy": one.proxy or None,
                "without": list(one.without),
                "apart": one.apart or None,
            }
            for one in row.published
        ],
        "proxies": {name: list(parts) for name, parts in row.proxies.items()},
        "unpublished": row.unpublished or None,
        "stand_in": row.stand_in or None,
    }


def text() -> str:
    """Return the table for a terminal: the paper's models first."""
    lines: list[str] = []
    for title, in_paper in (("The paper's eight workloads", True), ("Newer models", False)):
        lines += [title, ""]
        for row in ROWS:
            if row.in_paper is in_paper:
                lines += [*_row(row), ""]
    return "\n".join(lines).rstrip()


def _row(row: Row) -> Iterator[str]:
    yield f"{row.name:<17} {row.title}: {row.kind}"
    facts = [
        ("generator", row.generator),
        ("parameters", "; ".join(_published(row))),
        ("proxies", "; ".join(_proxies(row))),
        ("source", row.source),
        ("stands in for", row.stand_in),
        ("unpublished", row.unpublished),
    ]
    for name, value in facts:
        if value:
            yield from textwrap.wrap(
                value, _WIDTH, initial_indent=f"  {name:<16}", subsequent_indent=" " * 18
            )


def _published(row: Row) -> Iterator[str]:
    for one in row.published:
        said = f"{' + '.join(one.components)} {one.stated} ({one.source}"
        if one.proxy:
            said += f"; proxy: {one.proxy}"
        if one.without:
            said += f", not counting what is named {' or '.join(one.without)}"
        yield f"{said}; {one.apart})" if one.apart else f"{said})"


def _proxies(row: Row) -> Iterator[str]:
    for name, components in row.proxies.items():
        yield f"{name} for {', '.join(components)}"
