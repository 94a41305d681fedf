"""Everything that becomes packets, as columns: slices first, then instants, then counters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from genscope.perfetto.ragged import UInt64, unsigned
from genscope.trace.model import Bool, Int32, Int64


@dataclass(slots=True)
class Records:
    """Columns of shape (n,); the first `slices` are slices, then come `instants`, then counters."""

    start: Int64
    end: Int64
    track: Int64
    """Uuids."""
    name: Int32
    """Interned, 0 for none, as `category`."""
    category: Int32
    slices: int
    instants: int
    value: UInt64
    """Of the counters alone: the value, or its bits as a float64."""
    is_double: Bool

    @property
    def earliest(self) -> int:
        """Start of the first, 0 where there are none."""
        return int(self.start.min()) if len(self.start) else 0


@dataclass(slots=True)
class Gathered:
    """Records as they are gathered: the parts of each column."""

    slices: int = 0
    instants: int = 0
    _parts: dict[str, list[npt.NDArray[Any]]] = field(default_factory=dict)

    def add_slices(
        self, start: Int64, end: Int64, track: Int64, name: Int32 | Int64, category: Int32
    ) -> None:
        """Take slices; all arrays have shape (k,)."""
        self.slices += len(start)
        self._add(start=start, end=end, track=track, name=name, category=category)

    def add_instants(
        self, at: Int64, track: Int64, name: Sequence[int], category: Sequence[int]
    ) -> None:
        """Take instants, after all slices."""
        self.instants += len(at)
        self._add(
            start=at,
            end=at,
            track=track,
            name=np.array(name, dtype=np.int32),
            category=np.array(category, dtype=np.int32),
        )

    def add_counter(self, at: Int64, track: int, value: npt.NDArray[Any]) -> None:
        """Take the values of a counter, after all instants."""
        none = np.zeros(len(at), dtype=np.int32)
        uuids = np.full(len(at), track, dtype=np.int64)
        self._add(start=at, end=at, track=uuids, name=none, category=none)
        double = value.dtype == np.float64
        bits = value.view(np.uint64) if double else unsigned(value)
        self._add(value=bits, is_double=np.full(len(at), double))

    def finish(self) -> Records:
        """Return the columns."""
        return Records(
            start=self._column("start", np.int64),
            end=self._column("end", np.int64),
            track=self._column("track", np.int64),
            name=self._column("name", np.int32),
            category=self._column("category", np.int32),
            slices=self.slices,
            instants=self.instants,
            value=self._column("value", np.uint64),
            is_double=self._column("is_double", np.bool_),
        )

    def _add(self, **columns: npt.NDArray[Any]) -> None:
        for name, part in columns.items():
            self._parts.setdefault(name, []).append(part)

    def _column(self, name: str, dtype: type[np.generic]) -> npt.NDArray[Any]:
        parts = self._parts.pop(name, [])
        return np.concatenate([np.zeros(0, dtype=dtype), *parts]).astype(dtype, copy=False)
