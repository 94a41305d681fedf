"""Spatial and temporal attention in words and tables."""

from __future__ import annotations

from collections.abc import Iterator

from genscope.analysis.attention.results import SpaceTime
from genscope.cli.calls import only
from genscope.cli.document import Column, Document, Limits, Row, Table
from genscope.cli.formatting import amount, duration, percent
from genscope.cli.frames import flops


def document(result: SpaceTime, limits: Limits) -> Document:
    """Say what attention along each axis takes in one trace."""
    tables = [_axes(result), _layers(result, limits)] if result.axes else []
    return Document(
        headline=result.sentence,
        facts=list(_facts(result)),
        tables=tables,
        warnings=[warning.message for warning in result.warnings],
    )


def _facts(result: SpaceTime) -> Iterator[tuple[str, str]]:
    rank = "" if result.rank is None else f", rank {result.rank}"
    yield "trace", f"{result.trace}{rank}"
    yield "time", "device" if result.basis == "device" else "CPU, inclusive"
    yield from only(result.selection)
    if result.frames is not None:
        yield "frames", str(result.frames)


def _span(low: int, high: int) -> str:
    return amount(low) if low == high else f"{amount(low)} to {amount(high)}"


def _axes(result: SpaceTime) -> Table:
    return Table(
        title="Axes",
        columns=[
            Column("attention", text=True),
            *(
                Column(title)
                for title in ("calls", "time", "share", "FLOPs", "FLOP/s", "length", "batch")
            ),
            Column("in the batch", text=True, ends=True),
        ],
        rows=[
            Row(
                [
                    row.axis,
                    str(row.calls),
                    duration(row.time_ns),
                    percent(row.share),
                    flops(row.flops),
                    flops(row.flops_per_s),
                    _span(*row.q_range),
                    _span(*row.batch_range),
                    row.in_batch,
                ]
            )
            for row in result.axes
        ],
        caption=_counted(result),
    )


def _counted(result: SpaceTime) -> str:
    """Say how FLOPs were counted."""
    causal = sum(row.causal_calls for row in result.axes)
    calls = sum(row.calls for row in result.axes)
    which = "all calls are" if causal == calls else f"{causal:,} of {calls:,} calls are"
    masked = f"; {which} causal, and leave out the keys that a query does not see" if causal else ""
    return (
        "FLOPs are those of the two products of each call: 2·b·h·q·kv·(d_qk + d_v)" + masked + "."
    )


def _layers(result: SpaceTime, limits: Limits) -> Table:
    shown = result.layers[: limits.rows * 4]
    left = len(result.layers) - len(shown)
    return Table(
        title="Layers",
        columns=[
            Column("module", text=True),
            Column("attention", text=True),
            *(Column(title) for title in ("calls", "time", "FLOPs", "length", "batch")),
        ],
        rows=[
            Row(
                [
                    layer.module or layer.component or "–",
                    layer.axis,
                    str(layer.calls),
                    duration(layer.time_ns),
                    flops(layer.flops),
                    amount(layer.q_len),
                    "–" if layer.batch is None else amount(layer.batch),
                ]
            )
            for layer in shown
        ],
        caption=f"{left:,} more: --format json has them." if left else "",
    )
