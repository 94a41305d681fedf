"""`--view speedup`, the attention of a comparison, and `genscope replay`."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.speedup.comparison import AttentionComparison
from genscope.analysis.speedup.results import Prediction, Speedup, Table
from genscope.analysis.speedup.side import Side, side_of
from genscope.cli import replay
from genscope.cli.main import main
from genscope.collect import replay as measuring
from genscope.trace import Trace
from tests.analysis.speedup.unet import recorded_pair
from tests.cli.run import genscope


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("pair")
    recorded_pair(folder)
    return str(folder / "math"), str(folder / "flash")


@pytest.fixture(scope="module")
def table(pair: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("table") / "table.json")
    options = ["--device", "cpu", "--repeats", "2", "--seconds", "0.2"]
    assert main(["replay", pair[0], *options, "-o", path]) == 0
    return path


def test_a_pair_as_json(pair: tuple[str, str]) -> None:
    done = genscope(
        "report", pair[1], "--view", "speedup", "--against", pair[0], "--format", "json"
    )
    assert (done.returncode, done.stderr) == (0, b"")
    result = msgspec.json.decode(done.stdout, type=Speedup)
    assert (result.view, result.mode, result.aligned) == ("speedup", "measured", 9)
    assert result.baseline.implementations == {"math": 9}


def test_two_traces_are_the_baseline_and_the_fused_run(
    pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", *pair, "--view", "speedup", "--format", "json"]) == 0
    two = capsys.readouterr().out
    assert (
        main(["report", pair[1], "--view", "speedup", "--against", pair[0], "--format", "json"])
        == 0
    )
    assert two == capsys.readouterr().out


@pytest.mark.parametrize("style", ["text", "markdown"])
def test_a_pair_in_words(
    pair: tuple[str, str],
    style: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    command = ["report", pair[1], "--view", "speedup", "--against", pair[0], "--format", style]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "End to end " in out and "wall time without profiler" in out
    assert "9 calls of both runs." in out
    for title in ("Amdahl", "Measured less predicted", "Aligned calls by shape", "math → flash"):
        assert title in out


def test_captures_are_those_of_the_two_runs(
    pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, str]] = []

    def watched(
        trace: Trace, selection: Selection = EVERYTHING, *, capture: Trace | None = None
    ) -> Side:
        asked.append((trace.path, "" if capture is None else capture.path))
        return side_of(trace, selection, capture=capture)

    for place in ("genscope.analysis.speedup", "genscope.analysis.speedup.view"):
        monkeypatch.setattr(f"{place}.side_of", watched)
    command = ["report", pair[1], "--view", "speedup", "--capture", pair[1]]
    assert main(command) == 0
    assert main([*command, "--against", pair[0], "--capture-against", pair[0]]) == 0
    math, flash = (next(str(path) for path in Path(folder).iterdir()) for folder in pair)
    assert asked == [(flash, flash), (math, math), (flash, flash)]


def test_a_comparison_has_the_attention(
    pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *pair, "--format", "json"]) == 0
    result = msgspec.json.decode(capsys.readouterr().out, type=AttentionComparison)
    (found,) = result.attention
    assert found.run == result.runs[1].run
    assert found.speedup.aligned == 9 and found.speedup.calls == []
    assert main(["compare", *pair]) == 0
    out = capsys.readouterr().out
    assert ": attention\n" in out and "predicted by attention alone" in out


def test_a_comparison_without_attention_says_nothing_of_it(
    shared_traces: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(shared_traces / "training-resnet50-v100.json.gz")
    assert main(["compare", path, path, "--format", "json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["attention"] == []


def test_a_replay_measures_every_shape_under_what_the_device_has(table: str) -> None:
    found = msgspec.json.decode(Path(table).read_bytes(), type=Table)
    assert (found.device, found.source) == ("cpu", "replay")
    assert {(row.shape.q_len, row.calls) for row in found.rows} == {(256, 6), (64, 3)}
    for row in found.rows:
        assert {one.implementation for one in row.timings} == {"eager", "math", "flash"}
        for one in row.timings:
            assert 0 < one.low_ns <= one.median_ns <= one.high_ns
            assert one.repeats >= 1


def test_a_table_predicts(
    pair: tuple[str, str], table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["report", pair[0], "--view", "speedup", "--table", table]
    assert main([*command, "--format", "json"]) == 0
    result = msgspec.json.decode(capsys.readouterr().out, type=Prediction)
    assert result.mode == "predicted"
    assert {run.implementation for run in result.predicted} == {"eager", "math", "flash"}
    unchanged = next(run for run in result.predicted if run.implementation == "math")
    assert unchanged.total_ns == result.run.sum_ns
    assert all(0.99 < run.covered_share <= 1 for run in result.predicted)
    assert main(command) == 0
    assert "Predicted, not measured" in capsys.readouterr().out


def test_the_result_of_a_pair_is_a_table_too(
    pair: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "pair.json")
    command = ["report", pair[1], "--view", "speedup", "--against", pair[0]]
    assert main([*command, "--format", "json", "-o", path]) == 0
    command = ["report", pair[0], "--view", "speedup", "--table", path, "--format", "json"]
    assert main(command) == 0
    result = msgspec.json.decode(capsys.readouterr().out, type=Prediction)
    assert {run.implementation for run in result.predicted} == {"math", "flash"}


def test_one_run_alone_tells_the_limit(
    pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", pair[0], "--view", "speedup"]) == 0
    out = capsys.readouterr().out
    assert "if it cost nothing" in out and "genscope replay" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "{0}", "--against", "{1}"], "--against is no option of --view operators"),
        (["report", "{0}", "--view", "speedup", "--against", "none.json"], "none.json"),
        (["report", "{0}", "--view", "speedup", "--table", "none.json"], "none.json"),
        (["report", "{0}", "--view", "speedup", "--table", __file__], "neither a table"),
        (
            ["report", "{0}", "--view", "speedup", "--table", "{2}", "--against", "{1}"],
            "give one of them",
        ),
        (
            ["report", "{0}", "--view", "speedup", "--table", "{2}", "-o", "{2}"],
            "this is what is read",
        ),
        (
            ["report", "{0}", "--view", "speedup", "--capture-against", "{1}"],
            "--capture-against is of the baseline",
        ),
        (["report", "{0}", "--view", "speedup", "--capture", "none.json"], "none.json"),
        (["report", "{0}", "--view", "phases", "--capture", "{1}"], "--capture is no option"),
        (["replay", "{0}", "--device", "nonsense"], "nonsense"),
        (["replay", "none.json"], "none.json"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    arguments: list[str],
    message: str,
    pair: tuple[str, str],
    table: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([part.format(*pair, table) for part in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err and err.count("\n") == 1


def test_a_trace_without_attention_has_nothing_to_replay(
    shared_traces: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(shared_traces / "training-resnet50-v100.json.gz")
    assert main(["replay", path, "--device", "cpu"]) == 2
    assert "no attention call" in capsys.readouterr().err


def test_the_implementations_offered_are_those_that_can_be_measured() -> None:
    assert set(replay.IMPLEMENTATIONS) == set(measuring.IMPLEMENTATIONS)
