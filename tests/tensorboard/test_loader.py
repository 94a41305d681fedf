"""Reading aside: the order, the states on the way, and files that are broken or still grow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from genscope.analysis.results import Operators
from genscope.tensorboard.discovery import TraceFile
from genscope.tensorboard.files import LocalFiles, Stamp
from genscope.tensorboard.loader import QUIET_S, RETRY_S, SETTLED_S, Loader, Progress, State, Status
from genscope.trace.errors import TraceError, TraceWarning
from tests.tensorboard.support import PATIENCE_S, until


def result(name: str, *warnings: str) -> Operators:
    return Operators(
        trace=name,
        base_ns="0",
        rank=None,
        basis="device",
        basis_sum_ns=0,
        device_sum_ns=0,
        device_busy_ns=0,
        wall_ns=0,
        unlinked_ns=0,
        devices=[],
        categories=[],
        passes=[],
        components=[],
        modules=[],
        warnings=[TraceWarning(code=code, count=1, message=code) for code in warnings],
    )


class Reader:
    """Stands in for reading a trace: waits until it is let go, then gives what it was told."""

    def __init__(self, *outcomes: Callable[[], Operators]) -> None:
        self.paths: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self.go = threading.Event()
        self.go.set()
        self._outcomes = list(outcomes)

    def __call__(self, path: str, *, progress: Progress) -> Operators:
        self.paths.append(path)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        progress(7, 10)
        assert self.go.wait(PATIENCE_S)
        self.at_once -= 1
        return self._outcomes.pop(0)() if self._outcomes else result(path)


class Clock:
    """Epoch seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def fail(error: Exception) -> Callable[[], Operators]:
    def outcome() -> Operators:
        raise error

    return outcome


def file(path: str = "a", size: int = 10, changed_at: float | None = 0.0) -> TraceFile:
    stamp = Stamp(size, None if changed_at is None else int(changed_at * 1e9))
    return TraceFile(id=path, label=path, run=".", file=path, path=path, stamp=stamp)


def settle(loader: Loader, of: TraceFile) -> Status:
    return until(  # type: ignore[no-any-return]
        lambda: loader.look(of), lambda status: status.state in (State.READY, State.FAILED)
    )


def test_looking_starts_nothing() -> None:
    reader = Reader()
    loader = Loader(reader)
    assert loader.look(file()) == Status(State.UNREAD, 0, 10)
    assert reader.paths == []


def test_from_the_queue_to_the_result() -> None:
    reader = Reader()
    reader.go.clear()
    loader = Loader(reader)
    assert loader.request(file("a")).result is None
    until(lambda: loader.look(file("a")), lambda s: s == Status(State.READING, 7, 10))
    assert loader.request(file("b")) == Status(State.QUEUED, 0, 10)
    reader.go.set()
    assert settle(loader, file("a")) == Status(State.READY, 10, 10, None, result("a"))
    assert settle(loader, file("b")).result == result("b")
    assert loader.request(file("a")).result == result("a")
    assert reader.paths == ["a", "b"]


def test_one_at_a_time_in_the_order_of_requests() -> None:
    reader = Reader()
    loader = Loader(reader)
    names = [f"run{number}" for number in range(20)]
    for name in names:
        loader.request(file(name))
        loader.request(file(name))
    for name in names:
        settle(loader, file(name))
    assert reader.paths == names
    assert reader.most_at_once == 1


def test_the_requesting_thread_does_not_read() -> None:
    threads: list[str] = []

    def read(path: str, *, progress: Progress) -> Operators:
        threads.append(threading.current_thread().name)
        return result(path)

    loader = Loader(read)
    loader.request(file())
    settle(loader, file())
    assert threads != [threading.current_thread().name]


def test_a_broken_file_fails_with_its_message() -> None:
    loader = Loader(Reader(fail(TraceError("a: not a trace but a PNG image"))))
    loader.request(file())
    status = settle(loader, file())
    assert (status.state, status.error) == (State.FAILED, "a: not a trace but a PNG image")


