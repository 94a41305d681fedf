"""Interned text: each distinct one is written once and referred to by a number."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from hashlib import blake2b
from typing import IO

import msgspec

from genscope.perfetto.packing import FLOAT, INTEGER, TEXT, TRUTH
from genscope.perfetto.wire import (
    BYTES,
    NEEDED,
    SEQUENCE,
    VARINT,
    Packet,
    message,
    packet,
    tag,
    varint,
)
from genscope.trace.decode import DECODE_ERRORS
from genscope.trace.repair import repair

_PACKET_BYTES = 1 << 16
_MOST_KNOWN = 1 << 18
"""Texts that are known by heart; beyond them all are forgotten, and written again if they recur."""

_IID, _TEXT = tag(1, VARINT), tag(2, BYTES)

_LONG = 200
"""Bytes from which a text is known by its digest."""

_LIKE_JSON = re.compile(r'[\[{"]|null\Z|-?\d+\Z')
"""How a text begins, or what it is, that would be taken for JSON text."""

_FLOAT, _BITS = struct.Struct("<d"), struct.Struct("<Q")
_WORDS = {b"true": (TRUTH, 1), b"false": (TRUTH, 0)}

Value = tuple[int, int]
"""Kind of a value (see `packing`) and its bits."""


class Texts:
    """A table of interned text, one of the fields of InternedData, written to `file` as it grows.

    Numbers begin at 1.
    """

    def __init__(self, field: int, file: IO[bytes], sequence: int = SEQUENCE) -> None:
        self.count = 0
        self._tag = tag(field, BYTES)
        self._sequence = sequence
        self._file = file
        self._known: dict[str, int] = {}
        self._pending: list[bytes] = []
        self._pending_bytes = 0

    def __getitem__(self, text: str) -> int:
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = self.add(text.encode("utf-8", "replace"))
        return found

    def add(self, text: bytes) -> int:
        """Write a text, whether it is known or not, and return its number."""
        self.count += 1
        own = _IID + varint(self.count) + _TEXT + varint(len(text))
        entry = self._tag + varint(len(own) + len(text)) + own + text
        self._pending.append(entry)
        self._pending_bytes += len(entry)
        if self._pending_bytes > _PACKET_BYTES:
            self.flush()
        return self.count

    def flush(self) -> None:
        """Write what is pending."""
        if self._pending:
            interned = message(Packet.INTERNED, b"".join(self._pending))
            self._file.write(packet(interned, flags=NEEDED, sequence=self._sequence))
            self._pending, self._pending_bytes = [], 0


class Values(dict[bytes, Value]):
    """JSON text of an argument's value to what stands for it in the trace."""

    def __init__(self, add: Callable[[bytes], int]) -> None:
        super().__init__()
        self._add = add

    def __missing__(self, raw: bytes) -> Value:
        key = blake2b(raw, digest_size=16).digest() if len(raw) > _LONG else raw
        if key is not raw and key in self:
            return self[key]
        if len(self) >= _MOST_KNOWN:
            self.clear()
        value = self[key] = self._value(raw)
        return value

    def _value(self, raw: bytes) -> Value:
        if raw in _WORDS:
            return _WORDS[raw]
        if raw[:1] == b'"':
            return TEXT, self._add(plain(raw))
        if raw[:1] in (b"[", b"{", b"n"):
            return TEXT, self._add(raw)
        return self._number(raw)

    def _number(self, raw: bytes) -> Value:
        try:
            value = msgspec.json.decode(raw)
        except DECODE_ERRORS:
            return TEXT, self._add(raw)
        return number_value(value) or (TEXT, self._add(raw))


def number_value(value: object) -> Value | None:
    """What stands for a number; None where it is none, or a whole one beyond 64 bits."""
    if isinstance(value, float):
        return FLOAT, float_bits(value)
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return INTEGER, value & ((1 << 64) - 1)
    return None


def float_bits(value: float) -> int:
    """The bits of a float64."""
    bits: int = _BITS.unpack(_FLOAT.pack(value))[0]
    return bits


def plain(raw: bytes) -> bytes:
    """The text that a JSON string stands for, with its quotes kept where it would look like JSON.

    What no repair makes readable stands for itself.
    """
    try:
        text = msgspec.json.decode(raw, type=str)
    except DECODE_ERRORS:
        try:
            text = msgspec.json.decode(repair(raw)[0], type=str)
        except DECODE_ERRORS:
            return raw
    return raw if _LIKE_JSON.match(text) else text.encode("utf-8", "replace")


def guarded(text: str) -> bytes:
    """A text as the value of an argument: as JSON where it would be taken for JSON."""
    if _LIKE_JSON.match(text):
        return msgspec.json.encode(text)
    return text.encode("utf-8", "replace")
