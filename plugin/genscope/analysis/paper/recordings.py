"""Which command records what a figure lacks."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genscope.analysis.paper.panels import Recording

PAPER_SCALE = "paper"

_USUAL_DTYPE = {True: "float32", False: "bfloat16"}
"""What is recorded unless a dtype is named, on a CPU and on a GPU."""

IMAGE_SIZES = {"tiny": (64, 128, 256), PAPER_SCALE: (64, 128, 256, 512)}
"""Sides of Stable Diffusion's images that make a sweep, by scale."""

FRAMES = {"tiny": (4, 8, 16, 32), PAPER_SCALE: (8, 16, 32)}
FRAME_SIZES = {"tiny": (64, 96), PAPER_SCALE: (384, 768)}
"""Make-A-Video's."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how runs are recorded: what a command has to say to add to them."""

    folder: str
    scale: str = "tiny"
    hardware: str = "CPU"
    dtype: str | None = "float32"

    def recording(
        self, what: str, models: Sequence[str], sweeps: Mapping[str, Sequence[int]] | None = None
    ) -> Recording:
        """Return the command that records models, at several sizes of what is in `sweeps`."""
        words = ["genscope", "suite", "run", "--models", ",".join(models)]
        on_cpu = self.hardware == "CPU"
        if self.scale != "tiny":
            words += ["--scale", self.scale]
        if on_cpu:
            words += ["--device", "cpu"]
        if self.dtype not in (None, _USUAL_DTYPE[on_cpu]):
            words += ["--dtype", str(self.dtype)]
        for name, values in (sweeps or {}).items():
            words += [f"--{name.replace('_', '-')}", ",".join(map(str, values))]
        return Recording(what=what, command=shlex.join([*words, "-o", self.folder]))

    def image_sizes(self) -> Sequence[int]:
        """Sides of images to sweep over."""
        return IMAGE_SIZES.get(self.scale, IMAGE_SIZES["tiny"])

    def frames(self) -> dict[str, Sequence[int]]:
        """Numbers of frames, and sides, to sweep over."""
        scale = self.scale if self.scale in FRAMES else "tiny"
        return {"frames": FRAMES[scale], "image_size": FRAME_SIZES[scale]}
