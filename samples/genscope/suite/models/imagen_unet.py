"""The UNets of Imagen (arXiv:2205.11487, appendix F), over pixels and under a text.

One class serves its base model and its Efficient U-Nets: resnets with scale and shift from time
and text, and attention whose keys and values are those of the image (unless a model has cross
attention alone) followed by those of the text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True, slots=True)
class UNetSize:
    """A UNet by its levels, from the outermost down."""

    channels: tuple[int, ...]
    blocks: tuple[int, ...]
    """Resnets of each level."""
    attention: tuple[bool, ...]
    """Where there is attention."""
    heads: int | None
    """None for as many as make each `head_width` wide."""
    text: int
    """Channels of the text."""
    head_width: int = 64
    looks_at_image: bool = True
    """Whether attention sees the image as well as the text."""
    enlarges: bool = False
    """Whether the input is noise beside a small image, and every level halves its input."""
    joins_every_resnet: bool = True
    """Whether each resnet on the way up takes one from the way down, or the first one alone."""


class ResBlock(nn.Module):
    """Two convolutions around a scale and a shift."""

    def __init__(self, inner: int, outer: int, condition: int) -> None:
        super().__init__()
        self.norm_1 = nn.GroupNorm(_groups(inner), inner)
        self.conv_1 = nn.Conv2d(inner, outer, 3, padding=1)
        self.condition = nn.Linear(condition, 2 * outer)
        self.norm_2 = nn.GroupNorm(_groups(outer), outer)
        self.conv_2 = nn.Conv2d(outer, outer, 3, padding=1)
        self.skip = nn.Conv2d(inner, outer, 1) if inner != outer else nn.Identity()

    def forward(self, hidden: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Take (batch, inner, height, width) and (batch, condition); return `outer` channels."""
        inside = self.conv_1(F.silu(self.norm_1(hidden)))
        scale, shift = self.condition(F.silu(condition))[..., None, None].chunk(2, dim=1)
        inside = self.conv_2(F.silu(self.norm_2(inside) * (1 + scale) + shift))
        out: torch.Tensor = self.skip(hidden) + inside
        return out


