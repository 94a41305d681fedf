"""Measuring attention by itself: which computation runs, and what is left out with what reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from genscope.collect import replay
from genscope.collect.replay import Measured, Shape, measure

SHAPE = Shape(1, 4, 4, 64, 64, 16, 16, "float32", False, "none")
CPU = ("eager", "math", "flash")


def measured(shape: Shape, *names: str) -> tuple[Measured, set[str]]:
    """The outcome, and the attention ops that ran."""
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        found = measure(shape, "cpu", names, repeats=2, seconds=0.5)
    return found, {e.key for e in profiler.key_averages() if "scaled_dot_product" in e.key}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"causal": True, "mask": "causal"},
        {"mask": "tensor"},
        {"kv_heads": 2},
        {"q_len": 16, "causal": True, "mask": "causal"},
        {"q_len": 1, "causal": True, "mask": "causal"},
        {"dtype": "bfloat16"},
    ],
)
@pytest.mark.parametrize(
    ("name", "op"),
    [
        ("math", "aten::_scaled_dot_product_attention_math"),
        ("flash", "aten::_scaled_dot_product_flash_attention_for_cpu"),
        ("eager", None),
    ],
)
def test_what_is_asked_for_runs(change: dict[str, Any], name: str, op: str | None) -> None:
    found, ops = measured(replace(SHAPE, **change), name)
    assert found.skipped == {}
    (timing,) = found.timings
    assert timing.implementation == name and timing.repeats == 2
    assert {one for one in ops if one.startswith("aten::_")} == ({op} if op else set())


@pytest.mark.parametrize(
    "change",
    [{}, {"causal": True}, {"kv_heads": 2}, {"q_len": 16, "causal": True}, {"mask": "tensor"}],
)
def test_all_implementations_compute_the_same(change: dict[str, Any]) -> None:
    shape = replace(SHAPE, **change)
    outputs = []
    for name in CPU:
        torch.manual_seed(0)
        outputs.append(replay._call(shape, name, "cpu", torch.float32)())
    for output in outputs[1:]:
        torch.testing.assert_close(output, outputs[0])


@pytest.mark.parametrize(
    ("change", "skipped", "reason"),
    [
        ({"v_head_dim": 8}, {"flash"}, "cannot"),
        ({"q_len": 400_000, "kv_len": 400_000, "batch": 900}, set(CPU), "are free"),
        ({"dtype": "int64"}, set(CPU), "random data"),
        ({"dtype": "no_such_type"}, set(CPU), "random data"),
        ({"heads": 3, "kv_heads": 2}, set(CPU), "cannot be"),
        ({"q_len": 0}, set(CPU), "cannot be"),
        ({"q_len": 2**62}, set(CPU), "cannot be"),
    ],
)
def test_what_cannot_be_measured_is_left_out_with_a_reason(
    change: dict[str, Any], skipped: set[str], reason: str
) -> None:
    found, _ = measured(replace(SHAPE, **change), *CPU)
    assert set(found.skipped) == skipped
    assert {timing.implementation for timing in found.timings} == set(CPU) - skipped
    assert all(reason in said for said in found.skipped.values())


def test_a_call_that_takes_longer_than_is_allowed_counts_once() -> None:
    found = measure(replace(SHAPE, q_len=2048, kv_len=2048), "cpu", ["math"], seconds=1e-6)
    (timing,) = found.timings
    assert timing.repeats == 1 and timing.low_ns == timing.high_ns == timing.median_ns


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        replay.available("nonsense")
