"""A pair recorded just now by torch on the CPU: a small UNet with convolutions and attention."""

from __future__ import annotations

import msgspec
import pytest
import torch

from genscope.analysis.operators import breakdown
from genscope.analysis.speedup import pair_runs, run_info, side_of, speedup
from genscope.analysis.speedup.results import Speedup
from genscope.collect.pair import Pair
from genscope.trace import Trace, load
from tests.analysis.speedup.unet import recorded_pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return recorded_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="module")
def traces(pair: Pair) -> tuple[Trace, Trace]:
    assert pair.baseline.trace is not None and pair.fused.trace is not None
    return load(str(pair.baseline.trace)), load(str(pair.fused.trace))


@pytest.fixture(scope="module")
def result(traces: tuple[Trace, Trace]) -> Speedup:
    return speedup(*traces)


def test_calls_are_aligned_one_by_one(result: Speedup) -> None:
    assert (result.aligned, result.unaligned_baseline, result.unaligned_fused) == (9, 0, 0)
    assert [call.q_len for call in result.calls] == [256, 64, 256] * 3
    assert {call.baseline_implementation for call in result.calls} == {"math"}
    assert {call.fused_implementation for call in result.calls} == {"flash"}
    assert {call.note for call in result.calls} == {None}
    assert all(call.baseline_index == call.fused_index for call in result.calls)


def test_figures_are_those_of_the_operator_view(
    traces: tuple[Trace, Trace], result: Speedup
) -> None:
    for trace, side in zip(traces, (result.baseline, result.fused), strict=True):
        whole = breakdown(trace)
        attention = next(row for row in whole.categories if row.category == "Attention")
        assert side.sum_ns == whole.basis_sum_ns
        assert side.attention_ns == attention.sum_ns
        assert side.wall_ns == whole.wall_ns
    for law in result.amdahl:
        assert sum(change.delta_ns for change in law.changes) == law.difference_ns


def test_times_are_those_that_were_measured_without_profiler(pair: Pair, result: Speedup) -> None:
    first = result.end_to_end[0]
    assert first.name == "unprofiled"
    assert first.speedup == pytest.approx(pair.speedup, rel=1e-6)
    assert first.low == pytest.approx(min(pair.speedups), rel=1e-3)
    assert first.high == pytest.approx(max(pair.speedups), rel=1e-3)


def test_the_two_find_each_other(traces: tuple[Trace, Trace]) -> None:
    found = pair_runs(
        [run_info(label, side_of(one)) for label, one in zip("ba", traces[::-1], strict=True)]
    )
    assert [(pair.baseline, pair.fused) for pair in found.pairs] == [("a", "b")]


def test_the_result_is_json_and_back(result: Speedup) -> None:
    text = msgspec.json.encode(result)
    assert msgspec.json.decode(text, type=Speedup) == result
    assert b"NaN" not in text
    assert torch.__version__
