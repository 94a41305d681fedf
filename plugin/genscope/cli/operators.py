"""The operators view in words and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from genscope.analysis.results import CategoryRow, Figures, ModuleRow, Operators, Worked
from genscope.analysis.results import Row as Node
from genscope.cli.document import Bar, Column, Document, Limits, Row, Segment, Table
from genscope.cli.formatting import duration, percent, plural, ratio, scaled

if TYPE_CHECKING:
    from genscope.trace.model import Trace

LEVELS = {"category": 1, "op": 2, "kernel": 3}
"""The depth at which each level of the drill-down is shown."""

BASES = {"device": "device time", "cpu_self": "CPU self time"}
"""What each basis is in words."""

LARGEST_CATEGORIES = 3


def result(trace: Trace) -> Operators:
    """The view `operators`, with the work behind its rows."""
    from genscope.analysis.flops.joined import operator_work, with_work
    from genscope.analysis.operators import breakdown

    return with_work(breakdown(trace), operator_work(trace))


def document(result: Operators, limits: Limits) -> Document:
    """Say where the time of one trace went."""
    tables = [_categories(result, limits)]
    tables += [_passes(result)] if result.passes else []
    for title, rows in (("Components", result.components), ("Modules", result.modules)):
        tables += [_modules(title, rows, limits)] if rows else []
    return Document(
        headline=_headline(result),
        facts=list(_facts(result)),
        bars=[Bar("", [_segment(row) for row in result.categories])] if result.categories else (),
        tables=tables,
        warnings=[warning.message for warning in result.warnings],
    )


def basis_words(basis: str) -> str:
    """The basis in words."""
    return BASES.get(basis, basis)


def _headline(result: Operators) -> str:
    what = basis_words(result.basis)
    if not result.categories or result.basis_sum_ns == 0:
        return f"There is no {what} in this trace."
    top = max(result.categories, key=lambda row: row.sum_ns)
    return (
        f"{top.category} takes {percent(top.share)} of {what}: "
        f"{duration(top.sum_ns)} of {duration(result.basis_sum_ns)}."
    )


def _facts(result: Operators) -> Iterator[tuple[str, str]]:
    yield "trace", result.trace if result.rank is None else f"{result.trace}, rank {result.rank}"
    if result.basis == "device":
        yield "basis", "device time: kernels, copies and sets"
        names = Counter(device.name or "unknown device" for device in result.devices)
        yield "device", ", ".join(f"{n} × {name}" if n > 1 else name for name, n in names.items())
        yield (
            "device time",
            f"sum {duration(result.device_sum_ns)}, busy {duration(result.device_busy_ns)}",
        )
        share = result.unlinked_ns / result.device_sum_ns if result.device_sum_ns else 0.0
        yield (
            "unlinked",
            f"{duration(result.unlinked_ns)}, {percent(share)} of device time: "
            "its launch is not in the trace",
        )
    else:
        yield "basis", "CPU self time: no device event is in the trace"
        yield "CPU self time", f"sum {duration(result.basis_sum_ns)}"
    yield "wall time", duration(result.wall_ns)


def _segment(row: CategoryRow) -> Segment:
    unlinked = row.share * row.unlinked_ns / row.sum_ns if row.sum_ns else 0.0
    return Segment(row.category, row.share, unlinked)


def _figures(result: Operators) -> dict[str, Callable[[Figures], str]]:
    """The columns of figures, by title, without those that have nothing to say."""
    columns: dict[str, Callable[[Figures], str]] = {
        "sum": lambda row: duration(row.sum_ns),
        "busy": lambda row: duration(row.busy_ns),
        "share": lambda row: percent(row.share),
    }
    if result.unlinked_ns:
        columns["unlinked"] = lambda row: _unlinked(row.unlinked_ns)
    if result.basis == "device":
        columns["launches"] = lambda row: str(row.launches)
    columns["calls"] = lambda row: str(row.calls)
    return columns


_WORK: Mapping[str, Callable[[Worked], str]] = {
    "rate": lambda row: scaled(row.flops_per_s, "FLOP/s") if row.flops_per_s else "–",
    "FLOPs/byte": lambda row: ratio(row.intensity),
    "FLOPs": lambda row: scaled(row.flops, "FLOP") if row.flops else "–",
}
"""The columns of what was done in the time, by title."""


def _unlinked(ns: int) -> str:
    return duration(ns) if ns else ""


def _categories(result: Operators, limits: Limits) -> Table:
    figures: dict[str, Callable[[Worked], str]] = {**_figures(result)}
    spare = _WORK if any(row.flops for row in result.categories) else {}
    figures.update(spare)
    rows: list[Row] = []
    for category in result.categories:
        cells = [category.category, *(show(category) for show in figures.values()), ""]
        rows.append(Row(cells, category=category.category, strong=True))
        rows.extend(_tree(category.children, 1, limits, figures))
    counted = "device events" if result.basis == "device" else "self times of CPU ops"
    return Table(
        title=" → ".join(list(LEVELS)[: limits.depth]).capitalize(),
        columns=[
            Column("name", text=True),
            *(Column(title, spare=title in spare) for title in figures),
            Column("rule", text=True),
        ],
        rows=rows,
        caption=(
            f"sum adds the {counted}, busy counts overlapping time once, "
            f"share is of the sum {duration(result.basis_sum_ns)}, calls are distinct CPU ops."
        ),
    )


def _tree(
    nodes: Sequence[Node],
    depth: int,
    limits: Limits,
    figures: Mapping[str, Callable[[Worked], str]],
) -> Iterator[Row]:
    """The rows under a row, largest first; what `limits` leaves out is one row."""
    shown = [node for node in nodes if LEVELS.get(node.level, 3) <= limits.depth]
    shown.sort(key=lambda node: -node.sum_ns)
    for node in shown[: limits.rows]:
        cells = [node.name, *(show(node) for show in figures.values()), node.rule or ""]
        inner = node.name if node.level == "category" else None
        yield Row(cells, depth=depth, category=inner)
        yield from _tree(node.children, depth + 1, limits, figures)
    rest = shown[limits.rows :]
    if rest:
        yield Row([*_rest(rest, figures), ""], depth=depth)


def _rest(rest: Sequence[Node], titles: Iterable[str]) -> list[str]:
    """One row for those left out; what does not add up is left empty."""
    totals = {
        "sum": duration(sum(row.sum_ns for row in rest)),
        "share": percent(sum(row.share for row in rest)),
        "unlinked": _unlinked(sum(row.unlinked_ns for row in rest)),
        "launches": str(sum(row.launches for row in rest)),
    }
    name = plural(len(rest), f"more {rest[0].level}")
    return [name, *(totals.get(title, "") for title in titles)]


def _passes(result: Operators) -> Table:
    figures = _figures(result)
    rows = [
        Row([row.pass_, *(show(row) for show in figures.values()), largest(row.categories)])
        for row in result.passes
    ]
    return Table(
        title="Passes",
        columns=[
            Column("pass", text=True),
            *(Column(title) for title in figures),
            Column("largest categories", text=True, ends=True),
        ],
        rows=rows,
    )


def _modules(title: str, rows: Sequence[ModuleRow], limits: Limits) -> Table:
    """The largest modules, as the tree that they are: one is never without those around it."""
    most = sorted(rows, key=lambda row: (-row.sum_ns, row.depth))[: limits.rows]
    shown = [
        Row(
            [
                row.name,
                duration(row.sum_ns),
                duration(row.self_ns),
                percent(row.share),
                largest(row.categories),
            ],
            depth=row.depth,
        )
        for row in _in_order(most)
    ]
    columns = [
        Column(title.lower()[:-1], text=True),
        Column("sum"),
        Column("self"),
        Column("share"),
        Column("largest categories", text=True, ends=True),
    ]
    caption = "sum includes what is inside, self does not."
    if len(rows) > len(shown):
        caption = f"The {len(shown)} largest of {len(rows)} (--rows N shows more); {caption}"
    return Table(title=title, columns=columns, rows=shown, caption=caption)


def _in_order(rows: Sequence[ModuleRow]) -> Iterator[ModuleRow]:
    """`rows`, which stand by size, each followed by what is inside it."""
    inside: dict[str, list[ModuleRow]] = {}
    for row in rows:
        inside.setdefault(row.path[: -len(row.name) - 1] if row.depth else "", []).append(row)
    waiting = inside.pop("", [])[::-1]
    while waiting:
        row = waiting.pop()
        yield row
        waiting.extend(inside.pop(row.path, [])[::-1])
    for orphans in inside.values():
        yield from orphans


def largest(categories: Mapping[str, int]) -> str:
    """The largest categories of a row and their part of it: `Attention 54.1 %, Linear 30.2 %`."""
    total = sum(categories.values())
    ordered = sorted(categories.items(), key=lambda item: -item[1])
    return ", ".join(
        f"{name} {percent(ns / total)}" for name, ns in ordered[:LARGEST_CATEGORIES] if ns > 0
    )
