"""FLOPs in words and tables: how many, of what, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genscope.analysis.flops.results import Flops, FlopsFigures, FlopsGroup
from genscope.cli.document import Column, Document, Limits, Row, Table
from genscope.cli.formatting import duration, percent, ratio, scaled
from genscope.cli.operators import basis_words


def document(result: Flops, limits: Limits) -> Document:
    """Say how many FLOPs one trace has."""
    tables = [
        _groups(title, rows, result)
        for title, rows in (
            ("Categories", result.categories),
            ("Passes", result.passes if len(result.passes) > 1 else []),
            ("Components", result.components),
            ("Phases", result.phases),
        )
        if rows
    ]
    if result.ops:
        tables.append(_ops(result, limits))
    if result.unknown:
        tables.append(_unknown(result, limits))
    return Document(
        headline=result.sentence,
        facts=list(_facts(result)),
        tables=tables,
        warnings=[warning.message for warning in result.warnings],
    )


def _facts(result: Flops) -> Iterator[tuple[str, str]]:
    rank = "" if result.rank is None else f", rank {result.rank}"
    yield "trace", f"{result.trace}{rank}"
    yield (
        "FLOPs",
        f"{scaled(result.flops, 'FLOP')}, {scaled(result.matrix_flops, 'FLOP')} of them in "
        "products, convolutions and attention",
    )
    yield "by PyTorch's counter", scaled(result.counter_flops, "FLOP")
    yield "bytes moved", scaled(result.moved_bytes, "B")
    yield "intensity", f"{ratio(result.intensity)} FLOPs a byte"
    yield "rate", f"{scaled(result.flops_per_s, 'FLOP/s')} while these ops ran"
    yield basis_words(result.basis), f"sum {duration(result.basis_sum_ns)}"
    share = result.unknown_ns / result.basis_sum_ns if result.basis_sum_ns else 0.0
    yield "unknown", f"{duration(result.unknown_ns)}, {percent(share)} of it"


_COLUMNS = ("FLOPs", "share", "bytes", "FLOPs/byte", "calls", "time", "rate")


def _cells(row: FlopsFigures) -> list[str]:
    return [
        scaled(row.flops, "FLOP") if row.flops else "0",
        percent(row.share),
        scaled(row.moved_bytes, "B"),
        ratio(row.intensity),
        str(row.calls),
        duration(row.time_ns),
        scaled(row.flops_per_s, "FLOP/s") if row.flops_per_s else "–",
    ]


def _groups(title: str, rows: Sequence[FlopsGroup], result: Flops) -> Table:
    return Table(
        title=title,
        columns=[
            Column(title.lower(), text=True),
            *(Column(name) for name in _COLUMNS),
            Column("unknown"),
        ],
        rows=[
            Row(
                [row.name, *_cells(row), duration(row.unknown_ns) if row.unknown_ns else "–"],
                category=row.name if rows is result.categories else None,
            )
            for row in rows
        ],
        caption="unknown: time of ops and kernels whose FLOPs are not known"
        if rows is result.categories
        else "",
    )


def _ops(result: Flops, limits: Limits) -> Table:
    shown = result.ops[: 4 * limits.rows]
    rows = [Row([row.op, *_cells(row), row.formula]) for row in shown]
    left = len(result.ops) - len(shown)
    assumed = [row for row in result.ops if row.assumed]
    caption = f"{left} more ops" if left else ""
    if assumed:
        named = ", ".join(row.op for row in assumed[:4])
        more = " and others" if len(assumed) > 4 else ""
        caption += f"{'; ' if caption else ''}estimates or assumptions: {named}{more}"
    return Table(
        title="Ops",
        columns=[
            Column("op", text=True),
            *(Column(name) for name in _COLUMNS),
            Column("formula", text=True, ends=True),
        ],
        rows=rows,
        caption=caption,
    )


def _unknown(result: Flops, limits: Limits) -> Table:
    shown = result.unknown[: 2 * limits.rows]
    left = len(result.unknown) - len(shown)
    return Table(
        title="Not known",
        columns=[
            Column("op or kernel", text=True),
            Column("missing", text=True),
            Column("calls"),
            Column("time"),
            Column("share"),
            Column("why", text=True, ends=True),
        ],
        rows=[
            Row(
                [
                    row.name,
                    row.missing,
                    str(row.calls),
                    duration(row.time_ns),
                    percent(row.share),
                    row.reason,
                ]
            )
            for row in shown
        ],
        caption=f"{left} more" if left else "",
    )
