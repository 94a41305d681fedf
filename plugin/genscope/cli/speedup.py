"""What fused attention gains over a baseline, in words and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genscope.analysis.speedup.results import (
    Amdahl,
    GroupSpeedup,
    Measure,
    Prediction,
    Speedup,
)
from genscope.analysis.speedup.results import (
    Table as Times,
)
from genscope.cli.document import Column, Document, Limits, Row, Table
from genscope.cli.errors import Unusable
from genscope.cli.formatting import change, duration, percent, plural, times
from genscope.cli.prediction import CALLS_A_ROW, predicted, side_words

if TYPE_CHECKING:
    from genscope.trace.model import Trace

_MEASURES = {
    "unprofiled": "wall time, no profiler",
    "wall": "wall time of the recording",
    "busy": "busy",
    "sum": "sum",
    "step": "median step",
}

_SCOPES = {"category": "attention, all", "aligned": "attention, aligned calls"}

_LAWS = {"sum": "time, added up", "wall": "wall time"}

_LIMIT_BYTES = 256 * 2**20
"""No table of times is as large."""


def result(
    trace: Trace,
    *,
    against: Trace | None = None,
    table: Times | None = None,
    capture: Trace | None = None,
    capture_against: Trace | None = None,
) -> Speedup | Prediction:
    """Compare `trace` with a baseline, or predict it from a table. Raises `Unusable` for both.

    `capture` and `capture_against` give the shapes that graph replays hide, of each of the two.
    """
    from genscope.analysis.speedup import predicted, side_of, speedup

    if against is None:
        if capture_against is not None:
            raise Unusable("--capture-against is of the baseline: --against names it")
        return predicted(side_of(trace, capture=capture), table)
    if table is not None:
        raise Unusable("--against measures and --table predicts: give one of them")
    return speedup(against, trace, captures=(capture_against, capture))


def read_table(path: str) -> Times:
    """Read a table of times, or make one of a speedup's JSON. Raises `Unusable`."""
    from genscope.analysis.speedup.table import read_table as table_in

    try:
        file = Path(path)
        if file.stat().st_size > _LIMIT_BYTES:
            raise Unusable(f"{path}: too large for a table of times")
        text = file.read_bytes()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    found = table_in(text)
    if found is None:
        raise Unusable(
            f"{path}: neither a table that `genscope replay -o` wrote nor the JSON of a speedup "
            "view"
        )
    return found


def document(result: Speedup | Prediction, limits: Limits) -> Document:
    """Say what fused attention gains, or would gain."""
    return (
        predicted(result, limits) if isinstance(result, Prediction) else _measured(result, limits)
    )


# Two runs ----------------------------------------------------------------------------------------


def _measured(result: Speedup, limits: Limits) -> Document:
    tables = [_end_to_end(result)]
    tables += [_law(law) for law in result.amdahl]
    tables += [_groups(result.groups)] if result.groups else []
    tables += [_shapes(result, limits)] if result.shapes else []
    tables += [_unaligned(result, limits)] if result.unaligned else []
    tables += [_calls(result, limits)] if result.calls and limits.depth > 1 else []
    return Document(
        headline=result.sentence,
        facts=list(_facts(result)),
        tables=tables,
        warnings=[warning.message for warning in result.warnings],
    )


def section(result: Speedup, base: str, run: str) -> Table:
    """The attention of a run beside that of its base, as one table of a comparison."""
    rows = _figures(result)
    law = next(iter(result.amdahl), None)
    if law is not None:
        rows += [
            _row("predicted by attention alone", law.baseline_ns, law.predicted_ns),
            _row("if attention cost nothing", law.baseline_ns, law.limit_ns),
        ]
    also = [
        warning.message
        for warning in result.warnings
        if warning.code in ("other_dtype", "other_device")
    ]
    return Table(
        title=f"{base} → {run}: attention",
        columns=_COLUMNS,
        rows=rows,
        caption=" ".join([_aligned_words(result), *also]),
    )


_COLUMNS = (
    Column("", text=True),
    Column("baseline"),
    Column("fused"),
    Column("delta"),
    Column("speedup"),
)


def _facts(result: Speedup) -> Iterator[tuple[str, str]]:
    yield "baseline", side_words(result.baseline)
    yield "fused", side_words(result.fused)
    yield "which is which", result.roles
    yield "aligned", _aligned_words(result)


def _aligned_words(result: Speedup) -> str:
    text = f"{plural(result.aligned, 'call')} of both runs"
    alone = [
        f"{count} of the {name} alone"
        for name, count in (
            ("baseline", result.unaligned_baseline),
            ("fused run", result.unaligned_fused),
        )
        if count
    ]
    return ", ".join([text, *alone]) + "."


def _row(name: str, before: int, after: int, *, category: str | None = None) -> Row:
    speedup = before / after if before > 0 and after > 0 else None
    cells = [name, duration(before), duration(after), change(after - before), times(speedup)]
    return Row(cells, category=category)


