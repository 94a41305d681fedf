"""Counters that a source has, and those of memory, which the allocator's instants tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Raw, UnsetType

from genscope.perfetto.found import Counter
from genscope.trace.decode import DECODE_ERRORS, Scalar
from genscope.trace.model import Int64

MEMORY = "[memory]"
"""Name of the instants in which the allocator says what it holds."""

_DEVICES = {0: "CPU", 1: "CUDA", None: "device"}
"""Kinds of devices, as torch numbers them."""


@dataclass(slots=True)
class Series:
    """The values of a counter, in file order; times as the source counts them."""

    at_ns: list[int] = field(default_factory=list)
    value: list[int | float] = field(default_factory=list)

    def times(self) -> Int64:
        """Times, shape (k,)."""
        return np.array(self.at_ns, dtype=np.int64)

    def values(self) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
        """Values as int64, or as float64 where any is no whole number; shape (k,)."""
        if all(isinstance(value, int) for value in self.value):
            return np.array(self.value, dtype=np.int64)
        return np.array(self.value, dtype=np.float64)


class _Allocated(msgspec.Struct, gc=False):
    kind: Scalar = msgspec.field(default=None, name="Device Type")
    index: Scalar = msgspec.field(default=None, name="Device Id")
    allocated: Scalar = msgspec.field(default=None, name="Total Allocated")
    reserved: Scalar = msgspec.field(default=None, name="Total Reserved")


class Allocations:
    """What is allocated and reserved on each device over time."""

    def __init__(self) -> None:
        self._series: dict[tuple[int | None, int | None, str], Series] = {}

    def add(self, args: Sequence[Raw | UnsetType], at_ns: Sequence[int]) -> None:
        """Take the arguments of instants named MEMORY, and their times."""
        for text, at in zip(args, at_ns, strict=True):
            if isinstance(text, UnsetType):
                continue
            try:
                found = msgspec.json.decode(text, type=_Allocated)
            except DECODE_ERRORS:
                continue
            device = (_small(found.kind), _small(found.index))
            for what, value in (("allocated", found.allocated), ("reserved", found.reserved)):
                if isinstance(value, int) and 0 <= value < 1 << 63:
                    series = self._series.setdefault((*device, what), Series())
                    series.at_ns.append(at)
                    series.value.append(value)

    def counters(self, origin_ns: int) -> list[Counter]:
        """One counter for each device and what is counted of it; `origin_ns` is their time 0."""
        found = []
        for (kind, index, what), series in self._series.items():
            at_ns = series.times() - origin_ns
            # Threads write theirs one after the other.
            order = np.argsort(at_ns, kind="stable")
            title = f"Memory {what} ({_device(kind, index)})"
            found.append(Counter(title, "bytes", at_ns[order], series.values()[order]))
        return found


def _small(value: Scalar) -> int | None:
    return value if isinstance(value, int) and abs(value) < 1 << 31 else None


def _device(kind: int | None, index: int | None) -> str:
    name = _DEVICES.get(kind, f"device of type {kind}")
    return f"{name} {index}" if index is not None and index >= 0 and kind != 0 else name
