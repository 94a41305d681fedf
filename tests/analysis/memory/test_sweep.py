"""Power laws, and score matrices over traces of several sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from genscope.analysis.memory.power import fit
from genscope.analysis.memory.results import Memory
from genscope.analysis.memory.sweep import memory_growth
from genscope.analysis.memory.view import memory
from tests.analysis.memory import made


def sd(folder: Path, px: int) -> Memory:
    """Stable Diffusion at a size, whose peak grows with the square of it."""
    scale = (px / 512) ** 2
    calls = {round(length * scale): count for length, count in made.SD_CALLS.items()}
    folder.mkdir()
    return memory(made.unet(folder, calls=calls, px=px, steps=1, peak=px * px * 100))


def test_a_power_law_is_found_exactly() -> None:
    found = fit("bytes", "px", [(size, 3 * size**2.5) for size in (1, 2, 7)])
    assert found.exponent == pytest.approx(2.5) and found.factor == pytest.approx(3)
    assert found.largest_deviation == pytest.approx(0, abs=1e-9)
    assert (found.points, found.from_size, found.to_size) == (3, 1, 7)


def test_one_size_has_no_exponent() -> None:
    assert fit("bytes", "px", [(5, 10), (5, 12)]).exponent is None
    assert fit("bytes", "px", []).points == 0


def test_the_worst_point_is_told() -> None:
    # The line through these is flat, at the geometric mean.
    found = fit("bytes", "px", [(1, 1), (2, 4), (4, 1)])
    assert found.exponent == pytest.approx(0)
    assert found.largest_deviation == pytest.approx(4 / 4 ** (1 / 3) - 1)


def test_recorded_growth_is_the_computed_one(tmp_path: Path) -> None:
    runs = [(f"sd {px}", sd(tmp_path / str(px), px)) for px in (256, 64, 512, 128)]
    found = memory_growth(runs)
    assert [point.image_size_px for point in found.points] == [64, 128, 256, 512]
    assert [point.latent_side for point in found.points] == [8, 16, 32, 64]
    assert found.points[-1].bytes == 183_070_848
    by_name = {one.of: one for one in found.fits}
    assert {name: round(one.exponent or 0, 2) for name, one in by_name.items()} == {
        "bytes": 3.58, "self_bytes": 4.0, "paper_bytes": 3.58, "real_bytes": 3.58,
        "recorded_bytes": 3.58, "peak_bytes": 2.0,
    }  # fmt: skip
    assert by_name["bytes"].points == 4 and by_name["bytes"].unit == "px"
    computed = next(one for one in runs[0][1].growth.fits if one.of == "bytes")
    assert by_name["bytes"].exponent == pytest.approx(computed.exponent)
    assert by_name["bytes"].largest_deviation == pytest.approx(computed.largest_deviation)
    assert "3.58" in found.sentence and "77 columns" in found.sentence
    assert found.warnings == [] and found.left_out == []


def test_what_has_no_denoiser_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = memory(made.loaded(tmp_path / "other", [made.op("aten::mm", [[4, 4]] * 2, 0, 5)]))
    found = memory_growth([("sd", sd(tmp_path / "sd", 512)), ("other", other)])
    assert [run.run for run in found.left_out] == ["other"]
    assert len(found.points) == 1 and found.fits == []
    assert "at least two image sizes" in found.sentence
