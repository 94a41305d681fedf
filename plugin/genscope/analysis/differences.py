"""Two breakdowns row by row: what each category, op and kernel took in a run and in its base."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genscope.analysis.results import CategoryRow, Difference, Operators, Row

_Rows = Sequence[CategoryRow | Row]


def differences(base: Operators, run: Operators) -> list[Difference]:
    """Pair the rows of two drill-downs by their names, largest change first.

    A row that one of them lacks is 0 there, so that on every level the differences add up to that
    of the row around them, and all of them to the difference of the runs.
    """
    return _paired(base.categories, run.categories)


def _paired(base: _Rows, run: _Rows) -> list[Difference]:
    pairs: dict[tuple[str, str], tuple[list[CategoryRow | Row], list[CategoryRow | Row]]] = {}
    for side, rows in enumerate((base, run)):
        for row in rows:
            pairs.setdefault(_key(row), ([], []))[side].append(row)
    found = [_difference(*key, *sides) for key, sides in pairs.items()]
    return sorted(found, key=lambda row: (-abs(row.delta_ns), -row.sum_ns, row.name))


def _key(row: CategoryRow | Row) -> tuple[str, str]:
    return ("category", row.category) if isinstance(row, CategoryRow) else (row.level, row.name)


def _difference(level: str, name: str, base: _Rows, run: _Rows) -> Difference:
    before, after = (sum(row.sum_ns for row in rows) for rows in (base, run))
    return Difference(
        name=name,
        level=level,
        base_sum_ns=before,
        sum_ns=after,
        delta_ns=after - before,
        speedup=before / after if before and after else None,
        base_calls=sum(row.calls for row in base),
        calls=sum(row.calls for row in run),
        base_launches=sum(row.launches for row in base),
        launches=sum(row.launches for row in run),
        children=_paired(_children(base), _children(run)),
    )


def _children(rows: _Rows) -> list[Row]:
    return [child for row in rows for child in row.children]


def flat(rows: Iterable[Difference], level: str) -> list[tuple[tuple[str, ...], Difference]]:
    """The rows of one level with the names of those around them, largest change first.

    A branch that ends above the level gives its last row, so that these add up as well.
    """
    found: list[tuple[tuple[str, ...], Difference]] = []
    for row in rows:
        if row.level == level or not row.children:
            found.append(((), row))
        else:
            found.extend(((row.name, *above), one) for above, one in flat(row.children, level))
    return sorted(found, key=lambda pair: (-abs(pair[1].delta_ns), -pair[1].sum_ns))
