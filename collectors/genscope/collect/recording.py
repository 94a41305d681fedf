"""One run of torch's profiler, from its start to what it has to save."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch.autograd import profiler as autograd_profiler
from torch.profiler import ProfilerActivity, profile

from genscope.collect import worker


class Recording:
    """Records the calling thread from `start` to `stop`. Both have to run on one thread.

    Where somebody starts a profiler of his own meanwhile, which torch would refuse him,
    `give_way` is called first.
    """

    def __init__(
        self,
        activities: Iterable[ProfilerActivity] | None,
        options: dict[str, Any],
        give_way: Callable[[], object],
    ) -> None:
        import_compiler()
        self._profile = profile(
            activities=None if activities is None else list(activities), **options
        )
        self._give_way = give_way
        self._open = contextlib.ExitStack()
        self._started = 0.0
        self._seconds: float | None = None

    @property
    def seconds(self) -> float:
        """How long it has been recording, or has recorded."""
        if self._seconds is not None:
            return self._seconds
        return time.monotonic() - self._started

    def start(self) -> None:
        """Begin to record."""
        self._profile.start()
        self._started = time.monotonic()
        self._open.enter_context(_before_another(self._give_way))
        place = worker.rank()
        if place is not None and not _knows_rank():
            info = {"backend": "", "rank": place.rank, "world_size": place.world_size}
            self._profile.add_metadata_json("distributedInfo", json.dumps(info))

    def stop(self) -> None:
        """End the recording."""
        self._seconds = self.seconds
        self._open.close()
        self._profile.stop()

    def abandon(self) -> None:
        """Forget it, in a process that was forked from the one that records."""
        self._open.close()

    def events(self) -> int | None:
        """How many events were recorded; None where torch does not tell."""
        try:
            return len(self._profile.profiler.kineto_results.events())  # type: ignore[union-attr]
        except Exception:
            return None

    def save(self, path: str) -> None:
        """Have Kineto write its JSON to `path`. Works once; failures are not told."""
        self._profile.export_chrome_trace(path)


def import_compiler() -> None:
    """Import torch's compiler, as newer profilers do when they start.

    It takes `nn.Module.__call__` for the original, whatever is there when it is imported; so
    nothing of ours may be.
    """
    with contextlib.suppress(Exception):
        hasattr(torch, "_inductor")


def is_profiled() -> bool:
    """Whether a profiler, whoever's, is recording this thread."""
    return bool(torch._C._autograd._profiler_enabled())


def may_stop() -> bool:
    """Whether a profiler can be stopped here.

    Within a backward pass it cannot: the engine would put the stopped profiler's state back, and no
    other could be started on this thread again.
    """
    current = getattr(torch._C, "_current_graph_task_id", None)
    return current is None or current() == -1


def _knows_rank() -> bool:
    """Whether torch writes the rank by itself."""
    distributed = sys.modules.get("torch.distributed")
    return distributed is not None and distributed.is_available() and distributed.is_initialized()


@contextlib.contextmanager
def _before_another(give_way: Callable[[], object]) -> Iterator[None]:
    """Call `give_way` before another profiler is prepared on any thread."""
    owner = autograd_profiler.profile
    inner: Any = owner._prepare_trace

    def prepare(self: Any) -> Any:
        give_way()
        return inner(self)

    owner._prepare_trace = prepare  # type: ignore[method-assign]
    try:
        yield
    finally:
        if owner._prepare_trace is prepare:
            owner._prepare_trace = inner  # type: ignore[method-assign]
