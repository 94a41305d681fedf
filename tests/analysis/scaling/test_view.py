"""Scaling over several runs: exponents, what grows fastest, crossovers, before and after."""

from __future__ import annotations

import json

import msgspec
import pytest

from genscope.analysis.scaling import scaling
from genscope.analysis.scaling.results import Contribution, Fit, Line, Scaling
from tests.analysis.scaling.made import amount, image, run

SIDES = (64, 128, 256, 512)


def sweep() -> list[tuple[str, Contribution]]:
    """As the paper has it: unfused attention grows faster than convolution, fused slower."""
    runs = []
    for side in SIDES:
        at = side / 64
        runs.append((f"math {side}", image(side, 1000 * at**3, 8000 * at**2)))
        fused = image(side, 1000 * at**1.5, 8000 * at**2, attention="flash", unfused_share=0.0)
        runs.append((f"flash {side}", fused))
    return runs


def fit(line: Line, name: str, metric: str = "time_ns") -> Fit:
    [found] = [one for one in line.fits if (one.name, one.metric) == (name, metric)]
    return found


def only(result: Scaling) -> tuple[Line, Line]:
    [found] = result.sweeps
    baseline, fused = found.lines
    return baseline, fused


def test_known_exponents() -> None:
    result = scaling(sweep())
    baseline, fused = only(result)
    assert (baseline.role, baseline.attention) == ("baseline", "math")
    assert (fused.role, fused.attention) == ("fused", "flash")
    assert [point.value for point in baseline.points] == list(SIDES)
    assert fit(baseline, "Attention").exponent == pytest.approx(3, abs=1e-3)
    assert fit(baseline, "Attention", "flops").exponent == pytest.approx(3, abs=1e-3)
    assert fit(fused, "Attention").exponent == pytest.approx(1.5, abs=1e-3)
    assert fit(fused, "Convolution").exponent == pytest.approx(2)
    assert fit(baseline, "Attention").share == pytest.approx(0.5)
    assert result.sweeps[0].values == list(SIDES)
    assert msgspec.json.decode(msgspec.json.encode(result), type=Scaling) == result


def test_before_and_after() -> None:
    result = scaling(sweep())
    change = next(one for one in result.sweeps[0].changes if one.metric == "time_ns")
    assert (change.before, change.after) == ("Attention", "Convolution")
    assert (change.fastest_before, change.fastest_after) == ("Attention", "Convolution")
    assert change.attention_before == pytest.approx(3, abs=1e-3)


def test_crossovers() -> None:
    """Unfused attention reaches convolution at 512 and would pass it there; fused, never."""
    runs = [(label, one) for label, one in sweep() if "512" not in label]
    baseline, fused = only(scaling(runs))
    [found] = [one for one in baseline.crossovers if one.metric == "time_ns"]
    assert (found.upper, found.lower, found.measured) == ("Attention", "Convolution", False)
    assert found.value == pytest.approx(512, rel=1e-3)
    assert found.upper_exponent == pytest.approx(3, abs=1e-3)
    # The fused lines meet at 1 px, much more than four times below the smallest image.
    assert not fused.crossovers
    runs.append(("math 1024", image(1024, 1000 * 16**3, 8000 * 16**2)))
    [inside] = [one for one in only(scaling(runs))[0].crossovers if one.metric == "time_ns"]
    assert inside.measured
    assert inside.between == (256, 1024)
    assert inside.label == "512 px"
    assert "Attention overtakes Convolution at 512 px" in scaling(runs).sentence


def test_few_points() -> None:
    """Two sizes give slopes, which are called so, and nothing is said to grow fastest."""
    runs = [(label, one) for label, one in sweep() if label.split()[1] in ("64", "128")]
    result = scaling(runs)
    baseline, _ = only(result)
    found = fit(baseline, "Attention")
    assert (found.exponent, found.points) == (None, 2)
    assert found.slope == pytest.approx(3)
    assert baseline.growth[0].fastest is baseline.growth[0].faster is None
    assert not [one for one in baseline.crossovers if not one.measured]
    assert "few_points" in {one.code for one in result.sweeps[0].warnings}
    assert "too few points" in result.sentence


def test_small_categories_are_not_the_fastest() -> None:
    runs = []
    for side in SIDES[:3]:
        one = image(side, 1000 * side, 1000 * side)
        one.amounts.append(amount("Embedding", side**3 / 1e4))
        runs.append((str(side), one))
    [line] = scaling(runs).sweeps[0].lines
    assert fit(line, "Embedding").exponent == pytest.approx(3, abs=0.1)
    assert line.growth[0].fastest != "Embedding"
    assert line.growth[0].faster == "neither"


def test_noise_makes_no_winner() -> None:
    noisy = [(64, 900, 1000), (128, 4000, 1500), (256, 3000, 6000)]
    runs = [(str(side), image(side, attention, other)) for side, attention, other in noisy]
    [line] = scaling(runs).sweeps[0].lines
    assert line.growth[0].faster == "neither"
    assert not line.growth[0].clear


def test_roles_without_a_word_of_what_was_asked() -> None:
    runs = []
    for side in SIDES[:3]:
        for share in (0.98, 0.02):
            name = "math" if share > 0.5 else "flash"
            one = image(side, side, side, attention=None, implementation=name, unfused_share=share)
            runs.append((f"{name} {side}", one))
    baseline, fused = only(scaling(runs))
    assert (baseline.attention, fused.attention) == ("math", "flash")
    assert baseline.reason.startswith("98 %")


def test_a_fused_run_with_much_unfused_attention_is_still_fused() -> None:
    """Beside its baseline: a VAE that nobody switched keeps most of the time."""
    runs = []
    for side in SIDES[:3]:
        runs.append((f"math {side}", image(side, side, side)))
        mixed = image(side, side, side, attention="flash", unfused_share=0.6)
        runs.append((f"flash {side}", mixed))
    baseline, fused = only(scaling(runs))
    assert (baseline.role, fused.role) == ("baseline", "fused")


def test_one_step_of_each() -> None:
    runs = []
    for side, steps in ((64, 2), (128, 4), (256, 1)):
        one = image(side, 7, 7, steps=steps, recorded_steps=steps, steps_are="unet")
        one.step_amounts = [
            amount("all", side * side * steps), amount("Attention", side * side * steps)
        ]  # fmt: skip
        runs.append((str(side), one))
    [found] = scaling(runs).sweeps
    assert found.per_step
    assert [point.steps for point in found.lines[0].points] == [2, 4, 1]
    assert fit(found.lines[0], "Attention").exponent == pytest.approx(2)
    assert "per_step" in {one.code for one in found.warnings}


def test_unknown_work_and_memory() -> None:
    runs = []
    for side in SIDES[:3]:
        one = image(side, side, side, peak_memory_bytes=side**2, largest_score_bytes=side**4)
        one.amounts[0].unknown_ns = one.amounts[0].time_ns // 4
        runs.append((str(side), one))
    [found] = scaling(runs).sweeps
    [line] = found.lines
    assert line.points[0].unknown_share == pytest.approx(0.25)
    assert "25 %" in next(one.message for one in found.warnings if one.code == "unknown_work")
    assert fit(line, "all", "peak_memory_bytes").exponent == pytest.approx(2)
    assert fit(line, "all", "largest_score_bytes").exponent == pytest.approx(4)


def test_nothing_to_set_side_by_side() -> None:
    result = scaling([("a", run())])
    assert not result.sweeps
    assert result.left_out[0].run == "a"
    assert "record one model" in result.sentence
    assert json.loads(msgspec.json.encode(scaling([])))["sweeps"] == []
