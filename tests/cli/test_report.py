from __future__ import annotations

import gzip
import os
import pty
import subprocess
from pathlib import Path

import fsspec
import msgspec
import pytest

from genscope.analysis.flops.joined import operator_work, with_work
from genscope.analysis.operators import breakdown
from genscope.analysis.results import Operators
from genscope.cli.main import main
from genscope.trace import load
from tests.cli.run import COMMAND, environment, genscope


def test_json_alone_is_on_stdout_and_is_the_result_of_the_analysis(recorded: Path) -> None:
    done = genscope("report", recorded, "--format", "json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"}\n") and done.stdout.count(b"\n") == 1
    decoded = msgspec.json.decode(done.stdout, type=Operators)
    trace = load(recorded)
    assert decoded == with_work(breakdown(trace), operator_work(trace))
    assert decoded.basis == "cpu_self"
    assert "Attention" in {row.category for row in decoded.categories}


def test_text_says_the_basis_and_the_largest_category(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(recorded)]) == 0
    out, err = capsys.readouterr()
    result = breakdown(load(recorded))
    top = max(result.categories, key=lambda row: row.sum_ns)
    assert out.startswith(f"{top.category} takes ")
    assert "of CPU self time" in out.splitlines()[0]
    for row in result.categories:
        assert row.category in out
    assert err == ""


def test_markdown_has_tables(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(recorded), "--format", "markdown", "--depth", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("**")
    assert "| name | sum | busy | share | calls | rate | FLOPs/byte | FLOPs | rule |" in out


def test_a_directory_and_a_url_give_what_the_file_gives(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / recorded.name).write_bytes(recorded.read_bytes())
    with fsspec.open(f"memory://runs/{recorded.name}", "wb") as file:
        file.write(recorded.read_bytes())
    said = []
    for path in (recorded, folder, f"memory://runs/{recorded.name}", recorded.as_uri()):
        assert main(["report", str(path), "--format", "json"]) == 0
        said.append(capsys.readouterr().out)
    assert len(set(said)) == 1


def test_a_damaged_trace_is_status_0_with_warnings_in_the_result(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.json.gz"
    cut.write_bytes(gzip.compress(recorded.read_bytes())[:-2000])
    assert main(["report", str(cut), "--format", "json"]) == 0
    warnings = msgspec.json.decode(capsys.readouterr().out)["warnings"]
    assert "truncated" in {warning["code"] for warning in warnings}
    assert main(["report", str(cut)]) == 0
    out, err = capsys.readouterr()
    assert "Warning: The file ends early" in out[out.rindex("%") :]
    assert err == ""


def test_hostile_names_in_a_trace_are_printed_as_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    name = "[red]x[/red]\x1b[31m<b>|`"
    event = {"ph": "X", "cat": "kernel", "name": name, "pid": 0, "tid": 7, "ts": 1, "dur": 5}
    event["args"] = {"device": 0, "stream": 7, "correlation": 1}
    path = tmp_path / "evil.json"
    path.write_bytes(msgspec.json.encode({"schemaVersion": 1, "traceEvents": [event]}))
    assert main(["report", str(path)]) == 0
    assert r"[red]x[/red]\x1b[31m<b>|`" in capsys.readouterr().out
    assert main(["report", str(path), "--format", "markdown"]) == 0
    assert r"\[red\]x\[/red\]\\x1b\[31m&lt;b&gt;\|\`" in capsys.readouterr().out
    assert main(["report", str(path), "--format", "json"]) == 0
    (category,) = msgspec.json.decode(capsys.readouterr().out, type=Operators).categories
    names = {row.name for row in category.children}
    names |= {row.name for child in category.children for row in child.children}
    assert name in names


def test_a_file_name_that_is_not_utf8_is_no_obstacle(recorded: Path, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.json"
    try:
        with open(path, "wb") as file:
            file.write(recorded.read_bytes())
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    for style in ("text", "markdown", "json"):
        done = genscope("report", os.fsdecode(path), "--format", style)
        assert (done.returncode, done.stderr) == (0, b"")
        done.stdout.decode("utf-8")


def test_progress_is_on_a_terminals_stderr_and_never_on_stdout(recorded: Path) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [*COMMAND, "report", str(recorded), "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment(TERM="xterm-256color"),
        check=True,
    )
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    msgspec.json.decode(done.stdout, type=Operators)
    assert b"Reading tiny.pt.trace.json" in seen


def test_an_ascii_terminal_gets_ascii(recorded: Path) -> None:
    done = genscope("report", recorded, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    done.stdout.decode("ascii")
    assert b"us" in done.stdout


@pytest.mark.parametrize("width", [80, 160])
def test_text_keeps_to_the_width_that_is_asked_for(recorded: Path, width: int) -> None:
    done = genscope("report", recorded, COLUMNS=str(width))
    assert max(map(len, done.stdout.decode().splitlines())) <= width


def test_a_recorded_gpu_trace(shared_traces: Path) -> None:
    path = shared_traces / "llm-prefill-qwen1.5-h100.json.gz"
    done = genscope("report", path, "--format", "json")
    assert (done.returncode, done.stderr) == (0, b"")
    result = msgspec.json.decode(done.stdout, type=Operators)
    assert result.basis == "device"
    assert round(result.device_sum_ns / 1e6, 1) == 45.6
    text = genscope("report", path).stdout.decode()
    assert "45.6 ms" in text and "30.1 % of device time" in text
