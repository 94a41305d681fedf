"""`genscope report` shows attention in every view and format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genscope.cli.main import main

TRACE = Path(__file__).parents[2] / "samples/traces/video-timesformer-h100"


@pytest.mark.parametrize(
    ("view", "text"),
    [
        ("attention", "24 attention calls"),
        ("sequence", "a pattern of 2 calls"),
        ("phases", "encode"),
        ("spatial-temporal", "392x fewer FLOPs"),
    ],
)
@pytest.mark.parametrize("form", ["text", "markdown"])
def test_words(view: str, text: str, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(TRACE), "--view", view, "--format", form]) in (None, 0)
    assert text in capsys.readouterr().out


def test_json_has_all_calls(capsys: pytest.CaptureFixture[str]) -> None:
    main(["report", str(TRACE), "--view", "attention", "--pass", "all", "--format", "json"])
    result = json.loads(capsys.readouterr().out)
    assert [call["q_len"] for call in result["calls"]] == [8, 3137] * 12
    assert result["category_ns"] == result["time_ns"]


def test_html_has_no_such_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = str(tmp_path / "report.html")
    command = ["report", str(TRACE), "--view", "phases", "--format", "html", "-o", target]
    try:
        code = main(command)
    except SystemExit as stop:
        code = int(stop.code or 0)
    assert code == 2
    assert "no page for --view phases" in capsys.readouterr().err
