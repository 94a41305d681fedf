"""Stable Diffusion v1, the paper's latent diffusion model (arXiv:2112.10752), by diffusers.

A causal text encoder over 77 tokens, a UNet with self and text attention at three resolutions and
in the middle, under classifier-free guidance (so it sees a batch of 2), and a VAE decoder with one
attention over all latent positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

from genscope.suite.models import parts
from genscope.suite.models.base import Call, Components, Model, Pipeline, Scale, Task

_LATENTS = 4
_FACTOR = 8
"""Pixels of a latent position, along each side."""
_DEPTHS = (1, 1, 1, 0)
"""Transformer blocks behind each resnet, by level."""
_BLOCKS = 2


@dataclass(frozen=True, slots=True)
class _Size:
    channels: tuple[int, int, int, int]
    heads: int
    vae: tuple[int, int, int, int]
    text: dict[str, Any]


_SIZES: dict[Scale, _Size] = {
    "tiny": _Size((64, 128, 256, 256), 4, (32, 32, 64, 64), parts.CLIP_TINY),
    "paper": _Size((320, 640, 1280, 1280), 8, (128, 256, 512, 512), parts.CLIP_L),
}


def components(scale: Scale) -> Components:
    """Return text encoder, UNet and VAE."""
    size = _SIZES[scale]
    unet: Any = UNet2DConditionModel(
        sample_size=64,
        in_channels=_LATENTS,
        out_channels=_LATENTS,
        block_out_channels=size.channels,
        layers_per_block=_BLOCKS,
        down_block_types=(*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
        up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
        # In diffusers this argument is the number of heads, for this model.
        attention_head_dim=size.heads,
        cross_attention_dim=size.text["width"],
    )
    return {
        "text_encoder": parts.clip_text(**size.text),
        "unet": unet,
        "vae": parts.autoencoder(size.vae, _LATENTS),
    }


def pipeline(scale: Scale, components: Components) -> Pipeline:
    """Return the pipeline; a run gives an image, (1, 3, image_size, image_size), from 0 to 1."""
    pipe: Any = StableDiffusionPipeline(
        **components,
        tokenizer=None,
        # The noise schedule of v1, with one UNet call a step.
        scheduler=DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            set_alpha_to_one=False,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    encoder: Any = components["text_encoder"]

    def run(task: Task) -> torch.Tensor:
        ids = parts.tokens(2, parts.TEXT_TOKENS, _SIZES[scale].text["vocabulary"], encoder)
        nothing, text = encoder(ids).last_hidden_state.chunk(2)
        image: torch.Tensor = pipe(
            prompt_embeds=text,
            negative_prompt_embeds=nothing,
            height=task.image_size,
            width=task.image_size,
            num_inference_steps=task.steps,
            output_type="pt",
        ).images
        return image

    return Pipeline(pipe, run)


def calls(scale: Scale, task: Task) -> list[Call]:
    """Return the calls of text encoder, each step of the UNet, and VAE."""
    assert task.image_size is not None and task.steps is not None
    side = task.image_size // _FACTOR
    step = parts.unet_calls("unet", side, _DEPTHS, blocks=_BLOCKS, middle=1, text=parts.TEXT_TOKENS)
    return [
        *parts.text_calls("text_encoder", _SIZES[scale].text["layers"], parts.TEXT_TOKENS),
        *step * task.steps,
        Call("vae", "self", "spatial", side**2, side**2),
    ]


def check(scale: Scale, task: Task) -> None:
    """Refuse sizes that the UNet would round."""
    assert task.image_size is not None
    if task.image_size % 64:
        raise ValueError("the image size must be a multiple of 64 pixels")


MODEL = Model(
    components=components,
    pipeline=pipeline,
    tasks={
        "tiny": Task(steps=3, image_size=256, prompt=parts.TEXT_TOKENS),
        "paper": Task(steps=50, image_size=512, prompt=parts.TEXT_TOKENS),
    },
    calls=calls,
    check=check,
)
