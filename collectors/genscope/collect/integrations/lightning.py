"""For Lightning, as `lightning` or as `pytorch_lightning`.

trainer = Trainer(callbacks=[GenScopeCallback("runs/training", wait=10, active=3)])
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from genscope.collect.integrations.session import Session

_PACKAGES = ("lightning.pytorch", "pytorch_lightning")


def _bases() -> tuple[Any, ...]:
    """Return the `Callback` of each package that is in use: to the one the other's is no callback.

    Raises ImportError where neither is installed.
    """
    used = [name for name in _PACKAGES if name in sys.modules]
    if not used:
        for name in _PACKAGES:
            try:
                importlib.import_module(name)
            except ImportError:
                continue
            used = [name]
            break
        else:
            raise ImportError("install lightning or pytorch-lightning to use its callback")
    return tuple(sys.modules[name].Callback for name in used)


class _Methods:
    """What the callback does, whichever package it is for."""

    def __init__(self, output: Any, **options: Any) -> None:
        super().__init__()
        self._session = Session(output, options)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Start. Part of the library's interface, as those below."""
        self._session.start(pl_module)

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        """Count a batch."""
        self._session.step()

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """End."""
        self._session.stop()

    def on_predict_start(self, trainer: Any, pl_module: Any) -> None:
        """Start."""
        self._session.start(pl_module)

    def on_predict_batch_end(self, *_: Any, **__: Any) -> None:
        """Count a batch."""
        self._session.step()

    def on_predict_end(self, trainer: Any, pl_module: Any) -> None:
        """End."""
        self._session.stop()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End."""
        self._session.stop(exception)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """End, where none of the above came."""
        self._session.stop()


_made: dict[tuple[Any, ...], type] = {}


def __getattr__(name: str) -> Any:
    # Made when asked for, since the package to be used may be imported after this module.
    if name != "GenScopeCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    bases = _bases()
    if bases not in _made:
        _made[bases] = type(name, (_Methods, *bases), {"__doc__": _DOC, "__module__": __name__})
    return _made[bases]


_DOC = """Records training and prediction, batch by batch.

Validation within training belongs to the step in which it runs.

Args:
    output: Folder for the traces.
    options: Of `Collector`: wait, warmup, active, repeat, …
"""
