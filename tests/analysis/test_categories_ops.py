"""What each op, custom op and autograd node stands for: the table is the specification."""

from __future__ import annotations

import pytest

from genscope.analysis.categories import (
    CAST_OPS,
    Strength,
    match_op,
)
from tests.analysis.shown import shown

OPS = {
    ("Attention", Strength.SCOPE): """
        aten::scaled_dot_product_attention aten::_scaled_dot_product_flash_attention
        aten::_scaled_dot_product_flash_attention_for_cpu
        aten::_scaled_dot_product_efficient_attention aten::_scaled_dot_product_cudnn_attention
        aten::_scaled_dot_product_attention_math aten::_scaled_dot_product_flash_attention_backward
        aten::_flash_attention_forward aten::_efficient_attention_backward aten::_fused_sdp_choice
        ScaledDotProductFlashAttentionBackward0 ScaledDotProductEfficientAttentionBackward0
        flash_attn::_flash_attn_forward flash_attn::_flash_attn_varlen_backward flash_attn_3::fwd
        flash_attn_3::_flash_attn_forward FlashAttnFunc FlashAttnVarlenFunc FlashAttnFuncBackward
        xformers::efficient_attention_forward_cutlass xformers_flash::flash_fwd
        vllm::unified_attention vllm::unified_attention_with_output vllm::unified_mla_attention
        _vllm_fa3_C::fwd sgl_kernel::fwd_flash_attn aiter::mha_batch_prefill aiter::fmha_v3_fwd
        sageattention::sageattn FusedAttnFunc FusedAttnFunc_qkvpackedBackward flex_attention
        customflash::custom_flash_aligned
    """,
    ("Convolution", Strength.NORMAL): """
        aten::conv2d aten::convolution aten::cudnn_convolution
        aten::cudnn_convolution_backward_weight aten::miopen_convolution aten::mkldnn_convolution
        ConvolutionBackward0 CudnnConvolutionBackward quantized::conv2d
        mkldnn::_convolution_pointwise causal_conv1d::_causal_conv1d_fwd_cpp
    """,
    ("Linear", Strength.NORMAL): """
        aten::mm aten::addmm aten::bmm aten::baddbmm aten::linear aten::matmul aten::einsum
        aten::_scaled_mm aten::_int_mm aten::_grouped_mm aten::_weight_int4pack_mm MmBackward0
        AddmmBackward0 vllm::rocm_unquantized_gemm aiter::gemm_a16w16 _C::cutlass_scaled_mm
        _C::awq_gemm _C::gptq_marlin_gemm sgl_kernel::fp8_blockwise_scaled_mm
        bitsandbytes::int8_linear_matmul fbgemm::f8f8bf16_rowwise
        LinearWithGradAccumulationAndAsyncCommunication torchao::mx_fp4_bf16_gemm
        quantized::linear_dynamic
    """,
    ("Normalization", Strength.NORMAL): """
        aten::layer_norm aten::native_layer_norm aten::batch_norm aten::cudnn_batch_norm_backward
        NativeLayerNormBackward0 _C::fused_add_rms_norm sgl_kernel::gemma_rmsnorm aiter::add_rmsnorm
        FusedLayerNormAffineFunction FusedRMSNormFunctionBackward
    """,
    ("Normalization/GroupNorm", Strength.NORMAL): """
        aten::group_norm aten::native_group_norm aten::native_group_norm_backward
        NativeGroupNormBackward0 aiter::_groupnorm_run
    """,
    ("Normalization", Strength.SCOPE): """
        aten::rms_norm aten::_fused_rms_norm
    """,
    ("Softmax", Strength.NORMAL): """
        aten::softmax aten::_softmax aten::_softmax_backward_data aten::_log_softmax
        SoftmaxBackward0 LogSoftmaxBackward0 ScaledUpperTriangMaskedSoftmax aten::cross_entropy_loss
    """,
    ("Embedding", Strength.NORMAL): """
        aten::embedding aten::embedding_dense_backward EmbeddingBackward0 aten::_embedding_bag
        fbgemm::split_embedding_codegen_lookup_adagrad_function
    """,
    ("Elementwise", Strength.NORMAL): """
        aten::add aten::add_ aten::mul.Tensor aten::_foreach_add_ aten::gelu aten::gelu_backward
        GeluBackward0 aten::silu aten::native_dropout aten::where aten::masked_fill_ aten::__iand__
        aten::sum aten::mean MeanBackward1 aten::upsample_nearest2d aten::bernoulli_
        aten::special_expm1 prims::mul _C::silu_and_mul _C::rotary_embedding
        sgl_kernel::rotary_embedding _C::static_scaled_fp8_quant torchao::quantize_affine
        GeLUFunction torch::distributed::reducer::mul_out torch::autograd::AccumulateGrad
        graph_0_cpp_fused_gelu_1
    """,
    ("Memory", Strength.NORMAL): """
        aten::copy_ aten::clone aten::contiguous aten::_to_copy aten::cat aten::stack aten::index
        aten::index_put_ aten::gather aten::scatter_add_ aten::fill_ aten::zero_ aten::zeros
        aten::arange aten::constant_pad_nd aten::nonzero aten::permute_copy CatBackward0
        CloneBackward0 _C_cache_ops::reshape_and_cache_flash _moe_C::moe_align_block_size
        sglang::store_cache fsdp::all_gather_copy_in
        torch.distributed.ddp.reducer::copy_bucket_to_grad
        triton_poi_fused__unsafe_view_clone_slice_transpose_11
    """,
    ("Memory", Strength.WEAK): """
        aten::view aten::reshape aten::transpose aten::t aten::expand aten::as_strided aten::empty
        aten::empty_like aten::detach detach aten::unsqueeze aten::select aten::slice aten::item
        aten::to aten::lift_fresh aten::resize_ aten::index_select TBackward0 ViewBackward0
        UnsafeViewBackward0
    """,
    ("Communication", Strength.SCOPE): """
        c10d::allreduce_ c10d::_allgather_base_ c10d::gather_ record_param_comms
        _c10d_functional::all_reduce symm_mem::one_shot_all_reduce vllm::all_reduce
        _C_custom_ar::all_reduce sgl_kernel::all_reduce_reg nccl:all_reduce
    """,
    ("Optimizer", Strength.NORMAL): """
        aten::_fused_adamw_ aten::_fused_adam_ aten::_amp_foreach_non_finite_check_and_unscale_
    """,
    ("Optimizer", Strength.SCOPE): """
        Optimizer.step#Adam.step
    """,
    ("Other", Strength.NORMAL): """
        aten::topk aten::sort aten::multinomial aten::argmax aten::max_pool2d_with_indices
        aten::max_pool2d_with_indices_backward aten::_adaptive_avg_pool2d _moe_C::topk_softmax
        sgl_kernel::top_k_top_p_sampling_from_probs torchvision::nms
    """,
}
"""Names of ops, custom ops and autograd nodes, by category and strength."""

