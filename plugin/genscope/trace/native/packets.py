"""The stream of a native trace in blocks of whole packets; what is damaged is stepped over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from isal import isal_zlib

from genscope.trace.errors import TraceError
from genscope.trace.model import Int64, UInt8
from genscope.trace.native.fields import HIGHEST_OF_PACKET, VARINTS_OF_PACKET, Packet
from genscope.trace.native.wire import BYTES, PADDING, VARINT, split, varint
from genscope.trace.source import Limits, Source

BLOCK_BYTES = 1 << 20

_TAG = 0x0A
_COMPRESSED = bytes([0x92, 0x03])
"""How a packet begins whose first field is `compressed_packets`."""

_LARGE = 1 << 20

_SURE = 4
"""Packets in a row that make it believable that one begins there."""

_SKIPPED = PADDING * b"\0"
_INFLATE_ERROR: type[Exception] = isal_zlib.error  # type: ignore[assignment] # stub: an instance


Spans = list[tuple[Int64, int]]
"""Runs of packets: where each packet begins, and where the run ends."""


class Block(NamedTuple):
    """Whole packets: their text as an array with padding behind it, and where each is."""

    offset: int
    data: UInt8
    at: Int64
    stop: Int64


def is_native(head: bytes) -> bool:
    """Whether a file that begins with `head` is a native trace as far as that tells."""
    if head[:1] != b"\x0a":
        return False
    try:
        length, at = varint(head, 1)
    except (IndexError, ValueError):
        return False
    stop = min(len(head), at + length)
    found = split(head, at, stop)
    whole = stop == at + length
    if not whole and head.lstrip()[:1] in (b"{", b"["):
        # JSON behind a line end, unless the packet of 123 or 91 bytes that it would be makes sense.
        return False
    if found and found[-1][1] < 0:
        if whole:
            return False
        found.pop()
        if not found and len(head) - at > PADDING:
            return _plausible(head, at)
    if whole and stop < len(head) and head[stop] != _TAG:
        return False
    return bool(found or not length) and all(_known(number, wire) for number, wire, _, _ in found)


def _known(number: int, wire: int) -> bool:
    if number in VARINTS_OF_PACKET:
        return wire == VARINT
    return wire == BYTES and number <= HIGHEST_OF_PACKET


class Packets:
    """Iterate a source as blocks. `unreadable` counts places, `truncated` tells of an early end."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self.unreadable = 0
        self.truncated = False
        self._source = source
        self._limits = limits
        self._inflated = 0

    def __iter__(self) -> Iterator[Block]:
        text, offset, ended, size = b"", 0, False, BLOCK_BYTES
        while text or not ended:
            more = b"" if ended else self._source.read(size)
            ended |= len(more) < size
            text += more
            found, at, size = self._found(text, ended)
            if found:
                yield from self._blocks(offset, text, found)
            offset += at
            text = text[at:]

    def _found(self, text: bytes, ended: bool) -> tuple[Spans, int, int]:
        """Return the packets in `text`, where what is not used begins, and how much to read."""
        found: Spans = []
        at = 0
        while True:
            starts, at = _frame(text, at)
            if len(starts):
                found.append((starts, at))
            if at == len(text):
                return found, at, BLOCK_BYTES
            wanted = _wanted(text, at)
            if wanted is not None and not ended and wanted <= self._limits.max_value_bytes:
                return found, at, max(BLOCK_BYTES, wanted - (len(text) - at))
            following = _next_sure(text, at + 1)
            if following < 0:
                break
            self.unreadable += 1
            at = following
        if ended:
            self.unreadable += wanted is None or wanted > self._limits.max_value_bytes
            self.truncated = True
            return found, len(text), BLOCK_BYTES
        # What is left may be the beginning of a packet that is not whole yet.
        self.unreadable += 1
        return found, max(at + 1, len(text) - BLOCK_BYTES // 16), BLOCK_BYTES

    def _blocks(self, offset: int, text: bytes, found: Spans) -> Iterator[Block]:
        """Yield the packets as a block, with what compressed ones hold in their place."""
        block = _block(offset, text, found)
        first, second = block.data[block.at], block.data[block.at + 1]
        held = np.flatnonzero((first == _COMPRESSED[0]) & (second == _COMPRESSED[1]))
        if not len(held):
            yield block
            return
        starts = np.concatenate([part for part, _ in found])
        pieces: list[bytes] = []
        size = done = 0
        for place in [*held.tolist(), len(starts)]:
            if place > done:
                pieces += [
                    text[begin:stop]
                    for begin, stop in zip(
                        starts[done:place].tolist(), block.stop[done:place].tolist(), strict=True
                    )
                ]
            done = place + 1
            if place < len(starts):
                begin, stop = int(block.at[place]), int(block.stop[place])
                inner = self._inflated_text(text[begin:stop])
                _, end = _frame(inner, 0)
                self.unreadable += end < len(inner)
                pieces.append(inner[:end])
                size += end
            if size > BLOCK_BYTES or place == len(starts):
                whole = b"".join(pieces)
                within, end = _frame(whole, 0)
                if len(within):
                    yield _block(offset, whole, [(within, end)])
                pieces, size = [], 0

    def _inflated_text(self, packet: bytes) -> bytes:
        for number, wire, length, at in split(packet, 0, len(packet)):
            if number == Packet.COMPRESSED and wire == BYTES:
                return self._inflate_one(packet[at : at + length])
        self.unreadable += 1
        return b""

    def _inflate_one(self, stored: bytes) -> bytes:
        limits = self._limits
        inflate = isal_zlib.decompressobj()
        try:
            text: bytes = inflate.decompress(stored, limits.max_value_bytes)
        except _INFLATE_ERROR:
            self.unreadable += 1
            return b""
        if not inflate.eof:
            self.unreadable += 1
        self._inflated += len(text)
        stored_bytes = max(self._source.stored_bytes, 1)
        if self._inflated > limits.free_bytes and self._inflated > limits.ratio * stored_bytes:
            raise TraceError(
                f"{self._source.path}: expands more than {limits.ratio}:1, which no trace does"
            )
        return text


def _frame(text: bytes, at: int) -> tuple[Int64, int]:
    """Return where the whole packets that follow each other from `at` begin, and where they end."""
    starts: list[int] = []
    found = starts.append
    size = len(text)
    try:
        while at < size and text[at] == _TAG:
            # The length, mostly of one or two bytes, read in place: this is a loop over packets.
            low = text[at + 1]
            if low < 0x80:
                stop = at + 2 + low
            elif (high := text[at + 2]) < 0x80:
                stop = at + 3 + (low & 0x7F) + (high << 7)
            else:
                length, begin = varint(text, at + 1)
                stop = begin + length
                # A wrong length could take much along that is right.
                if length > _LARGE and stop <= size and not _is_message(text, begin, stop):
                    break
            if stop > size:
                break
            found(at)
            at = stop
    except (IndexError, ValueError):
        pass
    return np.array(starts, dtype=np.int64), at


def _is_message(text: bytes, at: int, stop: int) -> bool:
    found = split(text, at, stop)
    return not found or found[-1][1] >= 0


def _block(offset: int, text: bytes, found: Spans) -> Block:
    """Return a block of packets: where runs of them begin, and where each run ends."""
    data = np.frombuffer(text + _SKIPPED, dtype=np.uint8)
    starts = np.concatenate([part for part, _ in found])
    stop = np.concatenate([np.r_[part[1:], end] for part, end in found])
    at = starts + 2
    more = np.flatnonzero(data[starts + 1] >= 0x80)
    while len(more):
        more = more[data[at[more] - 1] >= 0x80]
        at[more] += 1
    return Block(offset, data, at, stop)


def _wanted(text: bytes, at: int) -> int | None:
    """How many bytes the packet at `at` has; None where there is none."""
    if text[at] != _TAG:
        return None
    try:
        length, begin = varint(text, at + 1)
    except IndexError:
        return len(text) - at + 1
    except ValueError:
        return None
    wanted = begin - at + length
    return None if wanted <= len(text) - at else wanted


def _next_sure(text: bytes, at: int) -> int:
    """Return where packets seem to go on, -1 where they do not."""
    at = text.find(_TAG, at)
    while at >= 0 and not _sure(text, at):
        at = text.find(_TAG, at + 1)
    return at


def _sure(text: bytes, at: int) -> bool:
    """Whether packets seem to follow each other from `at` on."""
    for count in range(_SURE):
        if at == len(text):
            return count > 1
        try:
            if text[at] != _TAG:
                return False
            length, begin = varint(text, at + 1)
        except (IndexError, ValueError):
            return False
        stop = begin + length
        if not length or not _plausible(text, begin):
            return False
        if stop > len(text):
            return count > 1
        at = stop
    return True


def _plausible(text: bytes, at: int) -> bool:
    """Whether what is at `at` could be a field of a packet."""
    try:
        tag, _ = varint(text, at)
    except (IndexError, ValueError):
        return False
    return _known(tag >> 3, tag & 7)
