"""How score matrices grow with the image, computed from the calls of one trace.

At s times the side, a length along positions is s² times as long, a text's is as it was, and
attention along frames keeps its length and has s² times the sequences.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from genscope.analysis.memory import paper
from genscope.analysis.memory.power import fit
from genscope.analysis.memory.results import (
    Growth,
    GrowthFit,
    GrowthPoint,
    PaperParameters,
    Similarity,
    Stage,
)

SMALL_PX = (64, 128, 256, 512)
LARGE_PX = (512, 768, 1024)
"""Sizes over which exponents are fitted where the trace tells its own in pixels."""

SMALL_SIDES = (1 / 8, 1 / 4, 1 / 2, 1.0)
LARGE_SIDES = (1.0, 1.5, 2.0)
"""The same elsewhere, as multiples of the trace's own side."""

SPATIAL = ("spatial", "spatiotemporal")
_NEAR = 1e-6
_SHOWN = 0.005
"""Difference of exponents that is worth a word."""

TextTokens = Mapping[tuple[str | None, int], int]
"""By component and q_len: the text's tokens in joint attention."""


def growth_of(
    stages: Sequence[Stage],
    similarity: Similarity,
    image_px: int | None,
    joint: TextTokens,
) -> Growth:
    """Compute one step's matrices over sizes, from the stages of the denoiser."""
    own = [stage for stage in stages if stage.denoiser]
    if not own:
        return _none(similarity.reason or "there is no denoiser")
    grid = [_positions(stage, joint) for stage in own if stage.kind != "cross"]
    largest = max((found for found in grid if found is not None), default=0)
    if not largest:
        return _none("none of its attention is known to run along the positions of an image")
    side = math.sqrt(largest)
    if image_px is not None:
        unit, small, large = (
            "px",
            [s / image_px for s in SMALL_PX],
            [s / image_px for s in LARGE_PX],
        )
    else:
        unit, small, large = "latent", list(SMALL_SIDES), list(LARGE_SIDES)
    scales = sorted({*small, *large, 1.0})
    at = {
        scale: point
        for scale in scales
        if (point := _point(own, similarity.parameters, scale, side, image_px, joint)) is not None
    }
    fits = [
        _fit(of, unit, [at[scale] for scale in part if scale in at])
        for part in (small, large)
        for of in ("bytes", "self_bytes", "paper_bytes", "real_bytes")
    ]
    crossed = any(stage.kind == "cross" for stage in own)
    fits = [one for one in fits if one.exponent is not None and (crossed or one.of != "self_bytes")]
    points = [at[scale] for scale in sorted(at)]
    return Growth(points=points, fits=fits, reason=None, sentence=_sentence(fits, own, joint))


def _none(reason: str) -> Growth:
    return Growth(points=[], fits=[], reason=reason, sentence=f"No growth to compute: {reason}.")


def size_of(point: GrowthPoint) -> float:
    """Size of a point as fits count it."""
    return point.latent_side if point.image_size_px is None else float(point.image_size_px)


def _fit(of: str, unit: str, points: Iterable[GrowthPoint]) -> GrowthFit:
    return fit(of, unit, [(size_of(point), getattr(point, of) or 0) for point in points])


def _positions(stage: Stage, joint: TextTokens) -> int | None:
    """Positions of the image among a stage's queries; None where its queries are none."""
    if stage.kind == "cross" or stage.axis in SPATIAL:
        return stage.q_len - joint.get((stage.component, stage.q_len), 0)
    return None


def _point(
    own: Sequence[Stage],
    found: PaperParameters | None,
    scale: float,
    side: float,
    image_px: int | None,
    joint: TextTokens,
) -> GrowthPoint | None:
    """Matrices at `scale` times the side; None where a length would be no whole number."""
    own_bytes = cross_bytes = 0
    real: int | None = 0
    for stage in own:
        pairs, more = _scaled(stage, scale, joint)
        if pairs is None:
            return None
        part = paper.BYTES * pairs * stage.calls_per_step
        if stage.kind == "cross":
            cross_bytes += part
        else:
            own_bytes += part
        width = _width(stage)
        if real is None or width is None:
            real = None
        else:
            real += round(pairs * stage.calls_per_step * width * more)
    area = _whole(found.positions * scale**2) if found is not None else None
    formula = None
    if found is not None and area is not None:
        formula = paper.unet_bytes(area, found.text_tokens, found.depth, found.d)
    return GrowthPoint(
        image_size_px=None if image_px is None else round(image_px * scale),
        latent_side=side * scale,
        self_bytes=own_bytes,
        cross_bytes=cross_bytes,
        bytes=own_bytes + cross_bytes,
        paper_bytes=formula,
        real_bytes=real,
        recorded=scale == 1.0,
    )


def _scaled(stage: Stage, scale: float, joint: TextTokens) -> tuple[int | None, float]:
    """q_len · kv_len at `scale` times the side, and by how much there are more matrices."""
    positions = _positions(stage, joint)
    if positions is None:
        # Frames stand along the sequence, positions in the batch; a text's own length stays.
        return stage.q_len * stage.kv_len, scale**2 if stage.axis == "temporal" else 1.0
    q = _whole(positions * scale**2)
    if q is None:
        return None, 1.0
    rest = stage.q_len - positions
    if stage.kind == "cross":
        return (q + rest) * stage.kv_len, 1.0
    # Keys beyond the queries (a text that is joined to the keys alone) stay as they are.
    return (q + rest) * (q + rest + stage.kv_len - stage.q_len), 1.0


def _whole(value: float) -> int | None:
    near = round(value)
    return near if near >= 1 and abs(value - near) < _NEAR * max(value, 1.0) else None


def _width(stage: Stage) -> float | None:
    """Bytes that a number of one head and sequence stands for: heads, batch and dtype."""
    if stage.real_bytes is None or not stage.one_head_bytes:
        return None
    return paper.BYTES * stage.real_bytes / stage.one_head_bytes


def _sentence(fits: Sequence[GrowthFit], own: Sequence[Stage], joint: TextTokens) -> str:
    of = {name: [one for one in fits if one.of == name] for name in ("bytes", "self_bytes")}
    both, alone = of["bytes"], of["self_bytes"]
    if not both:
        return "One size alone: there is nothing to fit."
    parts = [f"{_power(one)} over {_range(one)}" for one in both]
    text = f"Score matrices of a step grow with the image's side to the power {' and '.join(parts)}"
    text_tokens = max(
        (
            joint.get((stage.component, stage.q_len), stage.kv_len - stage.q_len)
            for stage in own
            if stage.kind == "joint"
        ),
        default=0,
    )
    if text_tokens:
        return (
            f"{text}. Each sequence has {text_tokens:,} tokens of a text, which stay as many: the "
            "larger the image, the less they count, and the exponent nears 4."
        )
    if not alone or abs((alone[0].exponent or 0) - (both[0].exponent or 0)) < _SHOWN:
        return text + "."
    text += f"; self attention alone to the power {_power(alone[0])}"
    tokens = max((stage.kv_len for stage in own if stage.kind == "cross"), default=0)
    return (
        f"{text}. They differ since a matrix of cross attention has {tokens:,} columns whatever "
        "the size and grows with the square of the side: it weighs in small images, and the "
        "exponent nears 4 as they grow."
    )


def _power(one: GrowthFit) -> str:
    return f"{one.exponent:.2f}"


def _range(one: GrowthFit) -> str:
    unit = "px" if one.unit == "px" else "positions a side"
    return f"{one.from_size:g}–{one.to_size:g} {unit}"
