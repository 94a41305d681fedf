"""The ops and kernels whose time changed most between two runs, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genscope.analysis.differences import flat
from genscope.analysis.results import Difference, RunBar
from genscope.cli.document import Column, Limits, Row, Table
from genscope.cli.formatting import change, duration, plural, times

FIGURES = ("base", "time", "delta", "speedup", "base calls", "calls")


def changes(base: RunBar, run: RunBar, limits: Limits) -> Table:
    """The ops by the size of their change; those that `limits` leaves out are one row."""
    ops = flat(run.differences, "op")
    rows: list[Row] = []
    for above, op in ops[: limits.rows]:
        rows.append(_row(op, " / ".join(above), category=(*above, op.name)[0]))
        if limits.depth > 2:
            rows += [_row(kernel, "", depth=1) for kernel in op.children[: limits.rows]]
            rows += _rest(op.children[limits.rows :], depth=1)
    rows += _rest([op for _, op in ops[limits.rows :]])
    total = base.basis_sum_ns, run.basis_sum_ns, run.basis_sum_ns - base.basis_sum_ns
    rows.append(Row(["Total", "", *_times(*total), times(run.speedup), "", ""], strong=True))
    return Table(
        title=f"{base.run} → {run.run}: what changed most",
        columns=[
            Column("op", text=True),
            Column("category", text=True, ends=True),
            *(Column(title) for title in FIGURES),
        ],
        rows=rows,
        caption="calls are distinct CPU ops, 0 where none is known, as in graph replays.",
    )


def _row(row: Difference, place: str, *, depth: int = 0, category: str | None = None) -> Row:
    figures = _times(row.base_sum_ns, row.sum_ns, row.delta_ns)
    calls = str(row.base_calls), str(row.calls)
    return Row([row.name, place, *figures, times(row.speedup), *calls], depth, category)


def _rest(rows: Sequence[Difference], depth: int = 0) -> Iterator[Row]:
    """One row for those left out; calls do not add up, since kernels share them."""
    if rows:
        before, after = (sum(r.base_sum_ns for r in rows), sum(r.sum_ns for r in rows))
        speedup = before / after if before and after else None
        name = plural(len(rows), f"more {rows[0].level}")
        figures = _times(before, after, after - before)
        yield Row([name, "", *figures, times(speedup), "", ""], depth)


def _times(before: int, after: int, delta: int) -> tuple[str, str, str]:
    return duration(before), duration(after), change(delta)
