"""A UNet for images and video: pseudo-3D convolution, and attention in space, then in time.

The building blocks of Make-A-Video (Singer et al., 2022, arXiv:2209.14792, section 3.2): every
convolution of an image model is followed by one along time, every attention by one along time.
Without `temporal` it is the image model that Make-A-Video starts from, that of DALL-E 2 (Ramesh et
al., 2022, arXiv:2204.06125): text tokens join the keys of spatial attention.

Maps are (videos * frames, channels, height, width) throughout, the frames of a video side by side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 32
"""Of a group norm; widths are multiples of it."""


@dataclass(frozen=True, slots=True)
class UNetSize:
    """How large a UNet is, and what it is told."""

    in_channels: int
    out_channels: int
    channels: tuple[int, ...]
    """Of each level, from the input's resolution down; each level halves it."""
    blocks: int
    """Residual blocks of a level on the way down; one more on the way up."""
    attention: tuple[bool, ...]
    """Whether a level has attention, after each residual block. The middle has where any has."""
    head_width: int = 64
    text_width: int = 0
    """Of the text tokens that join the keys; 0: it sees no text."""
    image_width: int = 0
    """Of the image embedding that joins that of the timestep; 0: none."""
    temporal: bool = True
    """Whether it looks along time; a UNet that does not takes each frame by itself."""

    @property
    def halvings(self) -> int:
        """How often it halves its input."""
        return len(self.channels) - 1

    def attention_levels(self) -> Iterator[int]:
        """Levels of its attention blocks in the order in which they are called."""
        levels = range(len(self.channels))
        for level in levels:
            yield from [level] * (self.blocks * self.attention[level])
        yield from [levels[-1]] * any(self.attention)
        for level in reversed(levels):
            yield from [level] * ((self.blocks + 1) * self.attention[level])


class Conv(nn.Module):
    """A convolution of each frame, then one of each position along three frames."""

    def __init__(self, inside: int, outside: int, *, temporal: bool) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(inside, outside, 3, padding=1)
        # One-dimensional; written in three, so that no copy has to bring time to the end.
        self.temporal = (
            nn.Conv3d(outside, outside, (3, 1, 1), padding=(1, 0, 0)) if temporal else None
        )

    def forward(self, x: Tensor, frames: int) -> Tensor:
        """Convolve; the frames of a video stand side by side in the batch."""
        x = self.spatial(x)
        if self.temporal is None:
            return x
        volume = torch.unflatten(x, 0, (-1, frames)).transpose(1, 2)
        moved: Tensor = self.temporal(volume).transpose(1, 2)
        return moved.flatten(0, 1)


class Residual(nn.Module):
    """Two convolutions, the embedding of the timestep between them as scale and shift.

    `resize` is "half" or "double" for one that changes the resolution before its convolutions.
    """

    def __init__(
        self,
        inside: int,
        outside: int,
        time_width: int,
        *,
        temporal: bool,
        resize: Literal["half", "double"] | None = None,
    ) -> None:
        super().__init__()
        self.resize = resize
        self.norm_1 = nn.GroupNorm(GROUPS, inside)
        self.conv_1 = Conv(inside, outside, temporal=temporal)
        self.time = nn.Linear(time_width, 2 * outside)
        self.norm_2 = nn.GroupNorm(GROUPS, outside)
        self.conv_2 = Conv(outside, outside, temporal=temporal)
        self.skip = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x: Tensor, time: Tensor, frames: int) -> Tensor:
        """Run the block; `time` is (maps, time width)."""
        h = self._resized(F.silu(self.norm_1(x)))
        x = self._resized(x)
        h = self.conv_1(h, frames)
        scale, shift = self.time(F.silu(time))[:, :, None, None].chunk(2, dim=1)
        h = self.norm_2(h) * (1 + scale) + shift
        out: Tensor = self.skip(x) + self.conv_2(F.silu(h), frames)
        return out

    def _resized(self, x: Tensor) -> Tensor:
        if self.resize == "half":
            return F.avg_pool2d(x, 2)
        return F.interpolate(x, scale_factor=2.0) if self.resize == "double" else x


class Attention(nn.Module):
    """Attention of tokens to each other, and to those of a text where `text_width` says so."""

    def __init__(self, width: int, head_width: int, text_width: int = 0) -> None:
        super().__init__()
        self.heads = width // head_width
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.text = nn.Linear(text_width, 2 * width) if text_width else None
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, text: Tensor | None = None) -> Tensor:
        """Attend. `x` is (batch, tokens, width), `text` (batch, text tokens, text width)."""
        key, value = self.key(x), self.value(x)
        if self.text is not None and text is not None:
            text_key, text_value = self.text(text).chunk(2, dim=-1)
            key, value = torch.cat([text_key, key], 1), torch.cat([text_value, value], 1)
        query, key, value = (self._split(part) for part in (self.query(x), key, value))
        joined = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        attended: Tensor = self.out(joined)
        return attended

    def _split(self, x: Tensor) -> Tensor:
        return torch.unflatten(x, -1, (self.heads, -1)).transpose(1, 2)


class SpaceTime(nn.Module):
    """Spatial attention with the frames in the batch, then temporal with the positions in it."""

    def __init__(self, width: int, size: UNetSize) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width)
        self.spatial = Attention(width, size.head_width, size.text_width)
        self.temporal_norm = nn.LayerNorm(width) if size.temporal else None
        self.temporal = Attention(width, size.head_width) if size.temporal else None

    def forward(self, x: Tensor, text: Tensor | None, frames: int) -> Tensor:
        """Attend; `text` is (maps, text tokens, text width)."""
        height, width = x.shape[-2:]
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        tokens = x.flatten(2).transpose(1, 2) + self.spatial(tokens, text)
        if self.temporal is not None and self.temporal_norm is not None:
            # (videos * frames, positions, c) to (videos * positions, frames, c), and back.
            along = tokens.unflatten(0, (-1, frames)).transpose(1, 2)
            videos, positions = along.shape[:2]
            along = along.flatten(0, 1)
            along = along + self.temporal(self.temporal_norm(along))
            tokens = along.unflatten(0, (videos, positions)).transpose(1, 2).flatten(0, 1)
        return torch.unflatten(tokens.transpose(1, 2), 2, (height, width))


