"""What a request may name and select, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from genscope.tensorboard.loader import Loader
from tests.tensorboard.support import (
    DATA,
    FILE,
    Watched,
    by_id,
    client,
    operators,
    settled,
    write,
)

ROUTES = [
    *("operators", "overview", "timeline", "compare", "cancel"),
    *("attention", "calls", "sequence", "phases", "spatial-temporal", "frames"),
    *("memory", "memory-growth", "scaling"),
]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("query", ["", "run=", "other=1"])
def test_no_run_named(logdir: Path, route: str, query: str) -> None:
    response = client(logdir).get(f"{DATA}/{route}", query_string=query)
    assert response.status_code == 400
    assert "run=" in response.json["error"]["message"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "run",
    [
        "nosuchrun",
        "../secret.json",
        "base/../../secret.json",
        "/etc/passwd",
        f"base/{FILE}%00",
        "%00",
        "base",
        "%ff%fe",
        "file:///etc/passwd",
    ],
)
def test_only_runs_that_were_found_are_opened(tmp_path: Path, route: str, run: str) -> None:
    opened: list[str] = []

    write(tmp_path / "secret.json")
    write(tmp_path / "logs" / "base" / FILE)
    loader = Loader(Watched(lambda path, _: opened.append(path)))
    of = client(tmp_path / "logs", loader=loader)
    response = of.get(f"{DATA}/{route}?run={run}")
    assert response.status_code == 404
    assert response.json["error"]["message"]
    assert opened == []


@pytest.mark.parametrize(
    "stretch",
    [
        "",
        "from_ns=1",
        "to_ns=1",
        "from_ns=2&to_ns=1",
        "from_ns=1&to_ns=1",
        "from_ns=-1&to_ns=1",
        "from_ns=0&to_ns=1e9",
        "from_ns=0&to_ns=99999999999999999",
    ],
)
def test_stretches_without_sense_are_refused(logdir: Path, stretch: str) -> None:
    response = client(logdir).get(f"{DATA}/timeline?run=base/{FILE}&{stretch}")
    assert response.status_code == 400
    assert "_ns" in response.json["error"]["message"]


ANNOTATED = """{"traceEvents": [
 {"ph": "X", "cat": "user_annotation", "name": "ProfilerStep#3", "pid": 1, "tid": 1, "ts": 0,
  "dur": 100},
 {"ph": "X", "cat": "user_annotation", "name": "ProfilerStep#4", "pid": 1, "tid": 1, "ts": 100,
  "dur": 100},
 {"ph": "X", "cat": "cpu_op", "name": "aten::mm", "pid": 1, "tid": 1, "ts": 10, "dur": 20},
 {"ph": "X", "cat": "cpu_op", "name": "aten::mm", "pid": 1, "tid": 1, "ts": 110, "dur": 30}]}"""


@pytest.mark.parametrize("route", ["operators", "overview", "compare"])
@pytest.mark.parametrize(
    ("filters", "sum_us"),
    [
        ("", 50),
        ("&first_step=0&last_step=1", 50),
        ("&last_step=0", 20),
        ("&first_step=1", 30),
        ("&pass=forward", 50),
        ("&pass=backward&pass=recompute", 0),
        ("&component=nosuch", 0),
        ("&component=&pass=&first_step=&last_step=", 50),
    ],
)
def test_filters_select_a_part(tmp_path: Path, route: str, filters: str, sum_us: int) -> None:
    write(tmp_path / FILE, ANNOTATED)
    of = client(tmp_path)
    response = settled(lambda: of.get(f"{DATA}/{route}?run={FILE}{filters}"))
    assert response.status_code == 200
    one = response.json["runs"][0] if route == "compare" else response.json
    assert one["basis_sum_ns"] == 1000 * sum_us
    assert by_id(of.get(f"{DATA}/runs").json)[FILE]["state"] == "ready"


@pytest.mark.parametrize("route", ["operators", "overview", "compare"])
@pytest.mark.parametrize(
    "filters",
    [
        "pass=sideways",
        "pass=forward&pass=%00",
        "first_step=-1",
        "first_step=one",
        "last_step=1.5",
        "last_step=%C2%B2",
        "last_step=99999999999999999999",
        "first_step=2&last_step=1",
        "component=" + "x" * 5000,
        "&".join(f"component={number}" for number in range(1000)),
    ],
)
def test_filters_without_sense_are_refused(logdir: Path, route: str, filters: str) -> None:
    response = client(logdir).get(f"{DATA}/{route}?run=base/{FILE}&{filters}")
    assert response.status_code == 400
    message = response.json["error"]["message"]
    assert message
    assert "\n" not in message


@pytest.mark.parametrize("route", ROUTES)
def test_very_long_ids_are_refused_without_an_echo(logdir: Path, route: str) -> None:
    response = client(logdir).get(f"{DATA}/{route}?run={'x' * 60_000}")
    assert response.status_code == 400
    assert len(response.data) < 1000


def test_many_parameters(logdir: Path) -> None:
    of = client(logdir)
    many = "&".join(f"run={number}" for number in range(5000))
    assert of.get(f"{DATA}/compare?{many}").status_code == 400
    same = "&".join([f"run=base/{FILE}"] * 5000)
    assert settled(lambda: of.get(f"{DATA}/compare?{same}")).status_code == 200
    other = "&".join(f"x{number}={number}" for number in range(5000))
    assert settled(lambda: of.get(f"{DATA}/operators?run=base/{FILE}&{other}")).status_code == 200


def test_hostile_names_come_back_as_data(tmp_path: Path) -> None:
    name = '<img src=x onerror="alert(1)">\n\'&.1.pt.trace.json'
    write(tmp_path / name)
    of = client(tmp_path)
    [run] = of.get(f"{DATA}/runs").json["runs"]
    assert run["id"] == name
    response = operators(of, name)
    assert response.status_code == 200
    assert response.json["trace"] == name


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/r\xff.1.pt.trace.json"))
    write(path)
    of = client(tmp_path)
    [run] = of.get(f"{DATA}/runs").json["runs"]
    assert operators(of, run["id"]).status_code == 200


def test_names_that_are_no_utf8_of_broken_files(tmp_path: Path) -> None:
    write(Path(os.fsdecode(os.fsencode(tmp_path) + b"/r\xff.1.pt.trace.json")), "no trace")
    of = client(tmp_path)
    [run] = of.get(f"{DATA}/runs").json["runs"]
    assert operators(of, run["id"]).status_code == 422
