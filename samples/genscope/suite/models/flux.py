"""FLUX.1 dev, a transformer over image and text together (MMDiT), by diffusers.

Two text encoders, of which one gives a pooled state alone, a transformer whose attention is joint
over image and text, flow matching with distilled guidance (so its batch is 1), and a VAE's decoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

from genscope.suite.models import parts
from genscope.suite.models.base import Call, Components, Model, Pipeline, Scale, Task

_FACTOR = 16
"""Pixels of a token, along each side: 8 of the VAE, 2 of the transformer's patches."""


@dataclass(frozen=True, slots=True)
class _Size:
    double: int
    single: int
    heads: int
    head_width: int
    rotary: tuple[int, int, int]
    latents: int
    vae: tuple[int, int, int, int]
    clip: dict[str, Any]
    t5: dict[str, int]
    prompt: int
    """Tokens that T5 sees."""


_SIZES: dict[Scale, _Size] = {
    "tiny": _Size(
        2, 4, 4, 32, (8, 12, 12), 4, (32, 32, 64, 64), parts.CLIP_TINY, parts.T5_TINY, 64
    ),
    "paper": _Size(
        19, 38, 24, 128, (16, 56, 56), 16, (128, 256, 512, 512), parts.CLIP_L, parts.T5_XXL, 512
    ),
}


def components(scale: Scale) -> Components:
    """Return both text encoders, transformer and VAE."""
    size = _SIZES[scale]
    transformer: Any = FluxTransformer2DModel(
        in_channels=4 * size.latents,
        num_layers=size.double,
        num_single_layers=size.single,
        attention_head_dim=size.head_width,
        num_attention_heads=size.heads,
        joint_attention_dim=size.t5["width"],
        pooled_projection_dim=size.clip["width"],
        guidance_embeds=True,
        axes_dims_rope=size.rotary,
    )
    vae = parts.autoencoder(
        size.vae,
        size.latents,
        use_quant_conv=False,
        use_post_quant_conv=False,
        scaling_factor=0.3611,
        shift_factor=0.1159,
    )
    return {
        "text_encoder": parts.clip_text(**size.clip),
        "text_encoder_2": parts.t5(**size.t5),
        "transformer": transformer,
        "vae": vae,
    }


def pipeline(scale: Scale, components: Components) -> Pipeline:
    """Return the pipeline; a run gives an image, (1, 3, image_size, image_size), from 0 to 1."""
    pipe: Any = FluxPipeline(
        **components,
        tokenizer=None,
        tokenizer_2=None,
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
    )
    pipe.set_progress_bar_config(disable=True)
    size = _SIZES[scale]
    clip: Any = components["text_encoder"]
    t5: Any = components["text_encoder_2"]

    def run(task: Task) -> torch.Tensor:
        pooled = clip(parts.tokens(1, parts.TEXT_TOKENS, size.clip["vocabulary"], clip))
        text = t5(parts.tokens(1, size.prompt, size.t5["vocabulary"], t5))
        image: torch.Tensor = pipe(
            prompt_embeds=text.last_hidden_state,
            pooled_prompt_embeds=pooled.pooler_output,
            height=task.image_size,
            width=task.image_size,
            num_inference_steps=task.steps,
            output_type="pt",
        ).images
        return image

    return Pipeline(pipe, run)


def calls(scale: Scale, task: Task) -> list[Call]:
    """Return the calls of both text encoders, each step of the transformer, and VAE."""
    assert task.image_size is not None and task.steps is not None
    size = _SIZES[scale]
    image = (task.image_size // _FACTOR) ** 2
    both = image + size.prompt
    step = [Call("transformer", "joint", "spatial", both, both)] * (size.double + size.single)
    return [
        *parts.text_calls("text_encoder", size.clip["layers"], parts.TEXT_TOKENS),
        *parts.text_calls("text_encoder_2", size.t5["layers"], size.prompt),
        *step * task.steps,
        Call("vae", "self", "spatial", 4 * image, 4 * image),
    ]


def check(scale: Scale, task: Task) -> None:
    """Refuse sizes that are no whole number of tokens."""
    assert task.image_size is not None
    if task.image_size % _FACTOR:
        raise ValueError(f"the image size must be a multiple of {_FACTOR} pixels")


MODEL = Model(
    components=components,
    pipeline=pipeline,
    tasks={
        "tiny": Task(steps=3, image_size=256, prompt=_SIZES["tiny"].prompt),
        "paper": Task(steps=28, image_size=1024, prompt=_SIZES["paper"].prompt),
    },
    calls=calls,
    check=check,
)
