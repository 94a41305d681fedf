"""What is answered from an open trace, from before, or computed again."""

from __future__ import annotations

import threading

import pytest

from genscope.analysis.selection import Selection
from genscope.tensorboard.loader import MAX_PENDING, RETRY_S, Loader, State, Status
from genscope.tensorboard.memory import Memory
from genscope.tensorboard.views import Ask
from tests.tensorboard.loading import (
    ASK,
    FILTERED,
    Answering,
    Clock,
    Reader,
    body,
    file,
    settle,
)
from tests.tensorboard.support import PATIENCE_S, until


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


def test_answers_that_memory_has_no_room_for_are_computed_again() -> None:
    reader = Reader()
    loader = Loader(reader, memory=Memory(len, 1))
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


def test_what_memory_knows_does_not_wait_for_what_is_being_computed() -> None:
    reader = Reader()
    reader.go.clear()
    loader = Loader(reader)
    assert loader.request(file(), ASK).state is not State.READY
    reader.remembered[("a", FILTERED)] = b"remembered"
    reader.recalled[("a", Ask("overview"))] = b"recalled"
    assert loader.request(file(), FILTERED).answer == b"remembered"
    assert loader.request(file(), Ask("overview")).answer is None
    reader.go.set()
