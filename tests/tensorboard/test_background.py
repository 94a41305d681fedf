"""Values made aside: once, one at a time, and again only after a while where they failed."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from genscope.tensorboard.background import MAX_WAITING, RETRY_S, Background, NotMade
from tests.tensorboard.support import PATIENCE_S, until


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def patient(**options: Any) -> Background:
    """One that waits until a value is made."""
    return Background(len, 100, wait_s=PATIENCE_S, **options)


def test_a_value_is_made_once() -> None:
    background, made = patient(), []

    def make() -> bytes:
        made.append(1)
        return b"value"

    assert [background.get("key", make) for _ in range(3)] == [b"value"] * 3
    assert made == [1]


def test_who_asks_does_not_wait_for_long() -> None:
    go = threading.Event()
    running: list[int] = []

    def make() -> bytes:
        running.append(threading.active_count())
        assert go.wait(PATIENCE_S)
        return b"value"

    background = Background(len, 100, wait_s=0.0)
    assert background.get("a", make) is None
    assert background.get("a", make) is None
    assert background.get("b", make) is None
    until(lambda: running, lambda seen: len(seen) == 1)
    go.set()
    for key in "ab":
        until(lambda key=key: background.get(key, make), lambda value: value == b"value")
    assert len(running) == 2


def test_what_is_used_longest_ago_is_made_again() -> None:
    background, made = patient(), []

    def make() -> bytes:
        made.append(1)
        return b"x" * 60

    for key in "aba":
        background.get(key, make)
    assert len(made) == 3


def test_a_failure_is_told_and_tried_again_after_a_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    background = patient(clock=clock)
    made = []

    def make() -> bytes:
        made.append(1)
        if len(made) == 1:
            raise ZeroDivisionError("by\nzero")
        return b"value"

    for _ in range(2):
        with pytest.raises(NotMade, match="ZeroDivisionError: by zero"):
            background.get("key", make)
    assert made == [1] and "ZeroDivisionError" in caplog.text
    clock.now = RETRY_S
    assert background.get("key", make) == b"value"


def test_too_much_that_waits_is_dropped() -> None:
    go = threading.Event()
    made: list[int] = []

    def make(number: int) -> bytes:
        assert go.wait(PATIENCE_S)
        made.append(number)
        return b"x"

    background = Background(len, 1000, wait_s=0.0)
    asked = MAX_WAITING + 5
    background.get(-1, lambda: make(-1))
    for number in range(asked):
        background.get(number, lambda number=number: make(number))
    go.set()
    until(lambda: made, lambda seen: bool(seen) and seen[-1] == asked - 1)
    assert MAX_WAITING <= len(made) <= MAX_WAITING + 2


def test_what_another_value_needs_is_made_at_once_and_kept() -> None:
    background = patient()
    whole = background.get("both", lambda: background.once("part", lambda: b"part") + b"s")
    assert whole == b"parts"
    assert background.once("part", lambda: b"other") == b"part"
