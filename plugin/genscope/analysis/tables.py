"""Groups of work to the rows of results."""

from __future__ import annotations

from typing import Any

import numpy as np

from genscope.analysis.categories import CATEGORIES
from genscope.analysis.classify import Classes
from genscope.analysis.work import Sums, Work
from genscope.trace.model import Int64


def category_of_row(work: Work, classes: Classes) -> Int64:
    """Number of the category of each row of work, as in CATEGORIES; shape (k,)."""
    number = {name: index for index, name in enumerate(CATEGORIES)}
    of_rule = np.array([number[rule.category] for rule in classes.rules], dtype=np.int64)
    found: Int64 = of_rule[classes.rule[work.rows]] if len(work.rows) else work.rows
    return found


def by_category(work: Work, group: Int64, groups: int, category: Int64) -> list[dict[str, int]]:
    """sum_ns of each group by category, largest first, without those that have no row."""
    table = np.zeros((groups, len(CATEGORIES)), dtype=np.int64)
    present = np.zeros((groups, len(CATEGORIES)), dtype=np.bool_)
    inside = group >= 0
    np.add.at(table, (group[inside], category[inside]), work.time_ns[inside])
    present[group[inside], category[inside]] = True
    return [
        {
            CATEGORIES[column]: int(row[column])
            for column in np.argsort(-row, kind="stable").tolist()
            if here[column]
        }
        for row, here in zip(table, present, strict=True)
    ]


def figures(sums: Sums, place: int, total: int) -> dict[str, Any]:
    """Fields of `results.Figures` for one group; `total` is the basis_sum_ns."""
    return {
        "sum_ns": int(sums.sum_ns[place]),
        "busy_ns": int(sums.busy_ns[place]),
        "unlinked_ns": int(sums.unlinked_ns[place]),
        "share": int(sums.sum_ns[place]) / total if total else 0.0,
        "launches": int(sums.launches[place]),
        "host_launches": int(sums.host_launches[place]),
        "calls": int(sums.calls[place]),
    }
