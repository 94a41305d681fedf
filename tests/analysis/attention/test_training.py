"""What has no phases: training, by whatever is certain, and evaluation by a loss."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from genscope.analysis.attention.phase_view import phases
from genscope.analysis.attention.training import is_training, loss_of
from tests import loaded
from tests.analysis.attention.test_shared import calls_of
from tests.analysis.attention.test_views import Cached, calls_in, recorded
from tests.trace.support import event, kernel, launch, read

shared = pytest.mark.skipif(not loaded.TRACES, reason="the shared traces are not here")


@shared
@pytest.mark.parametrize("rank", [0, 1])
def test_megatron_is_scored_and_reads_no_prompt(rank: int) -> None:
    """A forward pass without dropout that ends in a loss: 40 layers, and no gradients."""
    trace, _ = calls_of(f"training-megatron-tp8-rank{rank}")
    assert loss_of(trace) == "_VocabParallelCrossEntropy"
    result = phases(trace)
    assert result.training
    assert [(row.phase, row.calls) for row in result.phases] == [(None, 40)]
    assert "loss" in result.sentence


@shared
def test_what_generates_or_encodes_is_no_training() -> None:
    for name in loaded.TRACES:
        trace, _ = calls_of(name)
        is_one = name.startswith(("training-ns", "training-resnet", "cpu-only"))
        assert is_training(trace) == is_one, name
        expected = is_one or name.startswith("training-megatron")
        assert phases(trace).training == expected, name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("void flash_bwd_dq_dk_dv_loop_seqk_parallel_kernel<Flash_bwd_kernel_traits>", True),
        ("void (anonymous namespace)::softmax_warp_backward<float>", True),
        ("void at::native::(anonymous namespace)::layer_norm_grad_input_kernel<float>", True),
        ("void cudnn::cnn::wgrad_alg0_engine<float, 128, 6>", True),
        # A transposed convolution runs forward as the gradient of a plain one.
        ("igemm_bwd_gtcx3_nhwc_fp16", False),
        ("cudnn::cnn::dgrad_convolve_engine", False),
        ("flash_fwd_kernel", False),
    ],
)
def test_backward_kernels_tell_training(tmp_path: Path, name: str, expected: bool) -> None:
    events = [event("aten::mm"), launch(1), kernel(1, name=name)]
    assert is_training(read(tmp_path, events)) is expected


def test_an_optimizer_tells_training(tmp_path: Path) -> None:
    step = event("Optimizer.step#AdamW.step", cat="user_annotation", dur=9)
    assert is_training(read(tmp_path, [step, event("aten::mm", ts=2)]))


def scored(whole: int) -> None:
    """A causal model that reads a text once, and is told how well it did."""
    Cached()(whole)
    torch.nn.functional.cross_entropy(torch.randn(whole, 50), torch.zeros(whole, dtype=torch.long))


def test_a_language_model_that_is_scored_has_no_phase(tmp_path: Path) -> None:
    trace = recorded(tmp_path, lambda: scored(64))
    assert calls_in(trace) == ([64] * 3, [None] * 3)
    result = phases(trace)
    assert result.training
    assert [reason for row in result.phases for reason in row.reasons if "loss" in reason]


def test_a_loss_takes_no_phase_from_what_generates(tmp_path: Path) -> None:
    def run() -> None:
        model = Cached()
        for length in (128, 1, 1, 1):
            model(length)
        scored(64)

    trace = recorded(tmp_path, run)
    assert "decode" in calls_in(trace)[1]
    assert not phases(trace).training
