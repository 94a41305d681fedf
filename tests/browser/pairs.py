"""A small transformer recorded twice: with attention computed step by step, and fused.

Both runs are marked as of the suite.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import functional

from genscope.collect import collect_pair
from genscope.schema import Workload

HEADS, WIDTH, LENGTH, LAYERS = 2, 16, 96, 3


class Layer(torch.nn.Module):
    """Self-attention between two projections."""

    def __init__(self) -> None:
        super().__init__()
        self.project = torch.nn.Linear(HEADS * WIDTH, 3 * HEADS * WIDTH)
        self.out = torch.nn.Linear(HEADS * WIDTH, HEADS * WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shapes (batch, LENGTH, HEADS * WIDTH) in and out."""
        q, k, v = self.project(x).unflatten(-1, (3, HEADS, WIDTH)).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(q, k, v)
        out: torch.Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return x + out


def write(logdir: Path) -> None:
    """Write the runs `math` and `flash` below `logdir`."""
    model = torch.nn.Sequential(*(Layer() for _ in range(LAYERS)))
    x = torch.ones(2, LENGTH, HEADS * WIDTH)

    def run() -> torch.Tensor:
        with torch.no_grad():
            out: torch.Tensor = model(x)
        return out

    extra = {"suite": True, "scale": "tiny", "task": "tiny"}
    workload = Workload(model="muse", extra=extra)
    collect_pair(run, logdir, model=model, repeats=2, workload=workload)
