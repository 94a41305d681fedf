"""What the tests of real models say about each: how to build and run it, and its attention calls.

The calls of a case are written by hand from the model's configuration and its library's source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

SDPA = "sdpa"
MHA = "mha"
ENCODER_LAYER = "encoder_layer"
CHAIN = "chain"


@dataclass(frozen=True, slots=True)
class Call:
    """One attention call, with the model's own numbers: never packed, never repeated heads."""

    component: str
    module: str
    """Path of the module that computes attention, within its component."""
    kind: str
    axis: str
    batch: int
    heads: int
    q: int
    kv: int
    width: int
    """Head dimension."""
    kv_heads: int | None = None
    """None for as many as `heads`."""
    causal: bool | None = False
    """The flag that the op receives; None where there is no such flag, as in a chain."""
    step: int | None = None
    """None for a component that runs outside any loop of steps."""
    op: str = SDPA
    """How it reaches torch."""
    repeated: bool = False
    """Whether the library repeats keys and values to as many heads as there are queries."""


@dataclass(frozen=True, slots=True)
class Built:
    """A model on the CPU with random weights, in eval mode."""

    target: Any
    """A pipeline or a module: what a user would name."""
    run: Callable[[], torch.Tensor]
    """Runs it from its own seed: twice the same result."""
    components: Mapping[str, nn.Module] | None = None
    """Names for what `target` alone does not tell."""


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    build: Callable[[], Built]
    calls: Callable[[], list[Call]]


def stepwise(calls: Iterable[Call], steps: int) -> list[Call]:
    """Repeat the calls of one step, numbered from 0."""
    once = list(calls)
    return [replace(call, step=step) for step in range(steps) for call in once]


def within(component: str, calls: Iterable[Call]) -> list[Call]:
    return [replace(call, component=component) for call in calls]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=seeded(seed))
