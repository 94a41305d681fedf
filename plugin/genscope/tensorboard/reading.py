"""From a trace file to the JSON of its views, by way of the cache."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from genscope.analysis.selection import Selection
from genscope.analysis.strip import Zoom, zoom
from genscope.tensorboard.attention import CALL_VIEWS, CallViews
from genscope.tensorboard.cache import Cache, key_of
from genscope.tensorboard.discovery import TraceFile
from genscope.tensorboard.exports import FORMS, NoAnswer, forms_of, is_export_gone
from genscope.tensorboard.files import FileSystem, Stamp, file_system_of
from genscope.tensorboard.memory import Memory
from genscope.tensorboard.views import LATER, VIEWS, Analyse, Ask
from genscope.trace import Trace, load

_log = logging.getLogger(__name__)

Progress = Callable[[int, "int | None"], None]
"""Called with the bytes read of the stored file, and its size; may raise to stop the reading."""

INCOMPLETE = frozenset({"truncated", "gzip_damaged"})
"""Codes of warnings that a file still being written gives."""

SETTLED_S = 10.0
"""A broken file is believed to be broken, not half-written, once it is this old."""

LARGE_BYTES = 64 << 20
"""A trace whose text is about this long takes a good part of 100 MB of memory to read."""

_TEXT_PER_PACKED_BYTE = 12


MAX_ZOOM_BYTES = 64 << 20
"""Timelines kept in memory, at most: who moves along one asks many times a second."""


class Cancelled(Exception):
    """Raised inside a reading that nobody wants any more."""


class Opened(Protocol):
    """A trace in memory, for as long as questions about it come."""

    is_incomplete: bool
    """What is missing may be there once the file has been written to its end."""

    def answer(self, ask: Ask) -> bytes:
        """Return a view as JSON. Raises NoAnswer where there is a reason why there is none."""

    def keep(self) -> None:
        """Do what can wait until the first questions are answered."""


class Reading(Protocol):
    """How traces are opened and what is still known of those opened before."""

    def asked_of_all(self) -> list[Ask]:
        """What everybody will ask, so that it is answered while the trace is in memory."""

    def is_large(self, file: TraceFile) -> bool:
        """Whether reading the file takes so much memory that two should not be at once."""

    def recent(self, file: TraceFile, ask: Ask) -> bytes | None:
        """Return an answer that can be given from memory."""

    def recall(self, file: TraceFile, ask: Ask) -> bytes | None:
        """Return an answer that was given before, without opening the trace."""

    def open(self, file: TraceFile, progress: Progress) -> Opened:
        """Open a trace. Raises TraceError for an unusable file, and what `progress` raises."""


class CachedReading:
    """Reads traces and keeps them, and views as they open, in `cache`."""

    def __init__(
        self,
        cache: Cache,
        *,
        views: Mapping[str, Analyse] = VIEWS,
        file_system: Callable[[str], FileSystem] = file_system_of,
    ) -> None:
        self._cache = cache
        self._first = list(views)
        self._views = {**LATER, **views}
        self._file_system = file_system
        self._zooms: Memory[tuple[str, Selection], Zoom] = Memory(
            lambda zoom: zoom.lanes.size_bytes, MAX_ZOOM_BYTES
        )
        self._calls = CallViews()

    def asked_of_all(self) -> list[Ask]:
        """See `Reading.asked_of_all`."""
        return [Ask(view) for view in self._first]

    def is_large(self, file: TraceFile) -> bool:
        """See `Reading.is_large`."""
        factor = _TEXT_PER_PACKED_BYTE if file.path.endswith(".gz") else 1
        return file.stamp.size_bytes * factor >= LARGE_BYTES

    def recent(self, file: TraceFile, ask: Ask) -> bytes | None:
        """See `Reading.recent`."""
        key = key_of(file.path, file.stamp)
        if key is None:
            return None
        if ask.span_ns is not None:
            known = self._zooms.get((key, ask.selection))
            return None if known is None else msgspec.json.encode(known.timeline(ask.span_ns))
        made = self._calls.recent(key, ask)
        return None if made is None else self._encoded(key, ask, made)

    def recall(self, file: TraceFile, ask: Ask) -> bytes | None:
        """See `Reading.recall`."""
        key = key_of(file.path, file.stamp) if ask.is_default else None
        if key is None:
            return None
        answer = self._cache.result(key, ask.view)
        if answer is not None and ask.view == FORMS and is_export_gone(answer, self._cache, key):
            return None
        return answer

    def open(self, file: TraceFile, progress: Progress) -> Opened:
        """See `Reading.open`."""
        key = key_of(file.path, file.stamp)
        stored = self._cache.trace(key) if key is not None else None
        if key is not None and stored is not None:
            return _Stored(self, key, stored, progress, lambda: self._read(file, progress))
        return self._read(file, progress)

    def _read(self, file: TraceFile, progress: Progress) -> _Fresh:
        trace = load(file.path, progress=progress)
        is_incomplete = any(warning.code in INCOMPLETE for warning in trace.warnings)
        # A file cut off just now may be whole in a moment, with the same size and time.
        may_grow = is_incomplete and file.stamp.is_younger(SETTLED_S, time.time())
        is_kept = not may_grow and self._stamp(file) == file.stamp
        key = key_of(file.path, file.stamp) if is_kept else None
        return _Fresh(self, key, trace, progress, is_incomplete)

    def _stamp(self, file: TraceFile) -> Stamp | None:
        """The version that lies there now."""
        try:
            return self._file_system(file.path).stamp(file.path)
        except OSError:
            return None

    def analyse(self, trace: Trace, key: str | None, ask: Ask, progress: Progress) -> bytes:
        """Compute a view, and keep it if it is asked for as it opens.

        `progress` is told where the file is read again for it.
        """
        if ask.view == FORMS:
            return self._encoded(key, ask, forms_of(trace, self._cache, key, progress))
        if ask.span_ns is not None:
            zoomed = zoom(trace, ask.selection)
            if key is not None:
                self._zooms.put((key, ask.selection), zoomed)
            return msgspec.json.encode(zoomed.timeline(ask.span_ns))
        if ask.view in CALL_VIEWS:
            made = self._calls.answer(trace, key, ask)
        else:
            self._calls.lend(trace, key)
            made = self._views[ask.view](trace, ask.selection)
        return self._encoded(key, ask, made)

    def _encoded(self, key: str | None, ask: Ask, made: msgspec.Struct) -> bytes:
        body = msgspec.json.encode(made)
        if key is not None and ask.is_default:
            self._cache.put_result(key, ask.view, body)
        return body

    def keep_trace(self, key: str, trace: Trace) -> None:
        """Keep a trace that was read."""
        self._cache.put_trace(key, trace)

    def forget(self, key: str) -> None:
        """Remove a kept trace that was of no use."""
        self._cache.forget(key)


class _Fresh:
    """A trace read from its file; `key` is None where it should not be kept."""

    def __init__(
        self,
        reading: CachedReading,
        key: str | None,
        trace: Trace,
        progress: Progress,
        is_incomplete: bool,
    ) -> None:
        self.is_incomplete = is_incomplete
        self._reading = reading
        self._key = key
        self._trace = trace
        self._progress = progress

    def answer(self, ask: Ask) -> bytes:
        return self._reading.analyse(self._trace, self._key, ask, self._progress)

    def keep(self) -> None:
        if self._key is not None:
            self._reading.keep_trace(self._key, self._trace)


class _Stored:
    """A trace from the cache; `read` gives it from its file should that one fail."""

    is_incomplete = False

    def __init__(
        self,
        reading: CachedReading,
        key: str,
        trace: Trace,
        progress: Progress,
        read: Callable[[], _Fresh],
    ) -> None:
        self._reading = reading
        self._key = key
        self._trace = trace
        self._progress = progress
        self._read = read
        self._fresh: _Fresh | None = None

    def answer(self, ask: Ask) -> bytes:
        if self._fresh is None:
            try:
                return self._reading.analyse(self._trace, self._key, ask, self._progress)
            except (Cancelled, NoAnswer):
                raise
            except Exception:
                _log.exception("a cached trace could not be analysed; it is read again")
                self._reading.forget(self._key)
                self._fresh = self._read()
                self.is_incomplete = self._fresh.is_incomplete
        return self._fresh.answer(ask)

    def keep(self) -> None:
        if self._fresh is not None:
            self._fresh.keep()
