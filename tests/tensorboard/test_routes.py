"""What the page relies on: the routes under `data/plugin/genscope/`, on real files."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import fsspec
import msgspec
import pytest
from tensorboard.backend.application import TensorBoardWSGI
from werkzeug.test import Client, TestResponse

from genscope.analysis.results import Comparison, Operators
from genscope.tensorboard.loader import Loader, Progress
from genscope.tensorboard.plugin import GenScopePlugin
from genscope.tensorboard.reading import read_operators
from tests.tensorboard.support import (
    DATA,
    PATIENCE_S,
    by_id,
    client,
    context,
    set_age,
    settled,
    trace_text,
    until,
    write,
)

FILE = "host.1.pt.trace.json"


@pytest.fixture
def logdir(tmp_path: Path) -> Path:
    """Two runs, one with twice the work of the other."""
    write(tmp_path / "base" / FILE, trace_text(4))
    write(tmp_path / "new" / f"{FILE}.gz", trace_text(2))
    return tmp_path


def operators(of: Client, run: str) -> TestResponse:
    return settled(lambda: of.get(f"{DATA}/operators", query_string={"run": run}))


def compared(of: Client, *runs: str) -> TestResponse:
    return settled(lambda: of.get(f"{DATA}/compare", query_string={"run": list(runs)}))


def test_runs(logdir: Path) -> None:
    response = client(logdir).get(f"{DATA}/runs")
    size = (logdir / "base" / FILE).stat().st_size
    assert response.status_code == 200
    assert response.json["schema_version"] == 1
    assert response.json["message"] is None
    assert [run["id"] for run in response.json["runs"]] == [f"base/{FILE}", f"new/{FILE}.gz"]
    assert response.json["runs"][0] == {
        "id": f"base/{FILE}",
        "label": "base",
        "run": "base",
        "file": FILE,
        "size_bytes": size,
        "state": "unread",
        "read_bytes": 0,
        "error": None,
    }


def test_runs_says_what_is_wrong(tmp_path: Path) -> None:
    answer = client(tmp_path).get(f"{DATA}/runs").json
    assert answer["runs"] == []
    assert str(tmp_path) in answer["message"]


def test_listing_reads_nothing(logdir: Path) -> None:
    def read(path: str, *, progress: Progress) -> Operators:
        raise AssertionError("read")

    of = client(logdir, loader=Loader(read))
    for _ in range(3):
        states = {run["state"] for run in of.get(f"{DATA}/runs").json["runs"]}
        assert states == {"unread"}


def test_operators_of_a_real_file(logdir: Path) -> None:
    of = client(logdir)
    response = operators(of, f"base/{FILE}")
    assert response.status_code == 200
    result = msgspec.json.decode(response.data, type=Operators)
    assert (result.view, result.trace, result.basis) == ("operators", FILE, "device")
    assert result.device_sum_ns == 4 * 50_000
    assert [row.category for row in result.categories if row.sum_ns] == ["Linear"]
    run = by_id(of.get(f"{DATA}/runs").json)[f"base/{FILE}"]
    assert (run["state"], run["read_bytes"]) == ("ready", run["size_bytes"])


def test_operators_answers_while_it_reads(logdir: Path) -> None:
    go = threading.Event()

    def read(path: str, *, progress: Progress) -> Operators:
        progress(11, None)
        assert go.wait(PATIENCE_S)
        return read_operators(path, progress=progress)

    of = client(logdir, loader=Loader(read))
    size = (logdir / "base" / FILE).stat().st_size
    url = f"{DATA}/operators?run=base/{FILE}"
    assert of.get(url).status_code == 202
    response = until(lambda: of.get(url), lambda got: got.json["state"] != "queued")
    assert response.status_code == 202
    assert response.json == {"state": "reading", "read_bytes": 11, "size_bytes": size}
    other = of.get(f"{DATA}/operators?run=new/{FILE}.gz")
    assert (other.status_code, other.json["state"]) == (202, "queued")
    states = by_id(of.get(f"{DATA}/runs").json)
    assert states[f"base/{FILE}"]["state"] == "reading"
    go.set()
    assert operators(of, f"base/{FILE}").status_code == 200


def test_operators_of_a_file_that_is_no_trace(logdir: Path) -> None:
    run = f"bad/{FILE}"
    write(logdir / run, "<html>not found</html>")
    of = client(logdir)
    response = operators(of, run)
    assert response.status_code == 422
    error = response.json["error"]
    assert error["file"] == run
    assert FILE in error["message"]
    assert "\n" not in error["message"]
    listed = by_id(of.get(f"{DATA}/runs").json)[run]
    assert (listed["state"], listed["error"]) == ("failed", error["message"])


def test_a_truncated_file_gives_what_is_whole_and_a_warning(logdir: Path) -> None:
    write(logdir / "cut" / FILE, trace_text(100)[:-2000])
    response = operators(client(logdir), f"cut/{FILE}")
    assert response.status_code == 200
    assert 0 < response.json["device_sum_ns"] < 100 * 50_000
    assert response.json["warnings"]


def test_a_file_still_being_written_is_waited_for(logdir: Path) -> None:
    path = logdir / "cut" / FILE
    write(path, trace_text(100)[:-2000], age_s=0)
    reads: list[str] = []

    def read(path: str, *, progress: Progress) -> Operators:
        try:
            return read_operators(path, progress=progress)
        finally:
            reads.append(path)

    of = client(logdir, loader=Loader(read))
    url = f"{DATA}/operators?run=cut/{FILE}"
    until(lambda: of.get(url).status_code == 202 and reads, bool)
    write(path, trace_text(100))
    set_age(path, 5)
    response = settled(lambda: of.get(url))
    assert response.json["device_sum_ns"] == 100 * 50_000


def test_a_file_that_was_overwritten_is_read_again(logdir: Path) -> None:
    of = client(logdir)
    assert operators(of, f"base/{FILE}").json["device_sum_ns"] == 4 * 50_000
    write(logdir / "base" / FILE, trace_text(7))
    assert operators(of, f"base/{FILE}").json["device_sum_ns"] == 7 * 50_000


def test_a_run_that_appears_later_is_found(logdir: Path) -> None:
    of = client(logdir)
    assert operators(of, f"later/{FILE}").status_code == 404
    write(logdir / "later" / FILE)
    assert operators(of, f"later/{FILE}").status_code == 200


@pytest.mark.parametrize("route", ["operators", "compare"])
@pytest.mark.parametrize("query", ["", "run=", "other=1"])
def test_no_run_named(logdir: Path, route: str, query: str) -> None:
    response = client(logdir).get(f"{DATA}/{route}", query_string=query)
    assert response.status_code == 400
    assert "run=" in response.json["error"]["message"]


@pytest.mark.parametrize("route", ["operators", "compare"])
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

    def read(path: str, *, progress: Progress) -> Operators:
        opened.append(path)
        raise AssertionError("read")

    write(tmp_path / "secret.json")
    write(tmp_path / "logs" / "base" / FILE)
    of = client(tmp_path / "logs", loader=Loader(read))
    response = of.get(f"{DATA}/{route}?run={run}")
    assert response.status_code == 404
    assert response.json["error"]["message"]
    assert opened == []


def test_compare(logdir: Path) -> None:
    response = compared(client(logdir), f"base/{FILE}", f"new/{FILE}.gz")
    assert response.status_code == 200
    result = msgspec.json.decode(response.data, type=Comparison)
    assert result.base == "base"
    assert [(run.run, run.relative) for run in result.runs] == [("base", 1.0), ("new", 0.5)]


def test_the_first_run_is_the_base(logdir: Path) -> None:
    response = compared(client(logdir), f"new/{FILE}.gz", f"base/{FILE}", f"new/{FILE}.gz")
    assert [(run["run"], run["relative"]) for run in response.json["runs"]] == [
        ("new", 1.0),
        ("base", 2.0),
    ]


def test_compare_answers_while_it_reads(logdir: Path) -> None:
    go = threading.Event()

    def read(path: str, *, progress: Progress) -> Operators:
        assert path.endswith(FILE) or go.wait(PATIENCE_S)
        return read_operators(path, progress=progress)

    of = client(logdir, loader=Loader(read))
    base, new = f"base/{FILE}", f"new/{FILE}.gz"
    url = f"{DATA}/compare?run={base}&run={new}"
    response = until(
        lambda: of.get(url),
        lambda got: [run["state"] for run in got.json["runs"].values()] == ["ready", "reading"],
    )
    assert response.status_code == 202
    assert response.json["state"] == "reading"
    size = (logdir / base).stat().st_size
    assert response.json["runs"][base] == {
        "state": "ready",
        "read_bytes": size,
        "size_bytes": size,
    }
    go.set()
    assert compared(of, base, new).status_code == 200


def test_compare_leaves_out_what_is_broken_and_says_so(logdir: Path) -> None:
    bad = f"bad/{FILE}"
    write(logdir / bad, "no trace")
    response = compared(client(logdir), bad, f"base/{FILE}", f"new/{FILE}.gz")
    assert response.status_code == 422
    [error] = response.json["errors"]
    assert (error["run"], error["file"]) == (bad, FILE)
    assert error["message"]
    assert [run["run"] for run in response.json["comparison"]["runs"]] == ["base", "new"]


def test_compare_of_broken_files_alone(logdir: Path) -> None:
    write(logdir / "bad" / FILE, "no trace")
    response = compared(client(logdir), f"bad/{FILE}")
    assert response.status_code == 422
    assert response.json["comparison"] is None


def test_compare_with_a_run_that_is_not_there(logdir: Path) -> None:
    response = compared(client(logdir), f"base/{FILE}", "nosuchrun")
    assert response.status_code == 404
    assert response.json["error"]["file"] == "nosuchrun"


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


ROUTES = ["runs", "operators", "compare", f"operators?run=base/{FILE}", "index.js", "assets/x.js"]


@pytest.mark.parametrize("route", ROUTES)
def test_every_answer_has_the_headers_that_tensorboard_asks_for(logdir: Path, route: str) -> None:
    response = client(logdir).get(f"{DATA}/{route}")
    assert response.headers["Content-Type"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    if response.mimetype == "application/json":
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("route", ROUTES)
def test_head_has_the_headers_and_no_body(logdir: Path, route: str) -> None:
    of = client(logdir)
    get = settled(lambda: of.get(f"{DATA}/{route}"))
    head = of.head(f"{DATA}/{route}")
    assert head.status_code == get.status_code
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert head.data == b""


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods_are_refused(logdir: Path, route: str, method: str) -> None:
    response = client(logdir).open(f"{DATA}/{route}", method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_answers_are_compressed_for_clients_that_take_it(logdir: Path) -> None:
    of = client(logdir)
    assert "Content-Encoding" not in of.get(f"{DATA}/runs").headers
    response = of.get(f"{DATA}/runs", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"


def test_a_mistake_of_ours_is_no_traceback_for_the_client(
    logdir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> Comparison:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("genscope.tensorboard.plugin.compare", broken)
    response = compared(client(logdir), f"base/{FILE}")
    assert response.status_code == 500
    assert "ZeroDivisionError" in response.json["error"]["message"]
    assert "Traceback" not in response.text
    assert "secret detail" in caplog.text


def test_below_a_path_prefix(logdir: Path) -> None:
    of = client(logdir, path_prefix="/team/tb")
    assert len(of.get(f"/team/tb{DATA}/runs").json["runs"]) == 2
    assert of.get(f"/team/tb{DATA}/index.js").status_code == 200
    assert of.get(f"{DATA}/runs").status_code == 404


def test_a_context_with_nothing_in_it() -> None:
    of = Client(TensorBoardWSGI([GenScopePlugin(context())]))
    assert "--logdir" in of.get(f"{DATA}/runs").json["message"]
    listing = of.get("/data/plugins_listing").json["genscope"]
    assert listing["enabled"] is False


def test_logdir_spec(logdir: Path) -> None:
    flags = {"logdir_spec": f"x:{logdir / 'base'},y:{logdir / 'new'}"}
    of = Client(TensorBoardWSGI([GenScopePlugin(context("", **flags))]))
    runs = of.get(f"{DATA}/runs").json["runs"]
    assert [(run["id"], run["label"]) for run in runs] == [
        (f"x/{FILE}", "x"),
        (f"y/{FILE}.gz", "y"),
    ]
    assert operators(of, f"y/{FILE}.gz").json["device_sum_ns"] == 2 * 50_000


def test_a_remote_logdir(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    root = f"/{tmp_path.name}"
    memory.pipe(f"{root}/run/{FILE}", trace_text(3).encode())
    try:
        of = Client(TensorBoardWSGI([GenScopePlugin(context(f"memory:/{root}"))]))
        assert operators(of, f"run/{FILE}").json["device_sum_ns"] == 3 * 50_000
    finally:
        memory.rm(root, recursive=True)


def test_the_tab(logdir: Path) -> None:
    plugin = GenScopePlugin(context(str(logdir)))
    metadata = plugin.frontend_metadata()
    assert plugin.plugin_name == "genscope"
    assert metadata.tab_name == "GenScope"
    assert metadata.es_module_path in plugin.get_plugin_apps()
    assert metadata.element_name is None
    until(plugin.is_active, bool)
