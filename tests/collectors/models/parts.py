"""What several diffusion models are made of, and the attention calls of those parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler

from tests.collectors.models.expect import Call

STEPS = 2
"""Denoising steps of every case."""


def autoencoder(channels: tuple[int, ...], latent_channels: int = 4, **more: Any) -> Any:
    """Return a VAE that halves an image once less than it has levels."""
    return AutoencoderKL(
        block_out_channels=channels,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        latent_channels=latent_channels,
        norm_num_groups=8,
        **more,
    ).eval()


def decoded(q: int, width: int, *, component: str = "vae", batch: int = 1) -> Call:
    """The one attention of a VAE's decoder, over all positions of the latent, in a single head."""
    path = "decoder.mid_block.attentions.0"
    return Call(component, path, "self", "spatial", batch, 1, q, q, width)


def clip_calls(component: str, *, layers: int, heads: int, length: int, width: int) -> list[Call]:
    return [
        Call(
            component,
            f"encoder.layers.{layer}.self_attn",
            "self",
            "sequence",
            1,
            heads,
            length,
            length,
            width,
            causal=True,
        )
        for layer in range(layers)
    ]


def blocks(
    place: str, depth: int, *, heads: int, q: int, text: int, width: int, batch: int = 2
) -> list[Call]:
    """Self and text attention of each transformer block at `place` of a UNet."""
    return [
        Call(
            "unet",
            f"{place}.transformer_blocks.{block}.{name}",
            kind,
            "spatial",
            batch,
            heads,
            q,
            kv,
            width,
        )
        for block in range(depth)
        for name, kind, kv in (("attn1", "self", q), ("attn2", "cross", text))
    ]


def quiet(pipe: Any) -> Any:
    pipe.set_progress_bar_config(disable=True)
    return pipe


def ddim() -> Any:
    return DDIMScheduler(clip_sample=False, steps_offset=1)


def denoised(model: Any, sample: torch.Tensor, **inputs: Any) -> Callable[[], torch.Tensor]:
    """Return a loop of steps around a denoiser that predicts what to take off its sample."""

    def run() -> torch.Tensor:
        hidden = sample
        for timestep in torch.tensor([900, 400]):
            [noise] = model(
                hidden,
                timestep=timestep.expand(len(hidden)),
                return_dict=False,
                **inputs,
            )
            hidden = hidden - 0.5 * noise[:, : hidden.shape[1]]
        return hidden

    return run
