"""Trimmed copies of runs say what the runs say."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from genscope.suite.trim import UNREAD, main, trim, trimmed

OP = {
    "ph": "X",
    "cat": "cpu_op",
    "name": "aten::mm",
    "pid": 1,
    "tid": 1,
    "ts": 4594059603167.047,
    "dur": 12.346,
    "args": {
        "External id": 7,
        "Record function id": 3,
        "Ev Idx": 9,
        "Input Dims": [[2, 3], [3, 4]],
        "Input Strides": [[3, 1], [4, 1]],
        "Input type": ["float", "float"],
        "Concrete Inputs": ["", ""],
    },
}
KEPT = {"Input Dims", "Input type", "Concrete Inputs"}


def written(folder: Path, **more: Any) -> Path:
    path = folder / "muse" / "tiny" / "math" / "cpu.1795451130341915780.pt.trace.json.gz"
    path.parent.mkdir(parents=True)
    document = {"schemaVersion": 1, "traceEvents": [OP, {"ph": "M", "name": "x"}], **more}
    path.write_bytes(gzip.compress(json.dumps(document, indent=4).encode()))
    return path


def test_only_what_no_view_reads_is_left_out(tmp_path: Path) -> None:
    source = written(tmp_path, genscope={"version": 1}, traceName="/somewhere/trace.json")
    made = json.loads(gzip.decompress(trimmed(source)))
    event, other = made["traceEvents"]
    assert event["args"].keys() == KEPT == OP["args"].keys() - set(UNREAD)  # type: ignore[attr-defined]
    assert {**event, "args": {}} == {**OP, "args": {}}
    assert other == {"ph": "M", "name": "x"}
    assert made["genscope"] == {"version": 1}
    assert "traceName" not in made
    assert trimmed(source) == trimmed(source)


def test_folders_are_kept_and_files_named_without_the_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "runs")
    assert main([str(tmp_path / "runs"), str(tmp_path / "small")]) == 0
    (copy,) = (tmp_path / "small").rglob("*.gz")
    assert copy.relative_to(tmp_path / "small") == Path("muse/tiny/math/cpu.pt.trace.json.gz")
    assert "traces: 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"deviceProperties": [{"id": 0}]}, "events of a device"),
        ({"traceEvents": None}, "no events"),
    ],
)
def test_what_is_no_run_on_a_cpu_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: dict[str, Any], said: str
) -> None:
    source = written(tmp_path / "runs", **more)
    with pytest.raises(ValueError, match=source.name):
        trim(tmp_path / "runs", tmp_path / "small")
    assert main([str(tmp_path / "runs"), str(tmp_path / "small")]) == 2
    assert said in capsys.readouterr().err
