"""Memory in words and tables: score matrices, their growth, and what was allocated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genscope.analysis.memory.results import (
    CategoryBytes,
    DeviceMemory,
    FusedTotals,
    GrowthFit,
    Memory,
    MemoryGrowth,
    Stage,
)
from genscope.cli.document import Column, Document, Limits, Row, Table
from genscope.cli.formatting import amount, duration, percent, plural, significant, size

_UNKNOWN = "–"
_OF = {
    "bytes": "all matrices, paper's convention",
    "self_bytes": "self attention alone",
    "paper_bytes": "paper's formula",
    "real_bytes": "all matrices, as they are",
    "recorded_bytes": "all matrices, recorded",
    "peak_bytes": "peak memory",
}


def document(result: Memory, limits: Limits) -> Document:
    """Say what one trace shows of memory."""
    tables = []
    if result.similarity.reason is None:
        tables.append(_step(result))
    if result.stages:
        tables.append(_stages(result, limits))
    if result.growth.points:
        tables += [_sizes(result), _fits(result.growth.fits)]
    if result.fused.fused.calls or result.fused.unfused.calls:
        tables.append(_fused(result))
    for device in result.measured.devices:
        tables += _device(device, limits)
    if result.declared is not None and result.declared.components:
        tables.append(_components(result))
    return Document(
        headline=result.sentence,
        facts=list(_facts(result)),
        tables=tables,
        warnings=[warning.message for warning in result.warnings],
    )


def growth_document(result: MemoryGrowth, limits: Limits) -> Document:
    """Say how memory grows over several traces."""
    rows = [
        Row(
            [
                point.run,
                _count(point.image_size_px),
                f"{point.latent_side:g}",
                str(point.text_tokens),
                *(
                    _bytes(value)
                    for value in (
                        point.paper_bytes,
                        point.self_bytes,
                        point.cross_bytes,
                        point.bytes,
                        point.real_bytes,
                        point.recorded_bytes,
                        point.peak_bytes,
                    )
                ),
            ]
        )
        for point in result.points
    ]
    titles = (
        "px",
        "latent",
        "text",
        "formula",
        "self",
        "cross",
        "both",
        "real",
        "recorded",
        "peak",
    )
    sizes = Table(
        title="Traces",
        columns=[Column("run", text=True), *(Column(title) for title in titles)],
        rows=rows,
        caption="Score matrices of one step: formula to both with 2 bytes a number, one head and "
        "one sequence; real with heads, batch and dtype. Peak memory is of the whole recording.",
    )
    return Document(
        headline=result.sentence,
        facts=[("left out", f"{run.run}: {run.reason}") for run in result.left_out],
        tables=[sizes, _fits(result.fits)] if rows else [],
        warnings=[warning.message for warning in result.warnings],
    )


def _facts(result: Memory) -> Iterator[tuple[str, str]]:
    rank = "" if result.rank is None else f", rank {result.rank}"
    yield "trace", f"{result.trace}{rank}"
    if result.model is not None:
        at = "" if result.image_size_px is None else f", {result.image_size_px} px"
        yield "model", f"{result.model}{at}"
    found = result.similarity
    if found.reason is None:
        yield "score matrices", found.sentence
        name = found.component or "denoiser"
        yield "steps", f"{plural(found.steps, 'run')} of {name}, told by {found.step_reason}"
        if found.other_components:
            yield "other denoisers", ", ".join(found.other_components)
    else:
        yield "formula", found.reason
    if found.parameters is not None:
        side = found.parameters.latent_side
        yield (
            "formula",
            f"H_L·W_L {found.parameters.positions:,}"
            + ("" if side is None else f" ({side} x {side})")
            + f", depth {found.parameters.depth}, d {found.parameters.d:g}, "
            f"{found.parameters.text_tokens} text tokens",
        )
    elif found.reason is None:
        yield "formula", f"does not apply: {found.paper_reason}"
    if result.growth.points:
        yield "growth", result.growth.sentence
    if result.fused.fused.calls or result.fused.unfused.calls:
        yield "fused attention", result.fused.sentence
    cache = result.kv_cache
    if cache is not None:
        yield (
            "cache of keys and values",
            f"{size(cache.bytes_per_token)} a token ({plural(cache.layers, 'layer')}, "
            f"{cache.kv_heads} heads of {cache.head_dim}, batch {cache.batch}, {cache.dtype}): "
            f"{size(cache.from_bytes)} at {cache.from_length:,} tokens, "
            f"{size(cache.to_bytes)} at {cache.to_length:,}",
        )
    if result.measured.reason is not None:
        yield "peak memory", result.measured.reason
    for device in result.measured.devices:
        yield f"peak of {device.device}", _peak(device)
    declared = result.declared
    if declared is not None and declared.parameter_bytes is not None:
        yield "parameters", size(declared.parameter_bytes)
    if declared is not None and declared.peak_memory_bytes is not None:
        yield "peak as annotated", size(declared.peak_memory_bytes)


def _peak(device: DeviceMemory) -> str:
    text = f"{size(device.peak_bytes)} at {duration(device.peak_ns)}"
    if device.peak_step is not None:
        text += f", in {device.peak_step}"
    if device.reserved_peak_bytes is not None:
        text += f"; {size(device.reserved_peak_bytes)} reserved"
    if device.capacity_bytes is not None:
        text += f" of {size(device.capacity_bytes)}"
    text += (
        f"; {amount(device.allocations)} allocations, {size(device.start_bytes)} at the start, "
        f"{size(device.end_bytes)} at the end"
    )
    return text if device.whole else f"{text}; counted from the start of the recording"


def _bytes(count: int | None) -> str:
    return _UNKNOWN if count is None else size(count)


def _exact(count: int | None) -> str:
    return _UNKNOWN if count is None else f"{count:,}"


def _count(count: int | None) -> str:
    return _UNKNOWN if count is None else str(count)


def _ratio(value: int | None, base: int | None) -> str:
    return _UNKNOWN if value is None or not base else f"{significant(value / base)}x"


def _step(result: Memory) -> Table:
    found = result.similarity
    rows = [
        ("paper: one self and one cross call", found.paper_call_bytes),
        ("paper: over the UNet", found.paper_bytes),
        ("calls made, 2 bytes, one head and sequence", found.one_head_bytes),
        ("calls made, with heads, batch and dtype", found.real_bytes),
        ("recorded inputs of the softmax", found.recorded_bytes),
        ("allocated inside the calls", found.measured_bytes),
        ("largest single call", found.largest_bytes),
    ]
    return Table(
        title="Score matrices of one step",
        columns=[Column("", text=True), Column("bytes"), Column(""), Column("of the formula")],
        rows=[
            Row([name, _exact(value), _bytes(value), _ratio(value, found.paper_bytes)])
            for name, value in rows
            if found.parameters is not None or not name.startswith("paper")
        ],
        caption="What is allocated has the results of each product and copies of scores besides.",
    )


def _stages(result: Memory, limits: Limits) -> Table:
    shown = result.stages[: 4 * limits.rows]
    left = len(result.stages) - len(shown) + result.stages_left
    titles = (
        "q_len", "kv_len", "matrices", "calls", "formula's", "formula", "one head", "real",
        "recorded", "allocated", "fused keeps",
    )  # fmt: skip
    caption = "Calls and bytes are of one step of the denoiser, of the whole trace elsewhere."
    return Table(
        title="Stages",
        columns=[
            Column("attention", text=True),
            *(Column(title) for title in titles),
            Column("phase", text=True),
            Column("implementation", text=True, ends=True),
        ],
        rows=[_stage(stage) for stage in shown],
        caption=f"{left} more stages. {caption}" if left else caption,
    )


def _stage(stage: Stage) -> Row:
    keys = f"{stage.kv_len:,}"
    if stage.kv_len_least != stage.kv_len:
        keys = f"{stage.kv_len_least:,}–{stage.kv_len:,}"
    # Attention within a sequence or an image is the rule: its axis needs no word.
    axis = stage.axis if stage.axis in ("temporal", "spatiotemporal") else None
    words = [word for word in (stage.component, axis, stage.kind) if word is not None]
    return Row(
        [
            " ".join(words) or _UNKNOWN,
            f"{stage.q_len:,}",
            keys,
            _count(stage.matrices),
            str(stage.calls_per_step),
            _count(stage.paper_calls),
            *(
                _bytes(value)
                for value in (
                    stage.paper_bytes,
                    stage.one_head_bytes,
                    stage.real_bytes,
                    stage.softmax_bytes,
                    stage.measured_bytes,
                    stage.kept_bytes,
                )
            ),
            stage.phase or _UNKNOWN,
            ", ".join(stage.implementations),
        ]
    )


def _sizes(result: Memory) -> Table:
    return Table(
        title="Growth with the image, computed",
        columns=[
            Column("px"),
            Column("latent"),
            *(Column(title) for title in ("formula", "self", "cross", "both", "real")),
            Column("", text=True),
        ],
        rows=[
            Row(
                [
                    _count(point.image_size_px),
                    f"{point.latent_side:g}",
                    *(
                        _bytes(value)
                        for value in (
                            point.paper_bytes,
                            point.self_bytes,
                            point.cross_bytes,
                            point.bytes,
                            point.real_bytes,
                        )
                    ),
                    "this trace" if point.recorded else "",
                ]
            )
            for point in result.growth.points
        ],
        caption="Score matrices of one step, from the calls of this trace.",
    )


def _fits(fits: Sequence[GrowthFit]) -> Table:
    return Table(
        title="Exponents",
        columns=[
            Column("of", text=True),
            Column("over", text=True),
            *(Column(title) for title in ("points", "power of the side", "largest deviation")),
        ],
        rows=[
            Row(
                [
                    _OF[one.of],
                    f"{one.from_size:g}–{one.to_size:g} {'px' if one.unit == 'px' else 'latent'}",
                    str(one.points),
                    _UNKNOWN if one.exponent is None else f"{one.exponent:.2f}",
                    percent(one.largest_deviation),
                ]
            )
            for one in fits
        ],
        caption="A power law through the points, least squares on the logarithms.",
    )


def _fused(result: Memory) -> Table:
    def row(name: str, totals: FusedTotals) -> Row:
        return Row(
            [
                name,
                str(totals.calls),
                size(totals.matrix_bytes),
                size(totals.traffic_bytes),
                size(totals.largest_bytes),
                size(totals.kept_bytes),
                size(totals.largest_kept_bytes),
            ]
        )

    parts = (("fused", result.fused.fused), ("not fused", result.fused.unfused))
    titles = ("calls", "matrices", "traffic", "largest", "fused keeps", "of the largest")
    return Table(
        title="Fused attention",
        columns=[Column("calls that are", text=True), *(Column(title) for title in titles)],
        rows=[row(name, totals) for name, totals in parts if totals.calls],
        caption="Of fused calls: what they avoid. Traffic is four passes over each matrix; kept "
        "is a log-sum-exp of 4 bytes a query and head.",
    )


def _device(device: DeviceMemory, limits: Limits) -> Iterator[Table]:
    yield Table(
        title=f"At the peak of {device.device}",
        columns=[Column("category", text=True), Column("bytes"), Column("share"), Column("blocks")],
        rows=[
            Row(
                [row.category, size(row.bytes), percent(row.share), _count(row.blocks)],
                category=None if row.blocks is None else row.category,
            )
            for row in device.at_peak
        ],
        caption="Blocks that are alive, by the op around their allocation.",
    )
    if device.largest_blocks:
        yield Table(
            title=f"Largest blocks at the peak of {device.device}",
            columns=[
                Column("op", text=True),
                Column("bytes"),
                Column("category", text=True),
                Column("module", text=True),
                Column("allocated at"),
            ],
            rows=[
                Row(
                    [
                        block.op or _UNKNOWN,
                        size(block.bytes),
                        block.category,
                        block.module or block.component or _UNKNOWN,
                        duration(block.allocated_ns),
                    ]
                )
                for block in device.largest_blocks[: limits.rows]
            ],
        )
    if device.steps:
        shown = device.steps[: 4 * limits.rows]
        left = len(device.steps) - len(shown) + device.steps_left
        yield Table(
            title=f"Steps on {device.device}",
            columns=[
                Column("step", text=True),
                Column("peak"),
                Column("allocated"),
                Column("at its end"),
                Column("at its peak", text=True, ends=True),
            ],
            rows=[
                Row(
                    [
                        step.name,
                        size(step.peak_bytes),
                        size(step.allocated_bytes),
                        size(step.end_bytes),
                        _list(step.categories),
                    ]
                )
                for step in shown
            ],
            caption=f"{left} more steps" if left else "",
        )


def _list(rows: Sequence[CategoryBytes]) -> str:
    return ", ".join(f"{row.category} {size(row.bytes)}" for row in rows[:4])


def _components(result: Memory) -> Table:
    parts = result.declared.components if result.declared is not None else []
    return Table(
        title="Parameters, as annotated",
        columns=[Column("component", text=True), Column("parameters"), Column("bytes")],
        rows=[
            Row(
                [
                    part.name,
                    _UNKNOWN if part.parameters is None else amount(part.parameters),
                    _bytes(part.parameter_bytes),
                ]
            )
            for part in parts
        ],
    )
