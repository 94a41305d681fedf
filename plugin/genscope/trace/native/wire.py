"""The wire format of protobuf, for many messages at once: their fields as columns.

Messages are taken apart in rounds, the n-th field of all of them in the n-th round; a message with
very many fields is finished on its own, so that it does not cost a round a field.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from genscope.trace.model import Bool, Int64, UInt8

UInt64 = npt.NDArray[np.uint64]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types; the groups of old (3 and 4) are refused as damage."""

PADDING = 16
"""Zero bytes that must follow the text in the array given to `fields`."""

_MOST_ROUNDS = 48
_VARINT_BITS = 63


class Fields(NamedTuple):
    """Fields in columns of shape (n,): the first of every message, then the second ones, and on."""

    owner: Int64
    """Index of the message."""
    number: Int64
    wire: UInt8
    value: UInt64
    """The number, or the length in bytes."""
    at: Int64
    """Where the value begins; of bytes, behind their length."""

    @property
    def stop(self) -> Int64:
        """Where bytes end, shape (n,)."""
        return self.at + self.value.astype(np.int64)

    def where(self, mask: Bool) -> Fields:
        """Return those fields for which `mask` holds."""
        return Fields(
            self.owner[mask], self.number[mask], self.wire[mask], self.value[mask], self.at[mask]
        )

    def by_owner(self) -> Fields:
        """Return the fields in the order of their messages."""
        if (self.owner[1:] >= self.owner[:-1]).all():
            return self
        order = np.argsort(self.owner, kind="stable")
        return Fields(
            self.owner[order], self.number[order], self.wire[order], self.value[order],
            self.at[order],
        )  # fmt: skip

    def of(self, number: int, wire: int) -> Fields:
        """Return the fields of this number and wire type."""
        return self.where((self.number == number) & (self.wire == wire))


