"""Arguments of events, as JSON text, to encoded debug annotations: all of a category at once.

What arguments the events of a category have is learned as they come. As long as nothing new turns
up they are decoded by a struct of exactly these, which is what makes it fast.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import IO, Annotated, Any

import msgspec
import numpy as np
from msgspec import UNSET, Raw, UnsetType

from genscope.perfetto.packing import FLOAT, INTEGER, annotate
from genscope.perfetto.ragged import UInt64, unsigned
from genscope.perfetto.texts import Texts, Value, Values, float_bits
from genscope.trace.decode import DECODE_ERRORS
from genscope.trace.model import Bool, Int32, Int64, UInt8

_Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

WHOLE, NUMBER, ANY = range(3)
"""What the values of an argument have been so far, null aside: whole numbers, numbers, anything."""

_TYPES: dict[int, Any] = {
    WHOLE: _Whole | None | UnsetType,
    NUMBER: _Whole | float | None | UnsetType,
    ANY: Raw | UnsetType,
}
_MOST_FIELDS = 256
_FIRST = 64
"""Events of a category from which its arguments are learned at first."""

_NUMERIC = b"-0123456789"
_BITS = (1 << 64) - 1
_PLACE = re.compile(r"at `\$\[(\d+)\]")
"""Where in a list something is that does not decode, as msgspec says it."""

_number = msgspec.json.Decoder(_Whole | float).decode

_QUOTED = re.compile(rb'"\d{1,18}"')
_MOST_SHIFTED = np.uint64(1 << 62)

Members = dict[str, Raw]

Shifts = Mapping[str, tuple[int, int]]
"""Ids among the arguments, by name: from which value on they are shifted, and by how much."""


class Group:
    """The arguments of the events of one category."""

    def __init__(self, names: Texts, values: Values, shifts: Shifts | None = None) -> None:
        self._names = names
        self._values = values
        self._shifts = shifts or {}
        self._fields: dict[str, int] = {}
        self._decode: Callable[[bytes], list[Any]] | None = None
        self._get: Callable[[Any], Any] = tuple
        self._numbers: UInt64 = np.zeros(0, dtype=np.uint64)

    def encode(self, texts: Sequence[Raw]) -> tuple[UInt8, Int64]:
        """Encode the JSON objects in `texts`; all bytes in order, and the length of each row's."""
        whole = b"[" + b",".join(texts) + b"]"
        for _ in range(_MOST_FIELDS):
            if self._decode is not None:
                try:
                    return self._annotations(*self._cells(self._decode(whole)))
                except DECODE_ERRORS as error:
                    found = _PLACE.search(str(error))
                    places = [int(found[1])] if found else range(len(texts))
            else:
                places = range(min(len(texts), _FIRST))
            if not self._learn([texts[place] for place in places]):
                break
        return self._slow(texts)

    # By a struct ----------------------------------------------------------------------------

    def _cells(self, rows: Sequence[Any]) -> tuple[UInt8, UInt64, Bool]:
        """Kind, bits and presence of each argument, of shape (rows, fields)."""
        width = len(self._fields)
        shape = (len(rows), width)
        kind = np.zeros(shape, dtype=np.uint8)
        bits = np.zeros(shape, dtype=np.uint64)
        there = np.ones(shape, dtype=np.bool_)
        flat = list(map(self._get, rows))
        if width > 1:
            flat = list(chain.from_iterable(flat))
        for place, (name, what) in enumerate(self._fields.items()):
            column = flat[place::width]
            try:
                if what != WHOLE:
                    raise TypeError
                bits[:, place] = unsigned(np.array(column, dtype=np.int64))
            except TypeError:
                if what == ANY and name in self._shifts:
                    column = [text if text is UNSET else _unquoted(text) for text in column]
                found = self._values_of(column) if what == ANY else self._numbers_of(column)
                kind[:, place] = [value[0] for value in found]
                bits[:, place] = np.array([value[1] for value in found], dtype=np.uint64)
                there[:, place] = kind[:, place] != _MISSING[0]
            if name in self._shifts:
                self._shift(name, kind[:, place], bits[:, place])
        return kind, bits, there

    def _shift(self, name: str, kind: UInt8, bits: UInt64) -> None:
        least, by = self._shifts[name]
        ids = (kind == INTEGER) & (bits >= np.uint64(least)) & (bits < _MOST_SHIFTED)
        bits[ids] += np.uint64(by)

    def _values_of(self, column: Sequence[Raw | UnsetType]) -> list[Value]:
        known = self._values
        return [_MISSING if text is UNSET else known[bytes(text)] for text in column]

    def _numbers_of(self, column: Sequence[Any]) -> list[Value]:
        null = self._values[b"null"]
        return [
            (INTEGER, value & _BITS)
            if value.__class__ is int
            else _MISSING
            if value is UNSET
            else null
            if value is None
            else (FLOAT, float_bits(value))
            for value in column
        ]

    def _annotations(self, kind: UInt8, bits: UInt64, there: Bool) -> tuple[UInt8, Int64]:
        rows = np.repeat(np.arange(len(there)), there.sum(axis=1))
        names = np.broadcast_to(self._numbers, there.shape)[there]
        return joined(names, kind[there], bits[there], rows, len(there))

    def _learn(self, texts: Sequence[Raw]) -> bool:
        """Take note of what arguments there are; False where that brings nothing, or too much."""
        before = dict(self._fields)
        for text in texts:
            members = _members(text)
            if members is None:
                return False
            for name, raw in members.items():
                what = _what(bytes(raw))
                self._fields[name] = max(self._fields.get(name, WHOLE), what)
        known = self._decode is not None and self._fields == before
        if known or not self._fields or len(self._fields) > _MOST_FIELDS:
            return False
        self._make()
        return True

    def _make(self) -> None:
        names = [f"f{place}" for place in range(len(self._fields))]
        struct = msgspec.defstruct(
            "Arguments",
            [
                (own, _TYPES[what], msgspec.field(default=UNSET, name=name))
                for own, (name, what) in zip(names, self._fields.items(), strict=True)
            ],
            forbid_unknown_fields=True,
            gc=False,
        )
        self._decode = msgspec.json.Decoder(list[struct]).decode  # type: ignore[valid-type]
        self._get = attrgetter(*names)
        self._numbers = np.array([self._names[name] for name in self._fields], dtype=np.uint64)

    # One by one -----------------------------------------------------------------------------

    def _slow(self, texts: Sequence[Raw]) -> tuple[UInt8, Int64]:
        names: list[int] = []
        found: list[Value] = []
        rows: list[int] = []
        for row, text in enumerate(texts):
            members = _members(text)
            if members is None:
                members = {"args": text}
            for name, raw in members.items():
                names.append(self._names[name])
                if name in self._shifts:
                    found.append(self._shifted(name, _unquoted(raw)))
                else:
                    found.append(self._values[bytes(raw)])
                rows.append(row)
        return joined(*_columns(names, found), np.array(rows, dtype=np.int64), len(texts))

    def _shifted(self, name: str, raw: Raw | bytes) -> Value:
        kind, bits = self._values[bytes(raw)]
        least, by = self._shifts[name]
        if kind == INTEGER and least <= bits < int(_MOST_SHIFTED):
            bits += by
        return kind, bits


