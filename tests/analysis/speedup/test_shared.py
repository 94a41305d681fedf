"""The public pair of Segment Anything: eager in float32, and compiled with flash in bfloat16."""

from __future__ import annotations

from pathlib import Path

import pytest

from genscope.analysis.selection import Selection
from genscope.analysis.speedup import predict, speedup, table_of
from genscope.analysis.speedup.results import Speedup
from genscope.trace import Trace
from tests import loaded


@pytest.fixture(scope="module")
def pair(shared_traces: Path) -> tuple[Trace, Trace]:
    first, second = (
        loaded.trace_of(shared_traces / f"image-sam-{side}-a100.json.gz")
        for side in ("baseline", "flash")
    )
    return first, second


@pytest.fixture(scope="module")
def result(pair: tuple[Trace, Trace]) -> Speedup:
    return speedup(*pair)


def test_all_calls_are_aligned_in_order(result: Speedup) -> None:
    assert (result.aligned, result.unaligned_baseline, result.unaligned_fused) == (144, 0, 0)
    assert [call.baseline_index for call in result.calls] == list(range(144))
    assert [call.fused_index for call in result.calls] == list(range(144))
    shapes = {(row.batch, row.heads, row.q_len, row.kv_len): row.calls for row in result.shapes}
    assert shapes == {
        (25, 16, 196, 196): 28,
        (1, 16, 4096, 4096): 4,
        (64, 8, 7, 7): 32,
        (64, 8, 7, 4096): 48,
        (64, 8, 4096, 7): 32,
    }


def test_figures(result: Speedup) -> None:
    found = {measure.name: measure.speedup for measure in result.end_to_end}
    assert found["busy"] == pytest.approx(2.31, abs=0.005)
    assert found["wall"] == pytest.approx(0.986, abs=0.001)
    module = {row.scope: row for row in result.module}
    assert module["category"].baseline_ns == 155_080_000
    assert module["category"].fused_ns == 41_755_000
    assert module["aligned"].calls == 144
    assert module["aligned"].speedup == pytest.approx(3.71, abs=0.005)
    assert result.bottleneck is not None
    assert (result.bottleneck.before, result.bottleneck.after) == ("Linear", "Elementwise")
    gain = {(row.by, row.name): row.speedup for row in result.groups}
    assert gain[("kind", "self")] == pytest.approx(5.41, abs=0.01)
    assert gain[("kind", "cross")] == pytest.approx(2.96, abs=0.01)


def test_everything_adds_up(result: Speedup) -> None:
    assert [law.measure for law in result.amdahl] == ["sum", "wall"]
    for law in result.amdahl:
        assert sum(change.delta_ns for change in law.changes) == law.difference_ns
        assert law.predicted_ns + law.difference_ns == law.fused_ns
    for by in ("kind", "axis", "pass"):
        rows = [row for row in result.groups if row.by == by]
        assert sum(row.calls for row in rows) == 144
        assert sum(row.baseline_ns for row in rows) == 155_080_000
    assert sum(call.fused_ns for call in result.calls) == 41_755_000
    assert sum(row.delta_ns for row in result.categories) == 524_995_000 - 1_213_451_000


def test_what_else_differs_is_said(result: Speedup) -> None:
    said = {warning.code: warning.message for warning in result.warnings}
    assert "float32 in the baseline and bfloat16 in the fused run" in said["other_dtype"]
    assert "PG509-210" in said["other_device"]
    assert "80 and 128" in said["other_width"]
    assert "other_execution" in said
    assert "swapped_runs" not in said


def test_the_wrong_way_round_is_noticed(pair: tuple[Trace, Trace]) -> None:
    swapped = speedup(pair[1], pair[0])
    assert "swapped_runs" in {warning.code for warning in swapped.warnings}
    assert swapped.roles.startswith("as they were given")


def test_its_own_speedups_predict_what_they_were_measured_on(
    pair: tuple[Trace, Trace], result: Speedup
) -> None:
    """Sums differ from medians by little here, since calls of a shape take the same time."""
    prediction = predict(pair[0], table_of(result))
    flash, other = (
        next(run for run in prediction.predicted if run.implementation == name)
        for name in ("flash", "efficient")
    )
    gained = 2 * 155_080_000 - flash.attention_ns - other.attention_ns
    assert gained == pytest.approx(155_080_000 - 41_755_000, rel=0.01)
    assert flash.covered_share + other.covered_share == pytest.approx(1)


def test_a_selection_limits_everything(pair: tuple[Trace, Trace]) -> None:
    none = speedup(*pair, Selection(passes=("backward",)))
    assert none.aligned == 0 and none.baseline.sum_ns == 0
