from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from genscope.cli.errors import Unusable
from genscope.cli.sources import labels, resolve
from tests.trace.protobuf import begin, end, process
from tests.trace.protobuf import trace as native

TRACE = b'{"schemaVersion": 1, "traceEvents": []}'


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(TRACE) if name.endswith(".gz") else TRACE)


def test_a_file_and_a_url_are_taken_as_they_are() -> None:
    assert resolve("a/b.json") == "a/b.json"
    assert resolve("s3://bucket/b.json.gz") == "s3://bucket/b.json.gz"


@pytest.mark.parametrize("name", ["run/w.1.pt.trace.json.gz", "w.pt.trace.json", "deep/er/t.json"])
def test_the_one_trace_in_a_directory_is_found(tmp_path: Path, name: str) -> None:
    fill(tmp_path, name, ".hidden/t.json")
    (tmp_path / "config.json").write_text('{"lr": 1, "graph": ["a"]}')
    (tmp_path / "broken.json.gz").write_bytes(b"\x1f\x8bnonsense")
    (tmp_path / "events.out.tfevents.1").write_bytes(b"x")
    assert resolve(str(tmp_path)) == str(tmp_path / name)


def test_of_several_traces_the_choice_is_listed_in_one_line(tmp_path: Path) -> None:
    fill(tmp_path, "a.json", "sub/b.pt.trace.json.gz")
    with pytest.raises(Unusable) as raised:
        resolve(str(tmp_path))
    assert str(raised.value) == (
        f"{tmp_path}: 2 traces in this directory, name one: a.json, sub/b.pt.trace.json.gz"
    )


def test_of_many_traces_only_some_are_listed(tmp_path: Path) -> None:
    fill(tmp_path, *(f"{i:03}.json" for i in range(150)))
    with pytest.raises(Unusable, match=r"many traces .*: 000\.json, .*007\.json, …$"):
        resolve(str(tmp_path))


def test_a_directory_without_a_trace_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(Unusable) as raised:
        resolve(str(tmp_path))
    assert str(raised.value).startswith(f"{tmp_path}: no trace in this directory")


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["x/base.json.gz", "y/flash.pt.trace.json"], ["base", "flash"]),
        (["a/w0.pt.trace.json", "b/w0.pt.trace.json"], ["a/w0", "b/w0"]),
        (["r/a/w.json", "s/a/w.json"], ["r/a/w", "s/a/w"]),
        (["t.json", "t.json", "t.json"], ["t", "t (2)", "t (3)"]),
        (["t.json", "t.json.gz"], ["t", "t (2)"]),
        (["s3://b/x.json", "./x.json"], ["b/x", "./x"]),
        (["runs/base/", "runs/flash"], ["base", "flash"]),
        (["w.json", "a/w.json"], ["w", "a/w"]),
        (["a/.json", "noending"], [".json", "noending"]),
        (
            ["r/math/h_1.1700000000000.pt.trace.json", "r/flash/h_2.1700000000001.pt.trace.json"],
            ["math", "flash"],
        ),
        (
            ["r/a/h_1.1700000000000.pt.trace.json", "r/a/h_1.1700000000001.pt.trace.json"],
            ["h_1.1700000000000", "h_1.1700000000001"],
        ),
        (["p/sd.plan.json.gz", "sd.plan.json"], ["p/sd (predicted)", "sd (predicted)"]),
        (["h_1.1700000000000.pt.trace.json"], ["h_1.1700000000000"]),
    ],
)
def test_runs_get_short_names_that_differ(paths: list[str], expected: list[str]) -> None:
    assert labels(paths) == expected


def test_a_native_trace_is_found_but_no_export_beside_its_source(tmp_path: Path) -> None:
    content = native([process(1, 5, "python"), begin(1, "aten::mm"), end(9)])
    (tmp_path / "t.pftrace").write_bytes(content)
    assert resolve(str(tmp_path)) == str(tmp_path / "t.pftrace")
    fill(tmp_path, "t.pt.trace.json.gz")
    assert resolve(str(tmp_path)) == str(tmp_path / "t.pt.trace.json.gz")
    (tmp_path / "u.pftrace.gz").write_bytes(gzip.compress(content))
    with pytest.raises(Unusable, match="2 traces"):
        resolve(str(tmp_path))
    assert labels([str(tmp_path / "t.pftrace"), str(tmp_path / "u.pftrace.gz")]) == ["t", "u"]
