"""`genscope merge`, as a user runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.run import genscope
from tests.perfetto.reader import read
from tests.perfetto.test_merge import SKEW_US, made


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    made(0, folder, world=4)
    made(1, folder, world=4, skew_us=SKEW_US)
    return folder


def test_a_folder_of_ranks_becomes_one_trace(run: Path) -> None:
    out = run / "run.pftrace"
    for _ in range(2):  # The second time what was written is there.
        done = genscope("merge", run, "-o", out)
        assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert lines[0] == f"{out}: 0.0 MB, 2 ranks, 20 slices, 2 flows"
    assert lines[1] == "rank 0: clock by its epoch time"
    assert lines[2] == (
        "rank 1: shifted by -5,000.0 µs: 5 collectives matched, ends 5,000.0 µs apart, "
        "then 1.0 µs (median)"
    )
    assert lines[3] == "2 of 4 ranks are missing: 2-3"
    assert len(read(out).of_source()) == 20


def test_two_files_of_one_rank(run: Path) -> None:
    first = next(run.glob("*1.pt.trace.json"))
    second = run / "again.pt.trace.json"
    second.write_bytes(first.read_bytes())
    done = genscope("merge", run, "-o", run / "run.pftrace")
    assert done.returncode == 2
    said = done.stderr.decode()
    assert said.count("\n") == 1 and first.name in said and second.name in said
    assert not (run / "run.pftrace").exists()


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("run.json", "end it in .pftrace"),
        ("missing/run.pftrace", "there is no such folder"),
        ("host_9.1712345670.pt.trace.json", "this is what is read"),
    ],
)
def test_what_cannot_be_written_is_said(run: Path, output: str, said: str) -> None:
    done = genscope("merge", run, "-o", run / output)
    assert done.returncode == 2
    assert said in done.stderr.decode()


def test_native_traces_are_no_ranks(run: Path) -> None:
    out = run / "run.pftrace"
    genscope("merge", run, "-o", out)
    done = genscope("merge", out, "-o", run / "again.pftrace")
    assert done.returncode == 2
    assert b"is a native trace already" in done.stderr


def test_a_folder_without_traces(tmp_path: Path) -> None:
    done = genscope("merge", tmp_path, "-o", tmp_path / "run.pftrace")
    assert done.returncode == 2
    assert done.stderr.decode() == f"genscope: {tmp_path}: no trace in this directory\n"
