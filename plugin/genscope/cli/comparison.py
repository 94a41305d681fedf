"""A comparison in words, bars and tables: the paper's Figure 7 in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genscope.analysis.results import CategoryBar, Comparison, RunBar
from genscope.analysis.speedup.comparison import AttentionComparison
from genscope.cli.changes import changes
from genscope.cli.document import Bar, Column, Document, Limits, Row, Segment, Table
from genscope.cli.formatting import change, duration, from_to, percent, times
from genscope.cli.limits import COMPARED
from genscope.cli.operators import basis_words
from genscope.cli.speedup import section


def document(result: Comparison, limits: Limits = COMPARED) -> Document:
    """Say how the other runs differ from the base."""
    base, others = result.runs[0], result.runs[1:]
    attention = result.attention if isinstance(result, AttentionComparison) else []
    tables = [_runs(result.runs)] if len(others) != 1 else []
    for run in others:
        tables += [_categories(base, run)]
        tables += [
            section(one.speedup, base.run, run.run) for one in attention if one.run == run.run
        ]
        tables += [changes(base, run, limits)] if run.differences and limits.depth > 1 else []
    return Document(
        headline=_headline(base, others),
        facts=list(_facts(base, others)),
        bars=[_bar(run) for run in result.runs if run.relative is not None],
        tables=tables,
        warnings=list(_warnings(result)),
    )


def _headline(base: RunBar, others: Sequence[RunBar]) -> str:
    what = basis_words(base.basis)
    compared = [run for run in others if run.relative is not None]
    if not compared:
        return f"Nothing can be compared with the {what} of {base.run}."
    if len(others) == 1:
        (run,) = others
        times_ns = from_to(base.basis_sum_ns, run.basis_sum_ns)
        parts = [f"{what[:1].upper()}{what[1:]} {times_ns}, {times(run.speedup)}"]
        moved = max(run.categories, key=lambda row: abs(row.delta_ns or 0), default=None)
        if moved is not None and moved.delta_ns:
            parts.append(f"{moved.category} {_moved(moved)}")
        return "; ".join([*parts, f"largest now {_largest(run)}"]) + "."
    each = "; ".join(f"{run.run} {times(run.speedup)}, largest {_largest(run)}" for run in compared)
    return f"Against the {what} of {base.run}, {duration(base.basis_sum_ns)}: {each}."


def _largest(run: RunBar) -> str:
    top = max(run.categories, key=lambda row: row.sum_ns, default=None)
    return f"{top.category}, {percent(top.share)}" if top is not None and top.sum_ns else "nothing"


def _moved(row: CategoryBar) -> str:
    text = from_to(row.sum_ns - (row.delta_ns or 0), row.sum_ns)
    return text if row.speedup is None else f"{text}, {times(row.speedup)}"


def _facts(base: RunBar, others: Sequence[RunBar]) -> Iterator[tuple[str, str]]:
    for run in (base, *others):
        parts = [f"{basis_words(run.basis)} {duration(run.basis_sum_ns)}"]
        if run.basis == "device":
            parts.append(f"busy {duration(run.device_busy_ns)}")
        parts.append(f"wall {duration(run.wall_ns)}")
        if run.unlinked_ns:
            parts.append(f"unlinked {duration(run.unlinked_ns)}")
        yield run.run, ", ".join(parts)


def _bar(run: RunBar) -> Bar:
    relative = run.relative or 0.0
    segments = [
        Segment(
            row.category,
            row.relative or 0.0,
            (row.relative or 0.0) * row.unlinked_ns / row.sum_ns if row.sum_ns else 0.0,
        )
        for row in run.categories
    ]
    return Bar(run.run, segments, f"{percent(relative)}  {duration(run.basis_sum_ns)}")


def _runs(runs: Sequence[RunBar]) -> Table:
    rows = [
        Row(
            [
                run.run,
                basis_words(run.basis),
                duration(run.basis_sum_ns),
                percent(run.relative),
                times(run.speedup),
            ]
        )
        for run in runs
    ]
    return Table(
        title="Runs",
        columns=[
            Column("run", text=True),
            Column("basis", text=True),
            Column("sum"),
            Column("of base"),
            Column("speedup"),
        ],
        rows=rows,
    )


def _categories(base: RunBar, run: RunBar) -> Table:
    comparable = run.relative is not None
    rows = [
        _row(before, after, comparable)
        for before, after in zip(base.categories, run.categories, strict=True)
        if before.sum_ns or after.sum_ns
    ]
    total = [
        "Total",
        duration(base.basis_sum_ns),
        "",
        duration(run.basis_sum_ns),
        "",
        change(run.basis_sum_ns - base.basis_sum_ns) if comparable else "–",
        times(run.speedup),
    ]
    titles = ("base", "share", "time", "share", "delta", "speedup")
    return Table(
        title=f"{base.run} → {run.run}",
        columns=[Column("category", text=True), *(Column(title) for title in titles)],
        rows=[*rows, Row(total, strong=True)],
        caption="time adds all events of a category; share is of its own run; "
        "speedup is the base's time over this one's.",
    )


def _row(before: CategoryBar, after: CategoryBar, comparable: bool) -> Row:
    return Row(
        [
            after.category,
            duration(before.sum_ns),
            percent(before.share),
            duration(after.sum_ns),
            percent(after.share),
            change(after.delta_ns) if after.delta_ns is not None else "–",
            times(after.speedup),
        ],
        category=after.category,
    )


def _warnings(result: Comparison) -> Iterator[str]:
    for warning in result.warnings:
        yield warning.message
    for run in result.runs:
        for warning in run.warnings:
            yield f"{run.run}: {warning.message}"
