"""Video models of diffusers that are UNets: attention over positions, then over frames.

Frames, heights and widths differ, but for one case in which there are as many frames as positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from diffusers import (
    AutoencoderKLTemporalDecoder,
    EulerDiscreteScheduler,
    StableVideoDiffusionPipeline,
    TextToVideoSDPipeline,
    UNet3DConditionModel,
    UNetMotionModel,
    UNetSpatioTemporalConditionModel,
)
from PIL import Image
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from tests.collectors.models.expect import Built, Call, Case, randn, seeded, stepwise
from tests.collectors.models.parts import (
    STEPS,
    autoencoder,
    blocks,
    clip_calls,
    ddim,
    decoded,
    denoised,
    quiet,
)
from tests.collectors.models.text import PROMPT, clip_text, clip_tokenizer

TEXT = 13


def temporal(
    place: str,
    names: Sequence[str] = ("attn1", "attn2"),
    *,
    positions: int,
    frames: int,
    heads: int,
    width: int,
) -> list[Call]:
    """Attention over frames, with guidance and all positions as its batch."""
    return [
        Call(
            "unet",
            f"{place}.transformer_blocks.0.{name}",
            "self",
            "temporal",
            2 * positions,
            heads,
            frames,
            frames,
            width,
        )
        for name in names
    ]


# UNet3D: attention at the resolution of the latents and, in the middle, at half of it.


def _build_unet3d(*, frames: int, height: int, width: int) -> Built:
    torch.manual_seed(0)
    tokenizer = clip_tokenizer(TEXT)
    unet = UNet3DConditionModel(
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
        cross_attention_dim=24,
        # The outermost transformer has 8 heads of this width, the others what their channels give.
        attention_head_dim=8,
        norm_num_groups=8,
    )
    pipe = TextToVideoSDPipeline(
        vae=autoencoder((8, 16)),
        text_encoder=clip_text(tokenizer, layers=2, width=24, heads=3),
        tokenizer=tokenizer,
        unet=unet.eval(),
        scheduler=ddim(),
    )
    quiet(pipe)

    def run() -> torch.Tensor:
        video: torch.Tensor = pipe(
            PROMPT,
            num_frames=frames,
            height=height,
            width=width,
            num_inference_steps=STEPS,
            output_type="pt",
            generator=seeded(),
        ).frames
        return video

    return Built(pipe, run)


def _unet3d_calls(*, frames: int, high: int, low: int) -> list[Call]:
    """`high` and `low` are the positions at the two resolutions."""
    text = 2 * clip_calls("text_encoder", layers=2, heads=3, length=TEXT, width=8)

    def pair(place: str, index: int, q: int, heads: int) -> list[Call]:
        return [
            *blocks(
                f"{place}.attentions.{index}",
                1,
                heads=heads,
                q=q,
                text=TEXT,
                width=8,
                batch=2 * frames,
            ),
            *temporal(
                f"{place}.temp_attentions.{index}",
                positions=q,
                frames=frames,
                heads=heads,
                width=8,
            ),
        ]

    step = [
        *temporal("transformer_in", positions=high, frames=frames, heads=8, width=8),
        *pair("down_blocks.0", 0, high, 2),
        *pair("mid_block", 0, low, 4),
        *pair("up_blocks.1", 0, high, 2),
        *pair("up_blocks.1", 1, high, 2),
    ]
    return [*text, *stepwise(step, STEPS), decoded(high, 16, batch=frames)]


# AnimateDiff: a motion module after every block, also where there is no spatial attention.


def _build_motion() -> Built:
    torch.manual_seed(0)
    unet = UNetMotionModel(
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
        up_block_types=("UpBlockMotion", "CrossAttnUpBlockMotion"),
        cross_attention_dim=24,
        num_attention_heads=2,
        motion_num_attention_heads=4,
        norm_num_groups=8,
    ).eval()
    # The pipeline hands over one copy of the text for each frame.
    text = randn(2 * 7, TEXT, 24)
    run = denoised(unet, randn(2, 4, 7, 8, 12), encoder_hidden_states=text)
    return Built(unet, run)


def _motion_calls() -> list[Call]:
    def motion(place: str, positions: int, width: int) -> list[Call]:
        return temporal(place, positions=positions, frames=7, heads=4, width=width)

    def spatial(place: str, q: int, width: int) -> list[Call]:
        return blocks(place, 1, heads=2, q=q, text=TEXT, width=width, batch=2 * 7)

    step = [
        *spatial("down_blocks.0.attentions.0", 96, 8),
        *motion("down_blocks.0.motion_modules.0", 96, 4),
        *motion("down_blocks.1.motion_modules.0", 24, 8),
        *spatial("mid_block.attentions.0", 24, 16),
        *motion("mid_block.motion_modules.0", 24, 8),
        *motion("up_blocks.0.motion_modules.0", 24, 8),
        *motion("up_blocks.0.motion_modules.1", 24, 8),
        *spatial("up_blocks.1.attentions.0", 96, 8),
        *motion("up_blocks.1.motion_modules.0", 96, 4),
        *spatial("up_blocks.1.attentions.1", 96, 8),
        *motion("up_blocks.1.motion_modules.1", 96, 4),
    ]
    return stepwise(step, STEPS)


# Stable Video Diffusion: from an image, 5 frames of 24 by 40 pixels, 12 by 20 latents.


def _build_svd() -> Built:
    torch.manual_seed(0)
    unet = UNetSpatioTemporalConditionModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        cross_attention_dim=20,
        num_attention_heads=(2, 4),
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=24,
        num_frames=5,
    )
    vae = AutoencoderKLTemporalDecoder(
        block_out_channels=(32, 64),
        down_block_types=("DownEncoderBlock2D",) * 2,
        # Its middle has attention only from the second layer on.
        layers_per_block=2,
    )
    vision = CLIPVisionConfig(
        hidden_size=24,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=3,
        # What the pipeline resizes to; 4 by 4 patches and the class token.
        image_size=224,
        patch_size=56,
        projection_dim=20,
    )
    pipe = StableVideoDiffusionPipeline(
        vae=vae.eval(),
        image_encoder=CLIPVisionModelWithProjection(vision).eval(),
        unet=unet.eval(),
        scheduler=EulerDiscreteScheduler(prediction_type="v_prediction"),
        feature_extractor=CLIPImageProcessor(),
    )
    quiet(pipe)
    image = Image.new("RGB", (40, 24), "teal")

    def run() -> torch.Tensor:
        video: torch.Tensor = pipe(
            image,
            height=24,
            width=40,
            num_frames=5,
            num_inference_steps=STEPS,
            decode_chunk_size=2,
            output_type="pt",
            generator=seeded(),
        ).frames
        return video

    return Built(pipe, run)


def _svd_calls() -> list[Call]:
    def place(path: str, q: int, heads: int) -> list[Call]:
        def call(block: str, name: str, axis: str, batch: int, length: int, kv: int) -> Call:
            kind = "self" if name == "attn1" else "cross"
            return Call(
                "unet", f"{path}.{block}.0.{name}", kind, axis, batch, heads, length, kv, 16
            )

        # What is attended across to is one embedding of the image.
        return [
            call("transformer_blocks", "attn1", "spatial", 2 * 5, q, q),
            call("transformer_blocks", "attn2", "spatial", 2 * 5, q, 1),
            call("temporal_transformer_blocks", "attn1", "temporal", 2 * q, 5, 5),
            call("temporal_transformer_blocks", "attn2", "temporal", 2 * q, 5, 1),
        ]

    vision = [
        Call(
            "image_encoder",
            f"vision_model.encoder.layers.{layer}.self_attn",
            "self",
            "spatial",
            1,
            3,
            17,
            17,
            8,
        )
        for layer in range(2)
    ]
    encoded = Call("vae", "encoder.mid_block.attentions.0", "self", "spatial", 1, 1, 240, 240, 64)
    step = [
        *place("down_blocks.0.attentions.0", 240, 2),
        *place("mid_block.attentions.0", 60, 4),
        *place("up_blocks.1.attentions.0", 240, 2),
        *place("up_blocks.1.attentions.1", 240, 2),
    ]
    chunks = [decoded(240, 64, batch=batch) for batch in (2, 2, 1)]
    return [*vision, encoded, *stepwise(step, STEPS), *chunks]


CASES = (
    Case(
        "unet3d",
        partial(_build_unet3d, frames=5, height=24, width=40),
        partial(_unet3d_calls, frames=5, high=240, low=60),
    ),
    Case(
        "unet3d_as_many_frames_as_positions",
        partial(_build_unet3d, frames=12, height=8, width=24),
        partial(_unet3d_calls, frames=12, high=48, low=12),
    ),
    Case("animatediff_motion_unet", _build_motion, _motion_calls),
    Case("stable_video_diffusion", _build_svd, _svd_calls),
)
