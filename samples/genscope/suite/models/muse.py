"""Muse (arXiv:2301.00704): masked transformers that fill in image tokens in parallel.

T5 encodes the text; a base transformer fills 16 by 16 tokens of a VQ-GAN over its steps, a second
one 64 by 64 tokens of a finer VQ-GAN, beside those of the first; the finer VQ-GAN decodes them.
Both transformers see the text by cross attention, the second one also the encoded low-resolution
tokens, and guidance makes their batch 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AmusedScheduler
from torch import nn

from genscope.suite.models import parts
from genscope.suite.models.base import Call, Components, Model, Pipeline, Scale, Task
from genscope.suite.models.layers import Block

_TEXT = 128
_LOW_FACTOR, _HIGH_FACTOR = 32, 8
"""Pixels of the final image behind each token of the base and of the super-resolution model."""
_SR_STEPS = 8
_GUIDANCE = 4.0


@dataclass(frozen=True, slots=True)
class _Stage:
    layers: int
    width: int
    heads: int
    ffn: int
    low_layers: int = 0
    """Layers that encode the low-resolution tokens, of a super-resolution model."""


@dataclass(frozen=True, slots=True)
class _Size:
    text: dict[str, int]
    base: _Stage
    larger: _Stage
    codes: int
    code_width: int
    vq: tuple[int, ...]
    largest: int
    """Most pixels along each side that there are positions for."""


_SIZES: dict[Scale, _Size] = {
    "tiny": _Size(
        parts.T5_TINY,
        _Stage(4, 128, 4, 512),
        _Stage(4, 64, 4, 256, low_layers=2),
        codes=256,
        code_width=32,
        vq=(32, 32, 32, 64),
        largest=512,
    ),
    "paper": _Size(
        parts.T5_XXL,
        _Stage(48, 2048, 16, 8192),
        _Stage(32, 1024, 16, 4096, low_layers=16),
        codes=8192,
        code_width=256,
        vq=(128, 128, 256, 512),
        largest=1024,
    ),
}


class MaskedTransformer(nn.Module):
    """Tells the token at each position of a square, some of which are masked."""

    def __init__(self, stage: _Stage, codes: int, text_width: int, positions: int) -> None:
        super().__init__()
        width = stage.width
        # One more: the mask.
        self.tokens = nn.Embedding(codes + 1, width)
        self.positions = nn.Embedding(positions, width)
        self.text = nn.Linear(text_width, width, bias=False)
        if stage.low_layers:
            self.low_tokens = nn.Embedding(codes, width)
            self.low_layers = nn.ModuleList(
                Block(width, stage.heads, stage.ffn) for _ in range(stage.low_layers)
            )
        self.layers = nn.ModuleList(
            Block(width, stage.heads, stage.ffn, context=width) for _ in range(stage.layers)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, codes, bias=False)

    def forward(
        self, ids: torch.Tensor, text: torch.Tensor, low: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Take ids (batch, side, side), the text and low-resolution ids; return (…, side, side)."""
        context = self.text(text)
        if low is not None:
            encoded = self.low_tokens(low.flatten(1))
            for layer in self.low_layers:
                encoded = layer(encoded)
            context = torch.cat([context, encoded], dim=1)
        side = ids.shape[1]
        places = torch.arange(side**2, device=ids.device)
        hidden = self.tokens(ids.flatten(1)) + self.positions(places)
        for layer in self.layers:
            hidden = layer(hidden, context)
        logits: torch.Tensor = self.head(self.norm(hidden)).transpose(1, 2)
        return logits.reshape(*logits.shape[:2], side, side)


