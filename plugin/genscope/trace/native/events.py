"""Blocks of packets to the columns of a `Trace`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from typing import Any

import numpy as np
import numpy.typing as npt

from genscope.schema import PREFIX
from genscope.trace.columns import DTYPES, HAS_ARGS, Column
from genscope.trace.kinds import ANNOTATION_OPS_2021, kind_of
from genscope.trace.model import NONE, Bool, Int32, Int64, Kind, UInt8
from genscope.trace.native import export
from genscope.trace.native.args import COLUMNS, Arguments
from genscope.trace.native.fields import (
    BEGIN,
    COUNTER,
    DATA,
    END,
    FLAG_CLEARED,
    INSTANT,
    PASSED_OVER,
    Event,
    Interned,
    Legacy,
    Packet,
)
from genscope.trace.native.packets import Block
from genscope.trace.native.state import Clocks, Scopes, Table
from genscope.trace.native.tracks import Tracks
from genscope.trace.native.wire import (
    BYTES,
    FIXED64,
    VARINT,
    Fields,
    UInt64,
    fields,
    packed,
    split,
)

_LATEST_NS = 2**62
_PHASES = {BEGIN: "X", INSTANT: "i", COUNTER: "C"}
COMPLETE = ord("X")
_LEGACY_TYPES = {ord("B"): BEGIN, ord("E"): END, ord("I"): INSTANT, ord("i"): INSTANT}
_LONGEST_US = 7 * 86_400 * 10**6


class Collected:
    """Takes in blocks; what it has collected are columns of all slices, and beside them marks.

    A mark is a begin or an end, a slice the row of a begin; legacy complete events have none.
    """

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._counts: Counter[tuple[str, int, int]] = Counter()
        """By phase, category and lane, since lanes may turn out to be none of the source's."""
        self.passed_over: Counter[str] = Counter()
        self.mended: Counter[str] = Counter()
        self.unreadable = 0
        self.dropped = 0
        self.lost_packets = 0
        self.rows = 0
        self.metadata: dict[str, Any] = {}
        self.tracks = Tracks()
        self.clocks = Clocks()
        self.columns = {name: Column(np.dtype(dtype)) for name, dtype in DTYPES.items()}
        self.marks = {
            name: Column(np.dtype(dtype))
            for name, dtype in (("lane", np.int32), ("time", np.int64), ("row", np.int32))
        }
        """Row is that of a begin, -1 for an end."""
        self.flows: list[Int64] = []
        """Arrays of shape (k, 4): number, row, start, and 0 for a tail or 1 for a head."""
        self._text_index: dict[bytes, int] = {}
        self._name_index: dict[bytes, int] = {}
        self._category_index: dict[bytes, int] = {}
        self._categories: list[str] = []
        self._kinds: list[int] = []
        self._annotation_names: list[int] = []
        self._old_annotations: list[int] = []
        self._scopes = Scopes()
        self._names = Table(self._name)
        self._category_table = Table(self._category)
        self._args = Arguments(self._text)

    # Interning ------------------------------------------------------------------------------

    def _add(self, text: bytes) -> int:
        self.strings.append(text.decode("utf-8", "replace"))
        return len(self.strings) - 1

    def _text(self, text: bytes) -> int:
        index = self._text_index.get(text)
        if index is None:
            index = self._text_index[text] = self._add(text)
        return index

    def _name(self, text: bytes) -> int:
        index = self._name_index.get(text)
        if index is None:
            index = self._name_index[text] = self._add(text)
            name = self.strings[index]
            if name.startswith(PREFIX):
                self._annotation_names.append(index)
            elif name.startswith(ANNOTATION_OPS_2021):
                self._old_annotations.append(index)
        return index

    def _category(self, text: bytes) -> int:
        index = self._category_index.get(text)
        if index is None:
            index = self._category_index[text] = len(self._categories)
            self._categories.append(text.decode("utf-8", "replace"))
            self._kinds.append(int(kind_of(self._categories[index])))
        return index

    # Packets --------------------------------------------------------------------------------

    def add(self, block: Block) -> None:
        """Take in a block."""
        data, count = block.data, len(block.at)
        found, broken = fields(data, block.at, block.stop)
        if broken.any():
            self.unreadable += int(broken.sum())
            found = found.where(~broken[found.owner])
        sequence = _last(found.of(Packet.SEQUENCE, VARINT), count).view(np.int64)
        flags = _last(found.of(Packet.FLAGS, VARINT), count)
        cleared = (flags & np.uint64(FLAG_CLEARED)) > 0
        cleared |= _last(found.of(Packet.CLEARED, VARINT), count) > 0
        scopes = self._scopes.of(sequence, cleared)
        self.lost_packets += int((_last(found.of(Packet.DROPPED, VARINT), count) > 0).sum())
        self._count_others(found)
        for owner, text in _texts(data, found.of(Packet.DEFAULTS, BYTES)):
            self._scopes.learn(text, int(scopes[owner]))
        for _, text in _texts(data, found.of(Packet.TRACK, BYTES)):
            self.tracks.describe(text)
        for _, text in _texts(data, found.of(Packet.PROCESS, BYTES)):
            self.tracks.process_packet(text)
        for owner, text in _texts(data, found.of(Packet.THREAD, BYTES)):
            self.tracks.thread_packet(text, int(sequence[owner]))
        self._learn(data, found.of(Packet.INTERNED, BYTES), scopes)

        clock = _last(found.of(Packet.CLOCK, VARINT), count).view(np.int64)
        clock = np.where(clock == 0, self._scopes.clocks(scopes), clock)
        stamps = found.of(Packet.TIMESTAMP, VARINT)
        has_time = np.zeros(count, dtype=np.bool_)
        has_time[stamps.owner] = True
        snapshots = list(_texts(data, found.of(Packet.CLOCK_SNAPSHOT, BYTES)))
        times = self.clocks.nanoseconds(_last(stamps, count), clock, sequence, snapshots)
        # Fields come by their place in a packet; what the file has first, has to go first.
        events = found.of(Packet.TRACK_EVENT, BYTES).by_owner()
        if len(events.at):
            self._add_events(data, events, times, has_time, sequence, scopes)
        for scope in self._scopes.forget():
            self._names.forget(scope)
            self._category_table.forget(scope)
            self._args.forget(scope)

    def _count_others(self, found: Fields) -> None:
        numbers, counts = np.unique(found.number[found.wire == BYTES], return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            if number in PASSED_OVER:
                self.passed_over[PASSED_OVER[number]] += count
            elif number not in DATA and number > Packet.THREAD and number != Packet.DEFAULTS:
                self.passed_over[f"field {number}"] += count

    def _learn(self, data: UInt8, interned: Fields, scopes: Int64) -> None:
        if not len(interned.at):
            return
        inner, broken = fields(data, interned.at, interned.stop)
        self.unreadable += int(broken.sum())
        for number, table in (
            (Interned.CATEGORIES, self._category_table),
            (Interned.NAMES, self._names),
            (Interned.ANNOTATION_NAMES, self._args.names),
            (Interned.STRINGS, self._args.strings),
        ):
            entries = inner.of(number, BYTES)
            if len(entries.at):
                table.learn(data, entries, scopes[interned.owner[entries.owner]])

    # Track events ---------------------------------------------------------------------------

    def _add_events(
        self,
        data: UInt8,
        spans: Fields,
        times: Int64,
        has_time: Bool,
        sequence: Int64,
        scopes: Int64,
    ) -> None:
        packet = spans.owner
        count = len(packet)
        found, broken = fields(data, spans.at, spans.stop)
        self.unreadable += int(broken.sum())
        time, known = times[packet], has_time[packet].copy()
        self._old_times(found, sequence[packet], time, known)
        known &= (np.abs(time) < _LATEST_NS) & ~broken
        scope = scopes[packet]
        kind_of_event = _last(found.of(Event.TYPE, VARINT), count).astype(np.int64)
        lane, duration, name_iids = self._lanes(found, data, sequence[packet], scope)
        legacy = found.of(Event.LEGACY, BYTES)
        if len(legacy.at):
            self._legacy(data, legacy, kind_of_event, duration, lane, name_iids)
        category = self._event_categories(data, found, scope, count)

        is_begin = (kind_of_event == BEGIN) | (duration >= 0)
        is_end = kind_of_event == END
        self.dropped += int((~known & (is_begin | is_end) & ~broken).sum())
        is_begin &= known
        is_end &= known
        self._count(kind_of_event, is_begin, category, lane)
        self._metadata(data, found, kind_of_event == INSTANT, category, scope)
        begins = np.flatnonzero(is_begin)
        row_of = np.full(count, NONE, dtype=np.int64)
        row_of[begins] = self.rows + np.arange(len(begins))
        if len(begins):
            names = self._event_names(data, found, scope, name_iids)
            self._put_slices(data, found, begins, time, lane, names, category, scope, duration)
            self._put_flows(data, found, row_of, time)
            self.rows += len(begins)
        marked = np.flatnonzero((is_begin & (duration < 0)) | is_end)
        self.marks["lane"].append(lane[marked])
        self.marks["time"].append(time[marked])
        self.marks["row"].append(np.where(is_end, NONE, row_of)[marked])

    def _lanes(
        self, found: Fields, data: UInt8, sequence: Int64, scope: Int64
    ) -> tuple[Int32, Int64, UInt64]:
        """Return the lane of each event, and two columns to be filled: duration and name id."""
        count = len(scope)
        uuids = self._scopes.tracks(scope)
        given = found.of(Event.TRACK, VARINT)
        uuids[given.owner] = given.value
        lane = self.tracks.lanes(uuids)
        absent = uuids == 0
        absent[given.owner] = False
        if absent.any():
            lane[absent] = self.tracks.of_sequences(sequence[absent], lane[absent])
        name_iids = _last(found.of(Event.NAME_IID, VARINT), count)
        return lane, np.full(count, NONE, dtype=np.int64), name_iids

    def _old_times(self, found: Fields, sequence: Int64, time: Int64, known: Bool) -> None:
        """Fill in times that stand in the events themselves, in microseconds."""
        absolute = found.of(Event.ABSOLUTE_US, VARINT)
        relative = found.of(Event.DELTA_US, VARINT)
        if not len(absolute.owner) and not len(relative.owner):
            return
        owners = np.concatenate([absolute.owner, relative.owner])
        values = np.concatenate([absolute.value, relative.value]).view(np.int64)
        is_relative = np.arange(len(owners)) >= len(absolute.owner)
        for place in np.argsort(owners, kind="stable").tolist():
            owner, value = int(owners[place]), int(values[place])
            if known[owner] or abs(value) > _LATEST_NS // 1000:
                continue
            writer = int(sequence[owner])
            if is_relative[place]:
                value += self.tracks.reference_us(writer)
                self.tracks.advance_us(writer, value)
            if abs(value) < _LATEST_NS // 1000:
                time[owner], known[owner] = value * 1000, True

    def _legacy(
        self,
        data: UInt8,
        legacy: Fields,
        kinds: Int64,
        duration: Int64,
        lane: Int32,
        name_iids: UInt64,
    ) -> None:
        """Read events as Chrome once wrote them, with a phase."""
        for owner, text in _texts(data, legacy):
            one = {n: v for n, wire, v, _ in split(text, 0, len(text)) if wire == VARINT}
            phase = one.get(Legacy.PHASE, 0)
            if phase == COMPLETE:
                length = one.get(Legacy.DURATION_US, 0)
                if length > _LONGEST_US:
                    code = "negative" if length >> 63 else "overflowed"
                    self.mended[f"{code}_duration"] += 1
                    length = 0
                duration[owner] = length * 1000
            elif phase in _LEGACY_TYPES:
                kinds[owner] = _LEGACY_TYPES[phase]
            elif phase and not kinds[owner]:
                self._counts[chr(phase) if 32 < phase < 127 else "?", NONE, int(lane[owner])] += 1
            if Legacy.PID in one and Legacy.TID in one:
                key = (one[Legacy.PID] & 0x7FFF_FFFF, one[Legacy.TID] & 0x7FFF_FFFF)
                lane[owner] = self.tracks.lane(key)
            if Legacy.NAME_IID in one and not name_iids[owner]:
                name_iids[owner] = one[Legacy.NAME_IID]

    def _event_categories(self, data: UInt8, found: Fields, scope: Int64, count: int) -> Int32:
        category = np.full(count, NONE, dtype=np.int32)
        ids = found.where(found.number == Event.CATEGORY_IIDS)
        owner, at_first = np.unique(ids.owner, return_index=True)
        iids = packed(data, ids)[at_first]
        category[owner] = self._category_table.get(scope[owner], iids)
        texts = found.of(Event.CATEGORIES, BYTES)
        for row, text in _texts(data, texts):
            if category[row] == NONE:
                category[row] = self._category(text)
        return category

    def _event_names(self, data: UInt8, found: Fields, scope: Int64, name_iids: UInt64) -> Int32:
        names = np.full(len(scope), NONE, dtype=np.int32)
        given = np.flatnonzero(name_iids)
        names[given] = self._names.get(scope[given], name_iids[given])
        for row, text in _texts(data, found.of(Event.NAME, BYTES)):
            names[row] = self._name(text)
        names[names == NONE] = self._name(b"")
        return names

    def _count(self, kinds: Int64, is_begin: Bool, category: Int32, lane: Int32) -> None:
        for kind, phase in _PHASES.items():
            rows = is_begin if kind == BEGIN else kinds == kind
            keys = (category[rows].astype(np.int64) << 32) | lane[rows]
            found, counts = np.unique(keys, return_counts=True)
            for key, count in zip(found.tolist(), counts.tolist(), strict=True):
                self._counts[phase, key >> 32, key & 0xFFFF_FFFF] += count

    def counts(self, without: Container[int]) -> dict[str, int]:
        """Return how many events there are by `phase/category`, but those of some lanes."""
        found: Counter[str] = Counter()
        for (phase, category, lane), count in self._counts.items():
            name = "" if category < 0 else self._categories[category]
            if lane not in without and name != export.CATEGORY:
                found[f"{phase}/{name}"] += count
        return dict(found)

    def _put_slices(
        self,
        data: UInt8,
        found: Fields,
        begins: Int64,
        time: Int64,
        lane: Int32,
        names: Int32,
        category: Int32,
        scope: Int64,
        duration: Int64,
    ) -> None:
        kinds = np.array([*self._kinds, int(Kind.OTHER)], dtype=np.uint8)
        kind = kinds[category[begins]]
        name = names[begins]
        ops = kind == Kind.CPU_OP
        if self._annotation_names:
            kind[ops & np.isin(name, self._annotation_names)] = Kind.ANNOTATION
        if self._old_annotations and b"Operator" in self._category_index:
            kind[ops & np.isin(name, self._old_annotations)] = Kind.ANNOTATION
        put: dict[str, npt.NDArray[Any]] = {
            "start_ns": time[begins],
            "dur_ns": duration[begins],
            "kind": kind,
            "name": name,
            "track": lane[begins],
        }
        place = np.full(len(time), NONE, dtype=np.int64)
        place[begins] = np.where(HAS_ARGS[kind], np.arange(len(begins)), NONE)
        notes = found.of(Event.ANNOTATIONS, BYTES)
        notes = notes.where(place[notes.owner] >= 0)
        args: dict[str, tuple[Int64, Int64 | Int32]] = {}
        if len(notes.at):
            rows, scopes = place[notes.owner], scope[notes.owner]
            args = self._args.columns(data, rows, notes.at, notes.stop, scopes)
        for column in COLUMNS:
            whole = np.full(len(begins), NONE, dtype=np.int64)
            if column in args:
                rows, values = args[column]
                whole[rows] = values
            put[column] = whole
        fits = (put["device"] >= NONE) & (put["device"] < 2**31)
        put["device"] = np.where(fits, put["device"], NONE)
        for column, values in put.items():
            self.columns[column].append(values)

    def _put_flows(self, data: UInt8, found: Fields, row_of: Int64, time: Int64) -> None:
        """Keep the flows of slices: the number, the row, when, and whether it ends there."""
        for number, old, head in (
            (Event.FLOWS, Event.FLOWS_OLD, 0),
            (Event.ENDS, Event.ENDS_OLD, 1),
        ):
            ids = found.where(
                ((found.number == number) & (found.wire == FIXED64))
                | ((found.number == old) & (found.wire == VARINT))
            )
            owners, values = ids.owner, ids.value
            lists = found.of(number, BYTES)
            if len(lists.at):
                several = [
                    (row, np.frombuffer(text[: len(text) & ~7], dtype="<u8"))
                    for row, text in _texts(data, lists)
                ]
                owners = np.concatenate([owners, *(np.full(len(v), row) for row, v in several)])
                values = np.concatenate([values, *(v for _, v in several)])
            keep = row_of[owners] >= 0
            owners, values = owners[keep], values[keep]
            if len(owners):
                table = np.empty((len(owners), 4), dtype=np.int64)
                table[:, 0] = values.view(np.int64)
                table[:, 1] = row_of[owners]
                table[:, 2] = time[owners]
                table[:, 3] = head
                self.flows.append(table)

    def _metadata(
        self, data: UInt8, found: Fields, instants: Bool, category: Int32, scope: Int64
    ) -> None:
        wanted = self._category_index.get(export.CATEGORY.encode())
        if wanted is None:
            return
        notes = found.of(Event.ANNOTATIONS, BYTES)
        for row in np.flatnonzero(instants & (category == wanted)).tolist():
            mine = [text for _, text in _texts(data, notes.where(notes.owner == row))]
            self.metadata.update(self._args.values(mine, int(scope[row])))


def _last(found: Fields, count: int) -> UInt64:
    """Return the value of a field in each of `count` messages, 0 where it is not there."""
    values = np.zeros(count, dtype=np.uint64)
    values[found.owner] = found.value
    return values


def _texts(data: UInt8, found: Fields) -> list[tuple[int, bytes]]:
    """Return the owner and the bytes of each field, in the order of their owners."""
    texts = [
        (owner, data[at:stop].tobytes())
        for owner, at, stop in zip(
            found.owner.tolist(), found.at.tolist(), found.stop.tolist(), strict=True
        )
    ]
    texts.sort(key=lambda one: one[0])
    return texts
