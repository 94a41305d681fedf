"""What the demo records: each model with its size, ready to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from genscope.suite import llama, stable_diffusion
from genscope.suite.llama import LlamaSize
from genscope.suite.stable_diffusion import StableDiffusionSize


@dataclass(frozen=True, slots=True)
class Workload:
    """A model that was built, and what to do with it."""

    parameters: int
    task: str
    """What one run does, in words."""
    warm_up: Callable[[], torch.Tensor]
    run: Callable[[], torch.Tensor]
    model: Any
    """What is run, for the collectors to find its parts."""


def _stable_diffusion(steps: int | None) -> Workload:
    size = StableDiffusionSize()
    if steps is not None:
        size = replace(size, steps=steps)
    pipe = stable_diffusion.build(size)
    return Workload(
        parameters=stable_diffusion.parameters(pipe),
        task=f"one image of {size.image_px} x {size.image_px} in {_count(size.steps, 'step')}",
        # One step touches every op and shape that more of them would.
        warm_up=lambda: stable_diffusion.run(pipe, size, steps=1),
        run=lambda: stable_diffusion.run(pipe, size),
        model=pipe,
    )


def _llama(steps: int | None) -> Workload:
    # A longer prompt than the default, so that attention weighs something in prefill.
    size = LlamaSize(prompt_tokens=512, new_tokens=16)
    model = llama.build(size)
    return Workload(
        parameters=llama.parameters(model),
        task=f"{size.new_tokens} tokens after a prompt of {size.prompt_tokens}",
        warm_up=lambda: llama.run(model, size),
        run=lambda: llama.run(model, size),
        model=model,
    )


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


BUILD: dict[str, Callable[[int | None], Workload]] = {
    "stable-diffusion": _stable_diffusion,
    "llama": _llama,
}
"""By name. The argument is the number of denoising steps, None for the usual."""
