"""The work behind each row of the operators' drill-down: FLOPs and bytes beside its time.

Apart from the breakdown itself, which is there long before everything is counted.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from genscope.analysis.categories import CATEGORIES
from genscope.analysis.classify import classify
from genscope.analysis.drilldown import op_labels
from genscope.analysis.flops.lines import COUNTED, Lines, lines_of
from genscope.analysis.flops.view import notes, summed
from genscope.analysis.results import SCHEMA_VERSION, CategoryRow, Operators, Row
from genscope.analysis.select import selected
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.tables import category_of_row
from genscope.analysis.work import file_name, gather
from genscope.trace.errors import TraceWarning
from genscope.trace.model import NONE, Int64, Trace


class RowWork(msgspec.Struct, kw_only=True):
    """The work of a row; `path` has the names of the rows that it stands under, and its own.

    Figures as in `FlopsFigures`; None where nothing of the row is known.
    """

    path: list[str]
    flops: int | None
    moved_bytes: int | None
    flops_per_s: float | None
    intensity: float | None


class OperatorWork(msgspec.Struct, kw_only=True):
    """What `--view operators` is joined with: categories, sub-categories and ops.

    A category's figures are those of `--view flops`. An op of the drill-down has the work of the
    ops whose longest kernel (own part of the CPU time) it launched in the category of that work.
    """

    schema_version: int = SCHEMA_VERSION
    view: str = "work"
    trace: str
    selection: Selection = Selection()
    basis: str
    rows: list[RowWork]
    sentence: str
    warnings: list[TraceWarning]


def operator_work(trace: Trace, selection: Selection = EVERYTHING) -> OperatorWork:
    """Count the work behind the rows of `breakdown`."""
    lines = lines_of(trace, selection)
    names, category = lines.groups("category")
    rows = _rows(lines, [[name] for name in names], category)
    for paths, group in _inner(lines, category, selection):
        rows += _rows(lines, paths, group)
    known = sum(row.flops or 0 for row in rows if len(row.path) == 1)
    return OperatorWork(
        trace=file_name(trace),
        selection=selection,
        basis=lines.basis,
        rows=rows,
        sentence=f"{known:,} FLOP are counted."
        if known
        else "No FLOPs can be counted in this trace.",
        warnings=notes(lines),
    )


def with_work(result: Operators, work: OperatorWork) -> Operators:
    """Fill the work of the rows of `result`, and give it back."""
    found = {tuple(row.path): row for row in work.rows}

    def fill(row: CategoryRow | Row, path: tuple[str, ...]) -> None:
        own = found.get(path)
        if own is not None:
            row.flops, row.moved_bytes = own.flops, own.moved_bytes
            row.flops_per_s, row.intensity = own.flops_per_s, own.intensity
        for child in row.children:
            if child.level != "kernel":
                fill(child, (*path, child.name))

    for category in result.categories:
        fill(category, (category.category,))
    return result


def _rows(lines: Lines, paths: list[list[str]], group: Int64) -> list[RowWork]:
    known = _any(lines.kind == COUNTED, group, len(paths))
    moved = _any(lines.has_moved, group, len(paths))
    found: list[dict[str, Any]] = summed(lines, group, len(paths))
    return [
        RowWork(
            path=path,
            flops=figures["flops"] if known[place] else None,
            moved_bytes=figures["moved_bytes"] if moved[place] else None,
            flops_per_s=figures["flops_per_s"],
            intensity=figures["intensity"],
        )
        for place, (path, figures) in enumerate(zip(paths, found, strict=True))
        if known[place] or moved[place]
    ]


def _any(mask: Any, group: Int64, count: int) -> Any:
    return np.bincount(group[mask & (group >= 0)], minlength=count) > 0


def _inner(
    lines: Lines, category: Int64, selection: Selection
) -> list[tuple[list[list[str]], Int64]]:
    """Paths of sub-categories and of ops, and the number of each line's; -1 for none."""
    trace, classes = lines.trace, classify(lines.trace)
    work = selected(trace, gather(trace, classes), classes, selection)
    event_category = category_of_row(work, classes)
    label, labels = op_labels(trace, work, classes)
    subs = ["", *sorted({rule.sub for rule in classes.rules if rule.sub})]
    number = {name: place for place, name in enumerate(subs)}
    of_rule = np.array([number[rule.sub or ""] for rule in classes.rules], dtype=np.int64)

    has = lines.item >= 0
    line_of_item = np.full(len(lines.counted), NONE, dtype=np.int64)
    line_of_item[lines.item[has]] = np.flatnonzero(has)
    item = lines.counted.of_event[work.rows]
    line = np.where(item >= 0, line_of_item[item], NONE) if len(line_of_item) else item
    mine = np.flatnonzero((line >= 0) & (event_category == category[line]))
    # The last of each line is its longest event.
    order = mine[np.lexsort((work.time_ns[mine], line[mine]))]
    last = order[np.flatnonzero(np.diff(line[order], append=NONE))]

    keys = np.stack(
        [event_category[last], of_rule[classes.rule[work.rows[last]]], label[last]], axis=1
    )
    found = []
    sub_keys = keys.copy()
    sub_keys[:, 2] = 0
    with_sub = keys[:, 1] > 0
    for columns, some in ((sub_keys, with_sub), (keys, np.ones(len(keys), dtype=np.bool_))):
        if not some.any():
            continue
        distinct, which = np.unique(columns[some], axis=0, return_inverse=True)
        group = np.full(len(lines.rows), NONE, dtype=np.int64)
        group[line[last[some]]] = which.reshape(-1)
        is_op = columns is keys
        paths = [
            [CATEGORIES[top], *([subs[sub]] if sub else []), *([labels[op]] if is_op else [])]
            for top, sub, op in distinct.tolist()
        ]
        found.append((paths, group))
    return found
