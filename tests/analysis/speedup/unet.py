"""A small UNet with attention at two resolutions, recorded with baseline and fused attention."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import interpolate, scaled_dot_product_attention

from genscope.collect.pair import Pair, collect_pair
from genscope.schema import Workload

STEPS = 3
CHANNELS, HEADS = 16, 2


class Block(nn.Module):
    """A convolution and self attention over the pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.convolve = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.project = nn.Linear(CHANNELS, 3 * CHANNELS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.convolve(x)
        tokens = self.project(x.flatten(2).transpose(1, 2))
        q, k, v = tokens.unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return x + mixed.transpose(1, 2).reshape(x.shape)


class UNet(nn.Module):
    """Down, and up again."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block() for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks[0](x)
        low = self.blocks[1](interpolate(x, scale_factor=0.5))
        mixed: torch.Tensor = self.blocks[2](x + interpolate(low, scale_factor=2.0))
        return mixed


def recorded_pair(folder: Path) -> Pair:
    """Record three steps at 16 x 16 pixels."""
    model = UNet().eval()

    def denoise() -> torch.Tensor:
        with torch.no_grad():
            x = torch.ones(1, CHANNELS, 16, 16)
            for _ in range(STEPS):
                x = model(x)
            return x

    workload = Workload(model="small", image_size=(16, 16), steps=STEPS)
    return collect_pair(denoise, folder, model=model, repeats=2, workload=workload)