class TextAttention(nn.Module):
    """Attention of each position to all positions and to the text."""

    def __init__(self, width: int, size: UNetSize) -> None:
        super().__init__()
        self.heads = size.heads or max(1, width // size.head_width)
        self.norm = nn.GroupNorm(_groups(width), width)
        self.text_norm = nn.LayerNorm(size.text)
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_kv = nn.Linear(width, 2 * width, bias=False) if size.looks_at_image else None
        self.text_kv = nn.Linear(size.text, 2 * width, bias=False)
        self.to_out = nn.Linear(width, width)

    def forward(self, hidden: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Take (batch, width, height, width) and (batch, tokens, text); return the first."""
        flat = self.norm(hidden).flatten(2).transpose(1, 2)
        both = self.text_kv(self.text_norm(text))
        if self.to_kv is not None:
            both = torch.cat([self.to_kv(flat), both], dim=1)
        keys, values = both.chunk(2, dim=-1)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.to_q(flat), keys, values)
        )
        mixed = F.scaled_dot_product_attention(query, key, value)
        out = self.to_out(mixed.transpose(1, 2).flatten(2))
        height, width = hidden.shape[-2:]
        added: torch.Tensor = hidden + out.transpose(1, 2).reshape(*hidden.shape[:2], height, width)
        return added


class Level(nn.Module):
    """Resnets of one resolution, each but in Efficient U-Nets followed by attention."""

    def __init__(
        self, inner: tuple[int, ...], outer: int, condition: int, size: UNetSize, attends: bool
    ) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(ResBlock(one, outer, condition) for one in inner)
        # An Efficient U-Net has one attention a level, after the last resnet.
        places = (
            [*(not size.enlarges for _ in inner[1:]), True] if attends else [False] * len(inner)
        )
        self.attentions = nn.ModuleList(
            TextAttention(outer, size) if here else nn.Identity() for here in places
        )

    def at(
        self, index: int, hidden: torch.Tensor, condition: torch.Tensor, text: torch.Tensor
    ) -> torch.Tensor:
        """Run one resnet and the attention behind it, if there is one."""
        out: torch.Tensor = self.resnets[index](hidden, condition)
        attention = self.attentions[index]
        return attention(out, text) if isinstance(attention, TextAttention) else out


class ImagenUNet(nn.Module):
    """Predicts the noise in an image; a super-resolution model sees the small image beside it."""

    def __init__(self, size: UNetSize) -> None:
        super().__init__()
        channels = size.channels
        condition = 4 * channels[0]
        self.enlarges = size.enlarges
        self.joins_every_resnet = size.joins_every_resnet
        self.width = channels[0]
        self.time = nn.Sequential(
            nn.Linear(channels[0], condition), nn.SiLU(), nn.Linear(condition, condition)
        )
        self.pooled_norm = nn.LayerNorm(size.text)
        self.pooled = nn.Linear(size.text, condition)
        self.enter = nn.Conv2d(6 if size.enlarges else 3, channels[0], 3, padding=1)

        levels = list(zip(channels, size.blocks, size.attention, strict=True))
        before = (channels[0], *channels[:-1])
        self.shrink = nn.ModuleList(
            nn.Conv2d(inner, outer, 3, stride=2, padding=1)
            if size.enlarges or level
            else nn.Identity()
            for level, (inner, outer) in enumerate(zip(before, channels, strict=True))
        )
        self.down = nn.ModuleList(
            Level((width,) * blocks, width, condition, size, attends)
            for width, blocks, attends in levels
        )
        last = channels[-1]
        # The Efficient U-Net turns round at its deepest level.
        self.middle = (
            None if size.enlarges else Level((last, last), last, condition, size, attends=True)
        )
        self.up = nn.ModuleList(
            Level(
                ((2 * width,) * blocks)
                if size.joins_every_resnet
                else (2 * width, *(width,) * (blocks - 1)),
                width,
                condition,
                size,
                attends,
            )
            for width, blocks, attends in reversed(levels)
        )
        self.grow = nn.ModuleList(
            nn.Conv2d(outer, inner, 3, padding=1) if size.enlarges or level else nn.Identity()
            for level, (inner, outer) in reversed(
                list(enumerate(zip(before, channels, strict=True)))
            )
        )
        self.norm = nn.GroupNorm(_groups(channels[0]), channels[0])
        self.leave = nn.Conv2d(channels[0], 3, 3, padding=1)

    def forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor,
        text: torch.Tensor,
        small: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return the noise, of the shape of `sample`.

        Args:
            sample: (batch, 3, side, side).
            timestep: (batch,).
            text: States of the text encoder, (batch, tokens, text).
            small: The image to enlarge, resized to the sample; super-resolution alone.
        """
        condition = self.time(_sinusoid(timestep, self.width).to(text.dtype))
        condition = condition + self.pooled(self.pooled_norm(text.mean(1)))
        hidden = self.enter(sample if small is None else torch.cat([sample, small], dim=1))
        kept = []
        for shrink, level in zip(self.shrink, _levels(self.down), strict=True):
            hidden = shrink(hidden)
            for index in range(len(level.resnets)):
                hidden = level.at(index, hidden, condition, text)
                if self.joins_every_resnet or index == len(level.resnets) - 1:
                    kept.append(hidden)
        if self.middle is not None:
            for index in range(len(self.middle.resnets)):
                hidden = self.middle.at(index, hidden, condition, text)
        for grow, level in zip(self.grow, _levels(self.up), strict=True):
            for index in range(len(level.resnets)):
                if self.joins_every_resnet or not index:
                    hidden = torch.cat([hidden, kept.pop()], dim=1)
                hidden = level.at(index, hidden, condition, text)
            if not isinstance(grow, nn.Identity):
                hidden = grow(F.interpolate(hidden, scale_factor=2.0))
        out: torch.Tensor = self.leave(F.silu(self.norm(hidden)))
        return out


def _levels(modules: nn.ModuleList) -> list[Level]:
    return [module for module in modules if isinstance(module, Level)]


def _groups(width: int) -> int:
    return math.gcd(32, width)


def _sinusoid(timestep: torch.Tensor, width: int) -> torch.Tensor:
    half = width // 2
    speeds = torch.exp(torch.arange(half, device=timestep.device) * (-math.log(10000) / half))
    angles = timestep.float()[:, None] * speeds
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
