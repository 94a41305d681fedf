from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from genscope.analysis.overview import overview
from genscope.analysis.results import Overview
from genscope.cli.main import main
from genscope.trace import load


def test_the_overview_says_what_limits_a_run_and_where_its_device_waits(
    shared_traces: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shared_traces / "llm-prefill-qwen1.5-h100.json.gz"
    result = overview(load(path))
    assert main(["report", str(path), "--view", "overview"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("The device is busy 91.7 % of the time")
    assert "45.6 ms, 91.7 % of wall time" in out
    assert all(row.cause in out for row in result.waiting)
    assert f"The 5 largest of {len(result.gaps)}" in out
    assert main(["report", str(path), "--view", "overview", "--format", "markdown"]) == 0
    assert "### Where the device waits" in capsys.readouterr().out


def test_a_run_on_the_cpu_has_no_device_to_wait(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(recorded), "--view", "overview"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("The run is on the CPU")
    assert "waits" not in out
    assert main(["report", str(recorded), "--view", "overview", "--format", "json"]) == 0
    decoded = msgspec.json.decode(capsys.readouterr().out, type=Overview)
    assert decoded == overview(load(recorded))
