"""What an allocator says of its blocks: the instants that `profile_memory=True` records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from genscope.trace.convert import floats, integers, starts
from genscope.trace.decode import NO_ARGS, AnyEvent, Scalar
from genscope.trace.model import Int32, Int64, MemoryEvents

NAME = "[memory]"
"""Name of the instants."""

_MOST_BYTES = 2.0**53
"""More is in no memory, and float64 would round it."""


class MemoryColumns:
    """Collect such instants block by block; what has no usable time or size is left out."""

    def __init__(self) -> None:
        self._parts: list[MemoryEvents] = []
        self.dropped = 0

    def add(
        self, events: Sequence[AnyEvent], track_of: Callable[[tuple[Scalar, Scalar]], int]
    ) -> None:
        """Take instants of one block; `track_of` numbers a process and thread."""
        at_ns, known = starts(events)
        args = [event.args or NO_ARGS for event in events]
        size = floats([one.bytes for one in args])
        good = known & (np.abs(size) < _MOST_BYTES) & (size != 0)
        self.dropped += int((~good).sum())

        def wide(values: Sequence[Scalar]) -> Int64:
            column: Int64 = integers(values, np.int64).astype(np.int64)[good]
            return column

        def narrow(values: Sequence[Scalar]) -> Int32:
            column: Int32 = integers(values, np.int32).astype(np.int32)[good]
            return column

        self._parts.append(
            MemoryEvents(
                at_ns=at_ns[good],
                bytes=size[good].astype(np.int64),
                address=wide([one.address for one in args]),
                allocated=wide([one.allocated for one in args]),
                reserved=wide([one.reserved for one in args]),
                device_type=narrow([one.device_type for one in args]),
                device=narrow([one.device_id for one in args]),
                track=narrow([track_of((event.pid, event.tid)) for event in events]),
            )
        )

    def finish(self) -> MemoryEvents:
        """Return all of them, in file order."""
        if not self._parts:
            return MemoryEvents.none()
        return MemoryEvents(
            **{
                name: np.concatenate([getattr(part, name) for part in self._parts])
                for name in MemoryEvents.__slots__
            }
        )
