"""`genscope export`, as a user runs it."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from tests.cli.run import genscope
from tests.paths import REPOSITORY
from tests.perfetto.reader import read

QWEN = next((REPOSITORY / "samples" / "traces" / "llm-prefill-qwen1.5-h100").glob("*.json.gz"))


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "h100.pt.trace.json.gz"
    shutil.copy(QWEN, path)
    return path


def test_a_native_trace_goes_beside_the_source(trace: Path) -> None:
    done = genscope("export", trace)
    assert (done.returncode, done.stderr) == (0, b"")
    out = trace.with_name("h100.pftrace")
    said = done.stdout.decode()
    assert said.startswith(f"{out}: 1.") and " MB, 12,080 slices, 1,198 flows\n" in said
    assert b"Attention (34)" in done.stdout
    assert len(read(out).derived("Attention")) == 34
    assert {path.name for path in trace.parent.iterdir()} == {trace.name, out.name}


def test_chrome_json_is_compressed_as_the_source_is(trace: Path) -> None:
    assert genscope("export", trace.parent, "--format", "chrome").returncode == 0
    data = gzip.decompress(trace.with_name("h100.genscope.json.gz").read_bytes())
    events = json.loads(data)["traceEvents"]
    assert sum(event.get("cat") == "genscope.attention" for event in events) == 34


def test_what_is_there_is_written_over_only_when_named(trace: Path) -> None:
    out = trace.with_name("h100.pftrace")
    out.write_bytes(b"mine")
    done = genscope("export", trace)
    assert done.returncode == 2
    assert done.stderr.decode() == (
        f"genscope: {out}: is there already; name it with -o to write over it\n"
    )
    assert out.read_bytes() == b"mine"
    assert genscope("export", trace, "-o", out).returncode == 0
    assert read(out).of_source()


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("h100.pt.trace.json.gz", "this is what is read"),
        ("missing/out.pftrace", "there is no such folder"),
    ],
)
def test_what_cannot_be_written_is_said_before_reading(trace: Path, output: str, said: str) -> None:
    done = genscope("export", trace, "-o", trace.parent / output)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert [path.name for path in trace.parent.iterdir()] == [trace.name]


def test_a_file_that_is_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    path.write_text("not a trace")
    done = genscope("export", path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1 and b"notes.json" in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["notes.json"]


def test_a_native_trace_is_one_already(trace: Path) -> None:
    genscope("export", trace)
    done = genscope("export", trace.with_name("h100.pftrace"))
    assert done.returncode == 2
    assert b"is a native trace already" in done.stderr
