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

from genscope.analysis.results import Comparison, Operators, Overview
from genscope.tensorboard.loader import Loader
from genscope.tensorboard.plugin import GenScopePlugin
from genscope.tensorboard.reading import Progress
from tests.tensorboard.support import (
    DATA,
    PATIENCE_S,
    Watched,
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
    def read(path: str, progress: Progress) -> None:
        raise AssertionError("read")

    of = client(logdir, loader=Loader(Watched(read)))
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

    def read(path: str, progress: Progress) -> None:
        progress(11, None)
        assert go.wait(PATIENCE_S)

    of = client(logdir, loader=Loader(Watched(read), readers=1))
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
    of = client(logdir, loader=Loader(Watched(lambda path, _: reads.append(path))))
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


@pytest.mark.parametrize("route", ["operators", "overview", "compare", "cancel"])
@pytest.mark.parametrize("query", ["", "run=", "other=1"])
def test_no_run_named(logdir: Path, route: str, query: str) -> None:
    response = client(logdir).get(f"{DATA}/{route}", query_string=query)
    assert response.status_code == 400
    assert "run=" in response.json["error"]["message"]


@pytest.mark.parametrize("route", ["operators", "overview", "compare", "cancel"])
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

    def read(path: str, progress: Progress) -> None:
        assert path.endswith(FILE) or go.wait(PATIENCE_S)

    of = client(logdir, loader=Loader(Watched(read)))
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


def test_overview_of_a_real_file(logdir: Path) -> None:
    of = client(logdir)
    response = settled(lambda: of.get(f"{DATA}/overview", query_string={"run": f"base/{FILE}"}))
    assert response.status_code == 200
    result = msgspec.json.decode(response.data, type=Overview)
    assert (result.view, result.trace, result.categories) == ("overview", FILE, {"Linear": 200_000})
    assert result.sentence


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


@pytest.mark.parametrize("route", ["operators", "overview", "compare", "cancel"])
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


def test_cancel(logdir: Path) -> None:
    go = threading.Event()

    def read(path: str, progress: Progress) -> None:
        progress(11, None)
        assert go.wait(PATIENCE_S)
        progress(12, None)

    of = client(logdir, loader=Loader(Watched(read), readers=1))
    size = (logdir / "base" / FILE).stat().st_size
    url = f"run=base/{FILE}"
    of.get(f"{DATA}/operators?{url}")
    until(lambda: of.get(f"{DATA}/operators?{url}").json["read_bytes"], bool)
    response = of.get(f"{DATA}/cancel?{url}")
    assert response.status_code == 200
    assert response.json == {"state": "unread", "read_bytes": 0, "size_bytes": size}
    assert by_id(of.get(f"{DATA}/runs").json)[f"base/{FILE}"]["state"] == "unread"
    go.set()
    assert operators(of, f"base/{FILE}").status_code == 200
    assert of.get(f"{DATA}/cancel?{url}").json["state"] == "ready"


def test_cancel_of_what_is_not_there(logdir: Path) -> None:
    assert client(logdir).get(f"{DATA}/cancel").status_code == 400
    assert client(logdir).get(f"{DATA}/cancel?run=../secret.json").status_code == 404


def test_what_another_tensorboard_has_read_is_there_at_once(logdir: Path) -> None:
    url = f"{DATA}/operators?run=base/{FILE}"
    other = client(logdir)
    first = settled(lambda: other.get(url)).data
    reading = Watched(lambda path, _: pytest.fail(f"{path} was read again"))
    response = client(logdir, loader=Loader(reading)).get(url)
    assert (response.status_code, response.data) == (200, first)


def test_data_are_nothing_to_a_browser_that_is_led_to_show_them(logdir: Path) -> None:
    of = client(logdir)
    for response in (of.get(f"{DATA}/runs"), operators(of, f"base/{FILE}"), operators(of, "no")):
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


ROUTES = [
    "runs",
    "operators",
    "overview",
    "compare",
    "cancel",
    f"operators?run=base/{FILE}",
    f"overview?run=base/{FILE}&pass=forward",
    f"cancel?run=base/{FILE}",
    "index.js",
    "assets/x.js",
]


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
