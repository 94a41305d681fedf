"""The paper's model of score-matrix memory (§V-A): fp16, one head, one sequence.

    a call pair    2 · H_L·W_L · (H_L·W_L + text)
    over the UNet  2 · [2 · Σ_{n=0}^{depth-1} A_n·(A_n + text) + A_depth·(A_depth + text)]
                   with A_n = H_L·W_L / d^2n

Each term is one self-attention matrix, A_n·A_n, and one of cross attention, A_n·text; a stage has
two of each, on the way down and on the way up, the deepest one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from genscope.analysis.memory.results import PaperParameters

BYTES = 2
"""Of a number in the paper's convention."""

_SQUARES_APART = 1e-9


@dataclass(frozen=True, slots=True)
class Unet:
    """Lengths of attention among an image's positions, largest first, and the text's keys."""

    lengths: tuple[int, ...]
    text: int


def call_bytes(positions: int, text: int) -> int:
    """Bytes of one self and one cross attention at `positions`, as the paper has it."""
    return BYTES * positions * (positions + text)


def area(positions: int, d: float, level: int) -> Fraction:
    """A_n: positions at a stage."""
    return Fraction(positions) / Fraction(d).limit_denominator(1000) ** (2 * level)


def calls_at(level: int, depth: int) -> int:
    """How often the formula counts a stage."""
    return 1 if level == depth else 2


def unet_bytes(positions: int, text: int, depth: int, d: float) -> int:
    """Bytes over the UNet, as the paper has it."""
    areas = [area(positions, d, level) for level in range(depth + 1)]
    terms = [calls_at(level, depth) * size * (size + text) for level, size in enumerate(areas)]
    return int(BYTES * sum(terms))


def parameters(unet: Unet) -> PaperParameters | str:
    """Read the formula's parameters off a UNet's lengths; a text says why there are none."""
    lengths = unet.lengths
    if len(lengths) < 2:
        return (
            "its self attention has one length, so there are no stages of a UNet"
            if lengths
            else "it has no self attention along the positions of an image by themselves"
        )
    d = shrinks(lengths)
    if d is None:
        shown = ", ".join(f"{length:,}" for length in lengths[:8])
        return f"its lengths do not shrink by one ratio from stage to stage: {shown}"
    side = math.isqrt(lengths[0])
    return PaperParameters(
        positions=lengths[0],
        latent_side=side if side * side == lengths[0] else None,
        depth=len(lengths) - 1,
        d=d,
        text_tokens=unet.text,
        reason="H_L·W_L is the longest spatial self attention of the denoiser, depth and d come "
        "from the lengths of its stages, text from the keys that are no positions"
        + ("" if unet.text else ", of which there are none"),
    )


def shrinks(lengths: Sequence[int]) -> float | None:
    """By how much a side shrinks from each length to the next; None where that differs."""
    ratios = {before / after for before, after in pairwise(lengths)}
    first = min(ratios)
    if max(ratios) - first > _SQUARES_APART * first:
        return None
    return math.sqrt(first)
