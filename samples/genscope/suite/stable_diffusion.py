"""Stable Diffusion v1 in small: the whole diffusers pipeline, from a prompt to an image.

Stages and attention kinds are those of v1: a causal text encoder over 77 tokens, a UNet with self
and text attention at three resolutions and in the middle, classifier-free guidance (so the UNet
sees a batch of 2), and a VAE decoder with one attention over all latent positions.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase, digits
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

PROMPT = "a photograph of an astronaut riding a horse"
TEXT_TOKENS = 77
LATENT_CHANNELS = 4
VAE_FACTOR = 8
"""Image pixels a latent position, along each side."""

_START, _END = "<|startoftext|>", "<|endoftext|>"


@dataclass(frozen=True, slots=True)
class StableDiffusionSize:
    """How large the pipeline is. The defaults take a second or two on one CPU core."""

    image_px: int = 256
    """Side of the square image, a multiple of 64."""
    steps: int = 3
    """Denoising steps, each one call of the UNet."""
    unet_channels: tuple[int, int, int, int] = (64, 128, 256, 256)
    """Channels from the latent's resolution down; multiples of 32 and of `unet_heads`."""
    unet_heads: int = 4
    vae_channels: tuple[int, int, int, int] = (32, 32, 64, 64)
    """Channels from the image's resolution down; multiples of 32."""
    text_layers: int = 4
    text_width: int = 64
    text_heads: int = 4


def build(size: StableDiffusionSize, *, seed: int = 0) -> Any:
    """Return a `StableDiffusionPipeline` of this size on the CPU, in eval mode, float32.

    The weights are random, from `seed`; torch's global generator is left as it was.
    """
    tokenizer = _tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pipe: Any = StableDiffusionPipeline(
            vae=_vae(size).eval(),
            text_encoder=_text_encoder(size, tokenizer).eval(),
            tokenizer=tokenizer,
            unet=_unet(size).eval(),
            scheduler=_scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def run(
    pipe: Any, size: StableDiffusionSize, *, steps: int | None = None, seed: int = 0
) -> torch.Tensor:
    """Draw one image for `PROMPT`: text encoder, denoising steps, VAE decoder.

    `steps` takes the place of `size.steps`, for a shorter warm-up.

    Returns:
        The image, float32 of shape (1, 3, image_px, image_px), values from 0 to 1.
    """
    with torch.inference_mode():
        image: torch.Tensor = pipe(
            PROMPT,
            height=size.image_px,
            width=size.image_px,
            num_inference_steps=size.steps if steps is None else steps,
            output_type="pt",
            generator=torch.Generator().manual_seed(seed),
        ).images
    return image


def parameters(pipe: Any) -> int:
    """Return the number of weights, over all components."""
    modules: Sequence[torch.nn.Module] = (pipe.text_encoder, pipe.unet, pipe.vae)
    return sum(weight.numel() for module in modules for weight in module.parameters())


def _tokenizer() -> Any:
    """Return a CLIP tokenizer that knows letters and digits alone, so it needs no download."""
    letters = ascii_lowercase + digits
    # CLIP marks the last piece of a word.
    pieces = [*letters, *(letter + "</w>" for letter in letters), _START, _END]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    with tempfile.TemporaryDirectory(prefix="genscope-") as folder:
        vocab, merges = Path(folder, "vocab.json"), Path(folder, "merges.txt")
        vocab.write_text(json.dumps(vocabulary), encoding="utf-8")
        merges.write_text("#version: 0.2\n", encoding="utf-8")
        return CLIPTokenizer(str(vocab), str(merges), model_max_length=TEXT_TOKENS)


def _text_encoder(size: StableDiffusionSize, tokenizer: Any) -> Any:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=size.text_width,
            intermediate_size=4 * size.text_width,
            num_hidden_layers=size.text_layers,
            num_attention_heads=size.text_heads,
            max_position_embeddings=TEXT_TOKENS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _unet(size: StableDiffusionSize) -> Any:
    return UNet2DConditionModel(
        sample_size=size.image_px // VAE_FACTOR,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=size.unet_channels,
        layers_per_block=2,
        down_block_types=(*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
        up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
        # In diffusers this argument is the number of heads, for this model.
        attention_head_dim=size.unet_heads,
        cross_attention_dim=size.text_width,
    )


def _vae(size: StableDiffusionSize) -> Any:
    return AutoencoderKL(
        sample_size=size.image_px,
        latent_channels=LATENT_CHANNELS,
        block_out_channels=size.vae_channels,
        layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    )


def _scheduler() -> Any:
    """Return DDIM with the noise schedule of v1: one UNet call a step."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
