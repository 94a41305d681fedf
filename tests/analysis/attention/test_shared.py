"""Attention calls of the public traces, against what their authors ran."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

from genscope.analysis.attention import Calls, attention_calls
from genscope.analysis.attention.view import attention
from genscope.analysis.attention.where import Where
from genscope.analysis.classify import ATTENTION, classify
from genscope.trace import Trace
from tests import loaded, paths

pytestmark = pytest.mark.skipif(not loaded.TRACES, reason="the shared traces are not here")


@cache
def calls_of(name: str) -> tuple[Trace, Calls]:
    folder = paths.shared_traces()
    assert folder is not None
    trace = loaded.trace_of(folder / f"{name}.json.gz")
    return trace, attention_calls(trace)


def shapes(calls: Calls) -> Counter[tuple[object, ...]]:
    """How many calls there are of each (kind, axis, batch, heads, kv_heads, q_len, kv_len)."""
    names = ("batch", "heads", "kv_heads", "q_len", "kv_len", "head_dim")
    return Counter(
        (
            calls.text("kind", place),
            calls.text("axis", place),
            *(int(calls.sizes[name][place]) for name in names),
        )
        for place in range(len(calls))
    )


def test_qwen_prefill() -> None:
    _, calls = calls_of("llm-prefill-qwen1.5-h100")
    assert shapes(calls) == {
        ("self", "sequence", 16, 16, 16, 559, 559, 64): 24,
        (None, None, -1, -1, -1, -1, -1, -1): 10,
    }
    known = calls.has_shape
    assert set(calls.causal[known].tolist()) == {1}
    assert calls.layer[known].tolist() == list(range(24))
    assert calls.is_word("implementation", "flash").all()


def test_timesformer_space_and_time() -> None:
    """Temporal: 8 frames of 3,136 patches. Spatial: a class token and the patches of 8 frames."""
    _, calls = calls_of("video-timesformer-h100")
    assert shapes(calls) == {
        ("self", "temporal", 3136, 12, 12, 8, 8, 64): 12,
        ("self", "spatial", 8, 12, 12, 3137, 3137, 64): 12,
    }
    temporal = calls.is_word("axis", "temporal")
    assert calls.device_ns[temporal].sum() / 1e6 == pytest.approx(1.94, abs=0.005)
    assert calls.device_ns[~temporal].sum() / 1e6 == pytest.approx(127.39, abs=0.005)


def test_stable_diffusion_3_is_joint() -> None:
    """64 x 64 latent positions with 77 CLIP and 256 T5 tokens: 4,429, attended jointly."""
    _, calls = calls_of("diffusion-sd3.5-mi300x")
    found = shapes(calls)
    assert found[("joint", "spatial", 2, 38, 38, 4429, 4429, 64)] == 152
    assert found[("self", "spatial", 1, 1, 1, 16384, 16384, 512)] == 1
    assert found[("self", "sequence", 1, 64, 64, 256, 256, 64)] == 48


def test_sglang_extend_step() -> None:
    """`step[EXTEND bs=15 toks=15360]`: 15 prompts of 1,024 tokens, grouped queries."""
    _, calls = calls_of("llm-sglang-prefill-decode-mi300x")
    assert shapes(calls) == {("self", "sequence", 15, 32, 8, 1024, 1024, 128): 36}
    assert set(calls.sizes["q_tokens"].tolist()) == {15360}


def test_graph_replay_takes_shapes_from_its_capture() -> None:
    """The fused run replays a graph that was captured in the recording; the baseline does not."""
    _, fused = calls_of("image-sam-flash-a100")
    _, baseline = calls_of("image-sam-baseline-a100")
    lengths = ("batch", "heads", "q_len", "kv_len")
    assert len(fused) == len(baseline) == 144
    for name in lengths:
        assert np.array_equal(np.sort(fused.sizes[name]), np.sort(baseline.sizes[name])), name
    assert not (fused.device_start_ns < 0).any()


def test_replay_without_capture_has_no_shapes() -> None:
    trace, calls = calls_of("llm-vllm-decode-cudagraph")
    assert len(calls) == 24
    assert not calls.has_shape.any()
    result = attention(trace)
    assert result.without_shapes == 24
    assert "attention_without_shapes" in {warning.code for warning in result.warnings}


@pytest.mark.parametrize("name", loaded.TRACES)
def test_calls_hold_all_attention_time(name: str) -> None:
    """Every device event of the category is in one call, and calls hold nothing else."""
    trace, calls = calls_of(name)
    classes = classify(trace)
    of_rule = np.array([rule.category == ATTENTION for rule in classes.rules] + [False])
    mine = trace.events.is_device & of_rule[classes.rule]
    total = int(calls.device_ns.sum()) if trace.has_device else 0
    assert total == int(trace.events.dur_ns[mine].sum())
    assert np.array_equal((calls.of_event >= 0) & trace.events.is_device, mine)


@pytest.mark.parametrize("name", loaded.TRACES)
def test_groups_add_up(name: str) -> None:
    trace, _ = calls_of(name)
    result = attention(trace, Where(passes=("forward", "backward", "recompute", "unknown")))
    assert sum(group.calls for group in result.groups) == len(result.calls)
    assert sum(group.time_ns for group in result.groups) == result.time_ns
    assert [call.start_ns for call in result.calls] == sorted(
        call.start_ns for call in result.calls
    )
