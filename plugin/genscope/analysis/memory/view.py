"""The memory view: score matrices, what fused attention avoids, and what was allocated."""

from __future__ import annotations

import math

from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.axes import grids_of, joint_lengths
from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.operands import Marks, find_operands
from genscope.analysis.described import described
from genscope.analysis.memory import paper
from genscope.analysis.memory.cache import kv_cache_of
from genscope.analysis.memory.fused import fused_of
from genscope.analysis.memory.growth import TextTokens, growth_of
from genscope.analysis.memory.measured import measured_of
from genscope.analysis.memory.results import (
    Declared,
    Fused,
    KvCache,
    Measured,
    Memory,
    Similarity,
    Stage,
)
from genscope.analysis.memory.runs import runs_of
from genscope.analysis.memory.scores import scores_of
from genscope.analysis.memory.similarity import similarity_of
from genscope.analysis.memory.stages import matrices_of, set_levels, stages_of, unet_of
from genscope.analysis.memory.words import size
from genscope.analysis.work import file_name
from genscope.trace.errors import TraceWarning
from genscope.trace.model import Trace

MOST_STAGES = 200


def memory(trace: Trace) -> Memory:
    """Analyse the memory of one trace: of its attention, and what its allocators said."""
    calls = attention_calls(trace)
    scores = scores_of(trace, calls)
    matrices = matrices_of(calls, scores)
    runs = runs_of(trace, calls)
    grouped = stages_of(calls, runs, scores, matrices)
    unet = unet_of(grouped.stages)
    found = paper.parameters(unet)
    if not isinstance(found, str):
        set_levels(grouped.stages, unet, found)
    similarity = similarity_of(grouped.stages, runs, found, differ=grouped.steps_differ)
    image_px = _image_px(trace)
    fused = fused_of(calls, matrices)
    cache = kv_cache_of(trace, calls)
    measured = measured_of(trace)
    workload = trace.document.workload if trace.document is not None else None
    return Memory(
        trace=file_name(trace),
        base_ns=str(trace.base_ns),
        rank=trace.rank,
        model=workload.model if workload is not None else None,
        image_size_px=image_px,
        similarity=similarity,
        stages=grouped.stages[:MOST_STAGES],
        stages_left=max(len(grouped.stages) - MOST_STAGES, 0),
        growth=growth_of(
            grouped.stages, similarity, image_px, _joint(trace, calls, grouped.stages)
        ),
        fused=fused,
        kv_cache=None if isinstance(cache, str) else cache,
        kv_cache_reason=cache if isinstance(cache, str) else None,
        measured=measured,
        declared=_declared(trace),
        sentence=_sentence(similarity, fused, cache, measured),
        warnings=[*trace.warnings, *_warnings(grouped.stages, fused, measured, similarity)],
    )


def _image_px(trace: Trace) -> int | None:
    """Side of the square that has as many pixels as the image."""
    told = trace.document.workload.image_size if trace.document is not None else None
    if told is None or min(told) <= 0:
        return None
    return round(math.sqrt(told[0] * told[1]))


def _joint(trace: Trace, calls: Calls, stages: list[Stage]) -> TextTokens:
    """Tokens of the text in joint attention, by component and q_len."""
    if not any(stage.denoiser and stage.kind == "joint" for stage in stages):
        return {}
    found = joint_lengths(calls, grids_of(trace), find_operands(calls, Marks(trace, calls)))
    return {(calls.words.text(part), length): text for (part, length), text in found.items()}


def _declared(trace: Trace) -> Declared | None:
    if trace.document is None:
        return None
    told = described(trace)
    sizes = [part.parameter_bytes for part in told["components"]]
    known = [one for one in sizes if one is not None]
    whole = sum(known) if known and len(known) == len(sizes) else None
    peak = told["peak_memory_bytes"]
    return Declared(
        components=told["components"],
        parameter_bytes=whole,
        peak_memory_bytes=peak,
        beyond_parameters_bytes=None if peak is None or whole is None else peak - whole,
    )


def _sentence(similarity: Similarity, fused: Fused, cache: KvCache | str, told: Measured) -> str:
    parts = []
    if told.devices:
        device = told.devices[0]
        parts.append(f"At its peak {device.device} has {size(device.peak_bytes)} allocated")
        rows = [row for row in device.at_peak if row.bytes > 0]
        if rows:
            shown = ", ".join(f"{row.category} {size(row.bytes)}" for row in rows[:3])
            parts[-1] += f" ({shown})"
        parts[-1] += "."
    if similarity.reason is None and similarity.one_head_bytes is not None:
        parts.append(
            f"One step of {similarity.component or 'the denoiser'} makes score matrices of "
            f"{size(similarity.one_head_bytes)} for one head at 2 bytes a number"
        )
        if (ratio := similarity.one_head_over_paper) is not None:
            parts[-1] += f", {ratio:.2f} times what the paper's formula gives"
        parts[-1] += "."
    elif fused.fused.matrix_bytes or fused.unfused.matrix_bytes:
        parts.append(fused.sentence)
    if isinstance(cache, KvCache):
        parts.append(
            f"The cache of keys and values grows by {size(cache.bytes_per_token)} a token, to "
            f"{size(cache.to_bytes)} at {cache.to_length:,}."
        )
    return " ".join(parts) or "The trace shows neither attention nor allocations."


def _warnings(
    stages: list[Stage], fused: Fused, measured: Measured, similarity: Similarity
) -> list[TraceWarning]:
    found = []

    def warn(code: str, count: int, message: str) -> None:
        if count:
            found.append(TraceWarning(code=code, count=count, message=message))

    lacking = fused.fused.calls_unknown + fused.unfused.calls_unknown
    warn(
        "matrices_unknown",
        lacking,
        f"{lacking:,} attention calls have no known lengths, heads or dtype: no figure of score "
        "matrices has them.",
    )
    warn(
        "fused_unknown",
        fused.other_calls,
        f"Of {fused.other_calls:,} attention calls nothing tells whether they write their score "
        "matrices.",
    )
    warn(
        "steps_differ",
        int(similarity.steps_differ),
        "Not all runs of the denoiser make the same calls: figures of a step are of the most "
        "common ones.",
    )
    for device in measured.devices:
        warn(
            "unknown_frees",
            device.unknown_frees,
            f"{device.device}: {device.unknown_frees:,} freed blocks "
            f"({size(device.unknown_freed_bytes)}) were allocated before the recording.",
        )
        warn(
            "totals_disagree",
            device.disagreements,
            f"{device.device}: at {device.disagreements:,} events the allocator's total does not "
            "follow from the one before; its own word is taken.",
        )
    return found
