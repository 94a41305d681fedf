"""Phenaki, the paper's text-to-video transformer (arXiv:2210.02399), written here.

A T5 encoder for the text, a masked transformer that draws all tokens of a video at once and again
(MaskGIT, arXiv:2202.04200), and C-ViViT, which turns video into tokens and back: patches of pixels,
attention over the patches of a frame, then causal attention along time, so that a video can go on.

A run gives the first part of a video from a prompt, and then, where the task has more frames than
the model sees at a time, further parts: the last frames so far are encoded, and stay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genscope.suite.models import parts
from genscope.suite.models.base import Call, Components, Model, Pipeline, Scale, Task
from genscope.suite.models.layers import Attention, Block

_RGB = 3
_PATCH_FRAMES = 2
"""Frames of a patch, but of those of the first frame, which stands alone."""
_PATCH = 8
"""Side of a patch in pixels."""
_FRAMES = 11
"""Frames that the model sees at a time: the first alone, then in twos."""
_KEPT = 5
"""Frames from which the next part goes on."""
_SIDES = 32
"""Patches along a side of a frame, at most; more slots of time than there are."""


@dataclass(frozen=True, slots=True)
class _Size:
    text: dict[str, int]
    layers: int
    width: int
    heads: int
    codes: int
    """Tokens of the codebook."""
    code_width: int
    vivit_layers: int
    """Of each of its four transformers."""
    vivit_width: int
    vivit_heads: int


_SIZES: dict[Scale, _Size] = {
    "tiny": _Size(parts.T5_TINY, 3, 96, 4, 256, 16, 2, 64, 4),
    "paper": _Size(parts.T5_XXL, 24, 2048, 32, 8192, 32, 4, 512, 8),
}


class Causal(Attention):
    """Attention to oneself and what was before."""

    def forward(self, hidden: Tensor, context: Tensor | None = None) -> Tensor:
        """Take and return (batch, times, width)."""
        query = self._heads(self.to_q(hidden))
        key, value = (self._heads(part) for part in self.to_kv(hidden).chunk(2, dim=-1))
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        out: Tensor = self.to_out(mixed.transpose(1, 2).flatten(2))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        return torch.unflatten(x, -1, (self.heads, -1)).transpose(1, 2)


def _in_time(width: int, heads: int) -> Block:
    """Return a layer that looks back in time."""
    block = Block(width, heads, 4 * width)
    block.attention = Causal(width, heads)
    return block


class Positions(nn.Module):
    """Learned positions of patches, in time, down and across, added to each other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.time, self.down, self.across = (nn.Embedding(_SIDES, width) for _ in range(3))

    def forward(self, slots: int, side: int) -> Tensor:
        """Return positions, shape (slots, side, side, width)."""
        index = torch.arange(_SIDES, device=self.time.weight.device)
        time: Tensor = self.time(index[:slots])[:, None, None]
        down: Tensor = self.down(index[:side])[None, :, None]
        across: Tensor = self.across(index[:side])[None, None, :]
        return time + down + across


