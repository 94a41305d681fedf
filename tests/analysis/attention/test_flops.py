"""How FLOPs are counted where calls are causal, and what is said of the batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.intensity import attention_flops
from genscope.analysis.attention.phase_view import phases
from genscope.analysis.attention.space_time import FRAMES, IMAGES, WINDOWS, space_time
from genscope.trace import Trace
from tests import loaded
from tests.analysis.attention.test_shared import calls_of
from tests.trace.support import event, kernel, launch, read

shared = pytest.mark.skipif(not loaded.TRACES, reason="the shared traces are not here")


def pairs(q: int, kv: int) -> int:
    """Products of a causal query block at the end of its keys, one by one."""
    return sum(kv - q + row + 1 for row in range(q))


@shared
def test_prompts_of_sglang_are_causal() -> None:
    """36 layers of 15 prompts of 1,024 tokens, 32 heads of 128: two products, two FLOPs each."""
    trace, calls = calls_of("llm-sglang-prefill-decode-mi300x")
    assert set(calls.causal.tolist()) == {1}
    (row,) = space_time(trace).axes
    assert row.flops == 36 * 15 * 32 * pairs(1024, 1024) * 2 * 2 * 128
    assert (row.causal_calls, row.causal_unknown) == (36, 0)
    assert row.flops_per_s == pytest.approx(row.flops / calls.device_ns.sum() * 1e9)
    assert row.flops_per_s is not None
    assert 200e12 < row.flops_per_s < 260e12


@pytest.mark.parametrize(
    ("inputs", "causal"),
    [
        # Older ones have no cap of the logits before their flags.
        (["16", "16", "0.", "0.1", "False", "True", "-1", "-1"], True),
        (["16", "16", "0.", "0.1", "True", "False", "-1", "-1"], False),
        (["16", "16", "0.", "0.1", "0.", "False", "True", "-1", "-1"], True),
        (["16", "16", "0.", "0.1", "0.", "True", "False", "-1", "-1"], False),
    ],
)
def test_the_flag_of_batch_prefill(tmp_path: Path, inputs: list[str], causal: bool) -> None:
    dims = [[32, 8, 64], [99, 8, 64], [99, 8, 64], [3], [3], [32], *[[]] * len(inputs)]
    args = {"Input Dims": dims, "Concrete Inputs": [*[""] * 6, *inputs]}
    trace = read(tmp_path, [event("aiter::mha_batch_prefill", args=args)])
    assert attention_calls(trace).causal.tolist() == [int(causal)]


def served(folder: Path, annotation: str) -> Trace:
    """One sequence of 64 tokens, by an op that does not say whether it is causal."""
    dims = [*[[64, 8, 64]] * 4, [2], [2]]
    return read(
        folder,
        [
            event(annotation, cat="user_annotation", dur=100),
            event("_vllm_fa2_C::varlen_fwd", ts=10, dur=20, args={"Input Dims": dims}),
            launch(1, ts=12),
            kernel(1, name="flash_fwd_splitkv_kernel", ts=50, dur=20),
        ],
    )


def test_prompts_that_an_engine_tells_of_are_causal(tmp_path: Path) -> None:
    trace = served(tmp_path, "step[EXTEND bs=1 toks=64]")
    calls = attention_calls(trace)
    assert (calls.causal.tolist(), calls.text("mask", 0)) == ([-1], "causal")
    assert "serving engine" in (calls.text("reason", 0) or "")
    assert attention_flops(calls).tolist() == [8 * pairs(64, 64) * 4 * 64]
    result = space_time(trace)
    (row,) = result.axes
    assert (row.causal_calls, row.causal_unknown) == (1, 0)
    assert "causal_unknown" not in {warning.code for warning in result.warnings}


@pytest.mark.parametrize("annotation", ["step[EXTEND bs=1 toks=90]", "a range of somebody's"])
def test_what_nothing_tells_counts_all_keys_and_says_so(tmp_path: Path, annotation: str) -> None:
    """In a step of other tokens, it could be an image that is encoded."""
    trace = served(tmp_path, annotation)
    assert attention_flops(attention_calls(trace)).tolist() == [8 * 64 * 64 * 4 * 64]
    result = space_time(trace)
    (row,) = result.axes
    assert (row.causal_calls, row.causal_unknown) == (0, 1)
    assert "causal_unknown" in {warning.code for warning in result.warnings}


@shared
def test_what_is_in_the_batch_is_said_of_what_is_there() -> None:
    def said(name: str) -> str:
        (row,) = [one for one in space_time(calls_of(name)[0]).axes if one.axis == "spatial"]
        return row.in_batch

    assert said("video-timesformer-h100") == FRAMES
    assert said("diffusion-sd3.5-mi300x") == IMAGES
    # 25 windows of 14 x 14 cover the 64 x 64 positions of an image.
    assert said("image-sam-baseline-a100") == WINDOWS
    _, calls = calls_of("image-sam-baseline-a100")
    shapes = np.stack([calls.sizes["batch"], calls.sizes["q_len"]], axis=1)
    assert {(25, 196), (1, 4096)} <= set(map(tuple, shapes.tolist()))


@shared
def test_a_little_is_not_nothing() -> None:
    result = phases(calls_of("diffusion-sd3.5-mi300x")[0])
    (lost,) = [row for row in result.phases if row.phase is None]
    assert 0 < lost.share < 0.005
    assert result.sentence.endswith("; under 1 % in no phase.")
    assert phases(calls_of("llm-sglang-prefill-decode-mi300x")[0]).sentence == (
        "Time by phase: 100 % prefill."
    )
