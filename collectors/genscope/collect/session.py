"""The recording of a script that knows nothing of it: a window of model calls."""

from __future__ import annotations

import argparse
import gc
import logging
from collections.abc import Mapping
from typing import Any

from torch import nn

from genscope.collect import worker
from genscope.collect.collector import Collector
from genscope.collect.guard import MAX_EVENTS, MAX_SECONDS
from genscope.collect.outermost import OutermostCalls
from genscope.collect.recording import import_compiler
from genscope.schema import Workload

_LOG = logging.getLogger("genscope")


class Session:
    """Counts the outermost model calls and records those of the window that `args` name."""

    def __init__(self, args: argparse.Namespace, attention: str | None) -> None:
        first, last = args.steps
        self._first = args.warmup + first
        self._last = None if last is None else args.warmup + last
        self._calls = 0
        self._watch = OutermostCalls(self._before, self._after)
        self._is_open = False
        self._collector: Collector | None = None
        self._components: Mapping[str, str] = args.components or {}
        self._output: str = args.output
        self._options: dict[str, Any] = {
            "warmup": 0,
            "max_seconds": MAX_SECONDS if args.max_seconds is None else args.max_seconds,
            "max_events": MAX_EVENTS if args.max_events is None else int(args.max_events),
            "worker": args.worker,
            "workload": Workload(attention=attention),
        }

    @property
    def written(self) -> tuple[str, ...]:
        """Paths of the traces."""
        return self._collector.written if self._collector is not None else ()

    @property
    def is_first(self) -> bool:
        """Whether this process speaks for all of its job."""
        place = worker.rank()
        return place is None or place.rank == 0

    @property
    def why_nothing(self) -> str:
        """Why no recording was begun; empty where one was, which then speaks for itself."""
        if self._collector is not None:
            return ""
        if not self._calls:
            return "the script called no model (no torch.nn.Module) in this process"
        return (
            f"the script made {self._calls} model calls, and {self._first} were to pass "
            "before the window (--steps, --warmup)"
        )

    def start(self) -> None:
        """Begin to count calls."""
        import_compiler()
        self._watch.install()

    def end(self, outcome: BaseException | None) -> None:
        """Write what was recorded, if the window is still open, and leave nothing behind."""
        self._watch.remove()
        self._close(outcome)

    def _before(self, _: nn.Module) -> None:
        if self._calls == self._first:
            self._open()
        self._calls += 1

    def _open(self) -> None:
        components = _of_classes(self._components)
        self._collector = Collector(
            None, self._output, components=components or None, **self._options
        )
        self._is_open = True
        self._collector.__enter__()

    def _after(self, _: nn.Module) -> None:
        if self._calls == self._last:
            self._close(None)

    def _close(self, outcome: BaseException | None) -> None:
        if self._is_open and self._collector is not None:
            self._is_open = False
            error = None if isinstance(outcome, SystemExit) else outcome
            self._collector.__exit__(type(error) if error else None, error, None)


def _of_classes(wanted: Mapping[str, str]) -> dict[str, nn.Module]:
    """The largest living module of each class, by the name that it was given."""
    found: dict[str, tuple[int, nn.Module]] = {}
    if wanted:
        alive = [item for item in gc.get_objects() if isinstance(item, nn.Module)]
        for name, kind in wanted.items():
            sized = [
                (sum(1 for _ in module.modules()), module)
                for module in alive
                if type(module).__name__ == kind
            ]
            if sized:
                found[name] = max(sized, key=lambda pair: pair[0])
            else:
                _LOG.warning("no module of class %s is there to be called %s", kind, name)
    return {name: module for name, (_, module) in found.items()}
