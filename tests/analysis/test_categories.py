"""The categories, what annotations and modules stand for, and names that nobody foresaw."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genscope.analysis.categories import (
    CATEGORIES,
    Strength,
    match_kernel,
    match_op,
    match_scope,
)
from genscope.trace.model import Kind
from tests.analysis.shown import shown

SCOPES = {
    ("Optimizer", Strength.SCOPE): ("Optimizer.step#AdamW.step", "Optimizer.step#SGD.step"),
    ("Optimizer", Strength.NORMAL): ("Optimizer.zero_grad#SGD.zero_grad",),
    ("Communication", Strength.SCOPE): ("nccl:all_reduce", "gloo:broadcast", "c10d::allreduce_"),
    ("Normalization", Strength.NORMAL): (
        "nn.Module: Qwen2RMSNorm_12",
        "nn.Module: LayerNorm_0",
        "nn.Module: BatchNorm2d_3",
        "LlamaRMSNorm",
    ),
    ("Normalization/GroupNorm", Strength.NORMAL): ("nn.Module: GroupNorm_3", "GroupNorm32"),
    ("Linear", Strength.NORMAL): (
        "nn.Module: Linear_7",
        "nn.Module: QKVParallelLinear_0",
        "nn.Module: RowParallelLinear_31",
        "nn.Module: Linear4bit_2",
        "nn.Module: Conv1D_4",
    ),
    ("Convolution", Strength.NORMAL): ("nn.Module: Conv2d_1", "nn.Module: ConvTranspose2d_0"),
    ("Embedding", Strength.NORMAL): (
        "nn.Module: Embedding_0",
        "nn.Module: VocabParallelEmbedding_0",
    ),
    ("Elementwise", Strength.NORMAL): (
        "nn.Module: SiLU_1",
        "nn.Module: NewGELUActivation_1",
        "nn.Module: SiluAndMul_1",
        "nn.Module: Dropout_0",
        "nn.Module: LlamaRotaryEmbedding_0",
    ),
    ("Softmax", Strength.NORMAL): ("nn.Module: Softmax_0",),
    ("Other", Strength.NORMAL): ("nn.Module: MaxPool2d_0", "nn.Module: Sampler_0"),
}
"""Annotations and module frames, by category and strength."""

NO_SCOPE = (
    "",
    "ProfilerStep#12",
    "nn.Module: LlamaAttention_3",
    "nn.Module: MultiheadAttention_3",
    "nn.Module: LinearAttention_3",
    "nn.Module: Qwen2MLP_1",
    "nn.Module: LayerNormLinear_1",
    "nn.Module: PatchEmbed_0",
    "nn.Module: TimestepEmbedding_0",
    "nn.Module: UNet2DConditionModel_0",
    "DistributedDataParallel.forward",
    "Torch-Compiled Region: 0/0",
    "step[DECODE bs=8]",
    "model_inference",
)
"""Annotations, and modules that hold several kinds of work or one that has ops of its own."""

HOSTILE = (
    "a" * 100_000,
    "_" * 100_000,
    "(anonymous namespace)::" * 5_000,
    "triton_poi_fused_" + "add_" * 25_000,
    "triton_poi_fused_" * 6_000,
    "copy_kv" * 15_000,
    "cudnn::" * 15_000,
    "float32_" * 12_000,
    "nn.Module: " + "A_" * 50_000,
    "autograd::engine::evaluate_function: " * 3_000,
    "at::native::elementwise_kernel<" * 3_000,
)


def test_categories_are_the_designs_in_its_order() -> None:
    assert CATEGORIES == (
        "Attention",
        "Convolution",
        "Linear",
        "Normalization",
        "Elementwise",
        "Embedding",
        "Softmax",
        "Memory",
        "Communication",
        "Optimizer",
        "Other",
        "Unlinked",
    )


@pytest.mark.parametrize(
    ("category", "strength", "name"),
    [(*key, name) for key, names in SCOPES.items() for name in names],
)
def test_annotations_and_modules(category: str, strength: Strength, name: str) -> None:
    rule = match_scope(name)
    assert shown(rule) == category, rule
    assert rule is not None
    assert rule.strength is strength


@pytest.mark.parametrize("name", NO_SCOPE)
def test_mixed_modules_and_free_annotations_have_no_rule(name: str) -> None:
    assert match_scope(name) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("aten::_convolution", "op aten::convolution"),
        ("NativeLayerNormBackward0", "op aten::native_layer_norm"),
        ("triton_tem_fused_addmm_relu_3", "inductor template addmm"),
        ("Optimizer.step#Adam.step", "annotation optimizer step"),
    ],
)
def test_the_reason_names_the_rule(name: str, reason: str) -> None:
    rule = match_op(name)
    assert rule is not None
    assert rule.name == reason


@pytest.mark.parametrize("name", HOSTILE)
def test_only_the_head_of_a_huge_name_counts(name: str) -> None:
    assert match_op(name) == match_op(name[:4_000])
    assert match_scope(name) == match_scope(name[:4_000])
    assert match_kernel(name, Kind.KERNEL) == match_kernel(name[:4_000], Kind.KERNEL)


@given(st.text(max_size=300))
@example("triton_poi_fused")
@example("triton_tem_fused_")
@example("nn.Module: ")
@example("::")
@example("\x00\n\ud800")
def test_any_text_gives_a_known_category_and_a_reason_of_ours(name: str) -> None:
    for rule in (match_op(name), match_scope(name), match_kernel(name, Kind.KERNEL)):
        if rule is not None:
            assert rule.category in CATEGORIES
            assert rule.category != "Unlinked"
            assert rule.sub in (None, "GroupNorm")
            assert 0 < len(rule.name) < 80
