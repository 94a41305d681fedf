"""The routes of runs that belong together: pairs, speedup, aligned calls, predictions."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from werkzeug.test import Client, TestResponse

from genscope.analysis.speedup.results import Speedup
from genscope.analysis.speedup.table import table_of
from genscope.cli.main import main
from genscope.tensorboard.loader import Loader
from genscope.tensorboard.reading import Progress
from tests.analysis.speedup.unet import recorded_pair
from tests.tensorboard.support import (
    DATA,
    FILE,
    PATIENCE_S,
    Watched,
    by_id,
    client,
    opened_files,
    settled,
    trace_text,
    until,
    write,
)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pair")
    recorded_pair(folder)
    return folder


@pytest.fixture
def pair(recorded: Path, tmp_path: Path) -> Path:
    """A logdir with the two runs of a pair, and one that has no attention."""
    folder = tmp_path / "pair"
    shutil.copytree(recorded, folder)
    write(folder / "other" / FILE, trace_text())
    return folder


@pytest.fixture
def told(recorded: Path, tmp_path: Path) -> dict[str, Any]:
    """What the command line says of the pair, as JSON."""
    out = tmp_path / "speedup.json"
    command = ["report", str(recorded / "flash"), "--view", "speedup"]
    command += ["--against", str(recorded / "math"), "--format", "json", "-o", str(out)]
    assert main(command) == 0
    found: dict[str, Any] = msgspec.json.decode(out.read_bytes())
    return found


def ids(of: Client) -> tuple[str, str]:
    """The ids of the baseline and of the fused run."""
    runs = [*by_id(of.get(f"{DATA}/runs").json)]
    return next(run for run in runs if "math" in run), next(run for run in runs if "flash" in run)


def ask(of: Client, route: str, *runs: str, **more: Any) -> TestResponse:
    query = {"run": list(runs), **more}
    return settled(lambda: of.get(f"{DATA}/{route}", query_string=query))


def rows(of: Client, *runs: str, **more: Any) -> list[dict[str, Any]]:
    """All rows of a list, a window at a time."""
    found: list[dict[str, Any]] = []
    while True:
        answer = ask(of, "aligned", *runs, first=len(found), count=4, **more).json
        found += answer["calls"][len(found) - answer["first"] :]
        if len(found) == answer["total"]:
            return found


def test_pairs_are_found_by_what_was_run(pair: Path) -> None:
    of = client(pair)
    baseline, fused = ids(of)
    other = f"other/{FILE}"
    answer = ask(of, "pairs", fused, other, baseline).json
    ((found),) = answer["pairs"]
    assert (found["baseline"], found["fused"]) == (baseline, fused)
    assert list(answer["alone"]) == [other] and answer["errors"] == []
    assert answer["tables"] == []


def test_pairs_read_only_the_runs_that_are_named(pair: Path) -> None:
    of = client(pair)
    baseline, fused = ids(of)
    with opened_files() as opened:
        ask(of, "pairs", baseline)
    assert str(pair / baseline) in opened
    assert str(pair / fused) not in opened
    assert by_id(of.get(f"{DATA}/runs").json)[fused]["state"] == "unread"


def test_a_run_that_cannot_be_read_is_alone(pair: Path) -> None:
    write(pair / "bad" / FILE, "no trace")
    of = client(pair)
    answer = ask(of, "pairs", *ids(of), f"bad/{FILE}")
    assert answer.status_code == 200
    assert len(answer.json["pairs"]) == 1
    assert list(answer.json["alone"]) == [f"bad/{FILE}"]
    (error,) = answer.json["errors"]
    assert (error["run"], error["file"]) == (f"bad/{FILE}", FILE)


def test_the_speedup_is_that_of_the_command_line_without_its_calls(
    pair: Path, told: dict[str, Any]
) -> None:
    of = client(pair)
    answer = ask(of, "speedup", *ids(of))
    assert answer.status_code == 200
    assert answer.json == {**told, "calls": [], "unaligned": []}
    msgspec.json.decode(answer.data, type=Speedup)


def test_windows_of_aligned_calls_put_together_are_those_of_the_command_line(
    pair: Path, told: dict[str, Any]
) -> None:
    of = client(pair)
    runs = ids(of)
    found = rows(of, *runs)
    assert found == told["calls"] and len(found) == 9
    assert rows(of, *runs, which="unaligned") == told["unaligned"]
    (aligned,) = (row for row in told["module"] if row["scope"] == "aligned")
    assert sum(call["baseline_ns"] for call in found) == aligned["baseline_ns"]
    assert sum(call["fused_ns"] for call in found) == aligned["fused_ns"]


def test_aligned_calls_are_sorted_and_found(pair: Path) -> None:
    of = client(pair)
    runs = ids(of)
    slow = rows(of, *runs, sort="baseline_ns", descending=1)
    times = [call["baseline_ns"] for call in slow]
    assert times == sorted(times, reverse=True)
    index = slow[6]["fused_index"]
    answer = ask(
        of, "aligned", *runs, sort="baseline_ns", descending=1, count=3, at=index, at_run="fused"
    ).json
    assert answer["first"] == 5 and answer["calls"] == slow[5:8]
    assert (answer["sort"], answer["descending"], answer["total"]) == ("baseline_ns", True, 9)


def test_filters_hold_for_pairs_too(pair: Path) -> None:
    of = client(pair)
    runs = ids(of)
    every = rows(of, *runs)
    assert rows(of, *runs, kind="self") == every
    assert rows(of, *runs, kind="cross") == []
    assert ask(of, "speedup", *runs, kind="cross").json["aligned"] == 0
    backward = ask(of, "speedup", *runs, **{"pass": "backward"}).json
    assert backward["aligned"] == 0 and backward["baseline"]["sum_ns"] == 0


def test_a_pair_that_is_read_says_how_far_it_is(pair: Path) -> None:
    go = threading.Event()

    def read(path: str, progress: Progress) -> None:
        assert "math" in path or go.wait(PATIENCE_S)

    of = client(pair, loader=Loader(Watched(read)))
    runs = ids(of)
    response = until(
        lambda: of.get(f"{DATA}/speedup", query_string={"run": list(runs)}),
        lambda got: [run["state"] for run in got.json["runs"].values()] == ["ready", "reading"],
    )
    assert response.status_code == 202 and list(response.json["runs"]) == list(runs)
    go.set()
    assert ask(of, "speedup", *runs).status_code == 200


def test_what_a_run_contributes_is_kept(pair: Path) -> None:
    of = client(pair)
    runs = ids(of)
    first = ask(of, "speedup", *runs).data
    later = client(pair)
    with opened_files() as opened:
        assert ask(later, "speedup", *runs).data == first
    assert not [path for path in opened if str(pair) in path and path.endswith((".gz", ".json"))]


@pytest.mark.parametrize("route", ["speedup", "aligned"])
def test_what_cannot_be_used_is_named(pair: Path, route: str) -> None:
    write(pair / "bad" / FILE, "no trace")
    of = client(pair)
    answer = ask(of, route, ids(of)[0], f"bad/{FILE}")
    assert answer.status_code == 422
    assert [error["run"] for error in answer.json["errors"]] == [f"bad/{FILE}"]


@pytest.mark.parametrize(
    ("route", "query"),
    [
        ("pairs", {}),
        ("speedup", {"run": "{0}"}),
        ("speedup", {"run": ["{0}", "{0}"]}),
        ("speedup", {"run": ["{0}", "{1}"], "pass": "sideways"}),
        ("aligned", {"run": ["{0}", "{1}"], "which": "both"}),
        ("aligned", {"run": ["{0}", "{1}"], "sort": "start_ns"}),
        ("aligned", {"run": ["{0}", "{1}"], "at_run": "third"}),
        ("aligned", {"run": ["{0}", "{1}"], "count": "2001"}),
        ("prediction", {"run": ["{0}", "{1}"]}),
        ("prediction", {"run": ["{0}", "{0}", "{1}"], "table": "times.json"}),
        ("prediction", {}),
    ],
)
def test_nonsense_is_refused(pair: Path, route: str, query: dict[str, Any]) -> None:
    of = client(pair)
    runs = ids(of)
    named = {
        name: [one.format(*runs) for one in ([value] if isinstance(value, str) else value)]
        for name, value in query.items()
    }
    assert of.get(f"{DATA}/{route}", query_string=named).status_code == 400


@pytest.mark.parametrize("route", ["pairs", "speedup", "aligned", "prediction"])
def test_a_run_that_is_not_there(pair: Path, route: str) -> None:
    of = client(pair)
    runs = [*ids(of), "nosuchrun"]
    response = ask(of, route, *(runs if route in ("pairs", "prediction") else runs[1:]))
    assert response.status_code == 404
    assert response.json["error"]["file"] == "nosuchrun"


def test_a_run_alone_tells_the_limit(pair: Path) -> None:
    of = client(pair)
    answer = ask(of, "prediction", ids(of)[0]).json
    assert answer["predicted"] == [] and answer["limit_speedup"] > 1
    assert [warning["code"] for warning in answer["warnings"]] == ["no_table"]


def test_a_run_is_predicted_from_a_pair(pair: Path) -> None:
    of = client(pair)
    baseline, fused = ids(of)
    answer = ask(of, "prediction", baseline, baseline, fused).json
    assert answer["source"] == "pair on CPU"
    speedups = {run["implementation"]: run["speedup"] for run in answer["predicted"]}
    assert set(speedups) == {"math", "flash"} and speedups["math"] == 1


def test_nothing_is_carried_over_from_another_device(pair: Path) -> None:
    of = client(pair)
    other = f"other/{FILE}"
    answer = ask(of, "prediction", other, *ids(of)).json
    assert answer["predicted"] == [] and answer["source"] is None
    assert [warning["code"] for warning in answer["warnings"]] == ["other_device"]


@pytest.fixture
def tables(pair: Path, told: dict[str, Any]) -> Iterator[Path]:
    """The logdir with a table as `genscope replay -o` writes it, and a speedup's JSON."""
    speedup = msgspec.convert(told, Speedup)
    table = msgspec.structs.replace(table_of(speedup), source="replay", device_name="a CPU")
    (pair / "times.json").write_bytes(msgspec.json.encode(table))
    (pair / "below").mkdir()
    (pair / "below" / "gained.json").write_bytes(msgspec.json.encode(speedup))
    (pair / "cut.json").write_bytes(msgspec.json.encode(table)[:-20])
    yield pair


