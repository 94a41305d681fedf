"""Other text-to-image models as whole pipelines, from a prompt or its embedding to pixels."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import (
    AmusedPipeline,
    AmusedScheduler,
    DDPMScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    IFPipeline,
    IFSuperResolutionPipeline,
    UNet2DConditionModel,
    UVit2DModel,
    VQModel,
)

from tests.collectors.models.expect import CHAIN, Built, Call, Case, randn, seeded, stepwise
from tests.collectors.models.parts import STEPS, autoencoder, clip_calls, decoded, quiet
from tests.collectors.models.text import (
    PROMPT,
    clip_text,
    clip_tokenizer,
    t5_encoder,
    t5_tokenizer,
)

# DeepFloyd IF: T5 over 77 tokens, 16 by 24 pixels, then 32 by 48.


def _if_unet(channels: tuple[int, ...], *, in_channels: int, head_width: int, **more: Any) -> Any:
    """Return a UNet with attention, joint over image and text, below the full resolution."""
    lower = len(channels) - 1
    return UNet2DConditionModel(
        in_channels=in_channels,
        out_channels=6,
        block_out_channels=channels,
        layers_per_block=1,
        down_block_types=("ResnetDownsampleBlock2D", *("SimpleCrossAttnDownBlock2D",) * lower),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=(*("SimpleCrossAttnUpBlock2D",) * lower, "ResnetUpsampleBlock2D"),
        # Its norm has 32 groups, whatever `norm_num_groups` says.
        cross_attention_dim=32,
        encoder_hid_dim=30,
        attention_head_dim=head_width,
        addition_embed_type="text",
        addition_embed_type_num_heads=5,
        cross_attention_norm="group_norm",
        resnet_time_scale_shift="scale_shift",
        act_fn="gelu",
        norm_num_groups=8,
        **more,
    ).eval()


def _if_scheduler() -> Any:
    return DDPMScheduler(variance_type="learned_range", prediction_type="epsilon")


def _build_if() -> Built:
    torch.manual_seed(0)
    tokenizer = t5_tokenizer()
    common = {
        "safety_checker": None,
        "feature_extractor": None,
        "watermarker": None,
        "requires_safety_checker": False,
    }
    base = IFPipeline(
        tokenizer=tokenizer,
        text_encoder=t5_encoder(tokenizer, layers=2, width=30, heads=4, head_width=6),
        unet=_if_unet((16, 32, 48), in_channels=3, head_width=8),
        scheduler=_if_scheduler(),
        **common,
    )
    larger = IFSuperResolutionPipeline(
        tokenizer=tokenizer,
        text_encoder=None,
        unet=_if_unet((16, 32), in_channels=6, head_width=16, class_embed_type="timestep"),
        scheduler=_if_scheduler(),
        image_noising_scheduler=DDPMScheduler(),
        **common,
    )
    quiet(base)
    quiet(larger)

    def run() -> torch.Tensor:
        prompt, negative = base.encode_prompt(PROMPT)
        options = {
            "prompt_embeds": prompt,
            "negative_prompt_embeds": negative,
            "num_inference_steps": STEPS,
            "output_type": "pt",
            "generator": seeded(),
        }
        small = base(height=16, width=24, **options).images
        image: torch.Tensor = larger(image=small, height=32, width=48, **options).images
        return image

    return Built([base, larger], run)


def _if_step(component: str, places: list[tuple[str, int, int]], width: int) -> list[Call]:
    """One call of a UNet: the text pooled by a query of its mean, then `places`: path, q, heads."""
    pooling = Call(
        component,
        "add_embedding.pool",
        "self",
        "sequence",
        2,
        5,
        1,
        77 + 1,
        6,
        causal=None,
        op=CHAIN,
    )
    joint = [
        Call(component, path, "joint", "spatial", 2, heads, q, 77 + q, width)
        for path, q, heads in places
    ]
    return [pooling, *joint]


def _if_calls() -> list[Call]:
    text = [
        Call(
            "text_encoder",
            f"encoder.block.{layer}.layer.0.SelfAttention",
            "self",
            "sequence",
            1,
            4,
            77,
            77,
            6,
        )
        for layer in range(2)
    ]
    base = [
        ("down_blocks.1.attentions.0", 96, 4),
        ("down_blocks.2.attentions.0", 24, 6),
        ("mid_block.attentions.0", 24, 6),
        ("up_blocks.0.attentions.0", 24, 6),
        ("up_blocks.0.attentions.1", 24, 6),
        ("up_blocks.1.attentions.0", 96, 4),
        ("up_blocks.1.attentions.1", 96, 4),
    ]
    larger = [
        ("down_blocks.1.attentions.0", 384, 2),
        ("mid_block.attentions.0", 384, 2),
        ("up_blocks.0.attentions.0", 384, 2),
        ("up_blocks.0.attentions.1", 384, 2),
    ]
    return [
        *text,
        *text,
        *stepwise(_if_step("unet", base, 8), STEPS),
        *stepwise(_if_step("super_resolution_1", larger, 16), STEPS),
    ]


# aMUSEd: 24 by 32 pixels, 12 by 16 tokens, halved once inside the transformer to 48.


def _build_amused() -> Built:
    torch.manual_seed(0)
    tokenizer = clip_tokenizer(13)
    transformer = UVit2DModel(
        hidden_size=24,
        cond_embed_dim=20,
        micro_cond_encode_dim=2,
        micro_cond_embed_dim=10,
        encoder_hidden_size=16,
        vocab_size=32,
        codebook_size=16,
        in_channels=16,
        block_out_channels=20,
        num_res_blocks=1,
        downsample=True,
        upsample=True,
        block_num_heads=2,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=32,
    )
    vqvae = VQModel(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=16,
        num_vq_embeddings=16,
        norm_num_groups=8,
        lookup_from_codebook=True,
    )
    pipe = AmusedPipeline(
        vqvae=vqvae.eval(),
        tokenizer=tokenizer,
        text_encoder=clip_text(tokenizer, layers=2, width=16, heads=2, projected=20),
        transformer=transformer.eval(),
        scheduler=AmusedScheduler(mask_token_id=31),
    )
    quiet(pipe)

    def run() -> torch.Tensor:
        image: torch.Tensor = pipe(
            PROMPT,
            height=24,
            width=32,
            num_inference_steps=STEPS,
            output_type="pt",
            generator=seeded(),
        ).images
        return image

    return Built(pipe, run)


def _amused_calls() -> list[Call]:
    text = 2 * clip_calls("text_encoder", layers=2, heads=2, length=13, width=8)

    def call(path: str, kind: str, heads: int, width: int) -> Call:
        kv = 48 if kind == "self" else 13
        return Call("transformer", path, kind, "spatial", 2, heads, 48, kv, width)

    def outer(block: str) -> list[Call]:
        # Both of them look at the text.
        return [
            call(f"{block}.attention_blocks.0.{name}", "cross", 2, 10)
            for name in ("attn1", "attn2")
        ]

    inner = [
        call(f"transformer_layers.{layer}.{name}", kind, 4, 6)
        for layer in range(2)
        for name, kind in (("attn1", "self"), ("attn2", "cross"))
    ]
    step = [*outer("down_block"), *inner, *outer("up_block")]
    return [*text, *stepwise(step, STEPS), decoded(192, 16, component="vqvae")]


# Flux: 24 by 40 pixels, 12 by 20 latents, 6 by 10 tokens beside 13 of text; no guidance batch.


def _build_flux() -> Built:
    torch.manual_seed(0)
    transformer = FluxTransformer2DModel(
        in_channels=8,
        num_layers=2,
        num_single_layers=3,
        attention_head_dim=16,
        num_attention_heads=3,
        joint_attention_dim=20,
        pooled_projection_dim=12,
        axes_dims_rope=(4, 6, 6),
    )
    pipe = FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=autoencoder((8, 16), 2, shift_factor=0.1, use_quant_conv=False, scaling_factor=0.4),
        text_encoder=None,
        tokenizer=None,
        text_encoder_2=None,
        tokenizer_2=None,
        transformer=transformer.eval(),
    )
    quiet(pipe)

    def run() -> torch.Tensor:
        image: torch.Tensor = pipe(
            prompt_embeds=randn(1, 13, 20),
            pooled_prompt_embeds=randn(1, 12),
            height=24,
            width=40,
            num_inference_steps=STEPS,
            output_type="pt",
            generator=seeded(),
        ).images
        return image

    return Built(pipe, run)


def _flux_calls() -> list[Call]:
    paths = (
        *(f"transformer_blocks.{block}.attn" for block in range(2)),
        *(f"single_transformer_blocks.{block}.attn" for block in range(3)),
    )
    step = [Call("transformer", path, "joint", "spatial", 1, 3, 73, 73, 16) for path in paths]
    return [*stepwise(step, STEPS), decoded(240, 16)]


CASES = (
    Case("deepfloyd_if", _build_if, _if_calls),
    Case("amused", _build_amused, _amused_calls),
    Case("flux", _build_flux, _flux_calls),
)
