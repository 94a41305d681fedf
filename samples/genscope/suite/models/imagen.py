"""Imagen, the paper's pixel diffusion model (arXiv:2205.11487): T5 and a cascade of three UNets.

T5 encodes the text, a base UNet draws a small image, and two Efficient U-Nets enlarge it by 4
each: the first with attention to image and text at its deepest level, the second to the text
alone. Guidance makes the batch of each UNet 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler

from genscope.suite.models import parts
from genscope.suite.models.base import Call, Components, Model, Pipeline, Scale, Task
from genscope.suite.models.imagen_unet import ImagenUNet, UNetSize

_TEXT = 128
_ENLARGED = 4
"""Each super-resolution model enlarges by this factor."""
_GUIDANCE = 7.0
_STAGES = ("unet", "super_resolution_1", "super_resolution_2")
_STEPS = (64, 32, 16)
"""Steps of each stage in the usual task."""


@dataclass(frozen=True, slots=True)
class _Size:
    text: dict[str, int]
    unets: tuple[UNetSize, UNetSize, UNetSize]


def _unets(
    base: tuple[int, ...],
    base_blocks: int,
    larger: tuple[int, ...],
    larger_blocks: tuple[int, ...],
    text: int,
) -> tuple[UNetSize, UNetSize, UNetSize]:
    deepest = (False, False, False, True)
    return (
        UNetSize(base, (base_blocks,) * 4, (False, True, True, True), None, text),
        UNetSize(larger, larger_blocks, deepest, 8, text, enlarges=True),
        UNetSize(
            larger,
            larger_blocks,
            deepest,
            8,
            text,
            looks_at_image=False,
            enlarges=True,
            joins_every_resnet=False,
        ),
    )


_SIZES: dict[Scale, _Size] = {
    "tiny": _Size(parts.T5_TINY, _unets((32, 64, 96, 128), 1, (16, 32, 48, 64), (1, 1, 1, 2), 64)),
    "paper": _Size(
        parts.T5_XXL,
        _unets((512, 1024, 1536, 2048), 3, (128, 256, 512, 1024), (2, 4, 8, 8), 4096),
    ),
}


def components(scale: Scale) -> Components:
    """Return text encoder and the three UNets."""
    size = _SIZES[scale]
    unets = {name: ImagenUNet(unet) for name, unet in zip(_STAGES, size.unets, strict=True)}
    return {"text_encoder": parts.t5(**size.text), **unets}


def pipeline(scale: Scale, components: Components) -> Pipeline:
    """Return the pipeline; a run gives an image, (1, 3, image_size, image_size), from -1 to 1."""
    encoder: Any = components["text_encoder"]
    schedulers: dict[str, Any] = {name: DDIMScheduler() for name in _STAGES}

    def run(task: Task) -> torch.Tensor:
        ids = parts.tokens(2, _TEXT, _SIZES[scale].text["vocabulary"], encoder)
        text = encoder(ids).last_hidden_state
        image = None
        for name, side, steps in _stages(task):
            image = _denoised(components[name], schedulers[name], side, steps, text, image)
        assert image is not None
        return image

    return Pipeline(components, run)


def _denoised(
    unet: torch.nn.Module,
    scheduler: Any,
    side: int,
    steps: int,
    text: torch.Tensor,
    image: torch.Tensor | None,
) -> torch.Tensor:
    """Draw an image of this side, (1, 3, side, side); `image` is the one to enlarge."""
    sample = torch.randn(1, 3, side, side, device=text.device, dtype=text.dtype)
    small = None if image is None else F.interpolate(image, (side, side), mode="bilinear")
    both = None if small is None else small.expand(2, -1, -1, -1)
    scheduler.set_timesteps(steps)
    for time in scheduler.timesteps:
        noise = unet(sample.expand(2, -1, -1, -1), time.to(text.device).expand(2), text, both)
        without, told = noise.chunk(2)
        guided = without + _GUIDANCE * (told - without)
        sample = scheduler.step(guided, time, sample).prev_sample.to(text.dtype)
    return sample


def _stages(task: Task) -> list[tuple[str, int, int]]:
    """Return name, side in pixels and steps of each stage."""
    assert task.image_size is not None
    shares = [task.share(steps, _TASKS["paper"]) for steps in _STEPS]
    sides = [task.image_size // _ENLARGED**power for power in (2, 1, 0)]
    return list(zip(_STAGES, sides, shares, strict=True))


def calls(scale: Scale, task: Task) -> list[Call]:
    """Return the calls of text encoder and of every step of every UNet."""
    size = _SIZES[scale]
    found = parts.text_calls("text_encoder", size.text["layers"], _TEXT)
    for (name, side, steps), unet in zip(_stages(task), size.unets, strict=True):
        found += _step(name, side, unet) * steps
    return found


def _step(name: str, side: int, size: UNetSize) -> list[Call]:
    def at(level: int, count: int) -> list[Call]:
        q = (side >> (level + size.enlarges)) ** 2
        kind, kv = ("joint", q + _TEXT) if size.looks_at_image else ("cross", _TEXT)
        return [Call(name, kind, "spatial", q, kv)] * count

    levels = [
        at(level, 1 if size.enlarges else blocks)
        for level, (blocks, attends) in enumerate(zip(size.blocks, size.attention, strict=True))
        if attends
    ]
    middle = [] if size.enlarges else at(len(size.channels) - 1, 2)
    down = [call for level in levels for call in level]
    return [*down, *middle, *reversed(down)]


def check(scale: Scale, task: Task) -> None:
    """Refuse sizes that a UNet of the cascade cannot halve often enough."""
    assert task.image_size is not None
    if task.image_size % 128:
        raise ValueError("the image size must be a multiple of 128 pixels")


_TASKS: dict[Scale, Task] = {
    "tiny": Task(steps=4, image_size=256, prompt=_TEXT),
    "paper": Task(steps=_STEPS[0], image_size=1024, prompt=_TEXT),
}

MODEL = Model(components, pipeline, _TASKS, calls, check)
