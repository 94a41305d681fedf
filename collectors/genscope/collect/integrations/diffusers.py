"""For diffusers pipelines.

with GenScopeCallback("runs/sdxl", pipe, wait=1, active=2) as callback:
    pipe(prompt, callback_on_step_end=callback)
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from genscope.collect.integrations.session import Session


class GenScopeCallback:
    """Records denoising steps; what comes before the first and after the last is part of those.

    Without the block it starts at the end of the first step it is told of, and ends when its
    schedule does, or the process.

    Args:
        output: Folder for the traces.
        pipeline: Needed only for the block.
        options: Of `Collector`: wait, warmup, active, repeat, …
    """

    tensor_inputs: tuple[str, ...] = ()
    """No tensors are asked for."""

    def __init__(self, output: Any, pipeline: Any = None, **options: Any) -> None:
        self._pipeline = pipeline
        self._session = Session(output, options)
        self._started = False

    def __call__(
        self, pipeline: Any, step: int, timestep: Any, callback_kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        """Count a step; what the pipeline hands over goes back unchanged."""
        if self._started:
            self._session.step()
        else:
            self._start(pipeline)
        return callback_kwargs

    def close(self) -> None:
        """End now."""
        self._session.stop()

    def _start(self, pipeline: Any) -> None:
        self._started = True
        self._session.start(pipeline)

    def __enter__(self) -> GenScopeCallback:
        self._start(self._pipeline)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._started = False
        self._session.stop(error)