def fill(
    model: nn.Module,
    scheduler: Any,
    side: int,
    steps: int,
    text: torch.Tensor,
    low: torch.Tensor | None = None,
) -> torch.Tensor:
    """Decode in parallel: fill in all tokens, and mask the least sure again, fewer each step.

    Args:
        model: A `MaskedTransformer`.
        scheduler: Which says what stays.
        side: Tokens along each side.
        steps: Calls of the model.
        text: What the encoder made of no text and of the text, (2, length, width).
        low: Ids at the low resolution, (1, side, side).

    Returns:
        Ids, int64 of shape (1, side, side).
    """
    mask = scheduler.config.mask_token_id
    ids = torch.full((1, side, side), mask, device=text.device)
    both = None if low is None else low.expand(2, -1, -1)
    scheduler.set_timesteps(steps, device=text.device)
    for time in scheduler.timesteps:
        without, told = model(ids.expand(2, -1, -1), text, both).float().chunk(2)
        logits = without + _GUIDANCE * (told - without)
        ids = scheduler.step(logits, time, ids).prev_sample
    return ids


def components(scale: Scale) -> Components:
    """Return text encoder, both transformers, and the finer VQ-GAN."""
    size = _SIZES[scale]
    width = size.text["width"]

    def transformer(stage: _Stage, factor: int) -> nn.Module:
        return MaskedTransformer(stage, size.codes, width, (size.largest // factor) ** 2)

    return {
        "text_encoder": parts.t5(**size.text),
        "transformer": transformer(size.base, _LOW_FACTOR),
        "super_resolution_1": transformer(size.larger, _HIGH_FACTOR),
        "vqvae": parts.vq(size.vq, size.codes, size.code_width, attention=False),
    }


def pipeline(scale: Scale, components: Components) -> Pipeline:
    """Return the pipeline; a run gives an image, (1, 3, image_size, image_size)."""
    size = _SIZES[scale]
    encoder: Any = components["text_encoder"]
    # It holds no weights: one serves both transformers.
    scheduler: Any = AmusedScheduler(mask_token_id=size.codes)

    def run(task: Task) -> torch.Tensor:
        assert task.steps is not None
        low, high = _sides(task)
        ids = parts.tokens(2, _TEXT, size.text["vocabulary"], encoder)
        text = encoder(ids).last_hidden_state
        small = fill(components["transformer"], scheduler, low, task.steps, text)
        steps = task.share(_SR_STEPS, _TASKS["paper"])
        large = fill(components["super_resolution_1"], scheduler, high, steps, text, small)
        return parts.vq_decoded(components["vqvae"], large)

    return Pipeline({**components, "scheduler": scheduler}, run)


def calls(scale: Scale, task: Task) -> list[Call]:
    """Return the calls of text encoder, base and super-resolution steps; the decoder has none."""
    assert task.steps is not None
    size = _SIZES[scale]
    low, high = (side**2 for side in _sides(task))

    def self_and_cross(name: str, q: int, kv: int, layers: int) -> list[Call]:
        pair = [Call(name, "self", "spatial", q, q), Call(name, "cross", "spatial", q, kv)]
        return pair * layers

    larger = "super_resolution_1"
    return [
        *parts.text_calls("text_encoder", size.text["layers"], _TEXT),
        *self_and_cross("transformer", low, _TEXT, size.base.layers) * task.steps,
        *[
            *[Call(larger, "self", "spatial", low, low)] * size.larger.low_layers,
            *self_and_cross(larger, high, _TEXT + low, size.larger.layers),
        ]
        * task.share(_SR_STEPS, _TASKS["paper"]),
    ]


def check(scale: Scale, task: Task) -> None:
    """Refuse sizes that are no whole number of tokens, or more than there are positions."""
    assert task.image_size is not None
    largest = _SIZES[scale].largest
    if task.image_size % _LOW_FACTOR or task.image_size > largest:
        raise ValueError(
            f"the image size must be a multiple of {_LOW_FACTOR} pixels, at most {largest}"
        )


def _sides(task: Task) -> tuple[int, int]:
    """Return how many tokens there are along each side, of both transformers."""
    assert task.image_size is not None
    return task.image_size // _LOW_FACTOR, task.image_size // _HIGH_FACTOR


_TASKS: dict[Scale, Task] = {
    "tiny": Task(steps=6, image_size=256, prompt=_TEXT),
    "paper": Task(steps=24, image_size=512, prompt=_TEXT),
}

MODEL = Model(components, pipeline, _TASKS, calls, check)
