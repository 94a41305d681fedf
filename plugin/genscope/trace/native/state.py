"""What the packets of a writer refer to: interned text, default values, and clocks.

A sequence is what one writer wrote. It may clear its state at any packet; what holds between two
clears is a scope here, numbered over the whole file. All packets of a block belong to scopes, so
that a whole column of references is looked up at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from genscope.trace.model import NONE, Bool, Int32, Int64, UInt8
from genscope.trace.native.fields import BOOTTIME, REALTIME, SEQUENCE_CLOCKS, Clock, Defaults
from genscope.trace.native.wire import BYTES, VARINT, Fields, UInt64, fields, split

_DIRECT = 1 << 20
"""Ids below this are looked up in an array; writers count from 1."""


class Lookup:
    """Ids of one scope to indices."""

    def __init__(self) -> None:
        self._direct = np.full(256, NONE, dtype=np.int32)
        self._far: dict[int, int] = {}

    def put(self, iid: int, index: int) -> None:
        """Let `iid` mean `index`."""
        if iid >= _DIRECT:
            self._far[iid] = index
            return
        if iid >= len(self._direct):
            grown = np.full(max(iid + 1, 2 * len(self._direct)), NONE, dtype=np.int32)
            grown[: len(self._direct)] = self._direct
            self._direct = grown
        self._direct[iid] = index

    def get(self, iids: UInt64) -> Int32:
        """Return the indices, -1 for unknown ids; shape (n,)."""
        inside = iids < len(self._direct)
        if inside.all():
            return self._direct[iids.astype(np.int64)]
        found = np.full(len(iids), NONE, dtype=np.int32)
        found[inside] = self._direct[iids[inside].astype(np.int64)]
        if self._far:
            rest = np.flatnonzero(~inside)
            found[rest] = [self._far.get(iid, NONE) for iid in iids[rest].tolist()]
        return found


class Table:
    """One kind of interned text: for each scope that is open a `Lookup`."""

    def __init__(self, intern: Callable[[bytes], int]) -> None:
        self._intern = intern
        self._scopes: dict[int, Lookup] = {}

    def learn(self, data: UInt8, entries: Fields, scopes: Int64) -> None:
        """Take in entries of interned data; `scopes` has the scope of each."""
        inner, _ = fields(data, entries.at, entries.stop)
        iids = np.zeros(len(entries.at), dtype=np.uint64)
        ids = inner.of(1, VARINT)
        iids[ids.owner] = ids.value
        text = inner.of(2, BYTES)
        for owner, at, stop in zip(
            text.owner.tolist(), text.at.tolist(), text.stop.tolist(), strict=True
        ):
            index = self._intern(data[at:stop].tobytes())
            lookup = self._scopes.setdefault(int(scopes[owner]), Lookup())
            lookup.put(int(iids[owner]), index)

    def get(self, scopes: Int64, iids: UInt64) -> Int32:
        """Return the indices of the texts, -1 where unknown; shape (n,)."""
        found = np.full(len(iids), NONE, dtype=np.int32)
        for scope, rows in groups(scopes):
            lookup = self._scopes.get(scope)
            if lookup is not None:
                found[rows] = lookup.get(iids[rows])
        return found

    def forget(self, scope: int) -> None:
        """Drop a scope that nothing refers to any more."""
        self._scopes.pop(scope, None)


def groups(keys: Int64) -> Iterator[tuple[int, Int64]]:
    """Yield each distinct key with the rows that have it, in their order."""
    if not len(keys):
        return
    if (keys == keys[0]).all():
        yield int(keys[0]), np.arange(len(keys))
        return
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    edges = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    for begin, end in zip(edges.tolist(), [*edges[1:].tolist(), len(order)], strict=True):
        yield int(ordered[begin]), order[begin:end]


class Scopes:
    """Numbers the scopes; keeps the defaults of each."""

    def __init__(self) -> None:
        self.closed: list[int] = []
        """Scopes that ended, to be forgotten once their block is done."""
        self._current: dict[int, int] = {}
        self._clock: dict[int, int] = {}
        self._track: dict[int, int] = {}
        self._count = 0

    def of(self, sequence: Int64, cleared: Bool) -> Int64:
        """Return the scope of each packet of a block; shape (n,)."""
        scopes = np.empty(len(sequence), dtype=np.int64)
        for key, rows in groups(sequence):
            marks = cleared[rows]
            number = np.cumsum(marks)
            current = self._current.get(key)
            if current is None:
                current = self._new()
            opened = [current]
            for _ in range(int(number[-1])):
                opened.append(self._new())
            self.closed.extend(opened[:-1])
            self._current[key] = opened[-1]
            scopes[rows] = np.array(opened, dtype=np.int64)[number]
        return scopes

    def _new(self) -> int:
        self._count += 1
        return self._count

    def learn(self, text: bytes, scope: int) -> None:
        """Take in the defaults of a scope."""
        for number, wire, value, at in split(text, 0, len(text)):
            if number == Defaults.CLOCK and wire == VARINT:
                self._clock[scope] = value
            elif number == Defaults.EVENT and wire == BYTES:
                for inner, kind, track, _ in split(text, at, at + value):
                    if inner == Defaults.EVENT_TRACK and kind == VARINT:
                        self._track[scope] = track

    def clocks(self, scopes: Int64) -> Int64:
        """Return the clock that packets without one use, 0 for the trace's own; shape (n,)."""
        return self._defaults(scopes, self._clock)

    def tracks(self, scopes: Int64) -> UInt64:
        """Return the track that events without one are on, 0 where none is given; shape (n,)."""
        return self._defaults(scopes, self._track).view(np.uint64)

    def _defaults(self, scopes: Int64, table: dict[int, int]) -> Int64:
        found = np.zeros(len(scopes), dtype=np.uint64)
        if table:
            known, place = np.unique(scopes, return_inverse=True)
            values = [table.get(scope, 0) for scope in known.tolist()]
            found = np.array(values, dtype=np.uint64)[place]
        return found.view(np.int64)

    def forget(self) -> list[int]:
        """Drop what ended and return it."""
        ended, self.closed = self.closed, []
        for scope in ended:
            self._clock.pop(scope, None)
            self._track.pop(scope, None)
        return ended


