"""Decoded events to numpy columns, with the text interned.

Lists of events live for one block only; what is kept of them are arrays.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import UNSET, Raw, UnsetType

from genscope.schema import PREFIX
from genscope.trace.convert import (
    MAX_DURATION_US,
    floats,
    integers,
    lane,
    nanoseconds,
    starts,
)
from genscope.trace.decode import (
    FLOAT_EXACT_US,
    NO_ARGS,
    AnyEvent,
    Scalar,
    decode_events,
    decode_exact,
)
from genscope.trace.kinds import ANNOTATION_OPS_2021, kind_of
from genscope.trace.memory import NAME as MEMORY
from genscope.trace.memory import MemoryColumns
from genscope.trace.model import DEVICE_KINDS, Bool, Events, Int32, Int64, Kind, Track

K = TypeVar("K")

DTYPES: dict[str, type[np.generic]] = {
    "start_ns": np.int64,
    "dur_ns": np.int64,
    "kind": np.uint8,
    "name": np.int32,
    "track": np.int32,
    "correlation": np.int64,
    "external_id": np.int64,
    "sequence": np.int64,
    "forward_thread": np.int64,
    "device": np.int32,
    "dims": np.int32,
    "types": np.int32,
    "inputs": np.int32,
}

_DECIMAL_START = re.compile(rb'"ts"\s*:\s*"?\d{13,}\.')
_NAMES_2021 = frozenset({"Operator", "Runtime", "Kernel", "Memcpy", "Memset"})


def _table(*kinds: Kind) -> Bool:
    table = np.zeros(256, dtype=np.bool_)
    table[list(kinds)] = True
    return table


IS_DEVICE = _table(*DEVICE_KINDS)
HAS_ARGS = _table(Kind.CPU_OP, Kind.ANNOTATION, Kind.RUNTIME, *DEVICE_KINDS)


class Interned(dict[K, int], Generic[K]):
    """Ids by first appearance; `table[key]` gives the id, a new one for a new key."""

    def __init__(self, of: Callable[[K], int]) -> None:
        super().__init__()
        self._of = of

    def __missing__(self, key: K) -> int:
        value = self[key] = self._of(key)
        return value


class EventDecoder:
    """Decode the JSON array of a block, exactly where float64 would round the times."""

    def __init__(self) -> None:
        self._exact = False

    def __call__(self, text: bytes) -> Sequence[AnyEvent]:
        """Return the events; raise one of DECODE_ERRORS where `text` does not decode."""
        if not self._exact:
            events = decode_events(text)
            if not has_decimal_epochs(events, text):
                return events
            self._exact = True
        return decode_exact(text)


def has_decimal_epochs(events: Sequence[AnyEvent], text: bytes) -> bool:
    """Whether float64 rounds the start of any event decoded from `text`."""
    stamps = [event.ts for event in events if event.ts.__class__ is float]
    latest = max(stamps, default=0.0)
    return latest >= FLOAT_EXACT_US and _DECIMAL_START.search(text) is not None


class Column:
    """A column that grows in place, so that no part of it is ever held twice."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._values: npt.NDArray[Any] = np.empty(0, dtype=dtype)
        self._count = 0

    def append(self, part: npt.NDArray[Any]) -> None:
        """Add values at the end."""
        end = self._count + len(part)
        if end > len(self._values):
            self._values.resize(end + end // 4 + 1024, refcheck=False)
        self._values[self._count : end] = part
        self._count = end

    def finish(self) -> npt.NDArray[Any]:
        """Give back what is too much and return the whole."""
        self._values.resize(self._count, refcheck=False)
        return self._values


class Columns:
    """Collect blocks of events; `finish` gives the columns, in file order.

    `dropped` counts slices without a usable start, `mended` durations that could not be true.
    """

    def __init__(self) -> None:
        self.strings: list[str] = []
        self.counts: Counter[tuple[str, str | None]] = Counter()
        self.dropped = 0
        self.mended: Counter[str] = Counter()
        self.rows = 0
        self.flows: list[npt.NDArray[np.int64]] = []
        """Arrays of shape (k, 4): id, track, start and 0 for the tail or 1 for the head."""
        self.memory = MemoryColumns()
        self.process_names: dict[Scalar, str] = {}
        self.thread_names: dict[tuple[Scalar, Scalar], str] = {}
        self._names: Interned[str | None] = Interned(self._name)
        self._annotation_names: list[int] = []
        self._texts: Interned[bytes] = Interned(
            lambda text: self._intern(text.decode("utf-8", "replace"))
        )
        self._raw_tracks: Interned[tuple[Scalar, Scalar]] = Interned(self._track)
        self._tracks: dict[tuple[int | str, int | str], int] = {}
        self._kinds: Interned[str | None] = Interned(lambda cat: int(kind_of(cat or "")))
        self._columns = {name: Column(np.dtype(dtype)) for name, dtype in DTYPES.items()}
        self._pairs: list[npt.NDArray[np.int64]] = []

    # Interning ------------------------------------------------------------------------------

    def _intern(self, text: str | None) -> int:
        self.strings.append("" if text is None else text)
        return len(self.strings) - 1

    def _name(self, text: str | None) -> int:
        index = self._intern(text)
        if text is not None and text.startswith(PREFIX):
            self._annotation_names.append(index)
        return index

    def _track(self, key: tuple[Scalar, Scalar]) -> int:
        process, thread = (lane(part) for part in key)
        return self._tracks.setdefault((process, thread), len(self._tracks))

    def tracks(self) -> list[Track]:
        """Return the tracks in order of their index."""
        processes = {lane(pid): name for pid, name in self.process_names.items()}
        threads = {(lane(pid), lane(tid)): name for (pid, tid), name in self.thread_names.items()}
        return [
            Track(
                process=process,
                thread=thread,
                process_name=processes.get(process, ""),
                thread_name=threads.get((process, thread), ""),
            )
            for process, thread in self._tracks
        ]

    # Blocks ---------------------------------------------------------------------------------

    def add(self, events: Sequence[AnyEvent]) -> None:
        """Append the slices among `events`; take note of the others."""
        slices = [event for event in events if event.ph == "X"]
        self.counts.update([("X", event.cat) for event in slices])
        if len(slices) < len(events):
            self._add_others([event for event in events if event.ph != "X"])
        if slices:
            self._add_slices(slices)

    def _add_slices(self, slices: Sequence[AnyEvent]) -> None:
        start, known = starts(slices)
        if not known.all():
            self.dropped += int((~known).sum())
            slices = [event for event, ok in zip(slices, known.tolist(), strict=True) if ok]
            start = start[known]
        kind, name = self._kinds_and_names(slices)
        tracks = self._raw_tracks
        self._put("start_ns", start)
        self._put("dur_ns", self._durations(slices))
        self._put("kind", kind)
        self._put("name", name)
        track = np.array([tracks[event.pid, event.tid] for event in slices], dtype=np.int32)
        self._put("track", track)
        self._add_args(slices, kind)
        self.rows += len(slices)

    def _kinds_and_names(self, slices: Sequence[AnyEvent]) -> tuple[npt.NDArray[np.uint8], Int32]:
        kinds, names, strings = self._kinds, self._names, self.strings
        kind = np.array([kinds[event.cat] for event in slices], dtype=np.uint8)
        name = np.array([names[event.name] for event in slices], dtype=np.int32)
        if self._annotation_names:
            kind[(kind == Kind.CPU_OP) & np.isin(name, self._annotation_names)] = Kind.ANNOTATION
        if "Operator" in kinds:
            for row in np.flatnonzero(kind == Kind.CPU_OP).tolist():
                if strings[name[row]].startswith(ANNOTATION_OPS_2021):
                    kind[row] = Kind.ANNOTATION
        return kind, name

    def _add_args(self, slices: Sequence[AnyEvent], kind: npt.NDArray[np.uint8]) -> None:
        rows = np.flatnonzero(HAS_ARGS[kind])
        args = [slices[row].args or NO_ARGS for row in rows.tolist()]
        external_ids = [a.external_id for a in args]
        dims = [a.dims for a in args]
        if not _NAMES_2021.isdisjoint(self._kinds):
            external_ids = [
                a.external_id_2021 if value is None else value
                for a, value in zip(args, external_ids, strict=True)
            ]
            dims = [
                a.dims_2021 if value is UNSET else value
                for a, value in zip(args, dims, strict=True)
            ]
        for column, values in (
            ("correlation", [a.correlation for a in args]),
            ("external_id", external_ids),
            ("sequence", [a.sequence for a in args]),
            ("forward_thread", [a.forward_thread for a in args]),
        ):
            self._put_at(column, rows, integers(values, np.int64), len(slices))
        for column, texts in (
            ("dims", dims),
            ("types", [a.types for a in args]),
            ("inputs", [a.inputs for a in args]),
        ):
            self._put_at(column, rows, self._interned(texts), len(slices))
        rows = np.flatnonzero(IS_DEVICE[kind])
        work = [slices[row] for row in rows.tolist()]
        devices = [
            event.pid if event.args is None or event.args.device is None else event.args.device
            for event in work
        ]
        self._put_at("device", rows, integers(devices, np.int32), len(slices))

    def _put_at(self, column: str, rows: Int64, values: Int64 | Int32, count: int) -> None:
        """Append a part of `count` entries that has `values` at `rows` and -1 elsewhere."""
        whole = np.full(count, -1, dtype=values.dtype)
        whole[rows] = values
        self._put(column, whole)

    def _interned(self, texts: Sequence[Raw | UnsetType]) -> Int32:
        ids = self._texts
        return np.array(
            [-1 if text is UNSET else ids[bytes(text)] for text in texts],
            dtype=np.int32,
        )

    def _durations(self, slices: Sequence[AnyEvent]) -> Int64:
        micros = floats([event.dur for event in slices])
        bad = ~np.isfinite(micros)
        negative = micros < 0
        overflowed = micros > MAX_DURATION_US
        for code, mask in (
            ("no_duration", bad),
            ("negative_duration", negative),
            ("overflowed_duration", overflowed),
        ):
            if mask.any():
                self.mended[code] += int(mask.sum())
                micros = np.where(mask, 0.0, micros)
        return nanoseconds(micros)

    def _put(self, column: str, values: npt.NDArray[Any]) -> None:
        self._columns[column].append(values)

    # Other events ---------------------------------------------------------------------------

    def _add_others(self, others: Sequence[AnyEvent]) -> None:
        self.counts.update([(event.ph, event.cat) for event in others])
        flows = [e for e in others if e.ph in ("s", "f") and e.cat == "fwdbwd"]
        if flows:
            start, known = starts(flows)
            table = np.empty((len(flows), 4), dtype=np.int64)
            table[:, 0] = integers([event.id for event in flows], np.int64)
            table[:, 1] = [self._raw_tracks[event.pid, event.tid] for event in flows]
            table[:, 2] = start
            table[:, 3] = [event.ph == "f" for event in flows]
            self.flows.append(table[known])
        memory = [event for event in others if event.name == MEMORY and event.ph in ("i", "I")]
        if memory:
            self.memory.add(memory, self._raw_tracks.__getitem__)
        pairs = [event for event in others if event.ph in ("B", "E")]
        if pairs:
            self._add_pairs(pairs)
        for event in others:
            if event.ph == "M" and event.args is not None and event.args.name is not None:
                if event.name == "process_name":
                    self.process_names[event.pid] = str(event.args.name)[:1000]
                elif event.name == "thread_name":
                    self.thread_names[event.pid, event.tid] = str(event.args.name)[:1000]

    def _add_pairs(self, pairs: Sequence[AnyEvent]) -> None:
        """Keep begin and end events as rows without a duration until `finish` pairs them."""
        start, known = starts(pairs)
        self.dropped += int((~known).sum())
        kept = [event for event, ok in zip(pairs, known.tolist(), strict=True) if ok]
        kind, name = self._kinds_and_names(kept)
        opens = np.array([event.ph == "B" for event in kept], dtype=np.bool_)
        self._put("start_ns", start[known])
        self._put("dur_ns", np.where(opens, -1, -2).astype(np.int64))
        self._put("kind", kind)
        self._put("name", name)
        lanes = [self._raw_tracks[event.pid, event.tid] for event in kept]
        self._put("track", np.array(lanes, dtype=np.int32))
        self._add_args(kept, kind)
        self._pairs.append(np.arange(self.rows, self.rows + len(kept)))
        self.rows += len(kept)

    # The end --------------------------------------------------------------------------------

    def finish(self) -> Events:
        """Return the columns; nothing can be added after it."""
        events = Events(**{name: column.finish() for name, column in self._columns.items()})
        if self._pairs:
            events = self._paired(events, np.concatenate(self._pairs))
        return events

    def _paired(self, events: Events, rows: Int64) -> Events:
        """Turn begin and end events into slices; ends without a begin go."""
        order = rows[np.lexsort((events.start_ns[rows], events.track[rows]))]
        keep = np.ones(len(events), dtype=np.bool_)
        stacks: dict[int, list[int]] = {}
        last = int(events.start_ns.max()) if len(events) else 0
        unpaired = 0
        tracks, durations = events.track[order].tolist(), events.dur_ns[order].tolist()
        for row, track, mark in zip(order.tolist(), tracks, durations, strict=True):
            stack = stacks.setdefault(track, [])
            if mark == -1:
                stack.append(row)
                continue
            keep[row] = False
            if stack:
                begin = stack.pop()
                events.dur_ns[begin] = events.start_ns[row] - events.start_ns[begin]
            else:
                unpaired += 1
        for stack in stacks.values():
            for begin in stack:
                unpaired += 1
                events.dur_ns[begin] = last - events.start_ns[begin]
        if unpaired:
            self.mended["unpaired"] += unpaired
        return Events(**{name: getattr(events, name)[keep] for name in Events.__slots__})
