"""Reading aside: the order, the states on the way, and files that are broken or still grow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from genscope.analysis.selection import Selection
from genscope.tensorboard.discovery import TraceFile
from genscope.tensorboard.files import LocalFiles, Stamp
from genscope.tensorboard.loader import MAX_PENDING, QUIET_S, RETRY_S, Loader, State, Status
from genscope.tensorboard.memory import Memory
from genscope.tensorboard.reading import SETTLED_S, Opened, Progress
from genscope.tensorboard.views import Ask
from genscope.trace.errors import TraceError
from tests.tensorboard.support import PATIENCE_S, until

ASK = Ask("operators")
FILTERED = Ask("operators", Selection(passes=("forward",)))
LARGE = 1000


def body(path: str, ask: Ask = ASK) -> bytes:
    return f"{path} {ask.view} {','.join(ask.selection.passes)}".encode()


@dataclass
class Answering:
    """An open trace that answers with `body`."""

    reader: Reader
    path: str
    is_incomplete: bool = False

    def answer(self, ask: Ask) -> bytes:
        self.reader.answered.append((self.path, ask))
        if ask.view == "broken":
            raise ZeroDivisionError("by\nzero")
        return body(self.path, ask)

    def keep(self) -> None:
        self.reader.kept.append(self.path)


Outcome = Callable[["Reader", str], Answering]


class Reader:
    """Stands in for reading: waits until it is let go, then gives what it was told."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.paths: list[str] = []
        self.answered: list[tuple[str, Ask]] = []
        self.kept: list[str] = []
        self.recalled: dict[tuple[str, Ask], bytes] = {}
        self.open_now: list[str] = []
        self.open_together: set[tuple[str, ...]] = set()
        self.go = threading.Event()
        self.go.set()
        self._outcomes = list(outcomes)

    def asked_of_all(self) -> list[Ask]:
        return [ASK, Ask("overview")]

    def is_large(self, file: TraceFile) -> bool:
        return file.stamp.size_bytes >= LARGE

    def recall(self, file: TraceFile, ask: Ask) -> bytes | None:
        return self.recalled.get((file.path, ask))

    def open(self, file: TraceFile, progress: Progress) -> Opened:
        self.paths.append(file.path)
        self.open_now.append(file.path)
        self.open_together.add(tuple(sorted(self.open_now)))
        try:
            progress(7, 10)
            assert self.go.wait(PATIENCE_S)
            progress(9, 10)
        finally:
            self.open_now.remove(file.path)
        return (self._outcomes.pop(0) if self._outcomes else Answering)(self, file.path)


