"""What was seen in files whose names do not tell whether they are traces, or tables of times."""

from __future__ import annotations

import threading
from typing import NamedTuple

from genscope.analysis.speedup.table import looks_like_table
from genscope.tensorboard.files import FileSystem, Stamp
from genscope.trace.sniff import HEAD_BYTES, looks_like_trace


class Seen(NamedTuple):
    """What a file looks like."""

    is_trace: bool
    is_table: bool


_UNREADABLE = Seen(False, False)


class Peeker:
    """Looks into files, once for each version of one. Safe to use from several threads."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Stamp, Seen]] = {}
        self._lock = threading.Lock()

    def known(self, path: str, stamp: Stamp) -> Seen | None:
        """Return what was seen in this version of the file, None if it was not looked into."""
        with self._lock:
            seen = self._known.get(path)
        return seen[1] if seen is not None and seen[0] == stamp else None

    def look(self, files: FileSystem, path: str, stamp: Stamp) -> Seen:
        """Return what the file looks like; nothing for one that cannot be read."""
        known = self.known(path, stamp)
        if known is not None:
            return known
        try:
            head = files.head(path, HEAD_BYTES)
        except OSError:
            return _UNREADABLE
        is_trace = looks_like_trace(head)
        seen = Seen(is_trace, not is_trace and looks_like_table(head))
        with self._lock:
            self._known[path] = (stamp, seen)
        return seen