def test_tables_under_the_logdir_are_offered(tables: Path) -> None:
    of = client(tables)
    runs = ids(of)
    listed = {row["id"]: row for row in ask(of, "pairs", *runs).json["tables"]}
    assert set(listed) == {"times.json", "below/gained.json"}
    row = listed["times.json"]
    assert (row["source"], row["device"], row["device_name"]) == ("replay", "cpu", "a CPU")
    assert row["implementations"] == ["flash", "math"] and row["shapes"] == 2
    # They are no runs.
    assert not {*listed} & {*by_id(of.get(f"{DATA}/runs").json)}
    for name in listed:
        answer = ask(of, "prediction", runs[0], table=name).json
        assert {run["implementation"] for run in answer["predicted"]} == {"math", "flash"}


@pytest.mark.parametrize("name", ["../times.json", "/etc/passwd", "cut.json", "none.json"])
def test_only_tables_under_the_logdir_are_opened(tables: Path, name: str) -> None:
    shutil.copy(tables / "times.json", tables.parent / "times.json")
    of = client(tables)
    runs = ids(of)
    with opened_files() as opened:
        answer = ask(of, "prediction", runs[0], table=name)
    assert answer.status_code == (422 if name == "cut.json" else 404)
    assert answer.json["error"]["file"] == name
    assert str(tables.parent / "times.json") not in opened and "/etc/passwd" not in opened