class Clock:
    """Epoch seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def fail(error: Exception) -> Outcome:
    def outcome(reader: Reader, path: str) -> Answering:
        raise error

    return outcome


def cut(reader: Reader, path: str) -> Answering:
    return Answering(reader, path, is_incomplete=True)


def file(path: str = "a", size: int = 10, changed_at: float | None = 0.0) -> TraceFile:
    stamp = Stamp(size, None if changed_at is None else int(changed_at * 1e9))
    return TraceFile(id=path, label=path, run=".", file=path, path=path, stamp=stamp)


def settle(loader: Loader, of: TraceFile) -> Status:
    return until(  # type: ignore[no-any-return]
        lambda: loader.request(of, ASK),
        lambda status: status.state in (State.READY, State.FAILED),
    )


def test_looking_starts_nothing() -> None:
    reader = Reader()
    loader = Loader(reader)
    assert loader.look(file()) == Status(State.UNREAD, 0, 10)
    assert reader.paths == []


def test_from_the_queue_to_the_result() -> None:
    reader = Reader()
    reader.go.clear()
    loader = Loader(reader, readers=1)
    assert loader.request(file("a"), ASK).answer is None
    until(lambda: loader.look(file("a")), lambda s: s == Status(State.READING, 7, 10))
    assert loader.request(file("b"), ASK) == Status(State.QUEUED, 0, 10)
    reader.go.set()
    assert settle(loader, file("a")) == Status(State.READY, 10, 10, None, body("a"))
    assert settle(loader, file("b")).answer == body("b")
    assert loader.request(file("a"), ASK).answer == body("a")
    assert reader.paths == ["a", "b"]


def test_one_reader_reads_in_the_order_of_requests() -> None:
    reader = Reader()
    loader = Loader(reader, readers=1)
    names = [f"run{number}" for number in range(20)]
    for name in names:
        loader.request(file(name), ASK)
        loader.request(file(name), ASK)
    for name in names:
        settle(loader, file(name))
    assert reader.paths == names
    assert all(len(together) == 1 for together in reader.open_together)


def test_the_requesting_thread_does_not_read() -> None:
    threads: list[str] = []

    def outcome(reader: Reader, path: str) -> Answering:
        threads.append(threading.current_thread().name)
        return Answering(reader, path)

    loader = Loader(Reader(outcome))
    loader.request(file(), ASK)
    settle(loader, file())
    assert threads != [threading.current_thread().name]


def test_a_broken_file_fails_with_its_message() -> None:
    loader = Loader(Reader(fail(TraceError("a: not a trace but a PNG image"))))
    loader.request(file(), ASK)
    status = settle(loader, file())
    assert (status.state, status.error) == (State.FAILED, "a: not a trace but a PNG image")


def test_an_unforeseen_error_is_one_line_and_does_not_end_the_reading(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = Reader(fail(RuntimeError("first\nsecond")), fail(MemoryError()))
    loader = Loader(reader, readers=1)
    for name in ("a", "b", "c"):
        loader.request(file(name), ASK)
    first, second, third = (settle(loader, file(name)) for name in ("a", "b", "c"))
    assert "RuntimeError: first" in str(first.error)
    assert "MemoryError" in str(second.error)
    assert "\n" not in f"{first.error}{second.error}"
    assert third.state is State.READY
    assert "reading of a failed" in caplog.text


def test_a_failure_is_remembered_for_a_while_only() -> None:
    clock = Clock()
    reader = Reader(fail(TraceError("the network is down")))
    loader = Loader(reader, clock=clock)
    loader.request(file(), ASK)
    settle(loader, file())
    clock.now += RETRY_S - 1
    assert loader.request(file(), ASK).state is State.FAILED
    clock.now += 1
    loader.request(file(), ASK)
    assert settle(loader, file()).state is State.READY
    assert reader.paths == ["a", "a"]


def test_a_changed_file_is_read_again() -> None:
    reader = Reader()
    loader = Loader(reader)
    loader.request(file(size=10), ASK)
    settle(loader, file(size=10))
    assert loader.look(file(size=11)).state is State.UNREAD
    loader.request(file(size=11), ASK)
    settle(loader, file(size=11))
    loader.request(file(size=11, changed_at=1.0), ASK)
    settle(loader, file(size=11, changed_at=1.0))
    assert reader.paths == ["a", "a", "a"]


def test_a_file_that_changes_in_the_queue_is_read_once() -> None:
    reader = Reader()
    reader.go.clear()
    loader = Loader(reader, readers=1)
    loader.request(file("first"), ASK)
    until(lambda: reader.paths, bool)
    for size in (1, 2, 3):
        loader.request(file("a", size=size), ASK)
    reader.go.set()
    settle(loader, file("a", size=3))
    assert reader.paths == ["first", "a"]


@pytest.mark.parametrize(
    "half_read",
    [fail(TraceError("a: empty")), fail(EOFError()), cut],
    ids=["TraceError", "other error", "truncated"],
)
class TestHalfWritten:
    """A file whose writer may not be done."""

    def test_is_waited_for_and_then_read_again(self, half_read: Outcome) -> None:
        clock = Clock()
        reader = Reader(half_read)
        loader = Loader(reader, clock=clock)
        part = file(size=10, changed_at=clock.now)
        loader.request(part, ASK)
        until(lambda: not reader.open_now and reader.paths, bool)
        assert loader.look(part).state in (State.QUEUED, State.READING)

        whole = file(size=20, changed_at=clock.now + 1)
        clock.now += 1
        until(lambda: loader.request(whole, ASK).state, lambda state: state is State.QUEUED)
        assert reader.paths == ["a"], "not read again while it still changes"
        clock.now += QUIET_S
        loader.request(whole, ASK)
        assert settle(loader, whole).answer == body("a")

    def test_is_believed_in_the_end(self, half_read: Outcome) -> None:
        clock = Clock()
        reader = Reader(half_read)
        loader = Loader(reader, clock=clock)
        part = file(changed_at=clock.now)
        loader.request(part, ASK)
        until(lambda: not reader.open_now and reader.paths, bool)
        clock.now += SETTLED_S - 0.1
        until(lambda: loader.request(part, ASK).state, lambda state: state is State.QUEUED)
        clock.now += 0.1
        status = settle(loader, part)
        assert (status.error is None) != (status.answer is None)
        assert reader.paths == ["a"]

    @pytest.mark.parametrize("changed_at", [None, 0.0, 2e6])
    def test_is_not_suspected_of_an_old_file_or_one_of_unknown_age(
        self, half_read: Outcome, changed_at: float | None
    ) -> None:
        loader = Loader(Reader(half_read), clock=Clock())
        loader.request(file(changed_at=changed_at), ASK)
        settle(loader, file(changed_at=changed_at))


def test_a_file_rewritten_while_it_is_read_is_read_again_once_it_is_left_alone() -> None:
    clock = Clock()
    reader = Reader()
    reader.go.clear()
    loader = Loader(reader, clock=clock)
    loader.request(file(size=1, changed_at=clock.now), ASK)
    until(lambda: reader.paths, bool)
    newer = file(size=2, changed_at=clock.now)
    assert loader.request(newer, ASK).state is State.QUEUED
    reader.go.set()
    clock.now += QUIET_S
    loader.request(newer, ASK)
    assert settle(loader, newer).state is State.READY
    assert reader.paths == ["a", "a"]


def test_many_threads_asking_at_once_have_a_file_read_once() -> None:
    reader = Reader()
    loader = Loader(reader)
    threads = [threading.Thread(target=loader.request, args=(file(), ASK)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settle(loader, file())
    assert reader.paths == ["a"]


def test_a_question_about_a_part_is_answered_aside_while_the_file_stays_ready() -> None:
    reader = Reader()
    loader = Loader(reader)
    settle(loader, file())
    reader.go.clear()
    assert loader.request(file(), FILTERED) == Status(State.READING, 10, 10)
    assert loader.look(file()).state is State.READY
    assert loader.request(file(), ASK).answer == body("a")
    reader.go.set()
    status = until(lambda: loader.request(file(), FILTERED), lambda s: s.state is State.READY)
    assert status.answer == body("a", FILTERED)


def test_a_file_is_opened_once_for_all_that_is_asked_meanwhile() -> None:
    reader = Reader()
    reader.go.clear()
    loader = Loader(reader)
    loader.request(file(), FILTERED)
    loader.request(file(), ASK)
    loader.request(file(), ASK)
    until(lambda: reader.paths, bool)
    reader.go.set()
    until(lambda: reader.kept, bool)
    assert reader.paths == ["a"]
    assert reader.answered == [("a", FILTERED), ("a", ASK), ("a", Ask("overview"))]


def test_what_is_asked_while_a_trace_is_being_kept_is_answered_from_it() -> None:
    keeping, go = threading.Event(), threading.Event()

    class Slow(Answering):
        def keep(self) -> None:
            keeping.set()
            assert go.wait(PATIENCE_S)

    reader = Reader(Slow)
    loader = Loader(reader)
    loader.request(file(), ASK)
    assert keeping.wait(PATIENCE_S)
    assert loader.request(file(), FILTERED).answer is None
    go.set()
    until(lambda: loader.request(file(), FILTERED).answer, bool)
    assert reader.paths == ["a"]


def test_what_is_known_from_before_is_answered_at_once_and_opens_nothing() -> None:
    reader = Reader()
    reader.recalled["a", ASK] = b"known"
    loader = Loader(reader)
    assert loader.request(file(), ASK) == Status(State.READY, 10, 10, answer=b"known")
    assert loader.look(file()).state is State.READY
    until(lambda: loader.request(file(), FILTERED).answer, bool)
    assert reader.answered == [("a", FILTERED)]


def test_a_view_that_fails_does_not_take_the_others_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    loader = Loader(Reader(), clock=clock)
    broken = Ask("broken")
    status = until(lambda: loader.request(file(), broken), lambda s: s.state is State.FAILED)
    assert "ZeroDivisionError: by zero" in status.error
    assert loader.request(file(), ASK).answer == body("a")
    assert loader.look(file()).state is State.READY
    assert loader.request(file(), broken).state is State.FAILED
    clock.now += RETRY_S
    assert loader.request(file(), broken).state is not State.FAILED


def test_one_large_file_at_a_time_and_small_ones_beside_it() -> None:
    reader = Reader()
    reader.go.clear()
    loader = Loader(reader)
    large = [file(name, LARGE) for name in ("large1", "large2")]
    small = [file(name) for name in ("small1", "small2")]
    for of in (*large, *small):
        loader.request(of, ASK)
    until(lambda: len(reader.open_now), lambda count: count == 2)
    assert reader.open_now == ["large1", "small1"]
    reader.go.set()
    for of in (*large, *small):
        assert settle(loader, of).state is State.READY
    assert not any({"large1", "large2"} <= set(together) for together in reader.open_together)


def test_a_reading_that_is_cancelled_ends_and_can_be_asked_for_again() -> None:
    reader = Reader()
    reader.go.clear()
    loader = Loader(reader, readers=1)
    loader.request(file(), ASK)
    until(lambda: reader.open_now, bool)
    assert loader.cancel(file()) == Status(State.UNREAD, 0, 10)
    assert loader.look(file()).state is State.UNREAD
    reader.go.set()
    until(lambda: not reader.open_now, bool)
    assert reader.answered == []
    assert settle(loader, file()).answer == body("a")
    assert reader.paths == ["a", "a"]


def test_a_file_that_is_cancelled_in_the_queue_is_not_read() -> None:
    reader = Reader()
    reader.go.clear()
    loader = Loader(reader, readers=1)
    for name in ("a", "b", "c"):
        loader.request(file(name), ASK)
    assert loader.cancel(file("b")).state is State.UNREAD
    reader.go.set()
    settle(loader, file("c"))
    assert reader.paths == ["a", "c"]


def test_cancelling_what_is_ready_or_unknown_changes_nothing() -> None:
    loader = Loader(Reader())
    assert loader.cancel(file()).state is State.UNREAD
    settle(loader, file())
    assert loader.cancel(file()).state is State.READY


def test_answers_that_memory_has_no_room_for_are_computed_again() -> None:
    reader = Reader()
    loader = Loader(reader, memory=Memory(max_bytes=1))
    for name in ("a", "b", "a"):
        assert settle(loader, file(name)).answer == body(name)


def test_no_end_of_questions_about_one_file_is_bounded() -> None:
    reader = Reader()
    reader.go.clear()
    loader = Loader(reader)
    for step in range(10 * MAX_PENDING):
        loader.request(file(), Ask("operators", Selection(first_step=step)))
    reader.go.set()
    until(lambda: reader.kept, bool)
    assert len(reader.answered) <= MAX_PENDING


def test_the_stamp_of_a_file_follows_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("1")
    before = LocalFiles().stamp(str(path))
    path.write_text("12")
    after = LocalFiles().stamp(str(path))
    assert before.size_bytes == 1
    assert after.size_bytes == 2
    assert after.mtime_ns is not None
    assert abs(time.time() - after.mtime_ns / 1e9) < 3600
