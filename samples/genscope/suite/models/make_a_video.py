"""Make-A-Video, the paper's text-to-video diffusion model (arXiv:2209.14792), written here.

Text encoder, prior (an image embedding from the text), the video UNet at 64 x 64, the same UNet
again for the frames between, super-resolution of the whole video, and of each frame by itself.

Its widths and steps are unpublished. It extends an image model built like DALL-E 2
(arXiv:2204.06125), so widths and steps are those of Karlo, the open model of that kind, with the
layers along time on top; the last super-resolution, which Karlo lacks, has the widths of DALL-E 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, PriorTransformer
from torch import Tensor

from genscope.suite.models import parts
from genscope.suite.models.base import Call, Components, Model, Pipeline, Scale, Task
from genscope.suite.models.video_unet import UNetSize, VideoUNet

_RGB = 3
_PRIOR_EXTRA = 4
"""Tokens of the prior beside the text: text embedding, timestep, image embedding, the answer."""
_FRAME_RATE = 4.0
"""Frames a second that the UNet is asked for."""


@dataclass(frozen=True, slots=True)
class _Size:
    text: dict[str, Any]
    prior_layers: int
    prior_heads: int
    prior_head_width: int
    unet: UNetSize
    interpolation: UNetSize
    super_resolution_1: UNetSize
    super_resolution_2: UNetSize
    between: int
    """Frames for one of the UNet, but the last, after interpolation."""
    enlarge: tuple[int, int]
    """Factors of the two super-resolutions."""
    at_once: int
    """Frames that the last super-resolution takes at a time."""


def _size(
    text: dict[str, Any],
    prior: tuple[int, int, int],
    unet: tuple[tuple[int, ...], int, int, int],
    last: tuple[tuple[int, ...], int],
    between: int,
    enlarge: tuple[int, int],
    at_once: int,
) -> _Size:
    """Size all parts from what differs between the scales.

    `prior` is layers, heads and head width; `unet` channels, blocks, head and text width; `last`,
    the last super-resolution, channels and blocks.
    """
    channels, blocks, head_width, text_width = unet
    # Attention at 32, 16 and 8 of 64 positions along a side, as in DALL-E 2.
    attention = (False, *(True for _ in channels[1:]))
    none = (False,) * len(channels)

    def decoder(conditions: int) -> UNetSize:
        return UNetSize(
            _RGB + conditions,
            _RGB,
            channels,
            blocks,
            attention,
            head_width=head_width,
            text_width=text_width,
            image_width=text["width"],
        )

    return _Size(
        text,
        *prior,
        unet=decoder(0),
        # Sees the frames that are known, and a mask that says which.
        interpolation=decoder(_RGB + 1),
        super_resolution_1=UNetSize(2 * _RGB, _RGB, channels, blocks, none),
        super_resolution_2=UNetSize(
            2 * _RGB, _RGB, last[0], last[1], (False,) * len(last[0]), temporal=False
        ),
        between=between,
        enlarge=enlarge,
        at_once=at_once,
    )


_SIZES: dict[Scale, _Size] = {
    "tiny": _size(
        parts.CLIP_TINY,
        prior=(2, 4, 16),
        unet=((32, 32, 64, 64), 1, 16, 64),
        last=((32, 32, 32), 1),
        between=2,
        enlarge=(2, 2),
        at_once=4,
    ),
    "paper": _size(
        parts.CLIP_L,
        prior=(20, 32, 64),
        unet=((320, 640, 960, 1280), 3, 64, 1536),
        last=((192, 192, 384, 384, 768, 768), 2),
        # 16 frames to 76.
        between=5,
        enlarge=(4, 3),
        at_once=4,
    ),
}
_TASKS: dict[Scale, Task] = {
    "tiny": Task(steps=2, image_size=64, frames=8, prompt=parts.TEXT_TOKENS),
    "paper": Task(steps=25, image_size=768, frames=16, prompt=parts.TEXT_TOKENS),
}
_STEPS: dict[Scale, tuple[int, int, int]] = {"tiny": (2, 1, 1), "paper": (25, 25, 7)}
"""Steps in the usual task of prior, interpolation, and each super-resolution."""


def components(scale: Scale) -> Components:
    """Return the six networks in the order in which they run."""
    size = _SIZES[scale]
    text = size.text
    prior: Any = PriorTransformer(
        num_attention_heads=size.prior_heads,
        attention_head_dim=size.prior_head_width,
        num_layers=size.prior_layers,
        embedding_dim=size.text["width"],
        num_embeddings=parts.TEXT_TOKENS,
        additional_embeddings=_PRIOR_EXTRA,
    )
    return {
        "text_encoder": parts.clip_text(**text, projection=text["width"]),
        "prior": prior,
        "unet": _WithText(size.unet, size.text["width"]),
        "interpolation": _WithText(size.interpolation, size.text["width"]),
        "super_resolution_1": VideoUNet(size.super_resolution_1),
        "super_resolution_2": VideoUNet(size.super_resolution_2),
    }


class _WithText(VideoUNet):
    """The UNet with the layer that brings the text encoder's tokens to its own width."""

    def __init__(self, size: UNetSize, encoder_width: int) -> None:
        super().__init__(size)
        self.project = torch.nn.Linear(encoder_width, size.text_width)

    def forward(self, maps: Tensor, timestep: Tensor, **given: Any) -> Tensor:
        """Predict the noise; `text` has the text encoder's width."""
        return super().forward(maps, timestep, **{**given, "text": self.project(given["text"])})


