"""The cache: it keeps what it is given, within bounds, and never is in the way."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path

import pytest

from genscope.tensorboard import cache as cache_module
from genscope.tensorboard.cache import ABANDONED_S, Cache, default_folder, key_of
from genscope.tensorboard.files import Stamp
from genscope.trace import Trace, load
from genscope.trace.store import TEMPORARY
from tests.tensorboard.support import trace_text, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    return load(write(tmp_path / "host.1.pt.trace.json", trace_text(100)))


def aged(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_what_is_put_comes_back(folder: Path, trace: Trace) -> None:
    Cache(folder).put_trace("a", trace)
    Cache(folder).put_result("a", "operators", b'{"a": 1}')
    other = Cache(folder)
    found = other.trace("a")
    assert found is not None
    assert found.strings == trace.strings
    assert other.result("a", "operators") == b'{"a": 1}'
    assert other.trace("b") is None
    assert other.result("a", "overview") is None
    assert other.result("b", "operators") is None


def test_it_is_for_its_owner_only(folder: Path) -> None:
    Cache(folder).put_result("a", "operators", b"{}")
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"", b"x", b"00000000\n{}", b"\x80\x04pickle" * 50])
def test_damaged_files_are_nothing_and_go(folder: Path, trace: Trace, damage: bytes) -> None:
    cache = Cache(folder)
    cache.put_trace("a", trace)
    cache.put_result("a", "operators", b'{"a": 1}')
    for path in folder.iterdir():
        path.write_bytes(damage)
    assert cache.trace("a") is None
    assert cache.result("a", "operators") is None
    assert list(folder.iterdir()) == []


def test_used_longest_ago_goes_first(folder: Path) -> None:
    body = b"x" * 1000
    for place, name in enumerate("abc"):
        Cache(folder).put_result(name, "v", body)
        aged(folder / f"{name}.v.json", 100 - place)
    cache = Cache(folder, max_bytes=3500)
    assert cache.result("a", "v") == body, "which makes it the one used last"
    cache.put_result("d", "v", body)
    assert {name: bool(cache.result(name, "v")) for name in "abcd"} == {
        "a": True,
        "b": False,
        "c": True,
        "d": True,
    }
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 3500


def test_a_trace_larger_than_the_cache_is_not_kept_and_pushes_nothing_out(
    folder: Path, trace: Trace
) -> None:
    cache = Cache(folder, max_bytes=1000)
    cache.put_result("a", "v", b"x")
    cache.put_trace("b", trace)
    assert cache.trace("b") is None
    assert cache.result("a", "v") == b"x"


def test_leftovers_of_a_crash_go_and_files_being_written_stay(folder: Path) -> None:
    folder.mkdir()
    old, new, foreign = (folder / f".{name}{TEMPORARY}" for name in ("old", "new", "x"))
    foreign = folder / "notes.txt"
    for path in (old, new, foreign):
        path.write_bytes(b"part")
        aged(path, ABANDONED_S * 2)
    aged(new, 1)
    Cache(folder, max_bytes=1).put_result("a", "v", b"{}")
    assert not old.exists()
    assert new.exists()
    assert foreign.exists()


def test_a_folder_that_cannot_be_made_is_said_once(
    tmp_path: Path, trace: Trace, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            cache.put_trace("a", trace)
            cache.put_result("a", "v", b"{}")
    assert cache.trace("a") is None
    assert cache.result("a", "v") is None
    [record] = caplog.records
    assert "GENSCOPE_CACHE" in record.getMessage()
    assert "\n" not in record.getMessage()


def test_a_full_disk_leaves_no_parts(
    folder: Path, trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    cache = Cache(folder)
    cache.put_trace("a", trace)
    cache.put_result("a", "v", b"{}")
    assert list(folder.iterdir()) == []


def test_two_that_share_a_folder_never_see_a_part(folder: Path, trace: Trace) -> None:
    wrong: list[str] = []
    bodies = [bytes([65 + place]) * 50_000 for place in range(4)]

    def use(place: int) -> None:
        cache = Cache(folder, max_bytes=400_000)
        for _ in range(25):
            cache.put_result("a", "v", bodies[place])
            cache.put_trace("a", trace)
            body, found = cache.result("a", "v"), cache.trace("a")
            if body is not None and body not in bodies:
                wrong.append("a result of several")
            if found is not None and found.strings != trace.strings:
                wrong.append("another trace")

    threads = [threading.Thread(target=use, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert Cache(folder).result("a", "v") in bodies


def test_every_version_of_a_file_has_a_key_of_its_own() -> None:
    keys = {
        key_of(path, Stamp(size, mtime))
        for path in ("/a", "/b", "s3://bucket/a")
        for size in (1, 2)
        for mtime in (0, 1)
    }
    assert len(keys) == 12
    assert None not in keys
    assert key_of("s3://bucket/a", Stamp(1, None)) is None, "versions cannot be told apart"
    assert key_of("/r\udcff", Stamp(1, 1)) is not None


def test_another_version_of_the_format_has_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of("/a", Stamp(1, 1))
    monkeypatch.setattr(cache_module, "FORMAT_VERSION", -1)
    assert key_of("/a", Stamp(1, 1)) != before


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENSCOPE_CACHE", str(tmp_path / "mine"))
    assert default_folder() == tmp_path / "mine"
    monkeypatch.setenv("GENSCOPE_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_folder() == tmp_path / "xdg" / "genscope"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "genscope"
