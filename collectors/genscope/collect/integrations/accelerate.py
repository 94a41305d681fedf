"""For loops that use Accelerate.

model, optimizer, data = accelerator.prepare(model, optimizer, data)
with collector(accelerator, model, "runs/training", wait=10, active=3) as steps:
    for batch in data:
        ...
        steps.step()
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from genscope.collect.collector import Collector


class Steps(Protocol):
    """What counts steps."""

    def step(self) -> Any:
        """Say that a step is done."""


class _Nothing:
    """A collector that does nothing, for the ranks that are not recorded."""

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def step(self) -> None:
        """Do nothing."""


def collector(
    accelerator: Any, model: Any, output: Any, *, every_rank: bool = False, **options: Any
) -> AbstractContextManager[Steps]:
    """Return a `Collector` for a prepared model, by its own names rather than those of wrappers.

    Args:
        accelerator: The `accelerate.Accelerator`.
        model: What `prepare` returned, or a list of several.
        output: Folder for the traces.
        every_rank: Record on every rank; else on the main process alone, and on the others the
            same calls do nothing.
        options: Of `Collector`: wait, warmup, active, repeat, …
    """
    if not (every_rank or accelerator.is_main_process):
        return _Nothing()
    several = isinstance(model, (list, tuple))
    inner = [accelerator.unwrap_model(one) for one in (model if several else [model])]
    return Collector(inner if several else inner[0], output, **options)
