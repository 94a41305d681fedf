"""What other attention would gain, and the times it is predicted from, in words and tables."""

from __future__ import annotations

from genscope.analysis.speedup.results import Prediction, RunSide, Shape, TableRow
from genscope.analysis.speedup.results import Table as Times
from genscope.analysis.speedup.shapes import shape_words
from genscope.cli.document import Column, Document, Limits, Row, Table
from genscope.cli.formatting import duration, percent, plural, times

CALLS_A_ROW = 4
"""Calls and shapes listed for each row of the limits; all of them are in the JSON."""


def side_words(side: RunSide) -> str:
    """A run in a line: its file, its devices, and how it computes attention."""
    parts = [side.trace]
    counted = {name: side.devices.count(name) for name in side.devices}
    parts.append(", ".join(name if n == 1 else f"{n} × {name}" for name, n in counted.items()))
    parts.append(", ".join(f"{count} × {name}" for name, count in side.implementations.items()))
    return "; ".join(part for part in parts if part)


def predicted(result: Prediction, limits: Limits) -> Document:
    """Say what other attention would gain in one run."""
    tables = []
    if result.predicted:
        tables.append(
            Table(
                title="Predicted, not measured",
                columns=[
                    Column("attention", text=True),
                    *(Column(title) for title in ("time", "speedup", "of attention", "for")),
                ],
                rows=[
                    Row(
                        [
                            run.implementation,
                            duration(run.total_ns),
                            times(run.speedup),
                            times(run.module_speedup),
                            percent(run.covered_share),
                        ]
                    )
                    for run in result.predicted
                ],
                caption=f"recorded: {duration(result.run.sum_ns)}. What the table has no time "
                "for counts as it is; the last column is the part of attention time that it has.",
            )
        )
    if result.shapes:
        tables.append(_predicted_shapes(result, limits))
    return Document(
        headline=result.sentence,
        facts=[
            ("trace", side_words(result.run)),
            ("measured by", result.source or "nothing: --against or --table"),
        ],
        tables=tables,
        warnings=[warning.message for warning in result.warnings],
    )


def _predicted_shapes(result: Prediction, limits: Limits) -> Table:
    names = [run.implementation for run in result.predicted]
    shown = result.shapes[: limits.rows * CALLS_A_ROW]
    left = len(result.shapes) - len(shown)
    return Table(
        title="Shapes",
        columns=[
            Column("shape", text=True),
            Column("by", text=True),
            Column("calls"),
            Column("time"),
            *(Column(name) for name in names),
            Column("why not", text=True, ends=True),
        ],
        rows=[
            Row(
                [
                    row.name,
                    row.implementation or "–",
                    str(row.calls),
                    duration(row.time_ns),
                    *(times(row.speedups.get(name)) for name in names),
                    row.reason or "",
                ]
            )
            for row in shown
        ],
        caption=f"{plural(left, 'shape')} more: --format json has all." if left else "",
    )


def table_document(table: Times, limits: Limits) -> Document:
    """Say what a replay measured."""
    names = list(
        dict.fromkeys(
            name
            for row in table.rows
            for name in (
                *(one.implementation for one in row.timings),
                *(one.implementation for one in row.skipped),
            )
        )
    )
    shown = table.rows[: limits.rows * CALLS_A_ROW]
    left = len(table.rows) - len(shown)
    skipped = {f"{one.implementation}: {one.reason}" for row in table.rows for one in row.skipped}
    return Document(
        headline=f"{plural(len(table.rows), 'shape')} of attention measured on "
        f"{table.device_name or table.device}.",
        facts=[("trace", table.trace), ("torch", table.torch or "–"), ("device", table.device)],
        tables=[
            Table(
                title="Median times",
                columns=[
                    Column("shape", text=True),
                    Column("type", text=True),
                    Column("calls"),
                    *(Column(name) for name in names),
                ],
                rows=[
                    Row(
                        [
                            _shape_words(row.shape),
                            row.shape.dtype,
                            str(row.calls),
                            *(_median(row, name) for name in names),
                        ]
                    )
                    for row in shown
                ],
                caption=f"{plural(left, 'shape')} more: --format json has all." if left else "",
            )
        ],
        warnings=[
            *(warning.message for warning in table.warnings),
            *(f"Not measured, {reason}." for reason in sorted(skipped)),
        ],
    )


def _shape_words(shape: Shape) -> str:
    names = ("batch", "heads", "kv_heads", "q_len", "kv_len", "head_dim", "causal")
    return shape_words(**{name: getattr(shape, name) for name in names})


def _median(row: TableRow, name: str) -> str:
    return next((duration(one.median_ns) for one in row.timings if one.implementation == name), "–")
