"""For `transformers.Trainer`.

trainer = Trainer(model, …, callbacks=[GenScopeCallback("runs/training", wait=10, active=3)])
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from transformers import TrainerCallback

from genscope.collect.integrations.session import Session


class GenScopeCallback(TrainerCallback):  # type: ignore[misc]
    """Records training steps, optimizer included, from the start of training to its end.

    A step is what the Trainer counts as one: with gradient accumulation, several batches. The
    Trainer tells callbacks nothing of an exception. To leave nothing open after one where the
    process goes on, as in a notebook, use the callback as a context manager around `train()`;
    otherwise it ends when training begins again, or with the process.

    Args:
        output: Folder for the traces.
        options: Of `Collector`: wait, warmup, active, repeat, …
    """

    def __init__(self, output: Any, **options: Any) -> None:
        self._session = Session(output, options)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start. Part of the library's interface, as those below."""
        self._session.start(kwargs.get("model"))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count a step."""
        self._session.step()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """End."""
        self._session.stop()

    def close(self) -> None:
        """End now, wherever training is."""
        self._session.stop()

    def __enter__(self) -> GenScopeCallback:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.stop(error)
