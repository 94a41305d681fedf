"""What a model needs at paper scale, and what is said where there is less."""

from __future__ import annotations

import pytest
import torch

from genscope.suite.memory import Need, needed, refusal
from genscope.suite.models.base import Task
from genscope.suite.registry import load

BOTH = ("math", "flash")
GIB = 1 << 30


def at_paper_scale(name: str, *attention: str, **options: int) -> Need:
    model = load(name)
    task = model.tasks["paper"].with_options(Task(**options))
    return needed(model, "paper", task, torch.bfloat16, attention)


def test_unfused_attention_needs_the_scores_of_one_call_and_more() -> None:
    math, flash = (at_paper_scale("phenaki", *names) for names in (BOTH, ("flash",)))
    assert math.weight_bytes == flash.weight_bytes == 2 * math.parameters
    # A batch of 2 under guidance, 32 heads, 1536 tokens, 2 bytes.
    scores = 2 * 32 * 1536**2 * 2
    assert scores < math.result_bytes - flash.result_bytes < 6 * scores
    assert flash.result_bytes < 0.3 * GIB


def test_what_a_decoder_to_pixels_holds_grows_with_the_image() -> None:
    small, usual = (at_paper_scale("stable-diffusion", "flash", image_size=s) for s in (256, 512))
    assert 3 < usual.result_bytes / small.result_bytes < 4.5


def test_counting_leaves_the_generator_alone() -> None:
    before = torch.get_rng_state()
    at_paper_scale("llama2", "flash")
    assert torch.equal(torch.get_rng_state(), before)


NEED = Need(parameters=7_000_000_000, weight_bytes=14 * GIB, result_bytes=40 * GIB)


def test_what_fits_is_not_refused() -> None:
    assert NEED.total_bytes == 60 * GIB
    assert refusal(NEED, torch.bfloat16, BOTH, 60 * GIB) == ""


@pytest.mark.parametrize(
    ("dtype", "attention", "ways"),
    [
        (torch.bfloat16, BOTH, "use --attention flash, a smaller --image-size"),
        (torch.bfloat16, ("flash",), "use a smaller --image-size or fewer --frames, --scale tiny"),
        (torch.float32, BOTH, "use --dtype bfloat16, --attention flash, a smaller --image-size"),
    ],
)
def test_too_small_a_gpu_is_told_with_what_is_needed_and_what_needs_less(
    dtype: torch.dtype, attention: tuple[str, ...], ways: str
) -> None:
    told = refusal(NEED, dtype, attention, 24 * GIB)
    assert "7.0 B parameters" in told
    assert "40 GiB of results" in told
    assert "about 60 GiB of GPU memory, and 24 GiB are free" in told
    assert ways in told
    assert told.endswith("or a larger GPU")
