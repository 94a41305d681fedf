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
from genscope.trace.native.args import COLUMNS, Arguments
from genscope.trace.native.export import CATEGORY, KEY, Export, export_of
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
    Packet,
)
from genscope.trace.native.legacy import legacy_event, old_times
from genscope.trace.native.packets import Block
from genscope.trace.native.rows import Marks
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
    texts_of,
)

_LATEST_NS = 2**62
_PHASES = {BEGIN: "X", INSTANT: "i", COUNTER: "C"}


class Collected:
    """Takes in blocks; what it has collected are the columns of all slices.

    A row is a slice, made at its begin; beside the rows are the marks of begins and ends.
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
        self.exported: Export | None = None
        self.marks = Marks()
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
        for owner, text in texts_of(data, found.of(Packet.DEFAULTS, BYTES)):
            self._scopes.learn(text, int(scopes[owner]))
        for _, text in texts_of(data, found.of(Packet.TRACK, BYTES)):
            self.tracks.describe(text)
        for _, text in texts_of(data, found.of(Packet.PROCESS, BYTES)):
            self.tracks.process_packet(text)
        for owner, text in texts_of(data, found.of(Packet.THREAD, BYTES)):
            self.tracks.thread_packet(text, int(sequence[owner]))
        self._learn(data, found.of(Packet.INTERNED, BYTES), scopes)

        clock = _last(found.of(Packet.CLOCK, VARINT), count).view(np.int64)
        clock = np.where(clock == 0, self._scopes.clocks(scopes), clock)
        stamps = found.of(Packet.TIMESTAMP, VARINT)
        has_time = np.zeros(count, dtype=np.bool_)
        has_time[stamps.owner] = True
        snapshots = list(texts_of(data, found.of(Packet.CLOCK_SNAPSHOT, BYTES)))
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
        old_times(found, sequence[packet], self.tracks, time, known)
        known &= (np.abs(time) < _LATEST_NS) & ~broken
        scope = scopes[packet]
        kind_of_event = _last(found.of(Event.TYPE, VARINT), count).astype(np.int64)
        lane, duration, name_iids = self._lanes(found, data, sequence[packet], scope)
        for owner, text in texts_of(data, found.of(Event.LEGACY, BYTES)):
            one = legacy_event(text)
            duration[owner] = one.duration_ns
            kind_of_event[owner] = one.type or kind_of_event[owner]
            lane[owner] = lane[owner] if one.thread is None else self.tracks.lane(one.thread)
            name_iids[owner] = name_iids[owner] or one.name_iid
            if one.mended:
                self.mended[one.mended] += 1
            if one.other:
                self._counts[one.other, NONE, int(lane[owner])] += 1
        category = self._event_categories(data, found, scope, count)

        is_begin = (kind_of_event == BEGIN) | (duration >= 0)
        is_end = kind_of_event == END
        self.dropped += int((~known & (is_begin | is_end) & ~broken).sum())
        is_begin &= known
        is_end &= known
        self._count(kind_of_event, is_begin, category, lane)
        self._metadata(data, found, kind_of_event == INSTANT, category, scope)
        if self.exported is not None:
            # What exporting drew need not be kept until the end, where the rest of it goes.
            added = self.tracks.lanes_of(self.exported.derived)
            drawn = np.isin(lane, list(added)) if added else np.zeros(count, dtype=np.bool_)
            is_begin &= ~drawn
            is_end &= ~drawn
        begins = np.flatnonzero(is_begin)
        row_of = np.full(count, NONE, dtype=np.int64)
        row_of[begins] = self.rows + np.arange(len(begins))
        marked = np.flatnonzero((is_begin & (duration < 0)) | is_end)
        writer = sequence[packet[marked]]
        duration[marked] = self.marks.add(lane[marked], time[marked], row_of[marked], writer)
        if len(begins):
            names = self._event_names(data, found, scope, name_iids)
            self._put_slices(data, found, begins, time, lane, names, category, scope, duration)
            self._put_flows(data, found, row_of, time)
            self.rows += len(begins)

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

    def _event_categories(self, data: UInt8, found: Fields, scope: Int64, count: int) -> Int32:
        category = np.full(count, NONE, dtype=np.int32)
        ids = found.where(found.number == Event.CATEGORY_IIDS)
        owner, at_first = np.unique(ids.owner, return_index=True)
        iids = packed(data, ids)[at_first]
        category[owner] = self._category_table.get(scope[owner], iids)
        texts = found.of(Event.CATEGORIES, BYTES)
        for row, text in texts_of(data, texts):
            if category[row] == NONE:
                category[row] = self._category(text)
        return category

    def _event_names(self, data: UInt8, found: Fields, scope: Int64, name_iids: UInt64) -> Int32:
        names = np.full(len(scope), NONE, dtype=np.int32)
        given = np.flatnonzero(name_iids)
        names[given] = self._names.get(scope[given], name_iids[given])
        for row, text in texts_of(data, found.of(Event.NAME, BYTES)):
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
            if lane not in without and name != CATEGORY:
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
                    for row, text in texts_of(data, lists)
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
        wanted = self._category_index.get(CATEGORY.encode())
        if wanted is None:
            return
        notes = found.of(Event.ANNOTATIONS, BYTES)
        for row in np.flatnonzero(instants & (category == wanted)).tolist():
            mine = [text for _, text in texts_of(data, notes.where(notes.owner == row))]
            self.metadata.update(self._args.values(mine, int(scope[row])))
        if self.exported is None and KEY in self.metadata:
            self.exported = export_of(self.metadata.pop(KEY))


def _last(found: Fields, count: int) -> UInt64:
    """Return the value of a field in each of `count` messages, 0 where it is not there."""
    values = np.zeros(count, dtype=np.uint64)
    values[found.owner] = found.value
    return values
