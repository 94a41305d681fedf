"""Files that change: while they wait, while they are read, and half-written ones."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from genscope.tensorboard.files import LocalFiles
from genscope.tensorboard.loader import QUIET_S, Loader, State
from genscope.tensorboard.reading import SETTLED_S
from genscope.trace.errors import TraceError
from tests.tensorboard.loading import (
    ASK,
    Clock,
    Outcome,
    Reader,
    body,
    cut,
    fail,
    file,
    settle,
)
from tests.tensorboard.support import until


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
