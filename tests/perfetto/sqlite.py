"""The PerfettoSQL package over sqlite3: tables as trace_processor has them, views as they stand.

What sqlite lacks of PerfettoSQL (schemas of views, functions) is translated word by word.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

from tests.perfetto.reader import Native, read

_VIEW = re.compile(
    r"CREATE OR REPLACE PERFETTO (VIEW|TABLE) (\w+)\((.*?)\n\) AS\n(.*?);\n", re.DOTALL
)
_FUNCTION = re.compile(
    r"CREATE OR REPLACE PERFETTO FUNCTION (\w+)\((.*?)\n\)\n"
    r"RETURNS (\w+)(?:\((.*?)\n\))? AS\n(.*?);\n",
    re.DOTALL,
)


def _columns(schema: str) -> list[str]:
    lines = (line.strip() for line in schema.splitlines())
    return [line.split()[0] for line in lines if line and not line.startswith("--")]


class Database:
    """An export as tables, with the package's views and functions."""

    def __init__(self, path: Path, modules: dict[str, str]) -> None:
        self._db = sqlite3.connect(":memory:")
        self._tables: dict[str, str] = {}
        self.schemas: dict[str, list[str]] = {}
        self._fill(read(path))
        for text in modules.values():
            self._include(text)

    def _fill(self, export: Native) -> None:
        slices = sorted(
            (one for track in export.tracks.values() for one in track.slices),
            key=lambda one: one.start,
        )
        self._db.execute(
            "CREATE TABLE slice(id INTEGER PRIMARY KEY, ts INTEGER, dur INTEGER, category TEXT,"
            " name TEXT, arg_set_id INTEGER)"
        )
        self._db.executemany(
            "INSERT INTO slice VALUES (?, ?, ?, ?, ?, ?)",
            [
                (row, one.start, one.end - one.start, one.category, one.name, row)
                for row, one in enumerate(slices)
            ],
        )
        self._db.create_function(
            "EXTRACT_ARG", 2, lambda row, key: slices[row].args.get(key.removeprefix("debug."))
        )

    def _include(self, text: str) -> None:
        text = re.sub(r"^ *--.*\n", "", text, flags=re.MULTILINE)
        done = re.sub(r"INCLUDE PERFETTO MODULE [a-z_.]+;", "", text)
        found = [(m.start(), self._view, m) for m in _VIEW.finditer(text)]
        found += [(m.start(), self._function, m) for m in _FUNCTION.finditer(text)]
        for _, make, match in sorted(found, key=lambda one: one[0]):
            make(match)
            done = done.replace(match[0], "")
        assert not done.strip(), f"not understood: {done}"

    def _view(self, match: re.Match[str]) -> None:
        kind, name, schema, select = match.groups()
        self._db.execute(f"CREATE {kind} {name} AS {select}")
        self.schemas[name] = _columns(schema)

    def _function(self, match: re.Match[str]) -> None:
        name, given, returns, schema, select = match.groups()
        parameters = _columns(given)
        if returns == "TABLE":
            self._tables[name] = select
            self.schemas[name] = _columns(schema)
            return

        def call(*values: Any) -> Any:
            row = self._db.execute(select, dict(zip(parameters, values, strict=True))).fetchone()
            return row[0] if row else None

        self._db.create_function(name, len(parameters), call)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self._db.execute(sql).fetchall()

    def table(self, function: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows that a function gives."""
        return self._db.execute(self._tables[function], values).fetchall()

    def columns(self, name: str) -> list[str]:
        """The columns that a view or a function really has."""
        if name in self._tables:
            select = self._tables[name]
            values = dict.fromkeys(re.findall(r"\$(\w+)", select), 0)
            return [one[0] for one in self._db.execute(select, values).description]
        return [one[0] for one in self._db.execute(f"SELECT * FROM {name} LIMIT 0").description]