_MISSING: Value = (255, 0)


def _columns(names: Sequence[int], values: Sequence[Value]) -> tuple[UInt64, UInt8, UInt64]:
    return (
        np.array(names, dtype=np.uint64),
        np.array([value[0] for value in values], dtype=np.uint8),
        np.array([value[1] for value in values], dtype=np.uint64),
    )


def _unquoted(raw: Raw) -> Raw:
    """An id that is written as text, as the number that it is."""
    text = bytes(raw)
    return Raw(text[1:-1].lstrip(b"0") or b"0") if _QUOTED.fullmatch(text) else raw


def _members(text: Raw) -> Members | None:
    try:
        return msgspec.json.decode(text, type=Members)
    except DECODE_ERRORS:
        return None


def _what(raw: bytes) -> int:
    if raw == b"null":
        return WHOLE
    if raw[0] not in _NUMERIC:
        return ANY
    try:
        value = _number(raw)
    except DECODE_ERRORS:
        return ANY
    return NUMBER if isinstance(value, float) else WHOLE


def joined(
    names: UInt64, kind: UInt8, bits: UInt64, rows: Int64, count: int
) -> tuple[UInt8, Int64]:
    """Encode arguments, in order of `rows`: all bytes, and the length of each of `count` rows."""
    data, sizes = annotate(names, kind, bits)
    length = np.bincount(rows, weights=sizes, minlength=count).astype(np.int64)
    return data, length


class Arguments:
    """Collect events' arguments until there are many of a category, then encode them to `file`.

    `at` and `length` tell where in `file` each event's stand, by the number given to `add`.
    """

    BATCH = 1 << 14

    def __init__(
        self, names: Texts, values: Values, file: IO[bytes], shifts: Shifts | None = None
    ) -> None:
        self._names = names
        self._values = values
        self._shifts = shifts
        self._file = file
        self._written = 0
        self._groups: dict[str | None, Group] = {}
        self._waiting: dict[str | None, tuple[list[int], list[Raw]]] = {}
        self._count = 0
        self._done: list[tuple[Int32, Int64, Int32]] = []

    def add(self, group: str | None, events: Sequence[int], texts: Sequence[Raw]) -> None:
        """Take the arguments of `events`, of the category `group`."""
        waiting = self._waiting.setdefault(group, ([], []))
        waiting[0].extend(events)
        waiting[1].extend(texts)
        self._count += len(events)
        if self._count >= self.BATCH:
            self.flush()

    def flush(self) -> None:
        """Encode what waits."""
        for group, (events, texts) in self._waiting.items():
            if group not in self._groups:
                self._groups[group] = Group(self._names, self._values, self._shifts)
            self.put(np.array(events, dtype=np.int64), *self._groups[group].encode(texts))
        self._waiting = {}
        self._count = 0

    def add_members(self, event: int, members: Mapping[str, bytes]) -> None:
        """Take the arguments of one event, JSON text by name."""
        names = [self._names[name] for name in members]
        found = [self._values[raw] for raw in members.values()]
        rows = np.zeros(len(names), dtype=np.int64)
        self.put(np.array([event]), *joined(*_columns(names, found), rows, 1))

    def put(self, events: Int64, data: UInt8, length: Int64) -> None:
        """Take encoded arguments: all bytes in the order of `events`, and how many each has."""
        self._file.write(data.tobytes())
        at = self._written + np.cumsum(length) - length
        self._done.append((events.astype(np.int32), at, length.astype(np.int32)))
        self._written += len(data)

    def placed(self, *parts: tuple[int, int]) -> tuple[Int64, Int32]:
        """Where the arguments of each event begin in the file, and their lengths.

        The events of each of `parts`, its first number and how many it has, follow each other.
        """
        self.flush()
        firsts = np.array([first for first, _ in parts])
        counts = np.array([count for _, count in parts])
        shift = np.cumsum(counts) - counts - firsts
        at = np.zeros(int(counts.sum()), dtype=np.int64)
        length = np.zeros(len(at), dtype=np.int32)
        for events, begins, lengths in self._done:
            rows = events + shift[np.searchsorted(firsts, events, side="right") - 1]
            at[rows] = begins
            length[rows] = lengths
        self._done = []
        return at, length
