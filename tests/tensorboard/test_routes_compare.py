"""The route that sets several runs side by side."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec

from genscope.analysis.results import Comparison
from genscope.tensorboard.loader import Loader
from genscope.tensorboard.reading import Progress
from tests.tensorboard.support import (
    DATA,
    FILE,
    PATIENCE_S,
    Watched,
    client,
    compared,
    until,
    write,
)


def test_compare(logdir: Path) -> None:
    response = compared(client(logdir), f"base/{FILE}", f"new/{FILE}.gz")
    assert response.status_code == 200
    result = msgspec.json.decode(response.data, type=Comparison)
    assert result.base == "base"
    assert [(run.run, run.relative) for run in result.runs] == [("base", 1.0), ("new", 0.5)]


def test_compare_gives_what_changed_down_to_the_kernel(logdir: Path) -> None:
    response = compared(client(logdir), f"base/{FILE}", f"new/{FILE}.gz")
    base, new = response.json["runs"]
    assert base["differences"] == []
    (category,) = new["differences"]
    (op,) = category["children"]
    (kernel,) = op["children"]
    names = [(row["level"], row["name"]) for row in (category, op, kernel)]
    assert names == [
        ("category", "Linear"),
        ("op", "aten::mm"),
        ("kernel", "ampere_sgemm_128x64_nn"),
    ]
    for row in (category, op, kernel):
        assert (row["base_sum_ns"], row["sum_ns"], row["delta_ns"]) == (200_000, 100_000, -100_000)
        assert (row["base_calls"], row["calls"], row["speedup"]) == (4, 2, 2.0)


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
