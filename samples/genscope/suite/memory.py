"""How much memory a run needs, counted in a run on the device `meta`, which takes seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import torch

from genscope.suite.meta.mode import MetaMode
from genscope.suite.models.base import Model, Scale, Task, parameters

_FEW = Task(steps=1, tokens=4)
"""Steps are alike, and tokens add to a cache alone."""
_ROOM = 1.1
"""What an allocator takes over what is asked of it."""
_SPARE = 2 << 30
"""Bytes for the device's context, workspaces of libraries, and caches of keys."""
_UNFUSED = ("math", "eager")


@dataclass(frozen=True, slots=True)
class Need:
    """What a run needs."""

    parameters: int
    weight_bytes: int
    result_bytes: int
    """Most bytes of what ops give that live at once."""

    @property
    def total_bytes(self) -> int:
        """All of it, with what the device needs beside."""
        return self.weight_bytes + int(self.result_bytes * _ROOM) + _SPARE


def needed(
    model: Model, scale: Scale, task: Task, dtype: torch.dtype, attention: Sequence[str]
) -> Need:
    """Count what a run of a task needs on a GPU, with the attention that needs most.

    Args:
        model: What is to run.
        scale: Its size.
        task: What it makes; of steps and tokens only the first are run.
        dtype: Of weights and activations.
        attention: Names of implementations.
    """
    components = model.build(scale, device="meta", dtype=dtype)
    name = "math" if any(one in _UNFUSED for one in attention) else "flash"
    mode = MetaMode(name, device="cuda")
    mode.leave_out(
        chain.from_iterable([*one.parameters(), *one.buffers()] for one in components.values())
    )
    run = model.pipeline(scale, components).run
    with torch.random.fork_rng(devices=[]), torch.inference_mode(), mode:
        run(task.with_options(_FEW))
    count = sum(parameters(components).values())
    return Need(count, count * dtype.itemsize, mode.peak_bytes)


def refusal(need: Need, dtype: torch.dtype, attention: Sequence[str], free: int | None) -> str:
    """Say why a run cannot be recorded and what can be done, "" if it can.

    Args:
        need: Of the run.
        dtype: Of weights and activations.
        attention: Names of implementations.
        free: Bytes that are free on the GPU, None for a CPU.
    """
    if free is not None and need.total_bytes <= free:
        return ""
    kind = str(dtype).removeprefix("torch.")
    told = (
        f"{need.parameters / 1e9:.1f} B parameters in {kind} and {_gib(need.result_bytes)} of "
        f"results that live at once need about {_gib(need.total_bytes)} of GPU memory"
    )
    if free is None:
        return (
            f"{told}, and this would run on the CPU; use --scale tiny, or a machine with a GPU; "
            "`genscope plan` predicts the run without one"
        )
    ways = ["--dtype bfloat16"] if dtype.itemsize > 2 else []
    if any(name in _UNFUSED for name in attention):
        ways.append("--attention flash")
    ways += ["a smaller --image-size or fewer --frames", "--scale tiny", "a larger GPU"]
    return f"{told}, and {_gib(free)} are free; use {', '.join(ways[:-1])}, or {ways[-1]}"


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count < 10 << 30 else f"{count / 2**30:.0f} GiB"
