"""What a file of this folder provides.

A file holds one constant, `MODEL = Model(...)`, made of four plain functions and a table:

- `components(scale)` constructs the modules by name, in the order in which a run calls them, and
  nothing else: no tokenizer, no scheduler, no weights from a file. It is called under the device
  (`meta` too), the default dtype and the seed that the caller wants, so it says none of these, and
  what it returns is put into eval mode for it. Names are those of components: `text_encoder`,
  `unet`, `transformer`, `vae`, `decoder`, `super_resolution_1`, …
- `pipeline(scale, components)` puts them together, on whatever device they lie (never meta), and
  returns what runs the whole of it: text encoder, generator over its steps, what follows it.
- `tasks` is the usual task of each scale. A field is None where the model has no such thing, and
  then an option for it says nothing to this model. `check(scale, task)` raises ValueError, in
  words, for a task that the model cannot run; at meta cost.
- `calls(scale, task)` is the attention of one run, call by call in order, told from the sizes alone
  (never from a run): what a recording must show.

What is known of the model in the world stands in its row of `registry`: what is published and
where, what is not, what stands in for it. The two scales are the same code with other sizes:
`tiny` takes a second or two on one CPU core with every stage and every kind of attention, `paper`
has the published sizes, and its attention lengths too.

A run draws from torch's global generators, which the caller seeds, so two runs give the same
tensor. `torch.inference_mode` is up to the caller as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import torch
from torch import nn

Scale = Literal["tiny", "paper"]
SCALES: tuple[Scale, ...] = ("tiny", "paper")

Components = dict[str, nn.Module]


@dataclass(frozen=True, slots=True)
class Task:
    """What one run makes. None where the model has no such thing."""

    steps: int | None = None
    """Steps of the generator. Later stages have theirs in proportion (`share`)."""
    image_size: int | None = None
    """Side of the square image or frame that the last stage gives, in pixels."""
    frames: int | None = None
    tokens: int | None = None
    """Tokens that are generated one after another."""
    prompt: int | None = None
    """Tokens of the prompt, as the text encoder or language model sees them."""

    def with_options(self, options: Task) -> Task:
        """Return this task with those fields of `options` that are given and that it has."""
        given = {
            field.name: value
            for field in fields(self)
            if (value := getattr(options, field.name)) is not None
            and getattr(self, field.name) is not None
        }
        return replace(self, **given)

    def share(self, steps: int, usual: Task) -> int:
        """Return the steps of a later stage that has `steps` in the `usual` task; at least 1."""
        if self.steps is None or not usual.steps:
            return steps
        return max(1, round(steps * self.steps / usual.steps))


@dataclass(frozen=True, slots=True)
class Call:
    """One attention call of a run."""

    component: str
    kind: str
    """self, cross or joint."""
    axis: str
    """sequence, spatial, temporal or spatiotemporal."""
    q_len: int
    kv_len: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A model that can be run."""

    target: Any
    """What a `Collector` and `attention()` are given: a module, a pipeline, several, or a mapping
    of components by name."""
    run: Callable[[Task], torch.Tensor]
    """Runs the whole pipeline; returns the image, video or tokens."""


def _anything(scale: Scale, task: Task) -> None:
    """Accept every task."""


@dataclass(frozen=True, slots=True)
class Model:
    """What a file provides; see the top of this module."""

    components: Callable[[Scale], Components]
    pipeline: Callable[[Scale, Components], Pipeline]
    tasks: Mapping[Scale, Task]
    calls: Callable[[Scale, Task], list[Call]]
    check: Callable[[Scale, Task], None] = _anything

    def build(
        self,
        scale: Scale,
        *,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
        seed: int = 0,
    ) -> Components:
        """Construct the components with random weights, in eval mode, without gradients.

        On the device `meta` they have shapes and no memory. The generators and the default dtype
        are left as they were.
        """
        place = torch.device(device)
        before = torch.get_default_dtype()
        with torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
            torch.manual_seed(seed)
            torch.set_default_dtype(dtype)
            try:
                with place:
                    made = self.components(scale)
            finally:
                torch.set_default_dtype(before)
        return {name: module.eval().requires_grad_(False) for name, module in made.items()}


def parameters(components: Mapping[str, nn.Module]) -> dict[str, int]:
    """Return the number of weights of each component; shared ones count once, for the first."""
    seen: set[int] = set()
    counts = {}
    for name, module in components.items():
        own = {id(weight): weight.numel() for weight in module.parameters()}
        counts[name] = sum(count for key, count in own.items() if key not in seen)
        seen |= set(own)
    return counts
