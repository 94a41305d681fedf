"""Wan 2.1 1.3B (arXiv:2503.20314), a transformer over all positions of all frames, by diffusers.

UMT5 encodes the text, the transformer denoises latents of a causal 3-D VAE, attending to all of
them at once and then to the text, and the VAE decodes. Guidance is a second call in each step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import (
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    WanPipeline,
    WanTransformer3DModel,
)
from transformers import UMT5Config, UMT5EncoderModel

from genscope.suite.models import parts
from genscope.suite.models.base import Call, Components, Model, Pipeline, Scale, Task

_LATENTS = 16
_FACTOR = 8
"""Pixels of a latent position, along each side."""
_FRAMES = 4
"""Frames of a latent one, after the first."""
_PATCH = 2


@dataclass(frozen=True, slots=True)
class _Size:
    layers: int
    heads: int
    head_width: int
    ffn: int
    vae: int
    vae_widths: tuple[int, ...]
    """Of the VAE's levels, over `vae`."""
    vae_blocks: int
    text: dict[str, int]
    prompt: int


_SIZES: dict[Scale, _Size] = {
    "tiny": _Size(3, 4, 24, 256, 8, (1, 1, 2, 2), 1, parts.T5_TINY, 64),
    "paper": _Size(
        30,
        12,
        128,
        8960,
        96,
        (1, 2, 4, 4),
        2,
        {
            "width": 4096,
            "layers": 24,
            "heads": 64,
            "head_width": 64,
            "ffn": 10240,
            "vocabulary": 256384,
        },
        512,
    ),
}


def components(scale: Scale) -> Components:
    """Return text encoder, transformer and VAE."""
    size = _SIZES[scale]
    text: Any = UMT5EncoderModel(
        UMT5Config(
            vocab_size=size.text["vocabulary"],
            d_model=size.text["width"],
            d_kv=size.text["head_width"],
            d_ff=size.text["ffn"],
            num_layers=size.text["layers"],
            num_heads=size.text["heads"],
            feed_forward_proj="gated-gelu",
        )
    )
    transformer: Any = WanTransformer3DModel(
        patch_size=(1, _PATCH, _PATCH),
        num_attention_heads=size.heads,
        attention_head_dim=size.head_width,
        in_channels=_LATENTS,
        out_channels=_LATENTS,
        text_dim=size.text["width"],
        freq_dim=256,
        ffn_dim=size.ffn,
        num_layers=size.layers,
        cross_attn_norm=True,
    )
    vae: Any = AutoencoderKLWan(
        base_dim=size.vae,
        z_dim=_LATENTS,
        dim_mult=list(size.vae_widths),
        num_res_blocks=size.vae_blocks,
    )
    return {"text_encoder": text, "transformer": transformer, "vae": vae}


def pipeline(scale: Scale, components: Components) -> Pipeline:
    """Return the pipeline; a run gives a video, (1, frames, 3, image_size, image_size)."""
    pipe: Any = WanPipeline(
        **components, tokenizer=None, scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0)
    )
    pipe.set_progress_bar_config(disable=True)
    size = _SIZES[scale]
    encoder: Any = components["text_encoder"]

    def run(task: Task) -> torch.Tensor:
        text = encoder(parts.tokens(2, size.prompt, size.text["vocabulary"], encoder))
        nothing, told = text.last_hidden_state.chunk(2)
        video: torch.Tensor = pipe(
            prompt_embeds=told,
            negative_prompt_embeds=nothing,
            height=task.image_size,
            width=task.image_size,
            num_frames=task.frames,
            num_inference_steps=task.steps,
            output_type="pt",
        ).frames
        return video

    return Pipeline(pipe, run)


def calls(scale: Scale, task: Task) -> list[Call]:
    """Return the calls of text encoder, each step of the transformer twice, and VAE."""
    assert task.image_size is not None and task.steps is not None and task.frames is not None
    size = _SIZES[scale]
    frames = (task.frames - 1) // _FRAMES + 1
    latents = (task.image_size // _FACTOR) ** 2
    q = frames * latents // _PATCH**2
    layer = [
        Call("transformer", "self", "spatiotemporal", q, q),
        Call("transformer", "cross", "spatiotemporal", q, size.prompt),
    ]
    return [
        *parts.text_calls("text_encoder", size.text["layers"], size.prompt),
        *layer * size.layers * 2 * task.steps,
        # It takes one latent frame at a time.
        *[Call("vae", "self", "spatial", latents, latents)] * frames,
    ]


def check(scale: Scale, task: Task) -> None:
    """Refuse sizes and numbers of frames that make no whole number of latents."""
    assert task.image_size is not None and task.frames is not None
    if task.image_size % (_FACTOR * _PATCH):
        raise ValueError(f"the image size must be a multiple of {_FACTOR * _PATCH} pixels")
    if task.frames % _FRAMES != 1:
        raise ValueError(f"the frames must be one more than a multiple of {_FRAMES}")


MODEL = Model(
    components=components,
    pipeline=pipeline,
    tasks={
        "tiny": Task(steps=3, image_size=128, frames=9, prompt=_SIZES["tiny"].prompt),
        "paper": Task(steps=50, image_size=624, frames=81, prompt=_SIZES["paper"].prompt),
    },
    calls=calls,
    check=check,
)
