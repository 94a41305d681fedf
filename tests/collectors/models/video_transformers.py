"""Video models of diffusers that are transformers: a pipeline, or called as a pipeline would."""

from __future__ import annotations

import torch
from diffusers import (
    AutoencoderKLWan,
    CogVideoXTransformer3DModel,
    FlowMatchEulerDiscreteScheduler,
    LatteTransformer3DModel,
    WanPipeline,
    WanTransformer3DModel,
)

from tests.collectors.models.expect import Built, Call, Case, randn, seeded, stepwise
from tests.collectors.models.parts import STEPS, decoded, denoised, quiet

TEXT = 13

# Latte: 5 frames of 8 by 12 latents in patches of 2 by 2.


def _build_latte() -> Built:
    torch.manual_seed(0)
    transformer = LatteTransformer3DModel(
        num_attention_heads=3,
        attention_head_dim=8,
        in_channels=4,
        out_channels=8,
        num_layers=2,
        cross_attention_dim=24,
        caption_channels=20,
        sample_size=8,
        patch_size=2,
        video_length=5,
        attention_bias=True,
        activation_fn="gelu-approximate",
        num_embeds_ada_norm=1000,
        norm_type="ada_norm_single",
        norm_elementwise_affine=False,
    ).eval()
    run = denoised(transformer, randn(2, 4, 5, 8, 12), encoder_hidden_states=randn(2, TEXT, 20))
    return Built(transformer, run)


def _latte_calls() -> list[Call]:
    step = []
    for layer in range(2):
        spatial, over_time = f"transformer_blocks.{layer}", f"temporal_transformer_blocks.{layer}"
        step += [
            Call("transformer", f"{spatial}.attn1", "self", "spatial", 2 * 5, 3, 24, 24, 8),
            Call("transformer", f"{spatial}.attn2", "cross", "spatial", 2 * 5, 3, 24, TEXT, 8),
            Call("transformer", f"{over_time}.attn1", "self", "temporal", 2 * 24, 3, 5, 5, 8),
        ]
    return stepwise(step, STEPS)


# CogVideoX: 3 latent frames of 8 by 12 in patches of 2 by 2, 72 tokens beside 13 of text.


def _build_cogvideox() -> Built:
    torch.manual_seed(0)
    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=3,
        attention_head_dim=16,
        in_channels=4,
        out_channels=4,
        time_embed_dim=8,
        text_embed_dim=20,
        num_layers=2,
        sample_width=12,
        sample_height=8,
        sample_frames=9,
        patch_size=2,
        temporal_compression_ratio=4,
        max_text_seq_length=TEXT,
    ).eval()
    run = denoised(transformer, randn(2, 3, 4, 8, 12), encoder_hidden_states=randn(2, TEXT, 20))
    return Built(transformer, run)


def _cogvideox_calls() -> list[Call]:
    step = [
        Call(
            "transformer",
            f"transformer_blocks.{block}.attn1",
            "joint",
            "spatiotemporal",
            2,
            3,
            85,
            85,
            16,
        )
        for block in range(2)
    ]
    return stepwise(step, STEPS)


# Wan: 9 frames of 64 by 96 pixels, 3 of 8 by 12 latents, in patches of 1 by 2 by 2.


def _build_wan() -> Built:
    torch.manual_seed(0)
    transformer = WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=3,
        attention_head_dim=16,
        in_channels=4,
        out_channels=4,
        text_dim=20,
        freq_dim=16,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        rope_max_seq_len=32,
    )
    vae = AutoencoderKLWan(
        base_dim=4,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )
    pipe = WanPipeline(
        tokenizer=None,
        text_encoder=None,
        vae=vae.eval(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
        transformer=transformer.eval(),
    )
    quiet(pipe)

    def run() -> torch.Tensor:
        video: torch.Tensor = pipe(
            prompt_embeds=randn(1, TEXT, 20),
            negative_prompt_embeds=randn(1, TEXT, 20, seed=1),
            height=64,
            width=96,
            num_frames=9,
            num_inference_steps=STEPS,
            output_type="pt",
            generator=seeded(),
        ).frames
        return video

    return Built(pipe, run)


def _wan_calls() -> list[Call]:
    once = [
        Call(
            "transformer",
            f"blocks.{block}.{name}",
            kind,
            "spatiotemporal",
            1,
            3,
            72,
            kv,
            16,
        )
        for block in range(2)
        for name, kind, kv in (("attn1", "self", 72), ("attn2", "cross", TEXT))
    ]
    # Guidance is a second call in the same step; the decoder takes one latent frame at a time.
    return [*stepwise([*once, *once], STEPS), *(decoded(96, 4) for _ in range(3))]


CASES = (
    Case("latte", _build_latte, _latte_calls),
    Case("cogvideox", _build_cogvideox, _cogvideox_calls),
    Case("wan", _build_wan, _wan_calls),
)
