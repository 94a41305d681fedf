"""What several models are made of: text encoders, decoders to pixels, and their attention calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from diffusers import AutoencoderKL, VQModel
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5EncoderModel,
)

from genscope.suite.models.base import Call

TEXT_TOKENS = 77
"""Length of every prompt of CLIP, padded."""


def tokens(batch: int, length: int, vocabulary: int, like: torch.nn.Module) -> torch.Tensor:
    """Return random token ids, int64 of shape (batch, length), none special, where `like` lies."""
    device = next(like.parameters()).device
    return torch.randint(3, vocabulary - 2, (batch, length), device=device)


def clip_text(
    *,
    width: int,
    layers: int,
    heads: int,
    vocabulary: int,
    projection: int | None = None,
    activation: str = "quick_gelu",
) -> Any:
    """Return a CLIP text encoder; with `projection` channels, one that also projects its output."""
    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=TEXT_TOKENS,
        projection_dim=projection or width,
        hidden_act=activation,
        bos_token_id=vocabulary - 2,
        eos_token_id=vocabulary - 1,
        pad_token_id=vocabulary - 1,
    )
    return CLIPTextModelWithProjection(config) if projection else CLIPTextModel(config)


def t5(
    *,
    width: int,
    layers: int,
    heads: int,
    head_width: int,
    ffn: int,
    vocabulary: int,
) -> Any:
    """Return the encoder of T5 v1.1 (gated GELU)."""
    return T5EncoderModel(
        T5Config(
            vocab_size=vocabulary,
            d_model=width,
            d_kv=head_width,
            d_ff=ffn,
            num_layers=layers,
            num_heads=heads,
            feed_forward_proj="gated-gelu",
        )
    )


T5_XXL = {
    "width": 4096,
    "layers": 24,
    "heads": 64,
    "head_width": 64,
    "ffn": 10240,
    "vocabulary": 32128,
}
T5_TINY = {"width": 64, "layers": 2, "heads": 4, "head_width": 16, "ffn": 128, "vocabulary": 512}
CLIP_L: dict[str, Any] = {"width": 768, "layers": 12, "heads": 12, "vocabulary": 49408}
CLIP_TINY: dict[str, Any] = {"width": 64, "layers": 2, "heads": 4, "vocabulary": 512}


def text_calls(component: str, layers: int, length: int) -> list[Call]:
    """Return the calls of a text encoder: one a layer."""
    return [Call(component, "self", "sequence", length, length)] * layers


def autoencoder(channels: Sequence[int], latents: int, **more: Any) -> Any:
    """Return a VAE that halves an image once less than it has levels."""
    return AutoencoderKL(
        latent_channels=latents,
        block_out_channels=tuple(channels),
        layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        force_upcast=False,
        **more,
    )


def vq(channels: Sequence[int], codes: int, code_width: int, *, attention: bool) -> Any:
    """Return a VQ-GAN that halves an image once less than it has levels."""
    return VQModel(
        block_out_channels=tuple(channels),
        layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        latent_channels=code_width,
        num_vq_embeddings=codes,
        lookup_from_codebook=True,
        mid_block_add_attention=attention,
    )


def vq_decoded(vqvae: Any, ids: torch.Tensor) -> torch.Tensor:
    """Decode token ids (batch, side, side); returns (batch, 3, height, width)."""
    shape = (*ids.shape, vqvae.config.latent_channels)
    image: torch.Tensor = vqvae.decode(ids, force_not_quantize=True, shape=shape).sample
    return image


def square(ids: torch.Tensor) -> torch.Tensor:
    """Return ids of shape (batch, side²) as (batch, side, side)."""
    side = round(ids.shape[-1] ** 0.5)
    return ids.reshape(-1, side, side)


def unet_calls(
    component: str,
    side: int,
    depths: Sequence[int],
    *,
    blocks: int,
    middle: int,
    text: int,
) -> list[Call]:
    """Return the calls of one step of a UNet of diffusers with self and text attention.

    Args:
        component: Its name.
        side: Positions along each side of its input.
        depths: Transformer blocks behind each resnet, by level, 0 for none.
        blocks: Resnets of a level on the way down; one more on the way up.
        middle: Transformer blocks in the middle.
        text: Tokens of the text.
    """

    def at(level: int, depth: int) -> list[Call]:
        q = (side >> level) ** 2
        pair = [
            Call(component, "self", "spatial", q, q),
            Call(component, "cross", "spatial", q, text),
        ]
        return pair * depth

    levels = range(len(depths))
    down = [call for level in levels for call in at(level, depths[level]) * blocks]
    up = [call for level in reversed(levels) for call in at(level, depths[level]) * (blocks + 1)]
    return [*down, *at(len(depths) - 1, middle), *up]


def llama(
    *,
    width: int,
    layers: int,
    heads: int,
    kv_heads: int,
    ffn: int,
    vocabulary: int,
    positions: int,
    theta: float = 10000.0,
) -> Any:
    """Return a `LlamaForCausalLM` that never ends a text by itself."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=width,
            intermediate_size=ffn,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=kv_heads,
            max_position_embeddings=positions,
            rope_theta=theta,
            eos_token_id=None,
            attn_implementation="sdpa",
        )
    )


def generated(model: Any, new: int, **inputs: torch.Tensor) -> torch.Tensor:
    """Generate exactly `new` tokens, greedily, with a cache of keys and values."""
    made: torch.Tensor = model.generate(
        **inputs, do_sample=False, max_new_tokens=new, min_new_tokens=new, pad_token_id=0
    )
    return made


def generation_calls(
    component: str,
    layers: int,
    prompt: int,
    new: int,
    axis: Literal["sequence", "spatial"] = "sequence",
) -> list[Call]:
    """Return the calls of a generation: the prompt at once, then a token at a time."""
    prefill = [Call(component, "self", axis, prompt, prompt)] * layers
    decode = [
        Call(component, "self", axis, 1, prompt + step)
        for step in range(1, new)
        for _ in range(layers)
    ]
    return [*prefill, *decode]
