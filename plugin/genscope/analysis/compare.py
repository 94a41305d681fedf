"""Several runs side by side, each normalised to the first: the paper's Figure 7."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genscope.analysis.differences import differences
from genscope.analysis.results import CategoryBar, CategoryRow, Comparison, Operators, RunBar
from genscope.trace.errors import TraceWarning


def compare(runs: Sequence[tuple[str, Operators]]) -> Comparison:
    """Compare `runs`, pairs of a label and a breakdown; the first is the base.

    Every run has the same categories in the same order: those of the base by time, then the
    others by time, with zeros where a run has none. A run on another basis than the base has no
    `relative`, `delta_ns`, `speedup` or `differences`, and the comparison a warning.

    Raises ValueError without a run.
    """
    if not runs:
        raise ValueError("compare needs at least one run")
    label, base = runs[0]
    categories = _order([operators for _, operators in runs])
    return Comparison(
        base=label,
        runs=[
            _run(name, operators, base, categories, is_base=place == 0)
            for place, (name, operators) in enumerate(runs)
        ],
        warnings=list(_warnings(runs)),
    )


def _order(runs: Sequence[Operators]) -> list[str]:
    """The categories of all runs: the base's by time, then what the next run adds, and so on."""
    order: dict[str, None] = {}
    for operators in runs:
        rows = sorted(operators.categories, key=lambda row: (-row.sum_ns, row.category))
        order.update(dict.fromkeys(row.category for row in rows))
    return list(order)


def _run(
    label: str, run: Operators, base: Operators, categories: Sequence[str], *, is_base: bool
) -> RunBar:
    comparable = run.basis == base.basis
    rows = {row.category: row for row in run.categories}
    base_rows = {row.category: row for row in base.categories}
    return RunBar(
        run=label,
        basis=run.basis,
        basis_sum_ns=run.basis_sum_ns,
        relative=_ratio(run.basis_sum_ns, base.basis_sum_ns, comparable),
        speedup=_speedup(base.basis_sum_ns, run.basis_sum_ns, comparable),
        device_sum_ns=run.device_sum_ns,
        device_busy_ns=run.device_busy_ns,
        wall_ns=run.wall_ns,
        unlinked_ns=run.unlinked_ns,
        categories=[
            _category(name, rows.get(name), base_rows.get(name), base.basis_sum_ns, comparable)
            for name in categories
        ],
        differences=differences(base, run) if comparable and not is_base else [],
        warnings=list(run.warnings),
    )


def _category(
    name: str,
    row: CategoryRow | None,
    base_row: CategoryRow | None,
    base_total_ns: int,
    comparable: bool,
) -> CategoryBar:
    sum_ns = row.sum_ns if row else 0
    base_ns = base_row.sum_ns if base_row else 0
    return CategoryBar(
        category=name,
        sum_ns=sum_ns,
        unlinked_ns=row.unlinked_ns if row else 0,
        share=row.share if row else 0.0,
        relative=_ratio(sum_ns, base_total_ns, comparable),
        delta_ns=sum_ns - base_ns if comparable else None,
        speedup=_speedup(base_ns, sum_ns, comparable),
    )


def _ratio(part_ns: int, whole_ns: int, comparable: bool) -> float | None:
    return part_ns / whole_ns if comparable and whole_ns else None


def _speedup(before_ns: int, after_ns: int, comparable: bool) -> float | None:
    return before_ns / after_ns if comparable and before_ns and after_ns else None


def _warnings(runs: Sequence[tuple[str, Operators]]) -> Iterator[TraceWarning]:
    label, base = runs[0]
    other = [name for name, operators in runs[1:] if operators.basis != base.basis]
    if other:
        yield TraceWarning(
            code="mixed_basis",
            count=len(other),
            message=f"Not compared with {label}, whose basis is {base.basis}, since theirs is "
            f"another: {', '.join(other)}.",
        )
    if base.basis_sum_ns == 0:
        yield TraceWarning(
            code="empty_base",
            count=1,
            message=f"{label} has no time on basis {base.basis}, so there is nothing to normalise "
            "the runs to.",
        )
