"""Reads native traces with a plain loop over their bytes, sharing no code with what writes them.

It is strict: a packet out of order, an end without a begin or a reference to what was not written
before raises AssertionError.
"""

from __future__ import annotations

import gzip
import json
import re
import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Field = tuple[int, int, Any]
"""Number, wire type, value."""


def fields(data: bytes) -> Iterator[Field]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
        elif wire == 1:
            value, at = data[at : at + 8], at + 8
            assert len(value) == 8
        else:
            assert wire == 2, f"wire type {wire}"
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
            assert len(value) == size
        yield number, wire, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            assert shift <= 70
            return value, at


def grouped(data: bytes) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for number, _, value in fields(data):
        found[number].append(value)
    return found


@dataclass
class Event:
    track: int
    name: str
    category: str | None
    start: int
    end: int
    args: dict[str, Any]
    begins: list[int]
    """Flows that begin here, as far as time goes."""
    ends: list[int]
    depth: int = 0


@dataclass
class Track:
    uuid: int
    parent: int
    name: str
    rank: int
    pid: int | None = None
    tid: int | None = None
    is_counter: bool = False
    slices: list[Event] = field(default_factory=list)
    instants: list[Event] = field(default_factory=list)
    values: list[tuple[int, float]] = field(default_factory=list)


@dataclass
class Native:
    tracks: dict[int, Track]
    epoch_ns: int | None
    members: dict[str, Any] = field(default_factory=dict)
    """What stands beside the events in the source."""
    export: dict[str, Any] = field(default_factory=dict)

    @property
    def sources(self) -> dict[int, tuple[Any, Any]]:
        """Process and thread of the source, by track."""
        return {row[0]: (row[1], row[2]) for row in self.export["tracks"]}

    def of_source(self) -> list[Event]:
        return [one for uuid in self.sources for one in self.tracks[uuid].slices]

    def derived(self, title: str) -> list[Event]:
        """Slices of a derived track, in order of start."""
        found = [one for track in self._derived(title) for one in track.slices]
        return sorted(found, key=lambda one: one.start)

    def counter(self, title: str) -> list[tuple[int, float]]:
        (track,) = self._derived(title)
        return track.values

    def _derived(self, title: str) -> list[Track]:
        wanted = [self.tracks[uuid] for uuid in self.export["derived"]]
        return [track for track in wanted if track.name == title]


def read(path: Path) -> Native:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    tables: dict[int, dict[int, dict[int, str]]] = {}
    tracks: dict[int, Track] = {}
    stacks: dict[int, list[Event]] = defaultdict(list)
    found = Native(tracks, None)
    now: dict[int, int] = {}
    for number, wire, content in fields(data):
        assert (number, wire) == (1, 2)
        packet = grouped(content)
        (sequence,) = packet[10]
        flags = packet.get(13, [0])[0]
        if sequence not in now:
            assert sequence == len(now) + 1
            assert flags == 1, "incremental state is cleared first"
            assert grouped(packet[59][0])[58] == [64]
            epoch_ns = _clocks(packet[6][0])
            assert not now or epoch_ns == found.epoch_ns, "one clock"
            found.epoch_ns = epoch_ns
            now[sequence] = 0
            tables[sequence] = {1: {}, 2: {}, 3: {}, 29: {}}
            continue
        if 12 in packet:
            assert flags & 2
            _intern(packet[12][0], tables[sequence])
        if 60 in packet:
            track = _track(packet[60][0])
            assert track.uuid not in tracks
            assert not track.parent or track.parent in tracks
            tracks[track.uuid] = track
        if 11 in packet:
            delta = packet[8][0]
            assert delta < 1 << 63, "time goes back"
            now[sequence] += delta
            _event(packet[11][0], now[sequence], flags, tables[sequence], tracks, stacks)
    assert not any(stacks.values()), "a slice does not end"
    (meta,) = (one for track in tracks.values() for one in track.instants if _is_meta(one))
    found.export = meta.args.pop("genscope.export")
    found.members = meta.args
    return found


def _is_meta(event: Event) -> bool:
    return event.category == "genscope.metadata"


def _clocks(data: bytes) -> int | None:
    clocks = {}
    for clock in grouped(data)[1]:
        one = grouped(clock)
        clocks[one[1][0]] = (one[2][0], one.get(3, [0])[0])
    assert clocks[6] == (0, 0) and clocks[64] == (0, 1)
    return clocks[1][0] if 1 in clocks else None


def _intern(data: bytes, tables: dict[int, dict[int, str]]) -> None:
    for number, _, entry in fields(data):
        one = grouped(entry)
        table = tables[number]
        assert one[1][0] not in table
        table[one[1][0]] = one.get(2, [b""])[0].decode("utf-8")


def _track(data: bytes) -> Track:
    one = grouped(data)
    track = Track(
        one[1][0],
        one.get(5, [0])[0],
        one.get(2, [b""])[0].decode(),
        _signed(one.get(12, [0])[0]),
    )
    if 3 in one:
        process = grouped(one[3][0])
        track.pid, track.name = process[1][0], process[6][0].decode()
    if 4 in one:
        thread = grouped(one[4][0])
        track.pid, track.tid = thread[1][0], _signed(thread[2][0])
        track.name = thread[5][0].decode()
    track.is_counter = 8 in one
    return track


def _event(
    data: bytes,
    now: int,
    flags: int,
    tables: dict[int, dict[int, str]],
    tracks: dict[int, Track],
    stacks: dict[int, list[Event]],
) -> None:
    one = grouped(data)
    (kind,), (uuid,) = one[9], one[11]
    track = tracks[uuid]
    if kind == 4:
        assert track.is_counter
        if 44 in one:
            track.values.append((now, struct.unpack("<d", one[44][0])[0]))
        else:
            track.values.append((now, _signed(one[30][0])))
        return
    assert not track.is_counter
    if kind == 2:
        event = stacks[uuid].pop()
        event.end = now
        track.slices.append(event)
        return
    assert kind in (1, 3)
    assert flags & 2
    args = {}
    for annotation in one.get(4, []):
        name, value = _argument(annotation, tables)
        assert name not in args
        args[name] = value
    event = Event(
        track=uuid,
        name=tables[2][one[10][0]],
        category=tables[1][one[3][0]] if 3 in one else None,
        start=now,
        end=now,
        args=args,
        begins=[struct.unpack("<Q", flow)[0] for flow in one.get(47, [])],
        ends=[struct.unpack("<Q", flow)[0] for flow in one.get(48, [])],
        depth=len(stacks[uuid]),
    )
    if kind == 3:
        track.instants.append(event)
    else:
        stacks[uuid].append(event)


def _argument(data: bytes, tables: dict[int, dict[int, str]]) -> tuple[str, Any]:
    one = grouped(data)
    name = tables[3][one.pop(1)[0]]
    ((number, (value,)),) = one.items()
    if number == 2:
        assert value in (0, 1)
        return name, bool(value)
    if number == 4:
        return name, _signed(value)
    if number == 5:
        return name, struct.unpack("<d", value)[0]
    assert number == 17
    text = tables[29][value]
    if re.match(r'[\[{"]|null$|-?\d+$', text):
        return name, json.loads(text)
    return name, text


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
