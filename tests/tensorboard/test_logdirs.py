"""Which folders are looked in, as TensorBoard was told to."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from genscope.tensorboard.logdirs import Logdir, logdirs_of


def spec(text: str | None) -> list[Logdir]:
    return logdirs_of("", SimpleNamespace(logdir_spec=text))


def test_a_relative_logdir_stays_where_tensorboard_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = logdirs_of("runs", None)
    monkeypatch.chdir("/")
    assert found == [Logdir(str(tmp_path / "runs"), "")]


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert logdirs_of("~/runs", None) == [Logdir(str(tmp_path / "runs"), "")]


@pytest.mark.parametrize("flags", [None, SimpleNamespace(), SimpleNamespace(logdir_spec="")])
@pytest.mark.parametrize("logdir", [None, ""])
def test_without_a_logdir_there_is_no_folder(logdir: str | None, flags: object) -> None:
    assert logdirs_of(logdir, flags) == []


def test_spec_with_names() -> None:
    assert spec("base:/a/runs, new:/b/runs") == [
        Logdir("/a/runs", "base"),
        Logdir("/b/runs", "new"),
    ]


def test_spec_follows_tensorboards_rules_for_colons() -> None:
    assert spec("/a:b/runs") == [Logdir("/a:b/runs", "")]
    assert spec("x:/a:b/runs") == [Logdir("/a:b/runs", "x")]
    assert spec("s3://bucket/runs") == [Logdir("s3://bucket/runs", "")]
    assert spec("x:s3://bucket/runs") == [Logdir("s3://bucket/runs", "x")]


def test_unnamed_folders_of_a_spec_are_told_apart() -> None:
    assert [d.prefix for d in spec("/a/runs,/b/runs,runs:/c")] == ["runs-2", "runs-3", "runs"]
