"""Phases in words and tables: what each took, and how fast its rounds follow each other."""

from __future__ import annotations

from collections.abc import Iterator

from genscope.analysis.attention.results import Phases
from genscope.cli.calls import only
from genscope.cli.document import Column, Document, Limits, Row, Table
from genscope.cli.formatting import amount, duration, percent, significant
from genscope.cli.operators import basis_words


def document(result: Phases, limits: Limits) -> Document:
    """Say what each phase of one trace took."""
    tables = [_phases(result)] if result.phases else []
    tables += [_paces(result)] if result.paces else []
    tables += [_stretches(result, limits)] if result.stretches else []
    tables += [_served(result, limits)] if result.served else []
    return Document(
        headline=result.sentence,
        facts=list(_facts(result)),
        tables=tables,
        warnings=[warning.message for warning in result.warnings],
    )


def _facts(result: Phases) -> Iterator[tuple[str, str]]:
    rank = "" if result.rank is None else f", rank {result.rank}"
    yield "trace", f"{result.trace}{rank}"
    yield basis_words(result.basis), f"sum {duration(result.basis_sum_ns)}"
    yield from only(result.selection)
    yield "wall time", duration(result.wall_ns)
    if result.time_to_first_token_ns is not None:
        yield "time to first token", duration(result.time_to_first_token_ns)
    if result.time_per_token_ns is not None:
        yield "time per token", duration(result.time_per_token_ns)


def _or_dash(value: int | None) -> str:
    return "–" if value is None else amount(value)


def _phases(result: Phases) -> Table:
    return Table(
        title="Phases",
        columns=[
            Column("phase", text=True),
            *(
                Column(title)
                for title in (
                    "time",
                    "share",
                    "busy",
                    "attention",
                    "rounds",
                    "tokens",
                    "FLOPs/byte",
                )
            ),
            Column("because", text=True, ends=True),
        ],
        rows=[
            Row(
                [
                    row.phase or "in no phase",
                    duration(row.sum_ns),
                    percent(row.share),
                    percent(row.device_busy_share),
                    percent(row.attention_share),
                    str(row.rounds) if row.rounds else "–",
                    _or_dash(row.tokens),
                    "–" if row.intensity is None else significant(row.intensity),
                    ", ".join(row.reasons) if row.phase else "–",
                ]
            )
            for row in result.phases
        ],
        caption="busy is of the time of the phase's stretches; attention is of its time; tokens "
        "are queries of one layer; FLOPs/byte is of products and attention whose shapes are known.",
    )


def _paces(result: Phases) -> Table:
    return Table(
        title="Pace",
        columns=[
            Column("component", text=True),
            Column("phase", text=True),
            *(Column(title) for title in ("rounds", "total", "median")),
        ],
        rows=[
            Row(
                [
                    pace.component or "–",
                    pace.phase,
                    str(pace.rounds),
                    duration(pace.total_ns),
                    duration(pace.median_ns),
                ]
            )
            for pace in result.paces
        ],
        caption="median is between the starts of neighbouring rounds, of their device work where "
        "there is any: a token, a denoising step.",
    )


def _stretches(result: Phases, limits: Limits) -> Table:
    shown = result.stretches[: limits.rows * 4]
    left = len(result.stretches) - len(shown)
    return Table(
        title="Over time",
        columns=[
            Column("component", text=True),
            Column("phase", text=True),
            *(Column(title) for title in ("start", "time", "rounds")),
        ],
        rows=[
            Row(
                [
                    stretch.component or "–",
                    stretch.phase or "–",
                    duration(stretch.start_ns),
                    duration(stretch.dur_ns),
                    str(stretch.rounds),
                ]
            )
            for stretch in shown
        ],
        caption=f"{left:,} more: --format json has them."
        if left
        else ("where the device works" if result.basis == "device" else ""),
    )


def _served(result: Phases, limits: Limits) -> Table:
    shown = result.served[: limits.rows * 4]
    left = len(result.served) - len(shown)
    return Table(
        title="Steps of the serving engine",
        columns=[
            Column("phase", text=True),
            *(
                Column(title)
                for title in ("start", "time", "prompts", "tokens", "decoding", "tokens")
            ),
            Column("annotation", text=True),
        ],
        rows=[
            Row(
                [
                    step.phase,
                    duration(step.start_ns),
                    duration(step.dur_ns),
                    _or_dash(step.prefills),
                    _or_dash(step.prefill_tokens),
                    _or_dash(step.decodes),
                    _or_dash(step.decode_tokens),
                    step.name,
                ]
            )
            for step in shown
        ],
        caption=f"{left:,} more: --format json has them." if left else "",
    )
