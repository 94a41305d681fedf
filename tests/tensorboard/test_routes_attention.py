"""The routes of the attention views, on real files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from werkzeug.test import Client, TestResponse

from genscope.analysis.attention.frames import FramesSweep
from genscope.analysis.attention.results import (
    Attention,
    CallsWindow,
    Phases,
    Sequence,
    SpaceTime,
)
from genscope.analysis.attention.sequence import sequence
from genscope.analysis.attention.space_time import space_time
from genscope.analysis.attention.view import attention
from genscope.analysis.attention.where import Where
from genscope.tensorboard.loader import Loader
from genscope.trace import Trace, load
from tests import paths
from tests.benchmarks.calls import write as write_calls
from tests.tensorboard.support import DATA, FILE, Watched, client, set_age, settled, write

RUN = f"sd/{FILE}"
VIDEO = "video/h100.pt.trace.json.gz"
ROUTES = {
    "attention": Attention,
    "calls": CallsWindow,
    "sequence": Sequence,
    "phases": Phases,
    "spatial-temporal": SpaceTime,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A denoiser of 260 calls, and a video model."""
    (tmp_path / "sd").mkdir()
    write_calls(260, tmp_path / RUN)
    set_age(tmp_path / RUN, 3600)
    (tmp_path / "video").mkdir()
    samples = paths.REPOSITORY / "samples" / "traces" / "video-timesformer-h100"
    shutil.copy(samples / "h100.pt.trace.json.gz", tmp_path / VIDEO)
    set_age(tmp_path / VIDEO, 3600)
    return tmp_path


@pytest.fixture
def trace(folder: Path) -> Trace:
    return load(folder / RUN)


def asked(of: Client, route: str, **query: Any) -> TestResponse:
    query = {"run": RUN, **query}
    return settled(lambda: of.get(f"{DATA}/{route}", query_string=query))


def calls(of: Client, **query: Any) -> CallsWindow:
    return msgspec.json.decode(asked(of, "calls", **query).data, type=CallsWindow)


@pytest.mark.parametrize("route", ROUTES)
def test_each_view_is_answered(folder: Path, route: str) -> None:
    response = asked(client(folder), route)
    assert response.status_code == 200
    result = msgspec.json.decode(response.data, type=ROUTES[route])
    assert (result.view, result.schema_version) == (route, 1)


def test_attention_leaves_the_calls_to_windows(folder: Path, trace: Trace) -> None:
    of = client(folder)
    for where, query in (
        (Where(), {}),
        (Where(kinds=("cross",), last_step=4), {"kind": "cross", "last_step": 4}),
    ):
        got = msgspec.json.decode(asked(of, "attention", **query).data, type=Attention)
        whole = attention(trace, where)
        assert got.calls_total == len(whole.calls)
        assert got == msgspec.structs.replace(whole, calls=[])


def test_windows_one_after_another_are_the_whole_list(folder: Path, trace: Trace) -> None:
    of = client(folder)
    whole = attention(trace).calls
    parts = [calls(of, first=first, count=65) for first in range(0, 260, 65)]
    assert [call for part in parts for call in part.calls] == whole
    assert {part.total for part in parts} == {260}
    longest = calls(of, sort="q_len", descending=1, count=1, kind="self").calls[0]
    assert (longest.q_len, longest.kind) == (4096, "self")
    assert calls(of, sort="device_ns", at=77, count=9).at == 77
    assert calls(of, at_ns=whole[77].device_start_ns).at == 77


def test_filters_of_a_request_are_those_of_the_analysis(folder: Path, trace: Trace) -> None:
    of = client(folder)
    both = calls(of, kind=["self", "none"], component="unet", first_step=1, last_step=1)
    where = Where(kinds=("self", "none"), components=("unet",), first_step=1, last_step=1)
    assert both.calls == attention(trace, where).calls
    assert both.total == 13
    part = asked(of, "sequence", kind="cross", from_call=5, to_call=8).data
    found = msgspec.json.decode(part, type=Sequence)
    cross = sequence(trace, Where(kinds=("cross",)))
    assert found.series.index == cross.series.index[5:9]
    assert found.levels == cross.levels
    rows = asked(of, "phases", first_step=1, last_step=1).json["phases"]
    assert [(row["phase"], row["calls"]) for row in rows] == [("denoise", 26)]
    axes = asked(of, "spatial-temporal", run=VIDEO, axis="temporal").json["axes"]
    assert [(row["axis"], row["calls"]) for row in axes] == [("temporal", 12)]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", ["kind", "axis", "phase", "component"])
