"""Events of ours in the profile that is being recorded, if one is.

Their names come from `genscope.schema.names`: other text can break the file that a profiler
writes. Nothing here raises; where torch refuses, the event is missing and the code goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol

import torch
from torch.profiler import record_function


class Range(Protocol):
    """A context manager, to be entered once: the event lasts as long as the block."""

    def __enter__(self) -> object: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        place: TracebackType | None,
        /,
    ) -> object: ...


class _Recorded:
    """A `record_function` that never raises."""

    __slots__ = ("_name", "_open")

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: record_function | None = None

    def __enter__(self) -> None:
        try:
            opened = record_function(self._name)
            opened.__enter__()  # type: ignore[no-untyped-call] # torch leaves it untyped
            self._open = opened
        except Exception:
            self._open = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        place: TracebackType | None,
        /,
    ) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            try:
                opened.__exit__(kind, error, place)
            except Exception:
                return


def choose(profiler: object) -> Callable[[str], Range]:
    """Return what makes the cheap ranges: the fast one of torch's `profiler`, if it works.

    It is no public part of torch, so it is tried before it is trusted. One of its objects can be
    entered again, but neither twice at once nor by two threads; making one costs 0.1 µs.
    """
    fast: Callable[[str], Range] | None = getattr(profiler, "_RecordFunctionFast", None)
    try:
        if fast is None:
            return _Recorded
        with fast("genscope"):
            pass
    except Exception:
        return _Recorded
    return fast


_fast = choose(getattr(torch._C, "_profiler", None))


def range_of(name: str, *, mirrored: bool = False) -> Range:
    """Return a range called `name`.

    A `mirrored` one costs some 50 µs instead of under 1 µs while shapes are recorded, and shows
    above the kernels of the device as well as on the CPU.
    """
    try:
        return _Recorded(name) if mirrored else _fast(name)
    except Exception:
        return _Recorded(name)


def has_device() -> bool:
    """Whether this process may drive a device, above whose kernels a range could be mirrored."""
    try:
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            return True
        # Asked without waking a driver; only CUDA is likely to be there and not to be used.
        current = torch.accelerator.current_accelerator()
        return current is not None and current.type != "cuda"
    except Exception:
        return True


def mark(name: str) -> None:
    """Record an event without a duration."""
    try:
        with range_of(name):
            pass
    except Exception:
        return