class Stage(nn.Module):
    """A residual block, and attention after it where the level has any."""

    def __init__(self, inside: int, level: int, time_width: int, size: UNetSize) -> None:
        super().__init__()
        width = size.channels[level]
        self.residual = Residual(inside, width, time_width, temporal=size.temporal)
        self.attention = SpaceTime(width, size) if size.attention[level] else None

    def forward(self, x: Tensor, time: Tensor, text: Tensor | None, frames: int) -> Tensor:
        """Run both; arguments are theirs."""
        x = self.residual(x, time, frames)
        return x if self.attention is None else self.attention(x, text, frames)


class VideoUNet(nn.Module):
    """The UNet: down through the levels, a middle, and up again with what was kept on the way."""

    def __init__(self, size: UNetSize) -> None:
        super().__init__()
        self.size = size
        first, last = size.channels[0], size.channels[-1]
        time_width = 4 * first
        self.time = nn.Sequential(
            nn.Linear(first, time_width), nn.SiLU(), nn.Linear(time_width, time_width)
        )
        # The frame rate counts only between frames.
        self.rate = nn.Linear(first, time_width) if size.temporal else None
        self.image = nn.Linear(size.image_width, time_width) if size.image_width else None
        self.enter = Conv(size.in_channels, first, temporal=size.temporal)

        self.down = nn.ModuleList()
        kept = [first]
        width = first
        for level, channels in enumerate(size.channels):
            for _ in range(size.blocks):
                self.down.append(Stage(width, level, time_width, size))
                width = channels
                kept.append(width)
            if level < size.halvings:
                self.down.append(self._resizing(width, time_width, "half"))
                kept.append(width)

        self.middle_1 = Residual(last, last, time_width, temporal=size.temporal)
        self.middle_attention = SpaceTime(last, size) if any(size.attention) else None
        self.middle_2 = Residual(last, last, time_width, temporal=size.temporal)

        self.up = nn.ModuleList()
        for level in reversed(range(len(size.channels))):
            for _ in range(size.blocks + 1):
                self.up.append(Stage(width + kept.pop(), level, time_width, size))
                width = size.channels[level]
            if level:
                self.up.append(self._resizing(width, time_width, "double"))
        self.leave_norm = nn.GroupNorm(GROUPS, first)
        self.leave = Conv(first, size.out_channels, temporal=size.temporal)

    def forward(
        self,
        maps: Tensor,
        timestep: Tensor,
        *,
        frames: int = 1,
        frame_rate: float = 1.0,
        text: Tensor | None = None,
        image: Tensor | None = None,
    ) -> Tensor:
        """Predict the noise in `maps`.

        Args:
            maps: Shape (videos * frames, in_channels, height, width).
            timestep: One number, of all maps.
            frames: Frames of a video; they stand side by side.
            frame_rate: Frames a second.
            text: Tokens, shape (videos, tokens, text_width).
            image: Embedding of an image, shape (videos, image_width).

        Returns:
            Shape (videos * frames, out_channels, height, width).
        """
        time = self._embedded(timestep, frame_rate, maps)
        if self.image is not None and image is not None:
            time = time + self.image(image).repeat_interleave(frames, 0)
        time = time.expand(len(maps), -1)
        if text is not None:
            text = text.repeat_interleave(frames, 0)

        x = self.enter(maps, frames)
        kept = [x]
        for block in self.down:
            x = self._through(block, x, time, text, frames)
            kept.append(x)
        x = self.middle_1(x, time, frames)
        if self.middle_attention is not None:
            x = self.middle_attention(x, text, frames)
        x = self.middle_2(x, time, frames)
        for block in self.up:
            if isinstance(block, Stage):
                x = torch.cat([x, kept.pop()], 1)
            x = self._through(block, x, time, text, frames)
        noise: Tensor = self.leave(F.silu(self.leave_norm(x)), frames)
        return noise

    def _resizing(self, width: int, time_width: int, resize: Literal["half", "double"]) -> Residual:
        return Residual(width, width, time_width, temporal=self.size.temporal, resize=resize)

    @staticmethod
    def _through(
        block: nn.Module, x: Tensor, time: Tensor, text: Tensor | None, frames: int
    ) -> Tensor:
        """Run a stage, or what changes the resolution between two levels."""
        out: Tensor = (
            block(x, time, text, frames) if isinstance(block, Stage) else block(x, time, frames)
        )
        return out

    def _embedded(self, timestep: Tensor, frame_rate: float, like: Tensor) -> Tensor:
        """Embed timestep and frame rate, shape (1, time width)."""
        width = self.size.channels[0]
        time: Tensor = self.time(sinusoids(timestep.reshape(1), width).to(like))
        if self.rate is not None:
            rate = torch.tensor([frame_rate], device=like.device)
            time = time + self.rate(sinusoids(rate, width).to(like))
        return time


def sinusoids(numbers: Tensor, width: int) -> Tensor:
    """Embed numbers, shape (n,), as float32 sines and cosines, shape (n, width)."""
    half = width // 2
    exponent = torch.arange(half, device=numbers.device, dtype=torch.float32) / half
    angles = numbers.float()[:, None] * torch.exp(-math.log(10_000) * exponent)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)
