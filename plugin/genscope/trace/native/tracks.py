"""Which process and thread the tracks of a native trace are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from genscope.trace.model import Int32, Int64, Track
from genscope.trace.native.fields import Descriptor, Process, Thread
from genscope.trace.native.state import groups
from genscope.trace.native.wire import BYTES, VARINT, UInt64, split

Key = int | tuple[int, int]
"""A track's uuid, or process and thread where an event names those instead."""

_DEEPEST = 64
_LONGEST_NAME = 1000


class _Described(NamedTuple):
    name: str
    parent: int
    thread: tuple[int, int] | None
    process: int | None


def _text(text: bytes) -> str:
    return text[: 4 * _LONGEST_NAME].decode("utf-8", "replace")[:_LONGEST_NAME]


def _signed(value: int, bits: int = 64) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


class Tracks:
    """Numbers tracks as events name them; `resolved` says what they are, once all is read."""

    def __init__(self) -> None:
        self._lanes: dict[Key, int] = {}
        self._described: dict[int, _Described] = {}
        self._process_names: dict[int, str] = {}
        self._thread_names: dict[tuple[int, int], str] = {}
        self._of_sequence: dict[int, tuple[int, int]] = {}
        self._reference_us: dict[int, int] = {}

    # What events name -----------------------------------------------------------------------

    def lane(self, key: Key) -> int:
        """Return the number of a track."""
        return self._lanes.setdefault(key, len(self._lanes))

    def lanes(self, uuids: UInt64) -> Int32:
        """Return the numbers of tracks, shape (n,)."""
        known, first, place = np.unique(uuids, return_index=True, return_inverse=True)
        lanes = np.empty(len(known), dtype=np.int32)
        for one in np.argsort(first).tolist():
            lanes[one] = self.lane(int(known[one]))
        return lanes[place]

    def of_sequences(self, sequences: Int64, lanes: Int32) -> Int32:
        """Return `lanes` with the thread of its sequence for each, where it is known."""
        lanes = lanes.copy()
        for sequence, rows in groups(sequences):
            thread = self._of_sequence.get(sequence)
            if thread is not None:
                lanes[rows] = self.lane(thread)
        return lanes

    def reference_us(self, sequence: int) -> int:
        """Return the time that the old relative times of a sequence count from."""
        return self._reference_us.get(sequence, 0)

    def advance_us(self, sequence: int, time: int) -> None:
        """Set the time that the next relative time counts from."""
        self._reference_us[sequence] = time

    # Descriptors ----------------------------------------------------------------------------

    def describe(self, text: bytes) -> None:
        """Take in a TrackDescriptor."""
        uuid = parent = 0
        name, thread, process = "", None, None
        for number, wire, value, at in split(text, 0, len(text)):
            if number == Descriptor.UUID and wire == VARINT:
                uuid = value
            elif number == Descriptor.PARENT and wire == VARINT:
                parent = value
            elif wire != BYTES:
                continue
            elif number in Descriptor.NAMES:
                name = _text(text[at : at + value])
            elif number == Descriptor.THREAD:
                thread = self._thread(text[at : at + value])
            elif number == Descriptor.PROCESS:
                process = self._process(text[at : at + value])
        self._described[uuid] = _Described(name, parent, thread, process)

    def process_packet(self, text: bytes) -> None:
        """Take in a ProcessDescriptor that stands for itself, as it once did."""
        self._process(text)

    def thread_packet(self, text: bytes, sequence: int) -> None:
        """Take in a ThreadDescriptor that says whose the events of its sequence are."""
        self._of_sequence[sequence] = self._thread(text)
        for number, wire, value, _ in split(text, 0, len(text)):
            if number == Thread.REFERENCE_US and wire == VARINT:
                self._reference_us[sequence] = _signed(value)

    def _thread(self, text: bytes) -> tuple[int, int]:
        pid = tid = 0
        name = ""
        for number, wire, value, at in split(text, 0, len(text)):
            if number == Thread.PID and wire == VARINT:
                pid = _signed(value, 32)
            elif number == Thread.TID and wire == VARINT:
                tid = _signed(value)
            elif number == Thread.NAME and wire == BYTES:
                name = _text(text[at : at + value])
        if name:
            self._thread_names[pid, tid] = name
        return pid, tid

    def _process(self, text: bytes) -> int:
        pid = 0
        name = ""
        for number, wire, value, at in split(text, 0, len(text)):
            if number == Process.PID and wire == VARINT:
                pid = _signed(value, 32)
            elif number == Process.NAME and wire == BYTES:
                name = _text(text[at : at + value])
        if name:
            self._process_names[pid] = name
        return pid

    # The end --------------------------------------------------------------------------------

    def resolved(
        self, used: Collection[int], given: Mapping[int, Track]
    ) -> tuple[list[Track], Int64]:
        """Return the tracks of the trace, and for each lane which of them it is.

        `used` are the lanes that have slices; others are no track of the trace. `given` has those
        that an export of ours tells itself. Lanes of one thread, and those of one name below one
        process, are one track: a writer parts slices that overlap.
        """
        tracks: dict[tuple[int | str, int | str], int] = {}
        found: list[Track] = []
        which = np.zeros(len(self._lanes), dtype=np.int64)
        keys = list(self._lanes)
        for lane in used:
            key = keys[lane]
            track = given.get(key) if isinstance(key, int) else None
            track = track or self._track(key)
            place = tracks.setdefault((track.process, track.thread), len(found))
            if place == len(found):
                found.append(track)
            which[lane] = place
        return found, which

    def lanes_of(self, uuids: Collection[int]) -> set[int]:
        """Return the numbers of those tracks that any event is on."""
        return {lane for key, lane in self._lanes.items() if key in uuids}

    def _track(self, key: Key) -> Track:
        if isinstance(key, tuple):
            return self._of_thread(key, "")
        own = self._described.get(key)
        if own is None:
            return Track(process="", thread=key)
        at: _Described | None = own
        root = own
        for _ in range(_DEEPEST):
            if at is None:
                break
            root = at
            if at.thread is not None:
                return self._of_thread(at.thread, at.name)
            if at.process is not None:
                name = self._process_names.get(at.process, at.name)
                return Track(at.process, own.name or key, name, own.name)
            at = self._described.get(at.parent) if at.parent else None
        return Track(root.name, own.name or key, root.name, own.name)

    def _of_thread(self, thread: tuple[int, int], name: str) -> Track:
        process, number = thread
        return Track(
            process=process,
            thread=number,
            process_name=self._process_names.get(process, ""),
            thread_name=self._thread_names.get(thread, name),
        )
