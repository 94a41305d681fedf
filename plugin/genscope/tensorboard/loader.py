"""Reading traces aside: a queue, threads that work it off, and what came of each file.

A file is opened once for all that is asked of it at the time, and let go of afterwards; only the
answers are kept. Of large files one is open at a time, so memory stays that of one large trace
and a small one. How a file is read is the `Reading` that is passed in; the rest knows no format.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from genscope.tensorboard.discovery import TraceFile
from genscope.tensorboard.exports import NoAnswer
from genscope.tensorboard.files import Stamp, as_text, one_line
from genscope.tensorboard.memory import Memory
from genscope.tensorboard.reading import SETTLED_S, Cancelled, Opened, Reading
from genscope.tensorboard.views import Ask
from genscope.trace.errors import TraceError

_log = logging.getLogger(__name__)

QUIET_S = 2.0
"""A file that grew while it was read is read again once it has been left alone this long."""

RETRY_S = 30.0
"""How long a failure is remembered: its cause may lie outside the file (rights, a network)."""

READERS = 2
"""Threads that read: the second keeps small files from waiting behind a large one."""

MAX_ANSWER_BYTES = 128 << 20
"""Answers kept in memory, at most."""

MAX_PENDING = 32
"""More different questions about one file than this, and the oldest are dropped: whoever still
wants their answers asks again."""


class State(str, enum.Enum):
    """Where a file is on its way."""

    UNREAD = "unread"
    QUEUED = "queued"
    READING = "reading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a file, or of a question about it.

    `answer`, JSON, is there if a question was asked and is READY; `error`, one line, if FAILED.
    """

    state: State
    read_bytes: int
    size_bytes: int
    error: str | None = None
    answer: bytes | None = None


@dataclass(slots=True, eq=False)
class _Job:
    """One version of one file. `state` is what happened, without regard to the file's age."""

    file: TraceFile
    state: State = State.QUEUED
    is_held: bool = False
    """Queued, but not before the file has been left alone for a while."""
    is_busy: bool = False
    """In the queue, or being worked on."""
    is_cancelled: bool = False
    read_bytes: int = 0
    is_reading_again: bool = False
    """For an answer that needs more of the file than its trace has."""
    error: str | None = None
    is_doubtful: bool = False
    """The outcome is what a half-written file gives."""
    ended_at: float = 0.0
    pending: dict[Ask, None] = field(default_factory=dict)
    """Questions without an answer, in the order in which they came."""
    refused: dict[Ask, tuple[str, float]] = field(default_factory=dict)
    """Questions that cannot be answered, why, and since when."""