class CViViT(nn.Module):
    """Video to tokens and back: attention in space, then causal in time; the reverse to decode."""

    def __init__(self, size: _Size) -> None:
        super().__init__()
        width = size.vivit_width
        first, rest = _RGB * _PATCH**2, _RGB * _PATCH_FRAMES * _PATCH**2
        self.first_in, self.rest_in = nn.Linear(first, width), nn.Linear(rest, width)
        self.positions = Positions(width)
        layers, heads = range(size.vivit_layers), size.vivit_heads
        self.encode_space, self.decode_space = (
            nn.ModuleList(Block(width, heads, 4 * width) for _ in layers) for _ in range(2)
        )
        self.encode_time, self.decode_time = (
            nn.ModuleList(_in_time(width, heads) for _ in layers) for _ in range(2)
        )
        self.to_code = nn.Linear(width, size.code_width)
        self.codebook = nn.Embedding(size.codes, size.code_width)
        self.from_code = nn.Linear(size.code_width, width)
        self.first_out, self.rest_out = nn.Linear(width, first), nn.Linear(width, rest)

    def encode(self, video: Tensor) -> Tensor:
        """Turn a video, (batch, frames, 3, side, side), into token ids (batch, slots, h, w)."""
        pixels = torch.unflatten(torch.unflatten(video, -1, (-1, _PATCH)), -3, (-1, _PATCH))
        # (batch, frames, 3, h, patch, w, patch) to (batch, frames, h, w, 3, patch, patch).
        pixels = pixels.permute(0, 1, 3, 5, 2, 4, 6)
        first = pixels[:, :1]
        rest = torch.unflatten(pixels[:, 1:], 1, (-1, _PATCH_FRAMES))
        rest = rest.movedim(2, 4)
        x = torch.cat([self.first_in(first.flatten(4)), self.rest_in(rest.flatten(4))], dim=1)
        x = x + self.positions(x.shape[1], x.shape[2])
        x = self._in_space(self.encode_space, x)
        codes = self.to_code(self._in_time(self.encode_time, x))
        # The nearest code by angle.
        book = F.normalize(self.codebook.weight, dim=-1)
        return (F.normalize(codes, dim=-1) @ book.T).argmax(-1)

    def decode(self, ids: Tensor) -> Tensor:
        """Turn token ids, (batch, slots, h, w), into a video (batch, frames, 3, side, side)."""
        x = self.from_code(self.codebook(ids)) + self.positions(ids.shape[1], ids.shape[2])
        x = self._in_time(self.decode_time, x)
        x = self._in_space(self.decode_space, x)
        first = self.first_out(x[:, :1]).unflatten(-1, (_RGB, _PATCH, _PATCH))
        rest = self.rest_out(x[:, 1:]).unflatten(-1, (_PATCH_FRAMES, _RGB, _PATCH, _PATCH))
        pixels = torch.cat([first, rest.movedim(4, 2).flatten(1, 2)], dim=1)
        # (batch, frames, h, w, 3, patch, patch) to (batch, frames, 3, side, side).
        return pixels.permute(0, 1, 4, 2, 5, 3, 6).flatten(5, 6).flatten(3, 4)

    def forward(self, video: Tensor) -> Tensor:
        """Encode and decode a video."""
        return self.decode(self.encode(video))

    @staticmethod
    def _in_space(blocks: nn.ModuleList, x: Tensor) -> Tensor:
        """Run `blocks` over the patches of a slot of time, the slots in the batch."""
        batch, _, side = x.shape[:3]
        x = x.flatten(2, 3).flatten(0, 1)
        for block in blocks:
            x = block(x)
        return torch.unflatten(torch.unflatten(x, 0, (batch, -1)), 2, (side, -1))

    @staticmethod
    def _in_time(blocks: nn.ModuleList, x: Tensor) -> Tensor:
        """Run `blocks` along time, causally, the patches in the batch."""
        batch, _, side = x.shape[:3]
        x = x.flatten(2, 3).transpose(1, 2).flatten(0, 1)
        for block in blocks:
            x = block(x)
        x = torch.unflatten(x, 0, (batch, -1)).transpose(1, 2)
        return torch.unflatten(x, 2, (side, -1))


class MaskGit(nn.Module):
    """Scores for every token of a video from those that are known, all at once."""

    def __init__(self, size: _Size) -> None:
        super().__init__()
        self.mask = size.codes
        """Id of a token that is not known yet."""
        self.tokens = nn.Embedding(size.codes + 1, size.width)
        self.positions = Positions(size.width)
        self.layers = nn.ModuleList(
            Block(size.width, size.heads, 4 * size.width, size.text["width"])
            for _ in range(size.layers)
        )
        self.norm = nn.LayerNorm(size.width)
        self.scores = nn.Linear(size.width, size.codes)

    def forward(self, ids: Tensor, text: Tensor) -> Tensor:
        """Score all tokens.

        Args:
            ids: Token ids, int64 of shape (batch, slots, h, w).
            text: States of the text encoder, shape (batch, text tokens, its width).

        Returns:
            Scores, shape (batch, slots * h * w, codes).
        """
        positions = self.positions(ids.shape[1], ids.shape[2])
        x = self.tokens(ids.flatten(1)) + positions.flatten(0, 2)
        for layer in self.layers:
            x = layer(x, text)
        scores: Tensor = self.scores(self.norm(x))
        return scores


def components(scale: Scale) -> Components:
    """Return text encoder, masked transformer and C-ViViT."""
    size = _SIZES[scale]
    return {
        "text_encoder": parts.t5(**size.text),
        "transformer": MaskGit(size),
        "vae": CViViT(size),
    }


