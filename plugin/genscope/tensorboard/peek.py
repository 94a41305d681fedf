"""Telling a trace from other JSON by its first few KiB."""

from __future__ import annotations

import re
import threading
import zlib

from genscope.tensorboard.files import FileSystem, Stamp

HEAD_BYTES = 4096

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_KEY_OF_A_TRACE = re.compile(
    rb'"(?:traceEvents|deviceProperties|baseTimeNanoseconds)"\s*:'
    rb'|"schemaVersion"\s*:\s*1(?![\d.])'
)
_BARE_EVENT = re.compile(rb'"ph"\s*:\s*"')


def looks_like_trace(head: bytes) -> bool:
    """Whether a file that begins with `head`, plain or gzip, is a trace as far as that tells."""
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(31).decompress(head, HEAD_BYTES)
        except zlib.error:
            return False
    text = head.removeprefix(_BOM).lstrip()
    if text.startswith(b"{"):
        return _KEY_OF_A_TRACE.search(text) is not None
    return text.startswith(b"[") and _BARE_EVENT.search(text) is not None


class Peeker:
    """Looks into files, once for each version of one. Safe to use from several threads."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Stamp, bool]] = {}
        self._lock = threading.Lock()

    def known(self, path: str, stamp: Stamp) -> bool | None:
        """Return what was seen in this version of the file, None if it was not looked into."""
        with self._lock:
            seen = self._known.get(path)
        return seen[1] if seen is not None and seen[0] == stamp else None

    def is_trace(self, files: FileSystem, path: str, stamp: Stamp) -> bool:
        """Whether the file looks like a trace; not so for one that cannot be read."""
        known = self.known(path, stamp)
        if known is not None:
            return known
        try:
            seen = looks_like_trace(files.head(path, HEAD_BYTES))
        except OSError:
            return False
        with self._lock:
            self._known[path] = (stamp, seen)
        return seen
