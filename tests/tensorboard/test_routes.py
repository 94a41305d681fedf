"""The routes of one run under `data/plugin/genscope/`, on real files."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from genscope.analysis.results import Operators, Overview
from genscope.tensorboard.loader import Loader
from genscope.tensorboard.reading import Progress
from tests.tensorboard.support import (
    DATA,
    FILE,
    PATIENCE_S,
    Watched,
    by_id,
    client,
    operators,
    set_age,
    settled,
    trace_text,
    until,
    write,
)


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


def test_overview_of_a_real_file(logdir: Path) -> None:
    of = client(logdir)
    response = settled(lambda: of.get(f"{DATA}/overview", query_string={"run": f"base/{FILE}"}))
    assert response.status_code == 200
    result = msgspec.json.decode(response.data, type=Overview)
    assert (result.view, result.trace, result.categories) == ("overview", FILE, {"Linear": 200_000})
    assert result.sentence


def test_timeline_of_a_stretch(logdir: Path) -> None:
    of = client(logdir)
    overview = settled(lambda: of.get(f"{DATA}/overview?run=base/{FILE}")).json
    # The first kernel runs from 40 to 90 µs after the first event, of which a part is asked for.
    stretch = f"{DATA}/timeline?run=base/{FILE}&from_ns=60000&to_ns=60100"
    strip = settled(lambda: of.get(stretch)).json["strip"]
    assert (strip["start_ns"], strip["bin_ns"], strip["bins"]) == (60_000, 1, 100)
    assert strip["categories"] == overview["strip"]["categories"]
    assert strip["busy_ns"] == [[1] * 100] and strip["device_busy_ns"] == [1] * 100
    assert of.get(stretch).status_code == 200
    filtered = settled(lambda: of.get(f"{stretch}&pass=backward")).json["strip"]
    assert sum(filtered["device_busy_ns"]) == 0
    beyond = f"{DATA}/timeline?run=base/{FILE}&from_ns=900000000&to_ns=900001000"
    assert sum(settled(lambda: of.get(beyond)).json["strip"]["device_busy_ns"]) == 0


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


def test_roofline_and_the_work_behind_the_operators(logdir: Path) -> None:
    of = client(logdir)
    query = {"run": f"base/{FILE}"}
    own = settled(lambda: of.get(f"{DATA}/roofline", query_string=query)).json
    assert (own["view"], own["device"], own["as_if"]) == ("roofline", None, False)
    wanted = query | {"device": own["devices"][0], "pass": "forward"}
    named = settled(lambda: of.get(f"{DATA}/roofline", query_string=wanted)).json
    assert named["device"]["name"] == own["devices"][0]
    assert named["as_if"]
    assert named["selection"]["passes"] == ["forward"]
    work = settled(lambda: of.get(f"{DATA}/work", query_string=query)).json
    assert (work["view"], work["basis"]) == ("work", "device")
    refused = of.get(f"{DATA}/roofline", query_string=query | {"device": "a toaster"})
    assert refused.status_code == 400