def varint(text: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at` and where it ends. Raises IndexError or ValueError."""
    value = shift = 0
    while True:
        byte = text[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
        if shift > _VARINT_BITS:
            raise ValueError("a number of more than ten bytes")


def split(text: bytes, at: int, stop: int) -> list[tuple[int, int, int, int]]:
    """Return number, wire type, value and place of each field of one message.

    Ends at what is no field; the last entry then has the wire type -1.
    """
    found = []
    while at < stop:
        try:
            tag, at = varint(text, at)
            wire = tag & 7
            place = at
            if wire == VARINT:
                value, at = varint(text, at)
            elif wire == BYTES:
                value, place = varint(text, at)
                at = place + value
            elif wire in (FIXED64, FIXED32):
                at += 8 if wire == FIXED64 else 4
                value = int.from_bytes(text[place:at], "little")
            else:
                raise ValueError("no such wire type")
            if at > stop or not tag >> 3:
                raise ValueError("a field beyond its message")
        except (IndexError, ValueError):
            found.append((0, -1, 0, 0))
            break
        found.append((tag >> 3, wire, value, place))
    return found


def fields(data: UInt8, at: Int64, stop: Int64) -> tuple[Fields, Bool]:
    """Take the messages from `at` to `stop`, each of shape (m,), apart.

    Returns their fields and a mask of shape (m,) of the messages that are damaged, whose fields
    are those before the damage. `data` ends with `PADDING` zero bytes that are no text.
    """
    broken = np.zeros(len(at), dtype=np.bool_)
    owner = np.flatnonzero(at < stop)
    at, stop = at[owner], stop[owner]
    parts: list[Fields] = []
    for _ in range(_MOST_ROUNDS):
        if not len(owner):
            break
        one, after, bad = _round(data, owner, at, stop)
        if bad.any():
            broken[owner[bad]] = True
            one = one.where(~bad)
        parts.append(one)
        more = ~bad & (after < stop)
        owner, at, stop = owner[more], after[more], stop[more]
    if len(owner):
        parts.append(_one_by_one(data, owner, at, stop, broken))
    return _joined(parts), broken


def first_fields(data: UInt8, at: Int64, stop: Int64) -> tuple[Fields, Int64]:
    """Return the first field of each message of shape (m,) and where it ends.

    Messages that have none, or a damaged one, have the wire type 255.
    """
    one, after, bad = _round(data, np.arange(len(at)), at, stop)
    one.wire[bad | (at >= stop)] = 255
    return one, after


def texts_of(data: UInt8, found: Fields) -> list[tuple[int, bytes]]:
    """Return the owner and the bytes of each field, in the order of their owners."""
    texts = [
        (owner, data[at:stop].tobytes())
        for owner, at, stop in zip(
            found.owner.tolist(), found.at.tolist(), found.stop.tolist(), strict=True
        )
    ]
    texts.sort(key=lambda one: one[0])
    return texts


def packed(data: UInt8, found: Fields) -> UInt64:
    """Return the first number of each field, which may hold a packed list; shape (n,)."""
    values: UInt64 = found.value.copy()
    lists = np.flatnonzero((found.wire == BYTES) & (found.value > 0))
    if len(lists):
        values[lists] = _varints(data, found.at[lists])[0]
    return values


def _joined(parts: list[Fields]) -> Fields:
    if not parts:
        empty = np.empty(0, dtype=np.int64)
        return Fields(empty, empty, empty.astype(np.uint8), empty.astype(np.uint64), empty)
    return Fields(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _round(data: UInt8, owner: Int64, at: Int64, stop: Int64) -> tuple[Fields, Int64, Bool]:
    tag, place, bad = _varints(data, at)
    wire = (tag & np.uint64(7)).astype(np.uint8)
    number = (tag >> np.uint64(3)).astype(np.int64)
    bad |= (number == 0) | (wire == 3) | (wire == 4) | (wire > 5)
    value = np.zeros(len(at), dtype=np.uint64)
    after = place.copy()
    counted = np.flatnonzero((wire == VARINT) | (wire == BYTES))
    if len(counted):
        whole = len(counted) == len(at)
        got, ended, wrong = _varints(
            data, np.minimum(place if whole else place[counted], stop.max())
        )
        value[counted], after[counted] = got, ended
        bad[counted] |= wrong
    lengths = wire == BYTES
    if lengths.any():
        place = np.where(lengths, after, place)
        left = np.maximum(stop - after, 0).astype(np.uint64)
        bad |= lengths & (value > left)
        after = np.where(lengths, after + np.minimum(value, left).astype(np.int64), after)
    for fixed, size in ((FIXED64, 8), (FIXED32, 4)):
        some = np.flatnonzero(wire == fixed)
        if len(some):
            value[some] = _fixed(data, np.minimum(place[some], len(data) - PADDING), size)
            after[some] = place[some] + size
    bad |= after > stop
    return Fields(owner, number, wire, value, place), after, bad


def _varints(data: UInt8, at: Int64) -> tuple[UInt64, Int64, Bool]:
    """Return the numbers at `at`, where they end and which are too long to be one."""
    byte = data[np.minimum(at, len(data) - 1)]
    value = (byte & 0x7F).astype(np.uint64)
    after = at + 1
    bad = np.zeros(len(at), dtype=np.bool_)
    more = np.flatnonzero(byte >= 0x80)
    shift = 7
    while len(more):
        if shift > _VARINT_BITS:
            bad[more] = True
            break
        byte = data[np.minimum(after[more], len(data) - 1)]
        value[more] |= (byte & 0x7F).astype(np.uint64) << np.uint64(shift)
        after[more] += 1
        more = more[byte >= 0x80]
        shift += 7
    return value, after, bad


def _fixed(data: UInt8, at: Int64, size: int) -> UInt64:
    value = np.zeros(len(at), dtype=np.uint64)
    for place in range(size):
        value |= data[at + place].astype(np.uint64) << np.uint64(8 * place)
    return value


def _one_by_one(data: UInt8, owner: Int64, at: Int64, stop: Int64, broken: Bool) -> Fields:
    rows: list[tuple[int, int, int, int, int]] = []
    for one, begin, end in zip(owner.tolist(), at.tolist(), stop.tolist(), strict=True):
        for number, wire, value, place in split(data[begin:end].tobytes(), 0, end - begin):
            if wire < 0:
                broken[one] = True
            else:
                rows.append((one, number, wire, value, place + begin))
    columns = tuple(zip(*rows, strict=True)) or ((), (), (), (), ())
    types = (np.int64, np.int64, np.uint8, np.uint64, np.int64)
    return Fields(*(np.array(c, dtype=t) for c, t in zip(columns, types, strict=True)))
