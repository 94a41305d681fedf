"""Category → sub-category → op → kernel: the tree behind the operator breakdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genscope.analysis.categories import CATEGORIES
from genscope.analysis.classify import Classes
from genscope.analysis.results import CategoryRow, Row
from genscope.analysis.tables import figures
from genscope.analysis.work import DEVICE, Sums, Work
from genscope.trace.model import NONE, Int64, Trace

NO_OP = "(no op)"
GRAPH_REPLAY = "(graph replay)"
NO_LAUNCH = "(no launch in the trace)"


@dataclass(slots=True)
class _Level:
    """Groups of one level: `of_row`, shape (k,), and per group its label, rule and parent."""

    of_row: Int64
    label: Int64
    parent: Int64
    rule: Int64
    sums: Sums

    def __len__(self) -> int:
        return len(self.label)


def category_rows(
    trace: Trace, work: Work, classes: Classes, category: Int64, total: int
) -> list[CategoryRow]:
    """Build the drill-down, each level sorted by time; `category` has shape (k,)."""
    subs = ["", *sorted({rule.sub for rule in classes.rules if rule.sub})]
    number = {name: place for place, name in enumerate(subs)}
    of_rule = np.array([number[rule.sub or ""] for rule in classes.rules], dtype=np.int64)
    rule = classes.rule[work.rows].astype(np.int64)
    op_label, labels = op_labels(trace, work, classes)
    kernel_label = trace.events.name[work.rows].astype(np.int64)

    top = _level(work, np.full(len(rule), 0, dtype=np.int64), category, rule)
    sub = _level(work, top.of_row, of_rule[rule] if len(rule) else rule, rule)
    op = _level(work, sub.of_row, op_label, rule)
    kernel = _level(work, op.of_row, kernel_label, rule) if work.basis == DEVICE else None

    kernels = _rows(kernel, "kernel", trace.strings, classes, total, {}) if kernel else {}
    ops = _rows(op, "op", labels, classes, total, kernels)
    groups = _rows(sub, "category", subs, classes, total, ops)
    children = {
        parent: [child for row in rows for child in ([row] if row.name else row.children)]
        for parent, rows in groups.items()
    }
    rows = [
        CategoryRow(
            category=CATEGORIES[int(top.label[place])],
            children=sorted(children.get(place, []), key=lambda row: -row.sum_ns),
            **figures(top.sums, place, total),
        )
        for place in range(len(top))
    ]
    return sorted(rows, key=lambda row: -row.sum_ns)


def _level(work: Work, parent: Int64, label: Int64, rule: Int64) -> _Level:
    """Group the rows by parent group and label, and find the rule with the most time in each."""
    span = int(label.max()) + 1 if len(label) else 1
    keys, of_row = np.unique(parent * span + label, return_inverse=True)
    of_row = of_row.astype(np.int64)
    rules = int(rule.max()) + 1 if len(rule) else 1
    pairs, of_pair = np.unique(of_row * rules + rule, return_inverse=True)
    time = np.zeros(len(pairs), dtype=np.int64)
    np.add.at(time, of_pair, work.time_ns)
    order = np.lexsort((time, pairs // rules))
    main = np.zeros(len(keys), dtype=np.int64)
    main[pairs[order] // rules] = pairs[order] % rules
    return _Level(of_row, keys % span, keys // span, main, work.figures(of_row, len(keys)))


def _rows(
    level: _Level,
    kind: str,
    labels: Sequence[str],
    classes: Classes,
    total: int,
    children: dict[int, list[Row]],
) -> dict[int, list[Row]]:
    """Rows of a level by their parent group, largest first."""
    found: dict[int, list[Row]] = {}
    for place in np.argsort(-level.sums.sum_ns, kind="stable").tolist():
        row = Row(
            name=labels[int(level.label[place])],
            level=kind,
            rule=classes.rules[int(level.rule[place])].name,
            children=children.get(place, []),
            **figures(level.sums, place, total),
        )
        found.setdefault(int(level.parent[place]), []).append(row)
    return found


def op_labels(trace: Trace, work: Work, classes: Classes) -> tuple[Int64, list[str]]:
    """Number of the label of each row on the op level, shape (k,), and the labels."""
    labels = [*trace.strings, NO_OP, GRAPH_REPLAY, NO_LAUNCH]
    count = len(trace.strings)
    rows, op = work.rows, work.op
    links = trace.links
    found = np.where(op >= 0, trace.events.name[op], NONE).astype(np.int64)
    if work.basis == DEVICE:
        lost = np.where(links.launch[rows] == NONE, count + 2, count)
        found = np.where(op >= 0, found, np.where(links.graph_launch[rows], count + 1, lost))
    return found, labels
