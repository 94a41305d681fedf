"""`genscope report A B … --view scaling`: powers, crossovers, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genscope.analysis.scaling import scaling
from genscope.cli.document import Document, Limits
from genscope.cli.main import main
from genscope.cli.scaling import document
from tests.analysis.scaling.made import image, unet

SAMPLES = Path(__file__).parents[2] / "samples/traces"


def table(page: Document, title: str) -> list[list[str]]:
    """Cells of the table whose title ends with `title`."""
    [found] = [one for one in page.tables if one.title.endswith(title)]
    return [list(row.cells) for row in found.rows]


def test_words() -> None:
    """Time grows with the cube in attention and the square in convolution."""
    sides = (64, 128, 256)
    runs = [(f"r{side}", image(side, 1000 * side**3, 32000 * side**2)) for side in sides]
    page = document(scaling(runs), Limits())
    assert page.headline == (
        "sd: image size, 64 to 256 px: With math attention, time grows with the power 3.00 in "
        "Attention and 2.00 in Convolution; Attention overtakes Convolution at 32 px, extrapolated."
    )
    assert [row[:2] for row in table(page, "image size")] == [
        ["math (baseline)", f"{side} x {side}"] for side in sides
    ]
    powers = {row[0]: row[1:3] for row in table(page, "grows")}
    assert powers["Attention"] == ["3.00", "3.00"]
    assert ["Attention > Convolution", "math time", "32 px"] in [
        row[:3] for row in table(page, "crossovers")
    ]


def test_two_points_are_in_brackets() -> None:
    page = document(scaling([(str(one), image(one, one**3, one**2)) for one in (2, 4)]), Limits())
    assert {row[0]: row[1] for row in table(page, "grows")}["Attention"] == "(3.00)"


def test_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sides = (64, 128, 256)
    for side in sides:
        unet(tmp_path, side)
    paths = [str(tmp_path / f"{side}.json") for side in sides]
    plain = str(SAMPLES / "llm-prefill-qwen1.5-h100")
    asked = ["--view", "scaling", "--by", "image_size"]
    assert main(["report", *paths, plain, *asked, "--format", "json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["by"] == "image_size"
    [sweep] = result["sweeps"]
    assert sweep["values"] == list(sides)
    [left_out] = result["left_out"]
    assert "nothing tells its image size" in left_out["reason"]
    for form in ("text", "markdown"):
        assert main(["report", *paths, *asked, "--format", form]) == 0
        assert "cross attention" in capsys.readouterr().out


def test_by_is_of_this_view_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(SAMPLES), "--by", "frames"]) == 2
    assert "--by" in capsys.readouterr().err
