"""Stable Diffusion v1 and XL as whole pipelines, from a prompt to pixels.

Heights and widths differ, so that each resolution, the text and the heads have lengths of their
own. Guidance makes a batch of two wherever a denoiser runs.
"""

from __future__ import annotations

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel

from tests.collectors.models.expect import Built, Call, Case, seeded, stepwise
from tests.collectors.models.parts import (
    STEPS,
    autoencoder,
    blocks,
    clip_calls,
    ddim,
    decoded,
    quiet,
)
from tests.collectors.models.text import PROMPT, clip_text, clip_tokenizer

# Stable Diffusion v1: 128 by 192 pixels, 16 by 24 latents, and 13 tokens.


def _build_sd1() -> Built:
    torch.manual_seed(0)
    tokenizer = clip_tokenizer(13)
    unet = UNet2DConditionModel(
        block_out_channels=(16, 24, 48, 48),
        layers_per_block=2,
        down_block_types=(*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
        up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
        # In diffusers this argument is the number of heads, for this model.
        attention_head_dim=(2, 3, 4, 6),
        cross_attention_dim=40,
        norm_num_groups=8,
    )
    pipe = StableDiffusionPipeline(
        vae=autoencoder((8, 8, 16, 16)),
        text_encoder=clip_text(tokenizer, layers=2, width=40, heads=5),
        tokenizer=tokenizer,
        unet=unet.eval(),
        scheduler=ddim(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    quiet(pipe)

    def run() -> torch.Tensor:
        image: torch.Tensor = pipe(
            PROMPT,
            height=128,
            width=192,
            num_inference_steps=STEPS,
            output_type="pt",
            generator=seeded(),
        ).images
        return image

    return Built(pipe, run)


_SD1_LEVELS: dict[int, dict[str, int]] = {
    0: {"q": 384, "heads": 2, "width": 8},
    1: {"q": 96, "heads": 3, "width": 8},
    2: {"q": 24, "heads": 4, "width": 12},
    3: {"q": 6, "heads": 6, "width": 8},
}
_SD1_PLACES = (
    *((f"down_blocks.{level}", range(2), level) for level in (0, 1, 2)),
    ("mid_block", range(1), 3),
    *((f"up_blocks.{block}", range(3), 3 - block) for block in (1, 2, 3)),
)


def _sd1_calls() -> list[Call]:
    # The prompt, then the empty one that guidance leads away from.
    text = 2 * clip_calls("text_encoder", layers=2, heads=5, length=13, width=8)
    step = [
        call
        for place, attentions, level in _SD1_PLACES
        for index in attentions
        for call in blocks(f"{place}.attentions.{index}", 1, text=13, **_SD1_LEVELS[level])
    ]
    return [*text, *stepwise(step, STEPS), decoded(384, 16)]


# SDXL: 32 by 48 pixels, 16 by 24 latents, attention at the two lower of three resolutions.


def _build_sdxl() -> Built:
    torch.manual_seed(0)
    tokenizer = clip_tokenizer(11)
    unet = UNet2DConditionModel(
        block_out_channels=(16, 32, 48),
        layers_per_block=2,
        down_block_types=("DownBlock2D", *("CrossAttnDownBlock2D",) * 2),
        up_block_types=(*("CrossAttnUpBlock2D",) * 2, "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 3),
        attention_head_dim=(2, 4, 3),
        cross_attention_dim=24 + 20,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        # Six numbers of the image's size and crop, and the pooled text.
        projection_class_embeddings_input_dim=6 * 8 + 28,
        norm_num_groups=8,
    )
    pipe = StableDiffusionXLPipeline(
        vae=autoencoder((8, 16)),
        text_encoder=clip_text(tokenizer, layers=2, width=24, heads=3),
        text_encoder_2=clip_text(tokenizer, layers=3, width=20, heads=2, projected=28),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet.eval(),
        scheduler=ddim(),
        add_watermarker=False,
    )
    quiet(pipe)

    def run() -> torch.Tensor:
        image: torch.Tensor = pipe(
            PROMPT,
            negative_prompt="a dog",
            height=32,
            width=48,
            num_inference_steps=STEPS,
            output_type="pt",
            generator=seeded(),
        ).images
        return image

    return Built(pipe, run)


def _sdxl_calls() -> list[Call]:
    texts = [
        *clip_calls("text_encoder", layers=2, heads=3, length=11, width=8),
        *clip_calls("text_encoder_2", layers=3, heads=2, length=11, width=10),
    ]
    middle = {"q": 96, "heads": 4, "width": 8}
    low = {"q": 24, "heads": 3, "width": 16}
    places = (
        *((f"down_blocks.1.attentions.{index}", 2, middle) for index in range(2)),
        *((f"down_blocks.2.attentions.{index}", 3, low) for index in range(2)),
        ("mid_block.attentions.0", 3, low),
        *((f"up_blocks.0.attentions.{index}", 3, low) for index in range(3)),
        *((f"up_blocks.1.attentions.{index}", 2, middle) for index in range(3)),
    )
    step = [
        call for place, depth, sizes in places for call in blocks(place, depth, text=11, **sizes)
    ]
    return [*texts, *texts, *stepwise(step, STEPS), decoded(384, 16)]


CASES = (
    Case("stable_diffusion_v1", _build_sd1, _sd1_calls),
    Case("stable_diffusion_xl", _build_sdxl, _sdxl_calls),
)
