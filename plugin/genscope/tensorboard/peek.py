"""What was seen in files whose names do not tell whether they are traces."""

from __future__ import annotations

import threading

from genscope.tensorboard.files import FileSystem, Stamp
from genscope.trace.sniff import HEAD_BYTES, looks_like_trace


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
