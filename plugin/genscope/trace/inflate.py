"""Gzip as a stream that gives up nothing it could still read.

The framing is read here and only the deflate data handed to isal, because a wrong checksum at the
end of a member must not take the data before it along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from isal import isal_zlib

GZIP_MAGIC = b"\x1f\x8b"
_RAW_DEFLATE = -15
# What one call gives is lost if it meets damage, so a call gives little.
_SLICE_BYTES = 1 << 15
_TRAILER_BYTES = 8
_HAS_CHECKSUM, _HAS_EXTRA, _HAS_NAME, _HAS_COMMENT = 2, 4, 8, 16

_INFLATE_ERROR: type[Exception] = isal_zlib.error  # type: ignore[assignment] # stub: an instance


class Gzip:
    """Inflate the members of a gzip file; `source` gives the next stored bytes, none at the end.

    `truncated` tells that the data ended inside a member, `damage` what was wrong, in words.
    """

    def __init__(self, source: Callable[[], bytes], head: bytes = b"") -> None:
        self.truncated = False
        self.damage = ""
        self._source = source
        self._stored = head
        self._inflate: Any = None
        self._checksum = 0
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes of text, none at the end."""
        while not self._ended:
            if self._inflate is None and not self._begin_member():
                break
            if not self._stored and not self._more():
                self.truncated = True
                break
            try:
                text: bytes = self._inflate.decompress(self._stored, min(size, _SLICE_BYTES))
            except _INFLATE_ERROR as error:
                self._end(f"{error}; what follows is lost")
                self.truncated = True
                break
            self._checksum = isal_zlib.crc32(text, self._checksum)
            if self._inflate.eof:
                self._stored = self._inflate.unused_data
                self._end_member()
            else:
                self._stored = self._inflate.unconsumed_tail
            if text:
                return text
        self._ended = True
        return b""

    def _more(self) -> bool:
        more = self._source()
        self._stored += more
        return bool(more)

    def _have(self, count: int) -> bool:
        while len(self._stored) < count:
            if not self._more():
                return False
        return True

    def _end(self, damage: str) -> None:
        self._ended = True
        self.damage = damage

    def _begin_member(self) -> bool:
        """Step over a member's header; False at the end of the file."""
        while self._have(1) and self._stored[:1] == b"\x00":
            self._stored = self._stored.lstrip(b"\x00")
        whole = self._have(10)
        if not (GZIP_MAGIC + b"\x08").startswith(self._stored[:3]):
            self._end("bytes that are no gzip follow it and were not read")
            return False
        if not whole:
            self.truncated = bool(self._stored)
            return False
        flags = self._stored[3]
        at = 10
        if flags & _HAS_EXTRA:
            if not self._have(at + 2):
                return self._cut()
            at += 2 + int.from_bytes(self._stored[at : at + 2], "little")
        for flag in (_HAS_NAME, _HAS_COMMENT):
            if flags & flag:
                while (end := self._stored.find(b"\x00", at)) < 0:
                    if len(self._stored) > 1 << 20 or not self._more():
                        return self._cut()
                at = end + 1
        at += 2 if flags & _HAS_CHECKSUM else 0
        if not self._have(at):
            return self._cut()
        self._stored = self._stored[at:]
        self._inflate = isal_zlib.decompressobj(_RAW_DEFLATE)
        self._checksum = 0
        return True

    def _cut(self) -> bool:
        self.truncated = True
        return False

    def _end_member(self) -> None:
        self._inflate = None
        if not self._have(_TRAILER_BYTES):
            self._ended = self.truncated = True
            return
        if int.from_bytes(self._stored[:4], "little") != self._checksum:
            self.damage = "the checksum is wrong, so some of the text may be"
        self._stored = self._stored[_TRAILER_BYTES:]