class _Relative:
    """A clock of one sequence: what it shows, and when that was."""

    __slots__ = ("incremental", "multiplier", "origin", "shown")

    def __init__(self, shown: int, origin: int, incremental: bool, multiplier: int) -> None:
        self.shown = shown
        self.origin = origin
        self.incremental = incremental
        self.multiplier = multiplier


class Clocks:
    """Turns the time of packets into nanoseconds of one clock, the trace's."""

    def __init__(self) -> None:
        self.primary = BOOTTIME
        self._offset: dict[int, int] = {}
        self._relative: dict[tuple[int, int], _Relative] = {}

    @property
    def epoch_offset(self) -> int:
        """What to add to a time for nanoseconds since the epoch, 0 where that is not known."""
        return -self._offset.get(REALTIME, 0)

    def nanoseconds(
        self,
        stamps: UInt64,
        clock: Int64,
        sequence: Int64,
        snapshots: list[tuple[int, bytes]],
    ) -> Int64:
        """Return the time of each packet of a block, shape (n,).

        `snapshots` has the index and the text of the packets that relate clocks to each other.
        """
        times = stamps.astype(np.int64)
        at = 0
        for index, text in [*snapshots, (len(stamps), b"")]:
            part = slice(at, index)
            times[part] = self._convert(stamps[part], clock[part], sequence[part])
            if text:
                self._learn(text, int(sequence[index]))
            at = index
        return times

    def _convert(self, stamps: UInt64, clock: Int64, sequence: Int64) -> Int64:
        times = stamps.astype(np.int64)
        if not len(times) or not clock.any():
            return times
        for number, rows in groups(clock):
            if number in SEQUENCE_CLOCKS:
                for key, inner in groups(sequence[rows]):
                    found = rows[inner]
                    times[found] = self._own(times[found], self._relative.get((key, number)))
            elif number:
                times[rows] += self._offset.get(number, 0)
        return times

    def _own(self, stamps: Int64, clock: _Relative | None) -> Int64:
        if clock is None:
            return stamps
        if clock.incremental:
            stamps = np.cumsum(stamps) + clock.shown
            offset = clock.origin
            times = offset + (stamps - clock.shown) * clock.multiplier
            clock.shown, clock.origin = int(stamps[-1]), int(times[-1])
            return times
        return clock.origin + (stamps - clock.shown) * clock.multiplier

    def _learn(self, text: bytes, sequence: int) -> None:
        shown: dict[int, tuple[int, bool, int]] = {}
        for number, wire, value, at in split(text, 0, len(text)):
            if number == Clock.PRIMARY and wire == VARINT:
                self.primary = value
            elif number == Clock.CLOCKS and wire == BYTES:
                found = {n: v for n, w, v, _ in split(text, at, at + value) if w == VARINT}
                time = min(found.get(Clock.TIME, 0), 2**62)
                multiplier = min(max(found.get(Clock.MULTIPLIER, 1), 1), 10**9)
                shown[found.get(Clock.ID, 0)] = (
                    time, bool(found.get(Clock.INCREMENTAL)), multiplier,
                )  # fmt: skip
        shared = {number: one[0] for number, one in shown.items() if number not in SEQUENCE_CLOCKS}
        if self.primary in shared:
            for number, time in shared.items():
                self._offset.setdefault(number, shared[self.primary] - time)
        if not shared:
            return
        reference = self.primary if self.primary in shared else next(iter(shared))
        origin = shared[reference] + self._offset.get(reference, 0)
        for number, (time, incremental, multiplier) in shown.items():
            if number in SEQUENCE_CLOCKS:
                key = (sequence, number)
                self._relative[key] = _Relative(time, origin, incremental, multiplier)