NO_RULE = (
    "CompiledFunction",
    "CompiledFunctionBackward",
    "Torch-Compiled Region: 0/0",
    "## Call CompiledFxGraph fb4yh ##",
    "TorchDynamo Cache Lookup",
    "autograd::engine::evaluate_function: CompiledFunctionBackward",
    "CheckpointFunctionBackward",
    "forward",
    "<backward op>",
    "torch::jit::(anonymous namespace)::DifferentiableGraphBackward",
    "aten::_native_multi_head_attention",
    "aten::_transformer_encoder_layer_fwd",
    "symm_mem::fused_all_gather_matmul",
    "vllm::gdn_attention_core",
    "ProfilerStep#3",
    "DistributedDataParallel.forward",
    "",
    "enumerate(DataLoader)#_MultiProcessingDataLoaderIter.__next__",
)
"""Ops that tell nothing of what runs inside them."""


@pytest.mark.parametrize(
    ("category", "strength", "name"),
    [(*key, name) for key, names in OPS.items() for name in names.split()],
)
def test_op_names(category: str, strength: Strength, name: str) -> None:
    rule = match_op(name)
    assert shown(rule) == category, rule
    assert rule is not None
    assert rule.strength is strength, rule


@pytest.mark.parametrize("name", NO_RULE)
def test_wrappers_have_no_rule(name: str) -> None:
    assert match_op(name) is None


@pytest.mark.parametrize(
    ("category", "name"),
    [
        ("Linear", "vllm::moe_forward"),
        ("Linear", "vllm::inplace_fused_experts"),
        ("Linear", "_Linear"),
        ("Linear", "_LayerNormMLPBackward"),
        ("Linear", "autograd::engine::evaluate_function: MmBackward0"),
        (
            "Attention",
            "autograd::engine::evaluate_function: ScaledDotProductFlashAttentionBackward0",
        ),
    ],
)
def test_ops_that_launch_several_kinds_of_kernels_are_weak(category: str, name: str) -> None:
    rule = match_op(name)
    assert rule is not None
    assert (rule.category, rule.strength) == (category, Strength.WEAK)


@pytest.mark.parametrize(
    ("base", "names"),
    [
        ("aten::add", ["aten::add_", "aten::add.out", "aten::_foreach_add_", "AddBackward0"]),
        ("aten::mm", ["MmBackward0", "MmBackward", "aten::mm.out", "prims::mm"]),
        (
            "aten::native_group_norm",
            ["NativeGroupNormBackward0", "aten::native_group_norm_backward"],
        ),
        ("aten::view", ["ViewBackward0", "aten::_unsafe_view", "UnsafeViewBackward0"]),
        ("aten::max_pool2d_with_indices", ["MaxPool2DWithIndicesBackward0"]),
        ("aten::copy_", ["ToCopyBackward0", "aten::view_copy", "torch::autograd::CopyBackwards"]),
        ("aten::bitwise_xor", ["aten::__xor__", "aten::__ixor__", "aten::bitwise_xor_"]),
        ("aten::erf", ["aten::special_erf", "aten::erf_", "ErfBackward0"]),
    ],
)
def test_variants_of_an_op_share_its_rule(base: str, names: list[str]) -> None:
    expected = match_op(base)
    assert expected is not None
    for name in names:
        rule = match_op(name)
        assert rule is not None, name
        assert (rule.category, rule.sub, rule.strength) == (
            expected.category,
            expected.sub,
            expected.strength,
        ), name


def test_every_cast_op_is_memory_until_the_dtypes_differ() -> None:
    for name in CAST_OPS:
        rule = match_op(name)
        assert rule is not None
        assert rule.category == "Memory", name
