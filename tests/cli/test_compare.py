from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from genscope.analysis.results import Comparison
from genscope.cli.main import main
from tests.cli.run import genscope


def test_a_trace_against_itself_changes_nothing(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(recorded), str(recorded), "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert err == "" and out.count("\n") == 1
    result = msgspec.json.decode(out, type=Comparison)
    assert [run.run for run in result.runs] == ["tiny", "tiny (2)"]
    assert result.base == "tiny"
    same = result.runs[1]
    assert (same.relative, same.speedup) == (1, 1)
    assert {row.delta_ns for row in same.categories} == {0}


@pytest.mark.parametrize("style", ["text", "markdown"])
def test_the_same_is_said_in_words(
    recorded: Path, style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(recorded), str(recorded), str(recorded), "--format", style]) == 0
    out = capsys.readouterr().out
    assert "Against the CPU self time of tiny" in out and "tiny (2) 1.00x" in out
    assert "tiny → tiny (3)" in out


def test_one_unusable_file_of_several_is_named(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(recorded), str(tmp_path / "none.json")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "none.json" in err and err.count("\n") == 1


def test_the_recorded_pair_of_the_baseline_and_flash_attention(shared_traces: Path) -> None:
    pair = [shared_traces / f"image-sam-{side}-a100.json.gz" for side in ("baseline", "flash")]
    done = genscope("compare", *pair)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith("Device time 1213 → 525 ms, 2.31x; ")


@pytest.mark.parametrize(
    ("arguments", "ops", "kernels"),
    [
        (["--depth", "1"], 0, 0),
        ([], 10, 0),
        (["--rows", "3"], 3, 0),
        (["--depth", "3", "--rows", "2"], 2, 4),
    ],
)
def test_the_ops_that_changed_most_are_listed_and_add_up(
    shared_traces: Path, arguments: list[str], ops: int, kernels: int
) -> None:
    pair = [shared_traces / f"image-sam-{side}-a100.json.gz" for side in ("baseline", "flash")]
    out = genscope("compare", *pair, *arguments, "--format", "markdown").stdout.decode()
    _, _, table = out.partition("what changed most\n")
    assert bool(table) == bool(ops)
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    inner = [row for row in rows if row.startswith("| &emsp;")]
    outer = [row for row in rows if row not in inner]
    if ops:
        assert "aten::addmm | Linear | 444 ms | 21.5 ms | -422 ms | 20.6x | 832 | 704" in outer[0]
        assert len(outer) == ops + 2 and f"{63 - ops} more ops" in outer[-2]
        assert "**Total**" in outer[-1] and "**-688 ms**" in outer[-1]
    assert len([row for row in inner if "more kernel" not in row]) == kernels
