from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from genscope.collect import ranges  # noqa: E402 # it needs torch


def events(folder: Path, run: Callable[[], object]) -> list[dict[str, Any]]:
    """Slices that a profiler records of a run, those called `genscope…` alone, by start."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities) as profile:
        run()
    path = folder / "trace.json"
    profile.export_chrome_trace(str(path))
    found = [one for one in json.loads(path.read_text())["traceEvents"] if one.get("ph") == "X"]
    return sorted(
        (one for one in found if one["name"].startswith("genscope")), key=lambda one: one["ts"]
    )


class Absent:
    """A profiler of torch without the fast range."""


class Changed:
    """One whose fast range takes something else now."""

    def _RecordFunctionFast(self, *, name: str) -> None:
        raise AssertionError("is never called")


class Refusing:
    """One whose fast range fails when it is entered."""

    class _RecordFunctionFast:
        def __init__(self, name: str) -> None: ...

        def __enter__(self) -> None:
            raise RuntimeError("not here")

        def __exit__(self, *raised: object) -> None: ...


@pytest.fixture(params=[None, Absent, Changed, Refusing])
def _each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param is not None:
        monkeypatch.setattr(ranges, "_fast", ranges.choose(request.param()))


@pytest.mark.usefixtures("_each_way")
def test_a_range_lasts_as_long_as_its_block(tmp_path: Path) -> None:
    def run() -> None:
        with ranges.range_of("genscope.outer"):
            with ranges.range_of("genscope.inner", mirrored=True):
                torch.ones(1)
            with ranges.range_of("genscope.inner", mirrored=True):
                torch.ones(1)

    outer, first, second = events(tmp_path, run)
    assert [outer["name"], first["name"], second["name"]] == [
        "genscope.outer", "genscope.inner", "genscope.inner",
    ]  # fmt: skip
    assert outer["ts"] <= first["ts"]
    assert first["ts"] + first["dur"] <= second["ts"]
    assert second["ts"] + second["dur"] <= outer["ts"] + outer["dur"]


@pytest.mark.usefixtures("_each_way")
def test_the_error_of_the_block_is_the_one_that_surfaces(tmp_path: Path) -> None:
    def run(mirrored: bool) -> None:
        with pytest.raises(ZeroDivisionError), ranges.range_of("genscope.x", mirrored=mirrored):
            raise ZeroDivisionError

    assert len(events(tmp_path, lambda: (run(False), run(True)))) == 2  # type: ignore[func-returns-value]


@pytest.mark.usefixtures("_each_way")
def test_a_mark_stands_between_what_was_before_and_after(tmp_path: Path) -> None:
    def run() -> None:
        with ranges.range_of("genscope.before"):
            pass
        ranges.mark("genscope.mark")
        with ranges.range_of("genscope.after"):
            pass

    names = [one["name"] for one in events(tmp_path, run)]
    assert names == ["genscope.before", "genscope.mark", "genscope.after"]


@pytest.mark.usefixtures("_each_way")
def test_threads_do_not_share_a_range(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(200):
                with ranges.range_of("genscope.same"):
                    torch.ones(1)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]

    def run() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    events(tmp_path, run)
    assert errors == []


def test_torch_has_the_fast_range() -> None:
    """Should this fail, torch changed: all goes on as before, at some 5 µs a range."""
    assert ranges._fast is torch._C._profiler._RecordFunctionFast


def test_a_record_function_that_refuses_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __init__(self, name: str) -> None: ...

        def __enter__(self) -> None:
            raise RuntimeError("not in this mode")

    monkeypatch.setattr(ranges, "record_function", Broken)
    monkeypatch.setattr(ranges, "_fast", Broken)
    with ranges.range_of("genscope.x", mirrored=True):
        pass
    ranges.mark("genscope.x")


@pytest.mark.parametrize("mirrored", [False, True])
def test_without_a_profiler_nothing_happens(mirrored: bool) -> None:
    with ranges.range_of("genscope.x", mirrored=mirrored):
        pass
