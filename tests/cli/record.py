"""A small model, profiled on the CPU."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile


class Block(torch.nn.Module):
    """One attention layer."""

    def __init__(self) -> None:
        super().__init__()
        self.project = torch.nn.Linear(32, 96)
        self.norm = torch.nn.LayerNorm(32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.project(self.norm(x)).unflatten(-1, (3, 2, 16)).permute(2, 0, 3, 1, 4)
        return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def record(path: Path) -> None:
    """Write the trace of a forward and a backward pass to `path`."""
    model = Block()
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:
        model(torch.ones(2, 64, 32)).sum().backward()
    profiler.export_chrome_trace(str(path))
