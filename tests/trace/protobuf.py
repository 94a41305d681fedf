"""Writing native traces by hand, for tests: messages as lists of fields."""

from __future__ import annotations

import struct
from collections.abc import Iterable

Value = int | float | bytes | str
Field = tuple[int, Value]


def varint(value: int) -> bytes:
    """A number; negative ones in ten bytes."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Fixed(int):
    """A number in eight bytes."""


def message(*fields: Field) -> bytes:
    """The bytes of a message."""
    parts = []
    for number, value in fields:
        if isinstance(value, Fixed):
            parts += [varint(number << 3 | 1), struct.pack("<Q", value)]
        elif isinstance(value, int):
            parts += [varint(number << 3), varint(value)]
        elif isinstance(value, float):
            parts += [varint(number << 3 | 1), struct.pack("<d", value)]
        else:
            text = value.encode() if isinstance(value, str) else value
            parts += [varint(number << 3 | 2), varint(len(text)), text]
    return b"".join(parts)


def trace(packets: Iterable[bytes]) -> bytes:
    """The bytes of a file."""
    return b"".join(message((1, packet)) for packet in packets)


def packet(*fields: Field, ts: int | None = None, seq: int = 1) -> bytes:
    """A packet of a sequence, with its time."""
    time: list[Field] = [] if ts is None else [(8, ts)]
    return message(*time, (10, seq), *fields)


def process(uuid: int, pid: int, name: str) -> bytes:
    """A packet that describes a process."""
    return packet((60, message((1, uuid), (3, message((1, pid), (6, name))))))


def thread(uuid: int, pid: int, tid: int, name: str, parent: int = 0) -> bytes:
    """A packet that describes a thread."""
    inner = message((1, pid), (2, tid), (5, name))
    return packet((60, message((1, uuid), (5, parent), (4, inner))))


def track(uuid: int, name: str, parent: int = 0) -> bytes:
    """A packet that describes any other track."""
    return packet((60, message((1, uuid), (2, name), (5, parent))))


def begin(
    ts: int, name: str | int, *fields: Field, on: int | None = 10, cat: str | int = "cpu_op",
    seq: int = 1,
) -> bytes:  # fmt: skip
    """A packet with the begin of a slice; numbers for name and category are interned ones."""
    where: list[Field] = [] if on is None else [(11, on)]
    inner = message(
        (9, 1),
        *where,
        (3, cat) if isinstance(cat, int) else (22, cat),
        (10, name) if isinstance(name, int) else (23, name),
        *fields,
    )
    return packet((11, inner), ts=ts, seq=seq)


def end(ts: int, *, on: int | None = 10, seq: int = 1) -> bytes:
    """A packet with the end of a slice."""
    where: list[Field] = [] if on is None else [(11, on)]
    return packet((11, message((9, 2), *where)), ts=ts, seq=seq)


def note(name: str | int, number: int, value: Value) -> Field:
    """A debug annotation of an event; `number` is the field of its value."""
    named: Field = (1, name) if isinstance(name, int) else (10, name)
    return 4, message(named, (number, value))