def frames_after(scale: Scale, frames: int) -> int:
    """Return how many frames there are after interpolation."""
    return (frames - 1) * _SIZES[scale].between + 1


def pipeline(scale: Scale, components: Components) -> Pipeline:
    """Return the pipeline; a run gives a video, (1, frames after interpolation, 3, side, side)."""
    size = _SIZES[scale]
    made: dict[str, Any] = dict(components)

    def run(task: Task) -> Tensor:
        assert task.frames is not None and task.image_size is not None and task.steps is not None
        prior_steps, between_steps, enlarge_steps = (
            task.share(steps, _TASKS[scale]) for steps in _STEPS[scale]
        )
        ids = parts.tokens(2, parts.TEXT_TOKENS, size.text["vocabulary"], made["text_encoder"])
        encoded = made["text_encoder"](ids)
        text = encoded.last_hidden_state
        embedding = _embedding(made["prior"], encoded.text_embeds, text, prior_steps)
        side = _side(scale, task)
        frames = frames_after(scale, task.frames)

        known = _denoised(
            text.new_empty(task.frames, _RGB, side, side).normal_(),
            task.steps,
            lambda noisy, t: _guided(
                made["unet"](
                    torch.cat([noisy, noisy]),
                    t,
                    frames=task.frames,
                    frame_rate=_FRAME_RATE,
                    text=text,
                    image=embedding,
                )
            ),
        )
        spread, mask = _spread(known, size.between, frames)
        video = _denoised(
            torch.randn_like(spread),
            between_steps,
            lambda noisy, t: made["interpolation"](
                torch.cat([noisy, spread, mask], 1),
                t,
                frames=frames,
                frame_rate=_FRAME_RATE * size.between,
                text=text[:1],
                image=embedding[:1],
            ),
        )
        first, second = size.enlarge
        video = _enlarged(made["super_resolution_1"], video, first, enlarge_steps, frames)
        # All frames start from the same noise, so that they do not flicker.
        side *= first * second
        noise = video.new_empty(1, _RGB, side, side).normal_()
        pieces = [
            _enlarged(made["super_resolution_2"], piece, second, enlarge_steps, 1, noise)
            for piece in torch.chunk(video, math.ceil(frames / size.at_once))
        ]
        return torch.cat(pieces)[None]

    return Pipeline(components, run)


def _side(scale: Scale, task: Task) -> int:
    """Return the side of the UNet's frames."""
    assert task.image_size is not None
    first, second = _SIZES[scale].enlarge
    return task.image_size // (first * second)


