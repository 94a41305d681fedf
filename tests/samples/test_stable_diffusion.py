from __future__ import annotations

from typing import Any

import pytest
import torch

from genscope.collect.switch import attention
from genscope.suite import stable_diffusion as sd
from tests.samples.profiling import OPS, observe

SIZE = sd.StableDiffusionSize(
    image_px=128,
    steps=2,
    unet_channels=(32, 32, 64, 64),
    unet_heads=2,
    vae_channels=(32, 32, 32, 32),
    text_layers=2,
    text_width=32,
    text_heads=2,
)

# Queries of one UNet call on 16 x 16 latents. Two blocks a resolution on the way down, one in the
# middle at 2 x 2, three a resolution on the way up; each attends to itself, then to the text.
UNET_LENGTHS = [256, 256, 64, 64, 16, 16, 4, 16, 16, 16, 64, 64, 64, 256, 256, 256]
# The prompt and the empty prompt of classifier-free guidance are encoded one after the other.
TEXT_PASSES = 2


@pytest.fixture(scope="module")
def pipe() -> Any:
    return sd.build(SIZE)


def image(pipe: Any, name: str) -> torch.Tensor:
    with attention(name, pipe, strict=True):
        return sd.run(pipe, SIZE)


def test_image_has_the_documented_shape_and_range(pipe: Any) -> None:
    made = sd.run(pipe, SIZE)
    assert made.shape == (1, 3, 128, 128)
    assert made.dtype == torch.float32
    assert 0 <= made.min() < made.max() <= 1


def test_same_seed_gives_the_same_image(pipe: Any) -> None:
    assert torch.equal(sd.run(sd.build(SIZE), SIZE), sd.run(pipe, SIZE))
    assert not torch.equal(sd.run(pipe, SIZE, seed=1), sd.run(pipe, SIZE))


def test_building_leaves_the_random_generator_alone() -> None:
    before = torch.get_rng_state()
    sd.build(SIZE)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_prompt_reaches_the_image(pipe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sd.run(pipe, SIZE)
    monkeypatch.setattr(sd, "PROMPT", "two llamas 42")
    assert not torch.equal(sd.run(pipe, SIZE), first)


def test_tokenizer_knows_every_letter_of_the_prompt(pipe: Any) -> None:
    ids = pipe.tokenizer(sd.PROMPT, padding="max_length").input_ids
    letters = sum(len(word) for word in sd.PROMPT.split())
    start, end = pipe.tokenizer.bos_token_id, pipe.tokenizer.eos_token_id
    assert len(ids) == 77
    assert ids[0] == start
    assert ids.index(end) == letters + 1


@pytest.mark.parametrize("name", OPS)
def test_attention_calls_are_those_counted_by_hand(pipe: Any, name: str) -> None:
    seen = observe(name, lambda: sd.run(pipe, SIZE))
    lengths = [(query[2], key[2]) for query, key in seen.calls]

    text = [(77, 77)] * (TEXT_PASSES * SIZE.text_layers)
    step = [pair for n in UNET_LENGTHS for pair in ((n, n), (n, 77))]
    vae = [(256, 256)]
    assert lengths == text + step * SIZE.steps + vae

    for other, op in OPS.items():
        assert seen.ops[op] == (len(lengths) if other == name else 0)


def test_guidance_doubles_the_batch_of_the_unet_alone(pipe: Any) -> None:
    seen = observe("flash", lambda: sd.run(pipe, SIZE, steps=1))
    batches = [query[0] for query, _ in seen.calls]
    assert batches == [1] * 4 + [2] * 32 + [1]


@pytest.mark.parametrize("name", ["flash", "eager"])
def test_all_implementations_draw_the_same_image(pipe: Any, name: str) -> None:
    # The text encoder of this pipeline is from transformers, the rest from diffusers.
    torch.testing.assert_close(image(pipe, name), image(pipe, "math"), atol=1e-3, rtol=1e-3)
