"""Reading aside: the order, the states on the way, failures, and what is cancelled."""

from __future__ import annotations

import threading

import pytest

from genscope.tensorboard.loader import RETRY_S, Loader, State, Status
from genscope.trace.errors import TraceError
from tests.tensorboard.loading import (
    ASK,
    LARGE,
    Answering,
    Clock,
    Reader,
    body,
    fail,
    file,
    settle,
)
from tests.tensorboard.support import until


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
