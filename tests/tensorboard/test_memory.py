"""Answers in memory stay within their bound."""

from __future__ import annotations

from genscope.tensorboard.memory import Memory


def test_what_was_used_longest_ago_goes_first() -> None:
    memory = Memory[str, bytes](len, 10)
    memory.put("a", b"1234")
    memory.put("b", b"1234")
    assert memory.get("a") == b"1234"
    memory.put("c", b"1234")
    assert memory.get("b") is None
    assert memory.get("a") == memory.get("c") == b"1234"


def test_an_answer_too_large_for_it_is_kept_until_the_next() -> None:
    memory = Memory[str, bytes](len, 1)
    memory.put("a", b"1234")
    assert memory.get("a") == b"1234"
    memory.put("b", b"12")
    assert (memory.get("a"), memory.get("b")) == (None, b"12")


def test_an_answer_given_again_counts_once() -> None:
    memory = Memory[str, bytes](len, 10)
    for _ in range(5):
        memory.put("a", b"1234")
    memory.put("b", b"1234")
    assert memory.get("a") is not None
