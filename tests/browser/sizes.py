"""Runs of a UNet at several image sizes, with baseline and with fused attention, made by hand."""

from __future__ import annotations

from pathlib import Path

from tests.analysis.memory.made import block, unet

SIZES = (64, 128, 256)
MIB = 1 << 20


def write(logdir: Path) -> None:
    """Write `math<px>` and `flash<px>` below `logdir`; only the baselines have allocations."""
    for px in SIZES:
        largest = (px // 8) ** 2
        for fused in (False, True):
            folder = logdir / f"{'flash' if fused else 'math'}{px:03}"
            folder.mkdir(parents=True)
            size = largest * MIB // 64
            blocks = [block(3.0, size, 1, size), block(9.0, -size, 1, 0)]
            unet(
                folder,
                calls={largest: 5, largest // 4: 5, largest // 16: 1},
                px=px,
                fused=fused,
                events=[] if fused else blocks,
            )
            (folder / "trace.json").rename(folder / "cpu.pt.trace.json")