def _figures(result: Speedup) -> list[Row]:
    rows = [
        _row(f"end to end: {_measure(one)}", one.baseline_ns, one.fused_ns)
        for one in result.end_to_end
    ]
    rows += [_row(_SCOPES[one.scope], one.baseline_ns, one.fused_ns) for one in result.module]
    return rows


def _measure(one: Measure) -> str:
    name = _MEASURES.get(one.name, one.name)
    if one.low is None or one.high is None:
        return name
    return f"{name} ({times(one.low)} to {times(one.high)})"


def _end_to_end(result: Speedup) -> Table:
    what = "device time" if result.basis == "device" else "CPU self time"
    return Table(
        title="Speedup",
        columns=_COLUMNS,
        rows=_figures(result),
        caption=f"busy counts overlapping {what} once, sum adds it; a range is that of single "
        "repeats. Aligned calls are counted with their kernels, or on the CPU with all inside.",
    )


def _law(law: Amdahl) -> Table:
    rows = [
        _row("measured", law.baseline_ns, law.fused_ns),
        _row("if attention cost nothing", law.baseline_ns, law.limit_ns),
        _row("predicted by attention alone", law.baseline_ns, law.predicted_ns),
    ]
    rows += [
        _row(
            one.name,
            one.baseline_ns,
            one.fused_ns,
            category=one.name if one.kind == "category" else None,
        )
        for one in law.changes
        if one.baseline_ns or one.fused_ns
    ]
    total = ["Measured less predicted", "", "", change(law.difference_ns), ""]
    return Table(
        title=f"Amdahl: {_LAWS.get(law.measure, law.measure)}",
        columns=_COLUMNS,
        rows=[*rows, Row(total, strong=True)],
        caption=f"attention is {percent(law.attention_share)} of the baseline and "
        f"{times(law.module_speedup)} as fast; the changes below the prediction add up to its "
        "difference from the measurement.",
    )


def _spread(row: GroupSpeedup) -> list[str]:
    return [
        str(row.calls),
        duration(row.baseline_ns),
        duration(row.fused_ns),
        times(row.speedup),
        times(row.median_speedup),
        "–" if row.low is None else f"{times(row.low)} – {times(row.high)}",
    ]


_SPREAD = tuple(
    Column(title) for title in ("calls", "baseline", "fused", "speedup", "median", "range")
)


def _groups(groups: Sequence[GroupSpeedup]) -> Table:
    return Table(
        title="Aligned calls by what they are",
        columns=[Column("by", text=True), Column("", text=True), *_SPREAD],
        rows=[Row([row.by, row.name or "unknown", *_spread(row)]) for row in groups],
        caption="speedup is of the sums; median and range are of single calls.",
    )


def _shapes(result: Speedup, limits: Limits) -> Table:
    shown = result.shapes[: limits.rows * CALLS_A_ROW]
    left = len(result.shapes) - len(shown)
    return Table(
        title="Aligned calls by shape",
        columns=[Column("shape", text=True), Column("by", text=True), *_SPREAD],
        rows=[
            Row(
                [
                    row.name or "",
                    f"{row.baseline_implementation or '–'} → {row.fused_implementation or '–'}",
                    *_spread(row),
                ]
            )
            for row in shown
        ],
        caption=f"{plural(left, 'shape')} more: --format json has all." if left else "",
    )


def _lengths(q_len: int | None, kv_len: int | None) -> str:
    if q_len is None:
        return "–"
    return str(q_len) if kv_len in (None, q_len) else f"{q_len} × {kv_len}"


def _unaligned(result: Speedup, limits: Limits) -> Table:
    shown = result.unaligned[: limits.rows * CALLS_A_ROW]
    left = len(result.unaligned) - len(shown)
    return Table(
        title="Calls of one run alone",
        columns=[
            Column("run", text=True),
            Column("call"),
            Column("kind", text=True),
            Column("length"),
            Column("time"),
            Column("why", text=True, ends=True),
        ],
        rows=[
            Row(
                [
                    call.run,
                    str(call.index),
                    call.kind or "–",
                    _lengths(call.q_len, call.kv_len),
                    duration(call.time_ns),
                    call.reason,
                ]
            )
            for call in shown
        ],
        caption=f"{plural(left, 'call')} more: --format json has all." if left else "",
    )


def _calls(result: Speedup, limits: Limits) -> Table:
    shown = result.calls[: limits.rows * CALLS_A_ROW]
    left = len(result.calls) - len(shown)
    return Table(
        title="Aligned calls",
        columns=[
            Column("calls", text=True),
            Column("kind", text=True),
            Column("length"),
            Column("by", text=True),
            Column("baseline"),
            Column("fused"),
            Column("speedup"),
            Column("differs in", text=True, ends=True),
        ],
        rows=[
            Row(
                [
                    f"{call.baseline_index}, {call.fused_index}",
                    call.kind or "–",
                    _lengths(call.q_len, call.kv_len),
                    f"{call.baseline_implementation or '–'} → {call.fused_implementation or '–'}",
                    duration(call.baseline_ns),
                    duration(call.fused_ns),
                    times(call.speedup),
                    call.note or "",
                ]
            )
            for call in shown
        ],
        caption=f"{plural(left, 'call')} more: --format json has all." if left else "",
    )