def pipeline(scale: Scale, components: Components) -> Pipeline:
    """Return the pipeline; a run gives a video, (1, frames, 3, image_size, image_size)."""
    made: dict[str, Any] = dict(components)

    def run(task: Task) -> Tensor:
        assert task.frames is not None and task.image_size is not None
        assert task.prompt is not None and task.steps is not None
        # The prompt, and another in place of the empty one, for guidance.
        ids = parts.tokens(2, task.prompt, _SIZES[scale].text["vocabulary"], made["text_encoder"])
        text = made["text_encoder"](ids).last_hidden_state
        side = task.image_size // _PATCH
        shape = (1, _slots(_FRAMES), side, side)
        unknown = torch.full(shape, made["transformer"].mask, device=ids.device)
        video: Tensor = made["vae"].decode(_drawn(made["transformer"], unknown, text, task.steps))
        while video.shape[1] < task.frames:
            known = made["vae"].encode(video[:, -_KEPT:])
            start = unknown.clone()
            start[:, : known.shape[1]] = known
            ids = _drawn(made["transformer"], start, text, task.steps)
            video = torch.cat([video, made["vae"].decode(ids)[:, _KEPT:]], dim=1)
        return video

    return Pipeline(components, run)


def _slots(frames: int) -> int:
    """Return how many slots of time the tokens of so many frames have."""
    return 1 + (frames - 1) // _PATCH_FRAMES


def _drawn(transformer: Any, start: Tensor, text: Tensor, steps: int, scale: float = 3.0) -> Tensor:
    """Draw the tokens of `start` that are masked, most certain first, by a cosine schedule."""
    ids = start
    masked = (start == transformer.mask).flatten(1)
    unknown = int(masked.sum())
    for step in range(steps):
        prompted, free = transformer(torch.cat([ids, ids]), text).chunk(2)
        chances = (free + scale * (prompted - free)).float().softmax(-1)
        drawn = torch.multinomial(chances[0], 1).T
        certain = chances.gather(-1, drawn[..., None])[..., 0]
        # What was known, or drawn in an earlier step, stays.
        known = ids.flatten(1) != transformer.mask
        drawn = torch.where(known, ids.flatten(1), drawn)
        certain = certain.masked_fill(known, torch.inf)
        left = int(unknown * math.cos(math.pi / 2 * (step + 1) / steps))
        again = certain.topk(left, largest=False).indices
        ids = drawn.scatter(1, again, transformer.mask).view_as(ids)
    return ids


def calls(scale: Scale, task: Task) -> list[Call]:
    """Return the calls of text encoder, each step, and C-ViViT, part by part of the video."""
    assert task.frames is not None and task.image_size is not None
    assert task.prompt is not None and task.steps is not None
    size = _SIZES[scale]
    patches, slots = (task.image_size // _PATCH) ** 2, _slots(_FRAMES)
    tokens = slots * patches
    layer = [
        Call("transformer", "self", "spatiotemporal", tokens, tokens),
        Call("transformer", "cross", "spatiotemporal", tokens, task.prompt),
    ]

    def vivit(axis: Literal["spatial", "temporal"], length: int) -> list[Call]:
        return [Call("vae", "self", axis, length, length)] * size.vivit_layers

    part = [
        *layer * size.layers * task.steps,
        *vivit("temporal", slots),
        *vivit("spatial", patches),
    ]
    further = [*vivit("spatial", patches), *vivit("temporal", _slots(_KEPT)), *part]
    return [
        *parts.text_calls("text_encoder", size.text["layers"], task.prompt),
        *part,
        *further * ((task.frames - _FRAMES) // (_FRAMES - _KEPT)),
    ]


def check(scale: Scale, task: Task) -> None:
    """Refuse frames that do not cut into patches, and lengths that no number of parts gives."""
    assert task.frames is not None and task.image_size is not None
    more = task.frames - _FRAMES
    if more < 0 or more % (_FRAMES - _KEPT):
        raise ValueError(f"frames come as {_FRAMES}, and {_FRAMES - _KEPT} more for each next part")
    if task.image_size % _PATCH or task.image_size > _PATCH * _SIDES:
        raise ValueError(f"the image size must be a multiple of {_PATCH}, to {_PATCH * _SIDES}")


MODEL = Model(
    components=components,
    pipeline=pipeline,
    tasks={
        "tiny": Task(steps=3, image_size=64, frames=17, prompt=16),
        "paper": Task(steps=24, image_size=128, frames=11, prompt=128),
    },
    calls=calls,
    check=check,
)
