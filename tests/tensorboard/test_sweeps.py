"""The routes of memory and of runs of several sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from werkzeug.test import Client, TestResponse

from genscope.analysis.memory.results import Memory, MemoryGrowth
from genscope.analysis.memory.view import memory
from genscope.analysis.scaling.results import Scaling
from genscope.tensorboard.loader import Loader
from genscope.trace import load
from tests.browser import sizes
from tests.tensorboard.support import DATA, FILE, Watched, client, set_age, settled, write

NAME = "cpu.pt.trace.json"
MATH = [f"math{px:03}/{NAME}" for px in sizes.SIZES]
FLASH = [f"flash{px:03}/{NAME}" for px in sizes.SIZES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sizes of a UNet with both kinds of attention, and files that are not of its sweep."""
    folder = tmp_path_factory.mktemp("sizes")
    sizes.write(folder)
    for path in folder.rglob("*.json"):
        set_age(path, 3600)
    write(folder / "other" / FILE)
    write(folder / "bad" / FILE, "no trace")
    return folder


def ask(of: Client, route: str, runs: list[str], **query: Any) -> TestResponse:
    return settled(lambda: of.get(f"{DATA}/{route}", query_string={"run": runs, **query}))


def test_memory_is_that_of_the_analysis_whatever_the_filters(folder: Path) -> None:
    of = client(folder)
    answer = ask(of, "memory", MATH[:1])
    assert answer.status_code == 200
    assert answer.data == msgspec.json.encode(memory(load(folder / MATH[0])))
    assert ask(of, "memory", MATH[:1], component="unet", first_step=1).data == answer.data
    assert ask(of, "memory", [f"bad/{FILE}"]).status_code == 422


def test_memory_grows_over_the_runs(folder: Path) -> None:
    of = client(folder)
    runs = [*reversed(MATH), f"other/{FILE}", f"bad/{FILE}"]
    growth = msgspec.json.decode(ask(of, "memory-growth", runs).data, type=MemoryGrowth)
    assert [point.run for point in growth.points] == MATH
    of_run = [msgspec.json.decode(ask(of, "memory", [run]).data, type=Memory) for run in MATH]
    assert [point.recorded_bytes for point in growth.points] == [
        one.similarity.recorded_bytes for one in of_run
    ]
    (alone,) = [fit.exponent for fit in growth.fits if fit.of == "self_bytes"]
    assert alone == pytest.approx(4)
    assert {one.run for one in growth.left_out} == {f"other/{FILE}", f"bad/{FILE}"}
    assert all(one.reason for one in growth.left_out)


def test_runs_are_set_against_what_differs(folder: Path) -> None:
    of = client(folder)
    runs = [*MATH, *FLASH, f"other/{FILE}", f"bad/{FILE}"]
    result = msgspec.json.decode(ask(of, "scaling", runs).data, type=Scaling)
    (sweep,) = result.sweeps
    assert (sweep.parameter, sweep.values) == ("image_size", list(sizes.SIZES))
    assert [(line.role, [point.run for point in line.points]) for line in sweep.lines] == [
        ("baseline", MATH),
        ("fused", FLASH),
    ]
    assert {one.run for one in result.left_out} == {f"other/{FILE}", f"bad/{FILE}"}
    assert all(one.reason for one in result.left_out)


def test_the_parameter_and_the_filters_are_asked_for(folder: Path) -> None:
    of = client(folder)
    by_frames = msgspec.json.decode(ask(of, "scaling", MATH, by="frames").data, type=Scaling)
    assert (by_frames.by, by_frames.sweeps) == ("frames", [])
    assert {one.run for one in by_frames.left_out} == set(MATH)

    def whole(**query: Any) -> list[int]:
        found = msgspec.json.decode(ask(of, "scaling", MATH, **query).data, type=Scaling)
        points = found.sweeps[0].lines[0].points
        amounts = [amount for point in points for amount in point.amounts]
        return [amount.flops for amount in amounts if amount.group == "total"]

    assert whole() == [2 * flops for flops in whole(first_step=0, last_step=0)]
    refused = of.get(f"{DATA}/scaling", query_string={"run": MATH, "by": "colour"})
    assert refused.status_code == 400
    assert "image_size" in refused.json["error"]["message"]


@pytest.mark.parametrize("route", ["memory-growth", "scaling"])
def test_nothing_but_unusable_files(folder: Path, route: str) -> None:
    answer = ask(client(folder), route, [f"bad/{FILE}"])
    assert answer.status_code == 422
    assert [error["run"] for error in answer.json["errors"]] == [f"bad/{FILE}"]


@pytest.mark.parametrize("route", ["memory", "memory-growth", "scaling"])
def test_who_asks_again_after_a_restart_opens_nothing(folder: Path, route: str) -> None:
    runs = MATH[:1] if route == "memory" else MATH
    first = ask(client(folder), route, runs).data

    def read(path: str, progress: object) -> None:
        raise AssertionError("opened")

    again = client(folder, loader=Loader(Watched(read)))
    answer = again.get(f"{DATA}/{route}", query_string={"run": runs})
    assert (answer.status_code, answer.data) == (200, first)
