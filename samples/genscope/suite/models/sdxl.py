"""SDXL (arXiv:2307.01952), by diffusers: stands in for the paper's production image model.

Two text encoders, a UNet with up to ten transformer blocks behind a resnet and none at its full
resolution, under classifier-free guidance, and the VAE's decoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

from genscope.suite.models import parts
from genscope.suite.models.base import Call, Components, Model, Pipeline, Scale, Task

_LATENTS = 4
_FACTOR = 8
_BLOCKS = 2
_CONDITIONS = 6
"""Numbers that tell the model about size and crop."""


@dataclass(frozen=True, slots=True)
class _Size:
    channels: tuple[int, int, int]
    depths: tuple[int, int, int]
    heads: tuple[int, int, int]
    vae: tuple[int, int, int, int]
    text: dict[str, Any]
    text_2: dict[str, Any]
    condition: int


_SIZES: dict[Scale, _Size] = {
    "tiny": _Size(
        (32, 64, 128),
        (0, 1, 2),
        (2, 4, 8),
        (32, 32, 64, 64),
        parts.CLIP_TINY,
        {"width": 96, "layers": 3, "heads": 6, "vocabulary": 512, "projection": 96},
        32,
    ),
    "paper": _Size(
        (320, 640, 1280),
        (0, 2, 10),
        (5, 10, 20),
        (128, 256, 512, 512),
        parts.CLIP_L,
        {"width": 1280, "layers": 32, "heads": 20, "vocabulary": 49408, "projection": 1280},
        256,
    ),
}


def components(scale: Scale) -> Components:
    """Return both text encoders, UNet and VAE."""
    size = _SIZES[scale]
    pooled = size.text_2["projection"]
    unet: Any = UNet2DConditionModel(
        sample_size=128,
        in_channels=_LATENTS,
        out_channels=_LATENTS,
        block_out_channels=size.channels,
        layers_per_block=_BLOCKS,
        down_block_types=("DownBlock2D", *("CrossAttnDownBlock2D",) * 2),
        up_block_types=(*("CrossAttnUpBlock2D",) * 2, "UpBlock2D"),
        transformer_layers_per_block=[max(1, depth) for depth in size.depths],
        attention_head_dim=size.heads,
        cross_attention_dim=size.text["width"] + size.text_2["width"],
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=size.condition,
        projection_class_embeddings_input_dim=pooled + _CONDITIONS * size.condition,
    )
    return {
        "text_encoder": parts.clip_text(**size.text),
        "text_encoder_2": parts.clip_text(**size.text_2, activation="gelu"),
        "unet": unet,
        "vae": parts.autoencoder(size.vae, _LATENTS),
    }


def pipeline(scale: Scale, components: Components) -> Pipeline:
    """Return the pipeline; a run gives an image, (1, 3, image_size, image_size), from 0 to 1."""
    pipe: Any = StableDiffusionXLPipeline(
        **components,
        tokenizer=None,
        tokenizer_2=None,
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
        add_watermarker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    first: Any = components["text_encoder"]
    second: Any = components["text_encoder_2"]

    def run(task: Task) -> torch.Tensor:
        ids = parts.tokens(2, parts.TEXT_TOKENS, _SIZES[scale].text["vocabulary"], first)
        one, two = (encoder(ids, output_hidden_states=True) for encoder in (first, second))
        # The last layer but one of each.
        text = torch.cat([one.hidden_states[-2], two.hidden_states[-2]], dim=-1)
        image: torch.Tensor = pipe(
            prompt_embeds=text[1:],
            negative_prompt_embeds=text[:1],
            pooled_prompt_embeds=two.text_embeds[1:],
            negative_pooled_prompt_embeds=two.text_embeds[:1],
            height=task.image_size,
            width=task.image_size,
            num_inference_steps=task.steps,
            output_type="pt",
        ).images
        return image

    return Pipeline(pipe, run)


def calls(scale: Scale, task: Task) -> list[Call]:
    """Return the calls of both text encoders, each step of the UNet, and VAE."""
    assert task.image_size is not None and task.steps is not None
    size = _SIZES[scale]
    side = task.image_size // _FACTOR
    step = parts.unet_calls(
        "unet",
        side,
        size.depths,
        blocks=_BLOCKS,
        middle=size.depths[-1],
        text=parts.TEXT_TOKENS,
    )
    return [
        *parts.text_calls("text_encoder", size.text["layers"], parts.TEXT_TOKENS),
        *parts.text_calls("text_encoder_2", size.text_2["layers"], parts.TEXT_TOKENS),
        *step * task.steps,
        Call("vae", "self", "spatial", side**2, side**2),
    ]


def check(scale: Scale, task: Task) -> None:
    """Refuse sizes that the UNet would round."""
    assert task.image_size is not None
    if task.image_size % 32:
        raise ValueError("the image size must be a multiple of 32 pixels")


MODEL = Model(
    components=components,
    pipeline=pipeline,
    tasks={
        "tiny": Task(steps=2, image_size=256, prompt=parts.TEXT_TOKENS),
        "paper": Task(steps=50, image_size=1024, prompt=parts.TEXT_TOKENS),
    },
    calls=calls,
    check=check,
)
