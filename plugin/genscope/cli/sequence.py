"""Sequence length per attention call in words, a drawing and a table."""

from __future__ import annotations

from collections.abc import Iterator

from genscope.analysis.attention.results import Level, Sequence
from genscope.cli.calls import only
from genscope.cli.document import Column, Document, Limits, Row, Table
from genscope.cli.formatting import amount, duration, percent, plural

_PERIOD_SHOWN = 40


def document(result: Sequence, limits: Limits) -> Document:
    """Say how long the sequences of one trace are."""
    return Document(
        headline=result.sentence,
        facts=list(_facts(result)),
        tables=[_levels(result, limits)] if result.levels else [],
        warnings=[warning.message for warning in result.warnings],
    )


def _facts(result: Sequence) -> Iterator[tuple[str, str]]:
    rank = "" if result.rank is None else f", rank {result.rank}"
    yield "trace", f"{result.trace}{rank}"
    yield from only(result.selection)
    if result.q_range:
        yield "queries", _span(result.q_range)
    if result.kv_range:
        yield "keys", _span(result.kv_range)
    if result.period is not None and result.period.length > 1:
        shown = ", ".join(amount(length) for length in result.period.lengths[:_PERIOD_SHOWN])
        left = len(result.period.lengths) - _PERIOD_SHOWN
        yield "period", f"{shown}{f', and {left:,} more' if left > 0 else ''}"
        if result.period.edits:
            yield "exceptions", f"{plural(result.period.edits, 'call')} missing or different"
    if result.without_shapes:
        yield "without lengths", plural(result.without_shapes, "call")


def _span(lengths: list[int]) -> str:
    low, high = lengths
    return amount(low) if low == high else f"{amount(low)} to {amount(high)}"


def _levels(result: Sequence, limits: Limits) -> Table:
    shown = result.levels[: limits.rows * 4]
    left = len(result.levels) - len(shown) + result.levels_left
    return Table(
        title="Lengths",
        columns=[
            *(Column(title) for title in ("queries", "keys", "calls", "time", "share")),
            Column("kinds", text=True, ends=True),
            Column("modules", text=True),
        ],
        rows=[
            Row(
                [
                    amount(level.q_len),
                    _span(level.kv_lens),
                    str(level.calls),
                    duration(level.time_ns),
                    percent(level.share),
                    ", ".join(f"{count:,} {kind}" for kind, count in level.kinds.items()),
                    _modules(level),
                ]
            )
            for level in shown
        ],
        caption=f"{plural(left, 'length')} more: --format json has them." if left else "",
    )


def _modules(level: Level) -> str:
    if not level.modules:
        return "–"
    others = len(level.modules) - 1 + level.modules_left
    return level.modules[0] + (f" and {others} more" if others else "")
