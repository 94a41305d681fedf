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
def test_words(
    view: str,
    text: str,
    form: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["report", str(TRACE), "--view", view, "--format", form]) in (None, 0)
    assert text in capsys.readouterr().out


def test_json_has_all_calls(capsys: pytest.CaptureFixture[str]) -> None:
    main(["report", str(TRACE), "--view", "attention", "--pass", "all", "--format", "json"])
    result = json.loads(capsys.readouterr().out)
    assert [call["q_len"] for call in result["calls"]] == [8, 3137] * 12
    assert result["category_ns"] == result["time_ns"]


def test_html_has_whole_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "report.html"
    command = ["report", str(TRACE), "--view", "phases", "--axis", "temporal", "--format", "html"]
    assert main([*command, "-o", str(target)]) == 2
    assert "an HTML report takes no --axis" in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.parametrize(
    ("view", "options", "calls"),
    [
        ("attention", ["--axis", "temporal"], 12),
        ("attention", ["--axis", "temporal,spatial", "--kind", "self"], 24),
        ("attention", ["--kind", "none"], 0),
        ("sequence", ["--axis", "spatial", "--phase", "encode"], 12),
        ("spatial-temporal", ["--axis", "spatial"], 12),
        ("phases", ["--axis", "temporal"], 12),
    ],
)
def test_only_some_calls(
    view: str, options: list[str], calls: int, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["report", str(TRACE), "--view", view, *options, "--format", "json"])
    result = json.loads(capsys.readouterr().out)
    counted = {
        "attention": lambda: len(result["calls"]),
        "sequence": lambda: result["calls"],
        "spatial-temporal": lambda: sum(row["calls"] for row in result["axes"]),
        "phases": lambda: sum(row["calls"] for row in result["phases"]),
    }
    assert counted[view]() == calls
    main(["report", str(TRACE), "--view", view, *options])
    assert options[1].replace(",", " or ").split()[0] in capsys.readouterr().out


def test_frames_over_several_traces(capsys: pytest.CaptureFixture[str]) -> None:
    other = str(TRACE.parent / "llm-prefill-qwen1.5-h100")
    assert main(["report", str(TRACE), other, "--view", "frames", "--format", "json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert {point["axis"] for point in result["points"]} == {"spatial", "temporal"}
    [left_out] = result["left_out"]
    assert "llm-prefill-qwen1.5-h100" in left_out["run"]
    assert main(["report", str(TRACE), "--view", "frames"]) == 0
    assert "temporal" in capsys.readouterr().out


def test_other_views_take_one_trace(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(TRACE), str(TRACE), "--view", "sequence"]) == 2
    assert "genscope compare" in capsys.readouterr().err
