"""How large a recording becomes, from a run before it: whether a limit would cut it.

The events are estimated as the collector does while it records (`genscope.collect.guard`), from the
calls of models, so that what is said here is what happens there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from genscope.collect.guard import (
    EVENTS_PER_MODULE,
    EVENTS_PER_MODULE_ON_DEVICE,
    MAX_EVENTS,
    MAX_SECONDS,
)
from genscope.collect.outermost import OutermostCalls
from genscope.suite.models.base import Scale

LIMITS: Mapping[Scale, Mapping[str, float]] = {
    "tiny": {"max_seconds": MAX_SECONDS, "max_events": MAX_EVENTS},
    # What torch puts together from so many events takes some 16 GB of memory, 120 MB as a file.
    "paper": {"max_seconds": 900.0, "max_events": 4 * MAX_EVENTS},
}
"""Where a recording ends early unless another limit is asked for."""


@dataclass(slots=True)
class Size:
    """What a run amounts to."""

    seconds: float = 0.0
    """Without a profiler."""
    events: int = 0
    """Estimated."""


@contextmanager
def measured() -> Iterator[Size]:
    """Watch a run, and fill the size in as its models are called."""
    size = Size()
    modules: dict[int, int] = {}

    def called(module: nn.Module) -> None:
        if id(module) not in modules:
            modules[id(module)] = sum(1 for _ in module.modules())
        size.events += modules[id(module)] * each

    on_device = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    each = EVENTS_PER_MODULE_ON_DEVICE if on_device else EVENTS_PER_MODULE
    calls = OutermostCalls(after=called)
    calls.install()
    start = time.perf_counter()
    try:
        yield size
    finally:
        size.seconds = time.perf_counter() - start
        calls.remove()


def cut(size: Size, limits: Mapping[str, float | None]) -> str:
    """Say how a recording of this size would be cut, "" where it is recorded whole."""
    most, longest = limits.get("max_events"), limits.get("max_seconds")
    shares = {
        "events": most / size.events if most is not None and size.events > most else 1.0,
        "seconds": longest / size.seconds
        if longest is not None and size.seconds > longest
        else 1.0,
    }
    what = min(shares, key=lambda name: shares[name])
    if shares[what] == 1.0:
        return ""
    whole = f"{size.events:,} events" if what == "events" else f"{size.seconds:.0f} s"
    limit = f"{most:,.0f} events" if what == "events" else f"{longest:g} s"
    return (
        f"the recording will end early, after about {shares[what]:.0%} of a run: it is about "
        f"{whole}, and the limit {limit}; --max-{what} moves the limit, and fewer --tokens or "
        "--steps make a run that fits"
    )


def watched(run: Callable[[], Any], tell: Callable[[Size], object]) -> Callable[[], Any]:
    """Return `run` with its first call measured and told; those after it are left alone."""
    is_first = True

    def once() -> Any:
        nonlocal is_first
        if not is_first:
            return run()
        is_first = False
        with measured() as size:
            made = run()
        tell(size)
        return made

    return once
