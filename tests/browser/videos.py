"""Recordings of a video model that attends over space, then over time, for several frame counts."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile

FRAMES = (4, 8, 16)

POSITIONS = 64
LAYERS = 2
HEADS, WIDTH = 2, 16


def write(logdir: Path) -> None:
    """Write a run for each number of frames below `logdir`."""
    for frames in FRAMES:
        path = logdir / f"frames{frames:02}" / "cpu.pt.trace.json"
        path.parent.mkdir(parents=True)
        _record(path, frames)


def _record(path: Path, frames: int) -> None:
    space = torch.ones(frames, HEADS, POSITIONS, WIDTH)
    time = torch.ones(POSITIONS, HEADS, frames, WIDTH)
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU], record_shapes=True) as seen:
        for _ in range(LAYERS):
            functional.scaled_dot_product_attention(space, space, space)
            functional.scaled_dot_product_attention(time, time, time)
    seen.export_chrome_trace(str(path))
