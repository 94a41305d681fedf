"""`genscope report --view memory` and `memory-growth`, in every format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genscope.cli.main import main
from tests.analysis.memory import made

TRACE = Path(__file__).parents[2] / "samples/traces/video-timesformer-h100"


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Stable Diffusion at three sizes."""
    found = []
    for px in (128, 256, 512):
        folder = tmp_path_factory.mktemp(f"sd{px}-")
        scale = (px / 512) ** 2
        calls = {round(length * scale): count for length, count in made.SD_CALLS.items()}
        made.unet(folder, calls=calls, px=px)
        found.append(folder / "trace.json")
    return found


def run(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert main(["report", *args]) in (None, 0)
    return capsys.readouterr().out


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_unet_beside_the_formula(
    form: str,
    sizes: list[Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = run(capsys, str(sizes[2]), "--view", "memory", "--format", form)
    for figure in ("73,239,168", "183,070,848", "2.4996 times", "3.58", "record with profile_m"):
        assert figure in said.replace("\n", " ").replace("\\_", "_")
    assert "Score matrices of one step" in said and "Exponents" in said


def test_json(sizes: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    result = json.loads(run(capsys, str(sizes[2]), "--view", "memory", "--format", "json"))
    assert result["view"] == "memory" and result["schema_version"] == 1
    assert result["similarity"]["paper_bytes"] == 73_239_168
    assert len(result["stages"]) == 8 and result["measured"]["devices"] == []


def test_a_recorded_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = run(capsys, str(TRACE), "--view", "memory")
    assert "At its peak cuda:0 has 4.18 GiB allocated" in said
    assert "At the peak of cuda:0" in said and "before the recording" in said


def test_growth_over_traces(
    sizes: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    paths = [str(path) for path in sizes]
    said = run(capsys, *paths, str(TRACE), "--view", "memory-growth")
    assert "Over 3 traces of 128 to 512 px" in said and "no attention call belongs" in said
    result = json.loads(run(capsys, *paths, "--view", "memory-growth", "--format", "json"))
    assert [point["image_size_px"] for point in result["points"]] == [128, 256, 512]
    assert result["points"][2]["bytes"] == 183_070_848
