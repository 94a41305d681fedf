"""The paper's formula, against sums by hand."""

from __future__ import annotations

import pytest

from genscope.analysis.memory import paper
from genscope.analysis.memory.paper import Unet
from genscope.analysis.memory.results import PaperParameters

SD = (4096, 1024, 256, 64)


def test_a_pair_of_calls_at_the_largest_resolution() -> None:
    assert paper.call_bytes(64 * 64, 77) == 2 * 64 * 64 * (64 * 64 + 77) == 34_185_216


def test_the_unet_of_stable_diffusion_at_512_px() -> None:
    upper = sum(length * (length + 77) for length in SD[:3])
    assert 2 * (2 * upper + 64 * (64 + 77)) == 73_239_168
    assert paper.unet_bytes(4096, 77, depth=3, d=2.0) == 73_239_168


@pytest.mark.parametrize("d", [2.0, 4.0])
def test_without_a_text_only_squares_are_left(d: float) -> None:
    area = 4096 / d**2
    assert paper.unet_bytes(4096, 0, depth=1, d=d) == 2 * (2 * 4096**2 + area**2)


def test_parameters_come_from_lengths() -> None:
    found = paper.parameters(Unet(SD, 77))
    assert isinstance(found, PaperParameters)
    assert (found.positions, found.latent_side, found.depth, found.d) == (4096, 64, 3, 2.0)
    # 48 x 64 positions: no square, though its stages shrink alike.
    found = paper.parameters(Unet((3072, 768), 77))
    assert isinstance(found, PaperParameters)
    assert (found.positions, found.latent_side, found.depth) == (3072, None, 1)


@pytest.mark.parametrize(
    ("lengths", "reason"),
    [
        ((), "no self attention along the positions"),
        ((4096,), "one length"),
        ((4096, 1024, 512), "do not shrink by one ratio"),
    ],
)
def test_what_is_no_unet_says_why(lengths: tuple[int, ...], reason: str) -> None:
    found = paper.parameters(Unet(lengths, 77))
    assert isinstance(found, str) and reason in found
