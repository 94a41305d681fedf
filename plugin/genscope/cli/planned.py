"""A plan in words and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genscope.analysis.plan.results import PlanGroup, PlanResult
from genscope.cli.document import Column, Document, Row, Table
from genscope.cli.formatting import duration, percent, scaled, significant, size, times


def document(result: PlanResult) -> Document:
    """Say what a plan found; every figure is predicted."""
    tables = [
        _groups(title, rows, title == "Categories")
        for title, rows in (
            ("Categories", result.categories),
            ("Components", result.components),
            ("Phases", result.phases),
        )
        if rows
    ]
    if result.sizes:
        tables.append(_sizes(result))
    return Document(
        headline=result.sentence,
        facts=list(_facts(result)),
        tables=tables,
        warnings=[warning.message for warning in result.warnings],
    )


def _facts(result: PlanResult) -> Iterator[tuple[str, str]]:
    memory = result.memory
    yield "predicted for", f"{result.device}, {result.dtype}, {result.attention} attention"
    yield "time", duration(result.latency_ns)
    yield "work", f"{scaled(result.flops, 'FLOP')}, {size(result.moved_bytes)} moved"
    yield "parameters", f"{memory.parameters / 1e9:.3g} B"
    held = (
        f"{size(memory.need_bytes)}: weights {size(memory.weight_bytes)}, "
        f"results and caches at most {size(memory.activation_bytes)}"
    )
    if memory.device_bytes is not None:
        held += f"; the device has {size(memory.device_bytes)}"
    yield "memory", held
    if memory.advice:
        yield "", memory.advice
    if result.first_token_ns is not None and result.token_ns is not None:
        yield "first token", duration(result.first_token_ns)
        yield (
            "each token",
            f"{duration(result.token_ns)}, {significant(result.tokens_per_s or 0)} a second",
        )
    if result.images_per_s is not None:
        yield "images or videos", f"{significant(3600 * result.images_per_s)} an hour"
    if result.speedup is not None:
        one = result.speedup
        yield (
            "fused attention",
            f"{times(one.speedup)}: {duration(one.baseline_ns)} with {one.baseline}, "
            f"{duration(one.fused_ns)} with {one.fused}",
        )
    for path in result.written:
        yield "trace", path


def _groups(title: str, rows: Sequence[PlanGroup], has_swatch: bool) -> Table:
    return Table(
        title=title,
        columns=[
            Column(title[:-3] + "y" if title == "Categories" else title[:-1], text=True),
            Column("predicted time"),
            Column("share"),
            Column("FLOP"),
            Column("moved"),
        ],
        rows=[
            Row(
                [
                    row.name,
                    duration(row.time_ns),
                    percent(row.share),
                    scaled(row.flops, "FLOP"),
                    size(row.moved_bytes),
                ],
                category=row.name if has_swatch else None,
            )
            for row in rows
        ],
    )


def _sizes(result: PlanResult) -> Table:
    return Table(
        title="Sizes",
        columns=[
            Column(result.sizes[0].option.replace("_", " ")),
            Column("predicted time"),
            Column("largest category", text=True),
            Column("share"),
            Column("attention"),
        ],
        rows=[
            Row(
                [
                    str(one.value),
                    duration(one.time_ns),
                    one.largest,
                    percent(one.share),
                    percent(one.attention_share),
                ]
            )
            for one in result.sizes
        ],
        caption=result.shift,
    )
