"""Protobuf messages that are written once: descriptors, snapshots, tables of interned text.

Packets of events, of which there are millions, are made by `packing` a batch at a time.
"""

from __future__ import annotations

import struct

VARINT, FIXED64, BYTES = 0, 1, 2
"""Wire types."""

SEQUENCE = 1
"""Id of the packet sequence, of the first where there are several."""

CLEARED, NEEDED = 1, 2
"""Sequence flags: incremental state is cleared, is needed."""

INCREMENTAL_CLOCK, BOOTTIME, REALTIME = 64, 6, 1


class Packet:
    """Numbers of the fields of TracePacket."""

    TIMESTAMP = 8
    SEQUENCE = 10
    TRACK_EVENT = 11
    INTERNED = 12
    FLAGS = 13
    CLOCKS = 6
    DEFAULTS = 59
    TRACK = 60


class Interned:
    """Numbers of the fields of InternedData."""

    CATEGORIES = 1
    NAMES = 2
    ARGUMENTS = 3
    TEXTS = 29


class Track:
    """Numbers of the fields of TrackDescriptor and what is in it."""

    UUID = 1
    NAME = 2
    PROCESS = 3
    THREAD = 4
    PARENT = 5
    COUNTER = 8
    ORDERING = 11
    RANK = 12
    EXPLICIT = 3
    PROCESS_ORDERING = 19
    THREAD_ORDERING = 20


class Event:
    """Numbers of the fields of TrackEvent, and its types."""

    CATEGORY = 3
    ANNOTATION = 4
    TYPE = 9
    NAME = 10
    TRACK = 11
    COUNTER = 30
    DOUBLE_COUNTER = 44
    FLOW = 47
    LAST_FLOW = 48
    BEGIN, END, INSTANT, COUNTS = 1, 2, 3, 4


def varint(value: int) -> bytes:
    """Encode a whole number, negative ones as their 64-bit complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(field: int, wire: int) -> bytes:
    """What stands before the value of a field."""
    return varint(field << 3 | wire)


def number(field: int, value: int) -> bytes:
    """A field that is a whole number."""
    return tag(field, VARINT) + varint(value)


def double(field: int, value: float) -> bytes:
    """A field that is a float64."""
    return tag(field, FIXED64) + struct.pack("<d", value)


def message(field: int, content: bytes) -> bytes:
    """A field that is a message, or bytes."""
    return tag(field, BYTES) + varint(len(content)) + content


def text(field: int, value: str) -> bytes:
    """A field that is text; what no UTF-8 can hold is replaced."""
    return message(field, value.encode("utf-8", "replace"))


def packet(*fields: bytes, flags: int = 0, sequence: int = SEQUENCE) -> bytes:
    """A packet of a sequence."""
    own = number(Packet.SEQUENCE, sequence)
    if flags:
        own += number(Packet.FLAGS, flags)
    return message(1, own + b"".join(fields))


def first_packet(epoch_ns: int | None, sequence: int = SEQUENCE) -> bytes:
    """The packet that starts a sequence at clock 0, which is `epoch_ns` of the epoch."""
    clocks = message(1, number(1, BOOTTIME) + number(2, 0))
    if epoch_ns is not None:
        clocks += message(1, number(1, REALTIME) + number(2, epoch_ns))
    clocks += message(1, number(1, INCREMENTAL_CLOCK) + number(2, 0) + number(3, 1))
    return packet(
        message(Packet.DEFAULTS, number(58, INCREMENTAL_CLOCK)),
        message(Packet.CLOCKS, clocks),
        number(Packet.TIMESTAMP, 0),
        number(58, BOOTTIME),
        flags=CLEARED,
        sequence=sequence,
    )