def _denoised(noise: Tensor, steps: int, predict: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Take noise away in `steps` steps of DDIM; `predict` gives it at a timestep."""
    scheduler: Any = DDIMScheduler()
    scheduler.set_timesteps(steps, device=noise.device)
    for timestep in scheduler.timesteps:
        noise = scheduler.step(predict(noise, timestep), timestep, noise).prev_sample
    return noise


def _embedding(prior: Any, text_embedding: Tensor, text: Tensor, steps: int) -> Tensor:
    """Return image embeddings, (2, width): for the prompt, and zeros for none."""
    scheduler: Any = DDIMScheduler(prediction_type="sample", clip_sample_range=5.0)
    scheduler.set_timesteps(steps, device=text.device)
    image = torch.randn_like(text_embedding[:1])
    for timestep in scheduler.timesteps:
        predicted = prior(
            torch.cat([image, image]),
            timestep=timestep,
            proj_embedding=text_embedding,
            encoder_hidden_states=text,
        ).predicted_image_embedding
        image = scheduler.step(_guided(predicted), timestep, image).prev_sample
    return torch.cat([image, torch.zeros_like(image)])


def _guided(predicted: Tensor, scale: float = 4.0) -> Tensor:
    """Return what the prompt (the first half) makes of it, away from what no prompt does."""
    prompted, free = predicted.chunk(2)
    return free + scale * (prompted - free)


def _spread(known: Tensor, between: int, frames: int) -> tuple[Tensor, Tensor]:
    """Put known frames `between` apart, zeros elsewhere; return them and a mask of them."""
    spread = known.new_zeros(frames, *known.shape[1:])
    spread[::between] = known
    mask = known.new_zeros(frames, 1, *known.shape[2:])
    mask[::between] = 1
    return spread, mask


def _enlarged(
    unet: Any, maps: Tensor, factor: int, steps: int, frames: int, noise: Tensor | None = None
) -> Tensor:
    """Enlarge maps, (n, 3, h, w), by `factor`, from `noise` or from fresh noise for each."""
    large = F.interpolate(maps, scale_factor=float(factor), mode="bilinear")
    start = torch.randn_like(large) if noise is None else noise.expand_as(large)
    rate = {"frame_rate": _FRAME_RATE} if frames > 1 else {}
    return _denoised(
        start,
        steps,
        lambda noisy, t: unet(torch.cat([noisy, large], 1), t, frames=frames, **rate),
    )


def calls(scale: Scale, task: Task) -> list[Call]:
    """Return the calls of text encoder, prior, UNet and interpolation; the rest has none."""
    assert task.steps is not None and task.frames is not None
    size = _SIZES[scale]
    prior_steps, between_steps, _ = (task.share(steps, _TASKS[scale]) for steps in _STEPS[scale])
    side = _side(scale, task)
    prior = [
        *parts.text_calls("prior", size.prior_layers, parts.TEXT_TOKENS + _PRIOR_EXTRA)
    ] * prior_steps
    return [
        *parts.text_calls("text_encoder", size.text["layers"], parts.TEXT_TOKENS),
        *prior,
        *_step_calls("unet", size.unet, side, task.frames) * task.steps,
        *_step_calls("interpolation", size.interpolation, side, frames_after(scale, task.frames))
        * between_steps,
    ]


def _step_calls(component: str, unet: UNetSize, side: int, frames: int) -> list[Call]:
    """Return the calls of one step: in space, where the text joins the keys, then in time."""
    made = []
    for level in unet.attention_levels():
        positions = (side >> level) ** 2
        made += [
            Call(component, "joint", "spatial", positions, positions + parts.TEXT_TOKENS),
            Call(component, "self", "temporal", frames, frames),
        ]
    return made


def check(scale: Scale, task: Task) -> None:
    """Refuse sizes that a UNet would round, and a single frame."""
    assert task.image_size is not None and task.frames is not None
    size = _SIZES[scale]
    first, second = size.enlarge
    least = first * second * 2**size.unet.halvings
    if task.image_size % least or task.image_size % 2**size.super_resolution_2.halvings:
        raise ValueError(f"the image size must be a multiple of {least} pixels")
    if task.frames < 2:
        raise ValueError("a video has two frames at least")


MODEL = Model(
    components=components,
    pipeline=pipeline,
    tasks=_TASKS,
    calls=calls,
    check=check,
)