def test_an_unforeseen_error_is_one_line_and_does_not_end_the_reading(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loader = Loader(Reader(fail(RuntimeError("first\nsecond")), fail(MemoryError())))
    for name in ("a", "b", "c"):
        loader.request(file(name))
    first, second, third = (settle(loader, file(name)) for name in ("a", "b", "c"))
    assert "RuntimeError: first" in str(first.error)
    assert "MemoryError" in str(second.error)
    assert "\n" not in f"{first.error}{second.error}"
    assert third.state is State.READY
    assert "reading a failed" in caplog.text


def test_a_failure_is_remembered_for_a_while_only() -> None:
    clock = Clock()
    reader = Reader(fail(TraceError("the network is down")))
    loader = Loader(reader, clock=clock)
    loader.request(file())
    settle(loader, file())
    clock.now += RETRY_S - 1
    assert loader.request(file()).state is State.FAILED
    clock.now += 1
    loader.request(file())
    assert settle(loader, file()).state is State.READY
    assert reader.paths == ["a", "a"]


def test_a_changed_file_is_read_again() -> None:
    reader = Reader()
    loader = Loader(reader)
    loader.request(file(size=10))
    settle(loader, file(size=10))
    assert loader.look(file(size=11)).state is State.UNREAD
    loader.request(file(size=11))
    settle(loader, file(size=11))
    loader.request(file(size=11, changed_at=1.0))
    settle(loader, file(size=11, changed_at=1.0))
    assert reader.paths == ["a", "a", "a"]


def test_a_file_that_changes_in_the_queue_is_read_once() -> None:
    reader = Reader()
    reader.go.clear()
    loader = Loader(reader)
    loader.request(file("first"))
    until(lambda: reader.paths, bool)
    for size in (1, 2, 3):
        loader.request(file("a", size=size))
    reader.go.set()
    settle(loader, file("a", size=3))
    assert reader.paths == ["first", "a"]


@pytest.mark.parametrize(
    "half_read",
    [fail(TraceError("a: empty")), fail(EOFError()), lambda: result("a", "truncated")],
    ids=["TraceError", "other error", "truncated"],
)
class TestHalfWritten:
    """A file whose writer may not be done."""

    def test_is_waited_for_and_then_read_again(self, half_read: Callable[[], Operators]) -> None:
        clock = Clock()
        reader = Reader(half_read)
        loader = Loader(reader, clock=clock)
        part = file(size=10, changed_at=clock.now)
        loader.request(part)
        until(lambda: reader.at_once == 0 and reader.paths, bool)
        assert loader.look(part).state in (State.QUEUED, State.READING)

        whole = file(size=20, changed_at=clock.now + 1)
        clock.now += 1
        until(lambda: loader.request(whole).state, lambda state: state is State.QUEUED)
        assert reader.paths == ["a"], "not read again while it still changes"
        clock.now += QUIET_S
        loader.request(whole)
        assert settle(loader, whole).result == result("a")

    def test_is_believed_in_the_end(self, half_read: Callable[[], Operators]) -> None:
        clock = Clock()
        reader = Reader(half_read)
        loader = Loader(reader, clock=clock)
        part = file(changed_at=clock.now)
        loader.request(part)
        until(lambda: reader.at_once == 0 and reader.paths, bool)
        clock.now += SETTLED_S - 0.1
        until(lambda: loader.request(part).state, lambda state: state is State.QUEUED)
        clock.now += 0.1
        status = settle(loader, part)
        assert (status.error is None) != (status.result is None)
        assert reader.paths == ["a"]

    @pytest.mark.parametrize("changed_at", [None, 0.0, 2e6])
    def test_is_not_suspected_of_an_old_file_or_one_of_unknown_age(
        self, half_read: Callable[[], Operators], changed_at: float | None
    ) -> None:
        loader = Loader(Reader(half_read), clock=Clock())
        loader.request(file(changed_at=changed_at))
        settle(loader, file(changed_at=changed_at))


def test_a_file_rewritten_while_it_is_read_is_read_again_once_it_is_left_alone() -> None:
    clock = Clock()
    reader = Reader()
    reader.go.clear()
    loader = Loader(reader, clock=clock)
    loader.request(file(size=1, changed_at=clock.now))
    until(lambda: reader.paths, bool)
    newer = file(size=2, changed_at=clock.now)
    assert loader.request(newer).state is State.QUEUED
    reader.go.set()
    clock.now += QUIET_S
    loader.request(newer)
    assert settle(loader, newer).state is State.READY
    assert reader.paths == ["a", "a"]


def test_many_threads_asking_at_once_have_a_file_read_once() -> None:
    reader = Reader()
    loader = Loader(reader)
    threads = [threading.Thread(target=loader.request, args=(file(),)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settle(loader, file())
    assert reader.paths == ["a"]


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
