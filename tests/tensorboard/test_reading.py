"""What is read again and what is not, once a trace has been looked at."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from genscope.analysis.results import Operators
from genscope.analysis.selection import Selection
from genscope.tensorboard import reading as reading_module
from genscope.tensorboard.cache import Cache
from genscope.tensorboard.discovery import TraceFile
from genscope.tensorboard.reading import CachedReading, Opened
from genscope.tensorboard.views import VIEWS, Ask
from genscope.trace import load
from tests.tensorboard.support import discover, trace_text, write

OPERATORS = Ask("operators")
FORWARD = Ask("operators", Selection(passes=("forward",)))
FILE = "host.1.pt.trace.json"


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the traces that were read, while the test runs."""
    seen: list[str] = []

    def watched(path: str, *, progress: reading_module.Progress) -> object:
        seen.append(path)
        return load(path, progress=progress)

    monkeypatch.setattr(reading_module, "load", watched)
    return seen


def found(folder: Path) -> TraceFile:
    [file] = discover(folder).scan().files.values()
    return file


def ignore(_read: int, _size: int | None) -> None:
    pass


def opened(folder: Path) -> Opened:
    return CachedReading(Cache()).open(found(folder), ignore)


def sum_ns(body: bytes | None) -> int:
    assert body is not None
    return msgspec.json.decode(body, type=Operators).device_sum_ns


def read_and_kept(folder: Path) -> bytes:
    trace = opened(folder)
    answer = trace.answer(OPERATORS)
    trace.keep()
    return answer


def test_a_trace_is_read_once_however_often_it_is_opened(tmp_path: Path, loads: list[str]) -> None:
    write(tmp_path / FILE, trace_text(3))
    answer = read_and_kept(tmp_path)
    again = opened(tmp_path)
    assert again.answer(OPERATORS) == answer
    assert sum_ns(again.answer(FORWARD)) == 3 * 50_000
    assert loads == [str(tmp_path / FILE)]


def test_answers_about_whole_traces_are_recalled_without_the_trace(
    tmp_path: Path, cache_folder: Path
) -> None:
    write(tmp_path / FILE, trace_text(3))
    reading = CachedReading(Cache())
    file = found(tmp_path)
    assert reading.recall(file, OPERATORS) is None
    answer = read_and_kept(tmp_path)
    for stored in cache_folder.glob("*.trace"):
        stored.unlink()
    assert CachedReading(Cache()).recall(file, OPERATORS) == answer
    assert reading.recall(file, FORWARD) is None
    assert reading.recall(file, Ask("overview")) is None


def test_who_moves_along_a_timeline_opens_the_trace_once(tmp_path: Path) -> None:
    write(tmp_path / FILE, trace_text(3))
    reading = CachedReading(Cache())
    file = found(tmp_path)
    first, next_ = (Ask("timeline", span_ns=(at, at + 1_000)) for at in (40_000, 41_000))
    assert reading.recent(file, first) is None
    answer = reading.open(file, ignore).answer(first)
    assert reading.recent(file, first) == answer
    moved = reading.recent(file, next_)
    assert moved is not None and b'"start_ns":41000' in moved
    assert reading.recent(file, Ask("timeline", Selection(passes=("forward",)), (0, 9))) is None


def test_a_changed_file_is_another(tmp_path: Path, loads: list[str]) -> None:
    write(tmp_path / FILE, trace_text(3))
    read_and_kept(tmp_path)
    write(tmp_path / FILE, trace_text(4))
    assert CachedReading(Cache()).recall(found(tmp_path), OPERATORS) is None
    assert sum_ns(read_and_kept(tmp_path)) == 4 * 50_000
    os.utime(tmp_path / FILE, (1, 1))
    read_and_kept(tmp_path)
    assert len(loads) == 3


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def pickled(path: Path) -> None:
    path.write_bytes(b"\x80\x04cos\nsystem\n(S'false'\ntR.")


def gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [empty, cut, flip, pickled, gone])
def test_a_damaged_cache_is_rebuilt(
    tmp_path: Path, cache_folder: Path, loads: list[str], damage: Callable[[Path], None]
) -> None:
    write(tmp_path / FILE, trace_text(3))
    answer = read_and_kept(tmp_path)
    for stored in cache_folder.iterdir():
        damage(stored)
    assert CachedReading(Cache()).recall(found(tmp_path), OPERATORS) is None
    assert read_and_kept(tmp_path) == answer
    assert len(loads) == 2
    assert CachedReading(Cache()).recall(found(tmp_path), OPERATORS) == answer
    assert read_and_kept(tmp_path) == answer
    assert len(loads) == 2


def test_a_stored_trace_that_cannot_be_analysed_is_read_again(
    tmp_path: Path, loads: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / FILE, trace_text(3))
    answer = read_and_kept(tmp_path)
    failures = [IndexError("a row that is not there")]

    def once(trace: object, selection: Selection) -> msgspec.Struct:
        if failures:
            raise failures.pop()
        return VIEWS["operators"](trace, selection)  # type: ignore[arg-type]

    reading = CachedReading(Cache(), views={"operators": once})
    trace = reading.open(found(tmp_path), ignore)
    assert trace.answer(OPERATORS) == answer
    assert len(loads) == 2


@pytest.mark.parametrize(("age_s", "is_kept"), [(0.0, False), (3600.0, True)])
def test_a_cut_trace_is_kept_only_if_nobody_writes_it_any_more(
    tmp_path: Path, cache_folder: Path, age_s: float, is_kept: bool
) -> None:
    write(tmp_path / FILE, trace_text(100)[:-2000], age_s=age_s)
    trace = opened(tmp_path)
    assert trace.is_incomplete
    trace.answer(OPERATORS)
    trace.keep()
    assert bool(list(cache_folder.iterdir())) is is_kept


def test_a_file_that_changed_meanwhile_is_not_kept(tmp_path: Path, cache_folder: Path) -> None:
    write(tmp_path / FILE, trace_text(3))
    file = found(tmp_path)
    write(tmp_path / FILE, trace_text(4))
    trace = CachedReading(Cache()).open(file, ignore)
    trace.answer(OPERATORS)
    trace.keep()
    assert list(cache_folder.iterdir()) == []


def test_without_a_cache_it_reads_each_time(
    tmp_path: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "logs" / FILE, trace_text(3))
    (tmp_path / "file").touch()
    monkeypatch.setenv("GENSCOPE_CACHE", str(tmp_path / "file" / "cache"))
    assert read_and_kept(tmp_path / "logs") == read_and_kept(tmp_path / "logs")
    assert len(loads) == 2


@pytest.mark.parametrize("name", [FILE, f"{FILE}.gz"])
def test_progress_can_stop_a_reading(tmp_path: Path, name: str) -> None:
    class Stop(Exception):
        pass

    def stop(_read: int, _size: int | None) -> None:
        raise Stop

    write(tmp_path / name, trace_text(100))
    with pytest.raises(Stop):
        CachedReading(Cache()).open(found(tmp_path), stop)
    os.rename(tmp_path / name, tmp_path / f"moved.{name}")


def test_files_are_large_by_their_text(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.json", tmp_path / "a.json.gz"
    reading = CachedReading(Cache())
    for path, size, is_large in (
        (plain, 10 << 20, False),
        (plain, 500 << 20, True),
        (packed, 1 << 20, False),
        (packed, 10 << 20, True),
    ):
        file = TraceFile("a", "a", ".", path.name, str(path), os_stamp(size))
        assert reading.is_large(file) is is_large


def os_stamp(size: int) -> reading_module.Stamp:
    return reading_module.Stamp(size, 0)
