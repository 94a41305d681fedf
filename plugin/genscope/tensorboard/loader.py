"""Reading traces aside: a queue, a thread that works it off, and what came of each file.

Only the result is kept, not the trace, and one file is read at a time, so memory stays that of
one trace. How a file is read is the `read` that is passed in; the rest knows no format.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from genscope.analysis.results import Operators
from genscope.tensorboard.discovery import TraceFile
from genscope.tensorboard.files import Stamp, as_text, one_line
from genscope.trace.errors import TraceError

_log = logging.getLogger(__name__)

QUIET_S = 2.0
"""A file that grew while it was read is read again once it has been left alone this long."""

SETTLED_S = 10.0
"""A broken file is believed to be broken, not half-written, once it is this old."""

RETRY_S = 30.0
"""How long a failure is remembered: its cause may lie outside the file (rights, a network)."""

INCOMPLETE = frozenset({"truncated", "gzip_damaged"})
"""Codes of warnings that a file still being written gives."""

Progress = Callable[[int, "int | None"], None]


class Read(Protocol):
    """Reads the trace at `path` and analyses it; raises TraceError for an unusable file."""

    def __call__(self, path: str, *, progress: Progress) -> Operators:
        """Read; `progress` is called with the bytes read of the stored file and its size."""


class State(str, enum.Enum):
    """Where a file is on its way."""

    UNREAD = "unread"
    QUEUED = "queued"
    READING = "reading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a file; `result` is there if READY, `error` (one line) if FAILED."""

    state: State
    read_bytes: int
    size_bytes: int
    error: str | None = None
    result: Operators | None = None


@dataclass(slots=True, eq=False)
class _Job:
    """One version of one file. `state` is what happened, without regard to the file's age."""

    path: str
    stamp: Stamp
    state: State = State.QUEUED
    is_held: bool = False
    """Queued, but not before the file has been left alone for a while."""
    read_bytes: int = 0
    error: str | None = None
    result: Operators | None = None
    is_doubtful: bool = False
    """The outcome is what a half-written file gives."""
    ended_at: float = 0.0


class Loader:
    """Reads files in the order in which they were asked for. Safe to use from several threads.

    `clock` gives epoch seconds, to compare with the modification times of files.
    """

    def __init__(
        self, read: Read, *, readers: int = 1, clock: Callable[[], float] = time.time
    ) -> None:
        self._read = read
        self._readers = readers
        self._clock = clock
        self._jobs: dict[str, _Job] = {}
        self._queue: deque[_Job] = deque()
        self._threads = 0
        self._changed = threading.Condition()

    def look(self, file: TraceFile) -> Status:
        """Return the status of this version of the file, and start nothing."""
        with self._changed:
            job = self._jobs.get(file.path)
            if job is None or job.stamp != file.stamp:
                return Status(State.UNREAD, 0, file.stamp.size_bytes)
            return self._status(job)

    def request(self, file: TraceFile) -> Status:
        """Return the status of this version of the file, and have it read if it was not."""
        with self._changed:
            job = self._jobs.get(file.path)
            if job is None or self._is_forgotten(job):
                job = self._add(file, is_held=False)
            elif job.stamp != file.stamp:
                job = self._renew(job, file)
            if job.is_held and not self._is_younger(job, QUIET_S):
                self._enqueue(job)
            return self._status(job)

    def _add(self, file: TraceFile, *, is_held: bool) -> _Job:
        job = self._jobs[file.path] = _Job(file.path, file.stamp, is_held=is_held)
        if not is_held:
            self._enqueue(job)
        return job

    def _renew(self, job: _Job, file: TraceFile) -> _Job:
        """The file changed since `job`: follow it, but do not race with who is writing it."""
        if job.state is State.QUEUED:
            job.stamp = file.stamp
            return job
        return self._add(file, is_held=job.state is State.READING or job.is_doubtful)

    def _enqueue(self, job: _Job) -> None:
        job.is_held = False
        self._queue.append(job)
        if self._threads < self._readers:
            self._threads += 1
            threading.Thread(target=self._work, name="genscope-reader", daemon=True).start()
        self._changed.notify()

    def _status(self, job: _Job) -> Status:
        size = job.stamp.size_bytes
        if job.is_doubtful and self._is_younger(job, SETTLED_S):
            return Status(State.QUEUED, 0, size)
        read = size if job.state is State.READY else min(job.read_bytes, size)
        return Status(job.state, read, size, job.error, job.result)

    def _is_younger(self, job: _Job, seconds: float) -> bool:
        """Whether the file changed less than so long ago, the clocks of servers allowed for."""
        if job.stamp.mtime_ns is None:
            return False
        return abs(self._clock() - job.stamp.mtime_ns / 1e9) < seconds

    def _is_forgotten(self, job: _Job) -> bool:
        return job.state is State.FAILED and self._clock() - job.ended_at >= RETRY_S

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._queue:
                    self._changed.wait()
                job = self._queue.popleft()
                job.state = State.READING
            result, error = self._outcome(job)
            with self._changed:
                job.result, job.error = result, error
                job.is_doubtful = result is None or any(
                    warning.code in INCOMPLETE for warning in result.warnings
                )
                job.ended_at = self._clock()
                job.state = State.READY if error is None else State.FAILED

    def _outcome(self, job: _Job) -> tuple[Operators | None, str | None]:
        def progress(read_bytes: int, _size_bytes: int | None) -> None:
            job.read_bytes = read_bytes

        try:
            return self._read(job.path, progress=progress), None
        except TraceError as error:
            return None, one_line(error)
        except Exception as error:
            _log.exception("reading %s failed", job.path)
            return None, (
                f"{as_text(job.path)}: reading it failed in a way that GenScope did not foresee "
                f"({type(error).__name__}: {one_line(error)}); TensorBoard's log has the details"
            )