def test_an_unknown_word_selects_nothing(folder: Path, route: str, name: str) -> None:
    response = asked(client(folder), route, **{name: "<nothing>"})
    assert response.status_code == 200
    answer = response.json
    assert not answer.get("total")
    assert not answer.get("calls")
    assert not answer.get("calls_total")
    assert not answer.get("basis_sum_ns")
    assert not answer.get("axes")


@pytest.mark.parametrize(
    ("route", "query"),
    [
        ("calls", "sort=password"),
        ("calls", "sort=pass_"),
        ("calls", "count=2001"),
        ("calls", "count=-1"),
        ("calls", "first=x"),
        ("calls", "at=1.5"),
        ("calls", "descending=yes"),
        ("sequence", "points=8001"),
        ("sequence", "from_call=3&to_call=2"),
        ("attention", "pass=sideways"),
        ("attention", "&".join(f"kind={number}" for number in range(101))),
    ],
)
def test_nonsense_is_refused(folder: Path, route: str, query: str) -> None:
    response = client(folder).get(f"{DATA}/{route}?run={RUN}&{query}")
    assert response.status_code == 400
    assert response.json["error"]["message"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("before", ["attention", "calls"])
def test_who_asks_again_after_a_restart_opens_nothing(
    folder: Path, route: str, before: str
) -> None:
    """Also where the answer came from the calls that another view had found."""
    of = client(folder)
    asked(of, before)
    first = asked(of, route).data

    def read(path: str, progress: object) -> None:
        raise AssertionError("opened")

    again = client(folder, loader=Loader(Watched(read)))
    response = again.get(f"{DATA}/{route}", query_string={"run": RUN})
    assert (response.status_code, response.data) == (200, first)


def test_windows_and_filters_need_the_trace_once(folder: Path) -> None:
    opened: list[str] = []
    of = client(folder, loader=Loader(Watched(lambda path, _: opened.append(path))))
    assert calls(of, first=10).first == 10
    for kind in ("self", "cross"):
        for query in ({"sort": "kv_len"}, {"at": 7}, {"first": 100, "count": 3}):
            response = of.get(f"{DATA}/calls", query_string={"run": RUN, "kind": kind, **query})
            assert response.status_code == 200
        for route in ("attention", "spatial-temporal"):
            query = {"run": RUN, "kind": kind}
            assert of.get(f"{DATA}/{route}", query_string=query).status_code == 200
    asked(of, "sequence", kind="self", to_call=9)
    moved = of.get(f"{DATA}/sequence", query_string={"run": RUN, "kind": "self", "from_call": 9})
    assert moved.status_code == 200
    assert moved.json["series"]["first"] == 9
    # Once for the calls, once for the sequence, whose pattern takes a while to find.
    assert len(opened) <= 2


def test_frames_of_several_runs(folder: Path) -> None:
    write(folder / "bad" / FILE, "<html>")
    query = {"run": [VIDEO, RUN, f"bad/{FILE}"]}
    response = asked(client(folder), "frames", **query)
    assert response.status_code == 200
    result = msgspec.json.decode(response.data, type=FramesSweep)
    rows = {row.axis: row for row in space_time(load(folder / VIDEO)).axes}
    assert {point.axis: point.flops for point in result.points} == {
        axis: row.flops for axis, row in rows.items()
    }
    assert {point.run for point in result.points} == {VIDEO}
    assert {run.run for run in result.left_out} == {RUN, f"bad/{FILE}"}
    assert all(run.reason for run in result.left_out)


def test_frames_of_nothing_but_unusable_files(folder: Path) -> None:
    write(folder / "bad" / FILE, "<html>")
    response = asked(client(folder), "frames", run=f"bad/{FILE}")
    assert response.status_code == 422
    assert [error["run"] for error in response.json["errors"]] == [f"bad/{FILE}"]
    assert client(folder).get(f"{DATA}/frames?run=nosuch").status_code == 404
