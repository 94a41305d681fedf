"""What is said beside the figures, which run is the baseline, and which belong together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from genscope.analysis.speedup import between, pair_runs, predicted, run_info
from genscope.analysis.speedup.results import Shape, Table, TableRow, Timing
from genscope.analysis.speedup.side import Side
from genscope.schema import Workload
from tests.analysis.speedup.made import SD_STEP, calls, side

WORKLOAD = Workload(model="sd", image_size=(512, 512), steps=2)


def run(implementation: str, *, times: int = 1, **fields: Any) -> Side:
    asked = replace(fields.pop("workload", WORKLOAD), attention=implementation)
    lengths = fields.pop("lengths", SD_STEP * 2)
    made = calls(lengths, implementation=implementation, device_ns=500 * times)
    return side(made, workload=asked, **fields)


def codes(baseline: Side, fused: Side) -> set[str]:
    return {warning.code for warning in between(baseline, fused).warnings}


def test_a_plain_pair_needs_no_warning() -> None:
    result = between(run("math", times=4), run("flash"))
    assert result.warnings == []
    assert [row.speedup for row in result.module] == [4, 4]
    assert {row.speedup for row in result.shapes} == {4}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"workload": replace(WORKLOAD, image_size=(256, 256))}, "other_workload"),
        ({"workload": replace(WORKLOAD, extra={"prompt": "x"})}, None),
        ({"devices": ["another GPU"]}, "other_device"),
        ({"basis": "cpu_self"}, "mixed_basis"),
        ({"step_ns": np.array([5, 5])}, "other_steps"),
        ({"lengths": SD_STEP}, "unaligned_calls"),
        ({"generated": True}, "other_execution"),
        ({"graphs": True}, "other_execution"),
        ({"workload": replace(WORKLOAD, extra={"outputs_agree": False})}, "outputs_differ"),
        ({"lengths": ()}, "no_attention"),
    ],
)
def test_each_difference_is_said(change: dict[str, Any], code: str | None) -> None:
    found = codes(run("math"), run("flash", **change))
    assert found == ({code} if code else set()) | ({"unaligned_calls"} & found)


def test_runs_of_another_basis_compare_by_wall_time_alone() -> None:
    result = between(run("math"), run("flash", basis="cpu_self"))
    assert result.basis is None
    assert [measure.name for measure in result.end_to_end] == ["wall"]
    assert not (result.amdahl or result.module or result.shapes)


def test_fused_against_fused_is_no_baseline() -> None:
    assert codes(run("efficient"), run("flash")) == {"fused_baseline"}


def test_times_without_profiler_come_first() -> None:
    timed = [
        replace(WORKLOAD, extra={"unprofiled_median_s": s, "unprofiled_repeats_s": text})
        for s, text in ((2.0, "1.9 2 2.4"), (0.5, "0.5 0.5 0.4"))
    ]
    result = between(run("math", workload=timed[0]), run("flash", workload=timed[1]))
    first = result.end_to_end[0]
    assert (first.name, first.speedup) == ("unprofiled", 4)
    assert first.low == pytest.approx(3.8) and first.high == pytest.approx(6)
    assert "4.00x in wall time without profiler" in result.sentence


@pytest.mark.parametrize("value", ["", "nan", "-1", "1e400", True, "x"])
def test_hostile_times_are_none(value: object) -> None:
    bad = Workload(extra={"unprofiled_median_s": value, "unprofiled_repeats_s": value})  # type: ignore[dict-item]
    result = between(run("math", workload=bad), run("flash", workload=bad))
    names = [measure.name for measure in result.end_to_end]
    assert ("unprofiled" in names) == (value is True)


def test_runs_are_paired_by_what_was_run() -> None:
    other = replace(WORKLOAD, image_size=(256, 256))
    timed = replace(WORKLOAD, extra={"unprofiled_median_s": 3.0, "speedup": 2.0})
    infos = [
        run_info("fused", run("flash", workload=timed)),
        run_info("base", run("math")),
        run_info("other", run("math", workload=other)),
        run_info("plain", side(calls(SD_STEP))),
        run_info("efficient", run("efficient")),
        run_info("again", run("eager")),
    ]
    found = pair_runs(infos)
    assert [(pair.baseline, pair.fused) for pair in found.pairs] == [
        ("base", "fused"),
        ("base", "efficient"),
    ]
    assert "100 %" in found.pairs[0].reason
    assert found.alone["other"] == "no other run is of the same work"
    assert "by hand" in found.alone["plain"]
    assert "as base does" in found.alone["again"]


def test_what_was_asked_for_tells_runs_apart_that_look_alike() -> None:
    """Where shapes fall back to the same implementation, annotations still say what was meant."""
    first, second = run("flash"), run("flash")
    document = replace(first.document, workload=replace(WORKLOAD, attention="math"))
    result = between(replace(first, document=document), second)
    assert "asked for math" in result.roles


def test_a_prediction_takes_speedups_and_not_times() -> None:
    """The table's device is twice as fast as the run's; only its ratio of 5 counts."""
    shape = Shape(
        batch=2, heads=8, kv_heads=8, q_len=4096, kv_len=4096, head_dim=40, v_head_dim=40,
        dtype="float16", causal=False, mask="none",
    )  # fmt: skip
    timings = [
        Timing(implementation=name, median_ns=median, low_ns=1, high_ns=9, repeats=3)
        for name, median in (("math", 250), ("flash", 50))
    ]
    table = Table(
        source="replay", trace="x", device="cuda", device_name="GPU", torch="2", rows=[
            TableRow(shape=shape, calls=10, timings=timings)
        ],
    )  # fmt: skip
    base = run("math")
    result = predicted(base, table)
    flash = result.predicted[0]
    assert flash.implementation == "flash" and flash.calls == 10
    assert base.sum_ns - flash.total_ns == 10 * (500 - 100)
    assert flash.covered_share == pytest.approx(10 / 32)
    missing = {row.reason for row in result.shapes if not row.speedups}
    assert missing == {"the table does not have this shape"}
    assert result.mode == "predicted"
    assert {warning.code for warning in result.warnings} == {"not_predicted"}
    elsewhere = predicted(replace(base, devices=["another"]), table)
    assert "other_device" in {warning.code for warning in elsewhere.warnings}


def test_without_a_table_only_the_limit_is_known() -> None:
    result = predicted(run("math"), None)
    assert result.predicted == []
    assert result.limit_speedup == 2
    assert [warning.code for warning in result.warnings] == ["no_table"]
