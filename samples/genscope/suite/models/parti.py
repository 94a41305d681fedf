"""Parti 20B (arXiv:2206.10789): image tokens one after another, by an encoder-decoder.

Bart of transformers stands for the encoder-decoder, at Parti's sizes; 32 by 32 tokens are
generated with a cache, and a transformer over them, the decoder of ViT-VQGAN, gives the pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from transformers import BartConfig, BartForConditionalGeneration

from genscope.suite.models import parts
from genscope.suite.models.base import Call, Components, Model, Pipeline, Scale, Task
from genscope.suite.models.layers import Block

_PATCH = 8
"""Pixels of a token, along each side."""


@dataclass(frozen=True, slots=True)
class _Size:
    width: int
    encoder: int
    decoder: int
    heads: int
    ffn: int
    vocabulary: int
    pixel_width: int
    pixel_layers: int
    pixel_heads: int


_SIZES: dict[Scale, _Size] = {
    "tiny": _Size(128, 2, 6, 4, 512, 512, 64, 2, 4),
    "paper": _Size(4096, 16, 64, 64, 16384, 8192, 1280, 32, 16),
}
_PROMPT = 128
_MOST = 1024


class Detokenizer(nn.Module):
    """The decoder of ViT-VQGAN: tokens of a square to its pixels."""

    def __init__(self, codes: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.codes = nn.Embedding(codes, 32)
        self.enter = nn.Linear(32, width)
        self.positions = nn.Embedding(_MOST, width)
        self.layers = nn.ModuleList(Block(width, heads, 4 * width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.pixels = nn.Linear(width, 3 * _PATCH**2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Take ids (batch, side, side); return an image (batch, 3, side·8, side·8)."""
        side = ids.shape[-1]
        places = torch.arange(side**2, device=ids.device)
        hidden = self.enter(self.codes(ids.flatten(1))) + self.positions(places)
        for layer in self.layers:
            hidden = layer(hidden)
        patches = self.pixels(self.norm(hidden)).transpose(1, 2)
        return F.pixel_shuffle(patches.unflatten(-1, (side, side)), _PATCH)


def components(scale: Scale) -> Components:
    """Return the encoder, the whole encoder-decoder, and the detokenizer."""
    size = _SIZES[scale]
    model: Any = BartForConditionalGeneration(
        BartConfig(
            vocab_size=size.vocabulary,
            d_model=size.width,
            encoder_layers=size.encoder,
            decoder_layers=size.decoder,
            encoder_attention_heads=size.heads,
            decoder_attention_heads=size.heads,
            encoder_ffn_dim=size.ffn,
            decoder_ffn_dim=size.ffn,
            max_position_embeddings=_MOST + 2,
            eos_token_id=None,
            forced_eos_token_id=None,
            attn_implementation="sdpa",
        )
    )
    return {
        "text_encoder": model.model.encoder,
        "decoder": model,
        "detokenizer": Detokenizer(
            size.vocabulary, size.pixel_width, size.pixel_layers, size.pixel_heads
        ),
    }


def pipeline(scale: Scale, components: Components) -> Pipeline:
    """Return the pipeline; a run gives an image, (1, 3, √tokens·8, √tokens·8)."""
    model: Any = components["decoder"]

    def run(task: Task) -> torch.Tensor:
        assert task.prompt is not None and task.tokens is not None
        ids = parts.tokens(1, task.prompt, _SIZES[scale].vocabulary, model)
        mask = torch.ones_like(ids)
        made = parts.generated(model, task.tokens, input_ids=ids, attention_mask=mask)
        # Without the token that every answer starts with.
        image: torch.Tensor = components["detokenizer"](parts.square(made[:, 1:]))
        return image

    return Pipeline([model, components["detokenizer"]], run)


def calls(scale: Scale, task: Task) -> list[Call]:
    """Return the calls of the encoder, of each token, and of the detokenizer."""
    assert task.prompt is not None and task.tokens is not None
    size = _SIZES[scale]
    return [
        *parts.text_calls("text_encoder", size.encoder, task.prompt),
        *(
            call
            for kept in range(1, task.tokens + 1)
            for _ in range(size.decoder)
            for call in (
                Call("decoder", "self", "sequence", 1, kept),
                Call("decoder", "cross", "sequence", 1, task.prompt),
            )
        ),
        *[Call("detokenizer", "self", "spatial", task.tokens, task.tokens)] * size.pixel_layers,
    ]


def check(scale: Scale, task: Task) -> None:
    """Refuse numbers of tokens that make no square, or are more than there are positions."""
    assert task.prompt is not None and task.tokens is not None
    if round(task.tokens**0.5) ** 2 != task.tokens or task.tokens > _MOST:
        raise ValueError(f"the tokens must be a square number, at most {_MOST}")
    if task.prompt > _MOST:
        raise ValueError(f"a prompt has at most {_MOST} tokens")


MODEL = Model(
    components=components,
    pipeline=pipeline,
    tasks={
        "tiny": Task(prompt=32, tokens=64),
        "paper": Task(prompt=_PROMPT, tokens=_MOST),
    },
    calls=calls,
    check=check,
)
