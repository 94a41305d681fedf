"""What is to be recorded: which model with which task, and where the traces go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path

from genscope.suite.models.base import Model, Scale, Task

_WORDS = {
    "steps": "steps",
    "image_size": "px",
    "frames": "frames",
    "tokens": "tokens",
    "prompt": "prompt",
}
"""How a task that differs from the usual one is called: `tiny-64px`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A task of a model, to be recorded with each attention."""

    task: Task
    folder: Path
    """Holds one folder for each attention."""

    def there(self, attention: str) -> list[Path]:
        """Return the traces that have been recorded."""
        return sorted((self.folder / attention).glob("*.pt.trace.json.gz"))

    def is_done(self, attention: Iterable[str]) -> bool:
        """Whether all are there."""
        return all(self.there(name) for name in attention)


def plans(
    model: Model,
    folder: Path,
    scale: Scale,
    sweeps: Mapping[str, Iterable[int]],
    place: str = "",
) -> Iterator[Plan]:
    """Yield each task once: every combination of the values that say something to the model.

    Args:
        model: What is to run.
        folder: Of this model.
        scale: Its size.
        sweeps: Values of fields of the task, by name.
        place: Part of the name of the folder that tells where it ran, "" for the usual.
    """
    usual = model.tasks[scale]
    names = list(sweeps)
    seen = set()
    for values in product(*sweeps.values()):
        task = usual.with_options(Task(**dict(zip(names, values, strict=True))))
        if task in seen:
            continue
        seen.add(task)
        yield Plan(
            task, folder / "-".join([*_named(scale, task, usual), *([place] if place else [])])
        )


def _named(scale: Scale, task: Task, usual: Task) -> Iterator[str]:
    yield scale
    for field in fields(task):
        value = getattr(task, field.name)
        if value != getattr(usual, field.name):
            yield f"{value}{_WORDS[field.name]}"


def in_words(task: Task) -> str:
    """Say what one run makes: `256 px, 3 steps`."""
    said = []
    if task.frames is not None:
        said.append(f"{task.frames} frames")
    if task.image_size is not None:
        said.append(f"{task.image_size} x {task.image_size} px")
    if task.tokens is not None:
        said.append(f"{task.tokens} tokens after {task.prompt}")
    if task.steps is not None:
        said.append(f"{task.steps} steps" if task.steps != 1 else "1 step")
    return ", ".join(said)
