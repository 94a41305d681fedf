"""`is_active` must not keep TensorBoard waiting."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from genscope.tensorboard.activity import Activity
from genscope.tensorboard.plugin import GenScopePlugin
from tests.tensorboard.support import PATIENCE_S, context, opened_files, until, write


def test_an_answer_at_hand_is_given_at_once() -> None:
    assert Activity(lambda: True, patience_s=PATIENCE_S)() is True
    assert Activity(lambda: False, patience_s=PATIENCE_S)() is False


def test_a_slow_answer_is_given_later_and_asked_for_once() -> None:
    allowed = threading.Event()
    asked: list[None] = []

    def ask() -> bool:
        asked.append(None)
        return allowed.wait(PATIENCE_S)

    activity = Activity(ask, patience_s=0.0)
    assert activity() is False
    assert activity() is False
    allowed.set()
    until(activity, bool)
    assert len(asked) == 1


def test_an_answer_stands_for_a_while() -> None:
    now = [0.0]
    answers = iter([False, True])
    activity = Activity(
        lambda: next(answers), patience_s=PATIENCE_S, keep_s=5.0, clock=lambda: now[0]
    )
    assert activity() is False
    now[0] = 4.9
    assert activity() is False
    now[0] = 5.0
    assert activity() is True


def test_a_question_that_fails_keeps_the_answer_before() -> None:
    now = [0.0]
    answers = iter([True])
    activity = Activity(
        lambda: next(answers), patience_s=PATIENCE_S, keep_s=1.0, clock=lambda: now[0]
    )
    assert activity() is True
    now[0] = 2.0
    assert activity() is True


@pytest.mark.parametrize("name", ["host.1.pt.trace.json", "plain.json", "packed.json.gz"])
def test_the_plugin_becomes_active_without_opening_a_file(tmp_path: Path, name: str) -> None:
    plugin = GenScopePlugin(context(str(tmp_path)))
    with opened_files() as opened:
        assert not plugin.is_active()
        path = write(tmp_path / "deep" / "run" / name)
        written = opened.count(str(path))
        plugin = GenScopePlugin(context(str(tmp_path)))
        until(plugin.is_active, bool)
    assert written == 1
    assert [seen for seen in opened if seen.startswith(str(tmp_path))] == [str(path)]
