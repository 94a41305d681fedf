"""Score matrices and peak memory over traces of several image sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genscope.analysis.memory.power import fit
from genscope.analysis.memory.results import (
    GrowthFit,
    LeftOut,
    Memory,
    MemoryGrowth,
    SweepPoint,
)
from genscope.trace.errors import TraceWarning

OF = ("bytes", "self_bytes", "paper_bytes", "real_bytes", "recorded_bytes", "peak_bytes")
"""What is fitted."""


def memory_growth(runs: Sequence[tuple[str, Memory]]) -> MemoryGrowth:
    """Set runs of one model at different image sizes side by side, smallest first.

    Sizes are pixels where all runs tell them, else sides of the latent. Runs without a denoiser
    are left out.
    """
    points: list[SweepPoint] = []
    left_out: list[LeftOut] = []
    for label, memory in runs:
        found = _point(label, memory)
        if isinstance(found, str):
            left_out.append(LeftOut(run=label, reason=found))
        else:
            points.append(found)
    in_px = all(point.image_size_px is not None for point in points)
    unit = "px" if in_px else "latent"

    def size(point: SweepPoint) -> float:
        known = point.image_size_px
        return float(known) if in_px and known is not None else point.latent_side

    points.sort(key=lambda point: (size(point), point.run))
    fits = [fit(of, unit, [(size(p), getattr(p, of) or 0) for p in points]) for of in OF]
    crossed = any(point.cross_bytes for point in points)
    fits = [one for one in fits if one.exponent is not None and (crossed or one.of != "self_bytes")]
    return MemoryGrowth(
        points=points,
        fits=fits,
        left_out=left_out,
        sentence=_sentence(points, fits),
        warnings=_warnings(runs, points, unit),
    )


def _point(label: str, memory: Memory) -> SweepPoint | str:
    similarity = memory.similarity
    own = [stage for stage in memory.stages if stage.denoiser]
    if not own or similarity.one_head_bytes is None:
        return similarity.reason or "it has no denoiser"
    here = next((point for point in memory.growth.points if point.recorded), None)
    if here is None:
        return memory.growth.reason or "nothing tells the size of its image"
    found = similarity.parameters
    peaks = [device.peak_bytes for device in memory.measured.devices]
    if not peaks and memory.declared is not None and memory.declared.peak_memory_bytes is not None:
        peaks = [memory.declared.peak_memory_bytes]
    return SweepPoint(
        run=label,
        image_size_px=memory.image_size_px,
        latent_side=here.latent_side,
        text_tokens=found.text_tokens if found else _text(memory),
        self_bytes=here.self_bytes,
        cross_bytes=here.cross_bytes,
        bytes=similarity.one_head_bytes,
        paper_bytes=similarity.paper_bytes,
        real_bytes=similarity.real_bytes,
        recorded_bytes=similarity.recorded_bytes,
        peak_bytes=max(peaks, default=None),
    )


def _text(memory: Memory) -> int:
    keys = [stage.kv_len for stage in memory.stages if stage.denoiser and stage.kind == "cross"]
    return max(keys, default=0)


def _sentence(points: Sequence[SweepPoint], fits: Sequence[GrowthFit]) -> str:
    by_name = {one.of: one for one in fits}
    both, alone = by_name.get("bytes"), by_name.get("self_bytes")
    if both is None or both.exponent is None:
        return "Traces of at least two image sizes show how memory grows with the image."
    unit = "px" if both.unit == "px" else "positions a side"
    text = (
        f"Over {both.points} traces of {both.from_size:g} to {both.to_size:g} {unit}, score "
        f"matrices of a step grow with the side to the power {both.exponent:.2f}"
    )
    if alone is not None and alone.exponent is not None:
        text += f", those of self attention alone to the power {alone.exponent:.2f}"
    peak = by_name.get("peak_bytes")
    if peak is not None and peak.exponent is not None:
        text += f"; peak memory to the power {peak.exponent:.2f}"
    tokens = {point.text_tokens for point in points}
    if (
        alone is not None
        and alone.exponent is not None
        and not math.isclose(alone.exponent, both.exponent, abs_tol=0.005)
        and max(tokens) > 0
    ):
        shown = f"{min(tokens):,}" if len(tokens) == 1 else f"{min(tokens):,} to {max(tokens):,}"
        text += (
            f". Matrices of cross attention have {shown} columns whatever the size and grow with "
            "the square of the side"
        )
    return text + "."


def _warnings(
    runs: Sequence[tuple[str, Memory]], points: Sequence[SweepPoint], unit: str
) -> list[TraceWarning]:
    found = []
    known = sum(point.image_size_px is not None for point in points)
    if unit == "latent" and known:
        found.append(
            TraceWarning(
                code="mixed_units",
                count=len(points) - known,
                message=f"{len(points) - known} of {len(points)} traces do not tell their image's "
                "size in pixels: sizes are sides of the latent.",
            )
        )
    components = {memory.similarity.component for _, memory in runs if memory.similarity.component}
    models = {memory.model for _, memory in runs if memory.model}
    if len(models) > 1 or len(components) > 1:
        shown = ", ".join(sorted(models if len(models) > 1 else components)[:4])
        found.append(
            TraceWarning(
                code="mixed_models",
                count=max(len(models), len(components)),
                message=f"The traces are of different models, whose sizes do not compare: {shown}.",
            )
        )
    return found
