"""`genscope plan` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genscope.cli.main import main
from genscope.trace import load
from tests.paths import REPOSITORY

MEASURED = REPOSITORY / "samples/traces/suite-tiny-cpu/llama2/tiny/math/cpu.pt.trace.json.gz"


def test_both_attentions_are_planned_and_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "run" / "l.plan.json.gz"
    words = ["plan", "llama2", "--scale", "tiny", "--tokens", "8", "-o", str(target)]
    assert main([*words, "--over", "prompt=64,512", "--format", "json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["view"] == "plan" and found["device"] == "NVIDIA H100 SXM5 (predicted)"
    assert found["speedup"]["speedup"] > 1
    assert [one["value"] for one in found["sizes"]] == [64, 512] and found["shift"]
    assert found["memory"]["fits"] is True
    names = [Path(path).name for path in found["written"]]
    assert names == ["l-math.plan.json.gz", "l-flash.plan.json.gz"]
    for path in found["written"]:
        assert [one.code for one in load(path).warnings] == ["predicted"]
    out = tmp_path / "out.pftrace"
    assert main(["export", found["written"][1], "-o", str(out)]) == 0
    assert [one.code for one in load(out).warnings] == ["predicted"]
    capfd.readouterr()
    assert main(["compare", str(MEASURED), found["written"][0]]) == 0
    assert "Predicted, not measured" in " ".join(capfd.readouterr().out.split())
    assert main([*words, "--like", found["written"][0]]) == 2
    assert "is predicted itself" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["llama9"], "no model of the suite"),
        (["llama2", "--device", "abacus"], "no device is called"),
        (["llama2", "--dtype", "float7"], "no dtype"),
        (["stable-diffusion", "--image-size", "100"], "multiple of 64"),
        (["llama2", "--like", str(MEASURED)], "was not recorded on NVIDIA H100"),
    ],
)
def test_what_cannot_be_planned_is_told(
    words: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--scale", "tiny", *words]) == 2
    lines = [one for one in capfd.readouterr().err.splitlines() if one.startswith("genscope:")]
    assert len(lines) == 1 and said in lines[0]
