"""Attention calls in words and tables: what kinds there are, and each call."""

from __future__ import annotations

from collections.abc import Iterator

from genscope.analysis.attention.results import Attention, AttentionCall, AttentionGroup
from genscope.cli.calls import only
from genscope.cli.document import Column, Document, Limits, Row, Table
from genscope.cli.formatting import amount, duration, percent, plural, ratio, scaled

PASSES = {
    "forward": ("forward", "unknown"),
    "backward": ("backward",),
    "recompute": ("recompute",),
    "all": ("forward", "backward", "recompute", "optimizer", "unknown"),
}
"""Values of `--pass`. What a graph replays, or began before the recording, counts as forward."""

_CALLS_A_ROW = 8
"""Calls listed for each row of the limits; all of them are in the JSON."""


def passes(text: str) -> tuple[str, ...]:
    """Passes of a value of `--pass`."""
    return PASSES[text]


def document(result: Attention, limits: Limits) -> Document:
    """Say what attention one trace holds."""
    tables = []
    if result.groups:
        tables = [_groups(result, limits), _calls(result, limits)]
    return Document(
        headline=_headline(result),
        facts=list(_facts(result)),
        tables=tables,
        warnings=[warning.message for warning in result.warnings],
    )


def _headline(result: Attention) -> str:
    if not result.calls:
        return "No attention in this trace."
    largest = result.groups[0]
    return (
        f"{plural(len(result.calls), 'attention call')} in {duration(result.time_ns)}; "
        f"{percent(largest.share)} of it is {_what(largest)} at {_lengths(largest)}."
    )


def _facts(result: Attention) -> Iterator[tuple[str, str]]:
    rank = "" if result.rank is None else f", rank {result.rank}"
    yield "trace", f"{result.trace}{rank}"
    yield "time", "device" if result.basis == "device" else "CPU, inclusive"
    yield "passes", ", ".join(result.passes)
    yield from only(result.selection)
    if result.without_shapes:
        yield "without lengths", plural(result.without_shapes, "call")


def _what(one: AttentionGroup | AttentionCall) -> str:
    words = [one.axis, one.kind, "attention"]
    return " ".join(word for word in words if word)


def _lengths(one: AttentionGroup | AttentionCall) -> str:
    if one.q_len is None:
        return "unknown length"
    if one.kv_len in (None, one.q_len):
        return amount(one.q_len)
    return f"{amount(one.q_len)} × {amount(one.kv_len)}"


def _number(value: int | None) -> str:
    return "–" if value is None else amount(value)


def _heads(one: AttentionGroup | AttentionCall) -> str:
    if one.heads is None or one.kv_heads in (None, one.heads):
        return _number(one.heads)
    return f"{one.heads}/{one.kv_heads}"


_COLUMNS = (
    Column("attention", text=True),
    Column("component", text=True),
    Column("length"),
    Column("batch"),
    Column("heads"),
    Column("width"),
    Column("by", text=True),
)


def _cells(one: AttentionGroup | AttentionCall) -> list[str]:
    causal = ", causal" if one.causal else ""
    return [
        f"{_what(one)}{causal}",
        one.component or "–",
        _lengths(one),
        _number(one.batch),
        _heads(one),
        _number(one.head_dim),
        one.implementation or "–",
    ]


def _groups(result: Attention, limits: Limits) -> Table:
    shown = result.groups[: limits.rows * 4]
    rows = [
        Row([*_cells(group), str(group.calls), duration(group.time_ns), percent(group.share)])
        for group in shown
    ]
    left = result.groups[len(shown) :]
    if left:
        rows.append(
            Row(
                [
                    f"{len(left)} more",
                    *[""] * 6,
                    str(sum(group.calls for group in left)),
                    duration(sum(group.time_ns for group in left)),
                    percent(sum(group.share for group in left)),
                ]
            )
        )
    return Table(
        title="Alike",
        columns=[*_COLUMNS, Column("calls"), Column("time"), Column("share")],
        rows=rows,
        caption="length is queries × keys where they differ; heads is query/key heads where they "
        "differ; share is of all calls listed.",
    )


def _calls(result: Attention, limits: Limits) -> Table:
    shown = result.calls[: limits.rows * _CALLS_A_ROW]
    rows = [
        Row(
            [
                str(call.index),
                call.pass_,
                *_cells(call),
                call.phase or "–",
                _number(call.step),
                _number(call.layer),
                duration(call.cpu_ns if call.device_ns is None else call.device_ns),
                scaled(call.flops_per_s, "FLOP/s"),
                ratio(call.intensity),
            ]
        )
        for call in shown
    ]
    left = len(result.calls) - len(shown)
    return Table(
        title="Calls",
        columns=[
            Column("call"),
            Column("pass", text=True),
            *_COLUMNS,
            Column("phase", text=True),
            Column("step"),
            Column("layer"),
            Column("time"),
            Column("rate", spare=True),
            Column("FLOPs/byte", spare=True),
        ],
        rows=rows,
        caption=f"{plural(left, 'call')} more: --format json has all." if left else "",
    )
