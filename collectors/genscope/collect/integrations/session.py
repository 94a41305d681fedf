"""A collector that is opened and closed by somebody's callbacks."""

from __future__ import annotations

import atexit
from typing import Any

from genscope.collect.collector import Collector


class Session:
    """At most one open `Collector`; every method may be called at any time."""

    def __init__(self, output: Any, options: dict[str, Any]) -> None:
        self._output = output
        self._options = options
        self._collector: Collector | None = None
        # So that options which make no sense are told now and not in the middle of a run.
        Collector(None, output, **options)

    @property
    def is_open(self) -> bool:
        """Whether a collector is open."""
        return self._collector is not None

    def start(self, model: Any) -> None:
        """Open a collector for `model`; one that was left open is closed before."""
        self.stop()
        collector = Collector(model, self._output, **self._options)
        collector.__enter__()
        self._collector = collector
        # For loops that end in an exception and tell their callbacks nothing of it.
        atexit.register(self.stop)

    def step(self) -> None:
        """Say that a step is done."""
        if self._collector is not None:
            self._collector.step()

    def stop(self, error: BaseException | None = None) -> None:
        """Close the collector, after `error` if there was one."""
        collector, self._collector = self._collector, None
        if collector is not None:
            atexit.unregister(self.stop)
            kind = type(error) if error is not None else None
            trace = error.__traceback__ if error is not None else None
            collector.__exit__(kind, error, trace)