class Loader:
    """Reads files in the order in which they were asked for. Safe to use from several threads.

    `clock` gives epoch seconds, to compare with the modification times of files.
    """

    def __init__(
        self,
        reading: Reading,
        *,
        readers: int = READERS,
        memory: Memory[tuple[str, Stamp, Ask], bytes] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._reading = reading
        self._readers = readers
        self._answers = memory or Memory[tuple[str, Stamp, Ask], bytes](len, MAX_ANSWER_BYTES)
        self._clock = clock
        self._jobs: dict[str, _Job] = {}
        self._queue: list[_Job] = []
        self._threads = 0
        self._has_large = False
        self._changed = threading.Condition()

    def look(self, file: TraceFile) -> Status:
        """Return the status of this version of the file, and start nothing."""
        with self._changed:
            job = self._jobs.get(file.path)
            if job is None or job.file.stamp != file.stamp:
                return Status(State.UNREAD, 0, file.stamp.size_bytes)
            return self._status(job)

    def request(self, file: TraceFile, ask: Ask) -> Status:
        """Return the answer for this version of the file, or the status; have it read if needed."""
        key = (file.path, file.stamp, ask)
        if self._answers.get(key) is None:
            answer = self._reading.recent(file, ask)
            if answer is None and not self._is_waiting(file):
                # Looked up outside the lock: the cache may lie on a slow disk.
                answer = self._reading.recall(file, ask)
            if answer is not None:
                self._answers.put(key, answer)
        with self._changed:
            answer = self._answers.get(key)
            job = self._jobs.get(file.path)
            if job is None or self._is_forgotten(job):
                job = self._add(file, ask, has_answer=answer is not None)
            elif job.file.stamp != file.stamp:
                job = self._renew(job, file, ask)
            elif answer is None:
                self._ask(job, ask)
            if job.is_held and not self._is_younger(job, QUIET_S):
                self._enqueue(job)
            return self._status(job, ask, answer)

    def known(self, file: TraceFile, ask: Ask) -> bytes | None:
        """Return the answer for this version of the file if it was given before; start nothing."""
        key = (file.path, file.stamp, ask)
        answer = self._answers.get(key)
        if answer is None and not self._is_waiting(file):
            answer = self._reading.recall(file, ask)
            if answer is not None:
                self._answers.put(key, answer)
        return answer

    def forget(self, file: TraceFile, ask: Ask) -> None:
        """Let go of an answer that does not hold any more: who wants it has it made again."""
        self._answers.drop((file.path, file.stamp, ask))

    def cancel(self, file: TraceFile) -> Status:
        """Stop reading the file, or take it from the queue; return its status then.

        Whoever still asks for it has it read from the start.
        """
        with self._changed:
            job = self._jobs.get(file.path)
            if job is not None and job.state in (State.QUEUED, State.READING):
                job.is_cancelled = True
                del self._jobs[file.path]
                if job in self._queue:
                    self._queue.remove(job)
        return self.look(file)

    # With the lock held -----------------------------------------------------------------------

    def _add(
        self, file: TraceFile, ask: Ask, *, has_answer: bool = False, is_held: bool = False
    ) -> _Job:
        job = self._jobs[file.path] = _Job(file, is_held=is_held)
        if has_answer:
            job.state = State.READY
            return job
        job.pending = dict.fromkeys([ask, *self._reading.asked_of_all()])
        if not is_held:
            self._enqueue(job)
        return job

    def _renew(self, job: _Job, file: TraceFile, ask: Ask) -> _Job:
        """The file changed since `job`: follow it, but do not race with who is writing it."""
        if job.state is State.QUEUED:
            job.file = file
            self._ask(job, ask)
            return job
        return self._add(file, ask, is_held=job.state is State.READING or job.is_doubtful)

    def _ask(self, job: _Job, ask: Ask) -> None:
        """Have a question answered that may be new to this job."""
        refused = job.refused.get(ask)
        if job.state is State.FAILED or (
            refused is not None and self._clock() - refused[1] < RETRY_S
        ):
            return
        job.refused.pop(ask, None)
        job.pending[ask] = None
        while len(job.pending) > MAX_PENDING:
            del job.pending[next(iter(job.pending))]
        if not job.is_busy and not job.is_held:
            self._enqueue(job)

    def _enqueue(self, job: _Job) -> None:
        job.is_held = False
        job.is_busy = True
        self._queue.append(job)
        if self._threads < self._readers:
            self._threads += 1
            threading.Thread(target=self._work, name="genscope-reader", daemon=True).start()
        self._changed.notify()

    def _status(self, job: _Job, ask: Ask | None = None, answer: bytes | None = None) -> Status:
        size = job.file.stamp.size_bytes
        if job.is_doubtful and self._is_younger(job, SETTLED_S):
            return Status(State.QUEUED, 0, size)
        if answer is not None:
            return Status(State.READY, size, size, answer=answer)
        if ask in job.refused:
            return Status(State.FAILED, size, size, job.refused[ask][0])
        waits = ask is not None and job.state is State.READY
        is_read = job.state is State.READY and not (waits and job.is_reading_again)
        read = size if is_read else min(job.read_bytes, size)
        return Status(State.READING if waits else job.state, read, size, job.error)

    def _is_younger(self, job: _Job, seconds: float) -> bool:
        return job.file.stamp.is_younger(seconds, self._clock())

    def _is_forgotten(self, job: _Job) -> bool:
        return job.state is State.FAILED and self._clock() - job.ended_at >= RETRY_S

    def _take(self) -> _Job | None:
        """The next job whose file may be opened beside those that are open."""
        for place, job in enumerate(self._queue):
            if not (self._has_large and self._reading.is_large(job.file)):
                return self._queue.pop(place)
        return None

    # In the threads ---------------------------------------------------------------------------

    def _is_waiting(self, file: TraceFile) -> bool:
        with self._changed:
            job = self._jobs.get(file.path)
            return job is not None and job.file.stamp == file.stamp and job.is_busy

    def _work(self) -> None:
        while True:
            with self._changed:
                while (job := self._take()) is None:
                    self._changed.wait()
                is_large = self._reading.is_large(job.file)
                self._has_large |= is_large
                if job.state is State.QUEUED:
                    job.state = State.READING
            try:
                self._do(job)
            finally:
                with self._changed:
                    job.is_busy = False
                    if is_large:
                        self._has_large = False
                    if job.pending and not job.is_cancelled:
                        self._enqueue(job)
                    self._changed.notify_all()

    def _do(self, job: _Job) -> None:
        def progress(read_bytes: int, _size_bytes: int | None) -> None:
            if job.is_cancelled:
                raise Cancelled
            job.read_bytes = read_bytes
            job.is_reading_again = True

        error: str | None = None
        try:
            opened = self._reading.open(job.file, progress)
            self._answer_all(job, opened)
            opened.keep()
            self._answer_all(job, opened)
        except Cancelled:
            return
        except TraceError as unusable:
            error = one_line(unusable)
        except Exception as unforeseen:
            error = _unforeseen(job, "reading", unforeseen)
        with self._changed:
            job.ended_at = self._clock()
            if error is not None:
                job.pending.clear()
                job.error, job.is_doubtful, job.state = error, True, State.FAILED

    def _answer_all(self, job: _Job, opened: Opened) -> None:
        """Answer what was asked of the file, and what comes meanwhile."""
        while True:
            with self._changed:
                ask = next(iter(job.pending), None)
                if ask is None or job.is_cancelled:
                    return
            answer, refusal = None, ""
            job.is_reading_again = False
            try:
                answer = opened.answer(ask)
            except (Cancelled, TraceError):
                raise
            except NoAnswer as known:
                refusal = one_line(known)
            except Exception as unforeseen:
                refusal = _unforeseen(job, f"the view {ask.view}", unforeseen)
            with self._changed:
                job.pending.pop(ask, None)
                job.is_doubtful = opened.is_incomplete
                if job.is_cancelled:
                    return
                if answer is None:
                    job.refused[ask] = (refusal, self._clock())
                else:
                    self._answers.put((job.file.path, job.file.stamp, ask), answer)
                job.state = State.READY


def _unforeseen(job: _Job, what: str, error: Exception) -> str:
    _log.error("%s of %s failed", what, job.file.path, exc_info=error)
    return (
        f"{as_text(job.file.path)}: {what} failed in a way that GenScope did not foresee "
        f"({type(error).__name__}: {one_line(error)}); TensorBoard's log has the details"
    )
