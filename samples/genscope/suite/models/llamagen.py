"""LlamaGen (arXiv:2406.06525): a language model of today's kind that writes image tokens.

T5 encodes the text, whose projected states are the prompt; a decoder-only model of the Llama kind
then generates 16 by 16 tokens with a cache, and a VQ-GAN decodes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from genscope.suite.models import parts
from genscope.suite.models.base import Call, Components, Model, Pipeline, Scale, Task

_PROMPT = 120


@dataclass(frozen=True, slots=True)
class _Size:
    text: dict[str, int]
    model: dict[str, Any]
    code_width: int
    vq: tuple[int, ...]


_MOST = 1024
_SIZES: dict[Scale, _Size] = {
    "tiny": _Size(
        parts.T5_TINY,
        {
            "width": 128,
            "layers": 4,
            "heads": 4,
            "kv_heads": 4,
            "ffn": 512,
            "vocabulary": 512,
            "positions": _PROMPT + _MOST,
        },
        code_width=8,
        vq=(32, 32, 32, 32, 64),
    ),
    "paper": _Size(
        {
            "width": 2048,
            "layers": 24,
            "heads": 32,
            "head_width": 64,
            "ffn": 5120,
            "vocabulary": 32128,
        },
        {
            "width": 1280,
            "layers": 36,
            "heads": 20,
            "kv_heads": 20,
            "ffn": 3584,
            "vocabulary": 16384,
            "positions": _PROMPT + _MOST,
        },
        code_width=8,
        vq=(128, 128, 256, 256, 512),
    ),
}


class Prompt(nn.Sequential):
    """Projects states of the text encoder to the width of the model."""

    def __init__(self, text: int, width: int) -> None:
        super().__init__(
            nn.Linear(text, width), nn.GELU(approximate="tanh"), nn.Linear(width, width)
        )


def components(scale: Scale) -> Components:
    """Return text encoder, projection of the prompt, transformer, and VQ-GAN."""
    size = _SIZES[scale]
    return {
        "text_encoder": parts.t5(**size.text),
        "text_projection": Prompt(size.text["width"], size.model["width"]),
        "transformer": parts.llama(**size.model),
        "vqvae": parts.vq(size.vq, size.model["vocabulary"], size.code_width, attention=True),
    }


def pipeline(scale: Scale, components: Components) -> Pipeline:
    """Return the pipeline; a run gives an image, (1, 3, √tokens·16, √tokens·16)."""
    encoder: Any = components["text_encoder"]
    size = _SIZES[scale]

    def run(task: Task) -> torch.Tensor:
        assert task.prompt is not None and task.tokens is not None
        ids = parts.tokens(1, task.prompt, size.text["vocabulary"], encoder)
        prompt = components["text_projection"](encoder(ids).last_hidden_state)
        mask = torch.ones_like(ids)
        made = parts.generated(
            components["transformer"], task.tokens, inputs_embeds=prompt, attention_mask=mask
        )
        return parts.vq_decoded(components["vqvae"], parts.square(made))

    return Pipeline(components, run)


def calls(scale: Scale, task: Task) -> list[Call]:
    """Return the calls of text encoder, prompt, each further token, and the decoder."""
    assert task.prompt is not None and task.tokens is not None
    size = _SIZES[scale]
    return [
        *parts.text_calls("text_encoder", size.text["layers"], task.prompt),
        *parts.generation_calls("transformer", size.model["layers"], task.prompt, task.tokens),
        Call("vqvae", "self", "spatial", task.tokens, task.tokens),
    ]


def check(scale: Scale, task: Task) -> None:
    """Refuse numbers of tokens that make no square, or are more than there are positions."""
    assert task.prompt is not None and task.tokens is not None
    if round(task.tokens**0.5) ** 2 != task.tokens or task.tokens > _MOST:
        raise ValueError(f"the tokens must be a square number, at most {_MOST}")
    if task.prompt > _PROMPT:
        raise ValueError(f"a prompt has at most {_PROMPT} tokens")


MODEL = Model(
    components=components,
    pipeline=pipeline,
    tasks={
        "tiny": Task(prompt=32, tokens=64),
        "paper": Task(prompt=_PROMPT, tokens=256),
    },
    calls=calls,
    check=check,
)
