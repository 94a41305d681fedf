"""Ops by name: what PyTorch's own ops are, in words; ops of libraries are in `libraries`.

The words are base names: `aten::_foreach_add_`, `aten::add.out`, `prims::add` and `AddBackward0`
are all `add`, and `aten::native_group_norm_backward` is `native_group_norm`. Underscores and case
do not count, so that the names of autograd's nodes need no table of their own.
"""

from __future__ import annotations

import re

from genscope.analysis.categories.vocabulary import Rule, Strength, make_rule

_WORDS: tuple[tuple[str, Strength, str], ...] = (
    (
        "Convolution",
        Strength.NORMAL,
        """
        conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d conv_tbc convolution
        convolution_overrideable convolution_mode convolution_pointwise
        convolution_transpose_pointwise cudnn_convolution cudnn_convolution_transpose
        cudnn_convolution_relu cudnn_convolution_add_relu miopen_convolution
        miopen_convolution_transpose miopen_convolution_relu miopen_convolution_add_relu
        miopen_depthwise_convolution mkldnn_convolution thnn_conv2d slow_conv2d slow_conv3d
        slow_conv_transpose2d slow_conv_transpose3d slow_conv_dilated2d slow_conv_dilated3d
        conv_depthwise2d conv_depthwise3d nnpack_spatial_convolution
        """,
    ),
    (
        "Linear",
        Strength.NORMAL,
        """
        mm bmm addmm addmm_activation addbmm baddbmm mv addmv dot vdot inner matmul linear einsum
        bilinear trilinear tensordot chain_matmul linalg_matmul linalg_multi_dot linalg_vecdot
        scaled_mm scaled_mm_v2 scaled_grouped_mm scaled_grouped_mm_v2 grouped_mm int_mm sparse_mm
        sparse_addmm sparse_sampled_addmm smm hspmm cslt_sparse_mm weight_int4pack_mm
        weight_int4pack_mm_for_cpu weight_int8pack_mm dyn_quant_matmul_4bit mixed_dtypes_linear
        sparse_semi_structured_linear sparse_semi_structured_mm sparse_semi_structured_addmm
        mkldnn_linear mkl_linear linear_pointwise linear_dynamic linear_relu linear_relu_dynamic
        fbgemm_linear_int8_weight fbgemm_linear_fp16_weight cudnn_rnn miopen_rnn mkldnn_rnn_layer
        lstm lstm_mps gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell
        """,
    ),
    (
        "Normalization/GroupNorm",
        Strength.NORMAL,
        "group_norm native_group_norm",
    ),
    (
        "Normalization",
        Strength.NORMAL,
        """
        layer_norm native_layer_norm instance_norm batch_norm native_batch_norm
        native_batch_norm_legit native_batch_norm_legit_no_training batch_norm_impl_index
        batch_norm_no_update batch_norm_with_update batch_norm_stats batch_norm_elemt
        batch_norm_gather_stats batch_norm_gather_stats_with_counts batch_norm_update_stats
        cudnn_batch_norm miopen_batch_norm weight_norm weight_norm_interface renorm
        """,
    ),
    # Composite in many releases: the mean, rsqrt and products inside are one normalisation.
    ("Normalization", Strength.SCOPE, "rms_norm fused_rms_norm"),
    (
        "Softmax",
        Strength.NORMAL,
        """
        softmax log_softmax safe_softmax masked_softmax sparse_softmax sparse_log_softmax
        nested_tensor_softmax_with_shape cross_entropy_loss prepare_softmax_online
        """,
    ),
    (
        "Embedding",
        Strength.NORMAL,
        """
        embedding embedding_bag embedding_bag_forward_only embedding_bag_per_sample_weights
        embedding_dense embedding_sparse embedding_renorm
        """,
    ),
    (
        "Optimizer",
        Strength.NORMAL,
        """
        fused_adam fused_adamw fused_sgd fused_adagrad fused_rms_prop
        amp_foreach_non_finite_check_and_unscale amp_update_scale
        """,
    ),
    (
        "Memory",
        Strength.NORMAL,
        """
        copy clone contiguous to_copy copy_slices cat concat concatenate stack hstack vstack dstack
        column_stack row_stack block_diag repeat repeat_interleave tile roll flip fliplr flipud
        rot90 pad constant_pad_nd pad_circular pad_enum reflection_pad1d reflection_pad2d
        reflection_pad3d replication_pad1d replication_pad2d replication_pad3d chunk_cat
        """,
    ),
    # Gather and scatter.
    (
        "Memory",
        Strength.NORMAL,
        """
        index unsafe_index index_put index_put_impl unsafe_index_put index_copy index_add index_fill
        index_reduce gather scatter scatter_add scatter_reduce take take_along_dim put masked_select
        masked_scatter unsafe_masked_index unsafe_masked_index_put_accumulate select_scatter
        slice_scatter diagonal_scatter as_strided_scatter segment_reduce nonzero nonzero_static
        nonzero_numpy argwhere one_hot
        """,
    ),
    # Values written without reading any.
    (
        "Memory",
        Strength.NORMAL,
        """
        fill zero zeros ones full zeros_like ones_like full_like new_zeros new_ones new_full eye
        arange range linspace logspace iota scalar_tensor tril_indices triu_indices meshgrid
        cartesian_prod combinations vander
        """,
    ),
    # Layouts, and moves between hosts and devices.
    (
        "Memory",
        Strength.NORMAL,
        """
        pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle im2col col2im
        pin_memory local_scalar_dense to_dense to_sparse to_sparse_csr to_mkldnn
        mkldnn_reorder_conv2d_weight mkldnn_reorder_conv3d_weight mkldnn_reorder_linear_weight
        reorder_linear_weight nested_tensor_from_mask nested_from_padded nested_to_padded_tensor
        to_padded_tensor padded_dense_to_jagged jagged_to_padded_dense flatten_dense_tensors
        unflatten_dense_tensors
        """,
    ),
    (
        "Elementwise",
        Strength.NORMAL,
        """
        add sub rsub mul multiply div divide true_divide floor_divide remainder fmod subtract
        addcmul addcdiv addr outer ger kron cross lerp neg negative abs absolute sign sgn signbit
        positive reciprocal sqrt rsqrt square pow float_power exp exp2 expm1 log log2 log10 log1p
        logaddexp logaddexp2 xlogy sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh
        arcsin arccos arctan arcsinh arccosh arctanh arctan2 sinc hypot deg2rad rad2deg erf erfc
        erfinv lgamma digamma polygamma mvlgamma i0 igamma igammac ceil floor round trunc fix frac
        frexp ldexp copysign nextafter heaviside gcd lcm clamp clip clamp_min clamp_max maximum
        minimum fmax fmin nan_to_num angle conj_physical polar complex logit
        """,
    ),
    # Comparisons and logic.
    (
        "Elementwise",
        Strength.NORMAL,
        """
        eq ne lt le gt ge equal not_equal less less_equal greater greater_equal isclose allclose
        isfinite isinf isnan isneginf isposinf isreal isin logical_and logical_or logical_not
        logical_xor bitwise_and bitwise_or bitwise_not bitwise_xor bitwise_left_shift
        bitwise_right_shift and or xor iand ior ixor lshift rshift ilshift irshift where masked_fill
        tril triu
        """,
    ),
    # Activations.
    (
        "Elementwise",
        Strength.NORMAL,
        """
        relu relu6 leaky_relu prelu rrelu elu selu celu gelu silu mish sigmoid log_sigmoid hardtanh
        hardswish hardsigmoid hardshrink softshrink softplus softsign threshold glu dropout
        native_dropout feature_dropout alpha_dropout fused_dropout masked_scale
        """,
    ),
    # Reductions and scans: as cheap per byte as the pointwise ops they fuse with.
    (
        "Elementwise",
        Strength.NORMAL,
        """
        sum nansum mean nanmean prod std var std_mean var_mean norm linalg_vector_norm linalg_norm
        linalg_matrix_norm frobenius_norm nuclear_norm native_norm norm_except_dim powsum
        linalg_powsum max min amax amin aminmax all any count_nonzero logsumexp cumsum cumprod
        cummax cummin logcumsumexp diff trace dist pdist cosine_similarity pairwise_distance
        assert_async is_all_true is_any_true grad_sum_to_size sum_to_size accumulate_grad
        clip_grad_norm
        """,
    ),
    # Losses.
    (
        "Elementwise",
        Strength.NORMAL,
        """
        mse_loss l1_loss smooth_l1_loss huber_loss nll_loss nll_loss2d nll_loss_nd kl_div
        binary_cross_entropy binary_cross_entropy_with_logits hinge_embedding_loss
        margin_ranking_loss cosine_embedding_loss triplet_margin_loss soft_margin_loss
        """,
    ),
    # Random numbers: each element is computed, none is read.
    (
        "Elementwise",
        Strength.NORMAL,
        """
        bernoulli normal uniform random exponential cauchy geometric log_normal poisson gamma rand
        randn randint randperm rand_like randn_like randint_like normal_functional
        """,
    ),
    # Resampling: each output element on its own.
    (
        "Elementwise",
        Strength.NORMAL,
        """
        upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_nearest_exact1d
        upsample_nearest_exact2d upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d
        upsample_bilinear2d_aa upsample_bicubic2d upsample_bicubic2d_aa upsample_trilinear3d
        upsample_lanczos2d_aa interpolate grid_sampler grid_sampler_2d grid_sampler_3d
        affine_grid_generator
        """,
    ),
    # Quantise and cast.
    (
        "Elementwise",
        Strength.NORMAL,
        """
        quantize_per_tensor quantize_per_channel quantize_per_tensor_dynamic dequantize
        quantize_per_token dequantize_per_token dequantize_per_channel dequantize_per_tensor
        quantize_group dequantize_group choose_qparams_per_token fake_quantize_per_tensor_affine
        fake_quantize_per_channel_affine convert_element_type autocast_to_reduced_precision
        autocast_to_full_precision transform_bias_rescale_qkv thnn_fused_lstm_cell
        thnn_fused_gru_cell thnn_differentiable_lstm_cell
        """,
    ),
    (
        "Other",
        Strength.NORMAL,
        """
        topk sort argsort msort kthvalue median nanmedian mode quantile nanquantile argmax argmin
        multinomial unique unique2 unique_dim unique_consecutive searchsorted bucketize histc
        bincount histogram histogramdd
        """,
    ),
    # Pooling.
    (
        "Other",
        Strength.NORMAL,
        """
        max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices
        max_pool3d_with_indices avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d
        adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
        adaptive_max_pool3d fractional_max_pool2d fractional_max_pool3d max_unpool2d max_unpool3d
        mkldnn_max_pool2d
        """,
    ),
    # What generative models seldom spend time in.
    (
        "Other",
        Strength.NORMAL,
        """
        cdist euclidean_dist ctc_loss cudnn_ctc_loss nms roi_align roi_pool fft_r2c fft_c2r fft_c2c
        fft_fft fft_ifft fft_rfft fft_irfft fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2 fft_fftn
        fft_ifftn stft istft fft_fftshift fft_ifftshift linalg_svd linalg_qr linalg_eigh linalg_eig
        linalg_inv linalg_inv_ex linalg_solve linalg_solve_ex linalg_lu_factor linalg_lu_factor_ex
        linalg_cholesky linalg_cholesky_ex linalg_solve_triangular triangular_solve cholesky_solve
        linalg_det linalg_slogdet linalg_matrix_exp linalg_pinv linalg_lstsq inverse svd qr cholesky
        det matrix_exp cov corrcoef
        """,
    ),
    # Views and allocations: no kernel of their own, so whatever is around them knows better.
    # index_select is how `embedding` gathers its rows.
    (
        "Memory",
        Strength.WEAK,
        """
        view unsafe_view view_as reshape reshape_as reshape_alias reinterpret_tensor expand
        expand_as broadcast_to broadcast_in_dim broadcast_tensors transpose t permute numpy_t mt mh
        h adjoint swapaxes swapdims movedim moveaxis squeeze unsqueeze select slice narrow split
        split_with_sizes chunk tensor_split unsafe_split unsafe_split_with_sizes unsafe_chunk hsplit
        vsplit dsplit unbind unfold as_strided diagonal diag diag_embed detach alias lift lift_fresh
        flatten unflatten ravel atleast_1d atleast_2d atleast_3d real imag view_as_real
        view_as_complex conj resolve_conj resolve_neg neg_view slice_inverse to to_device cpu cuda
        type_as index_select empty empty_like empty_strided empty_permuted empty_quantized new_empty
        new_empty_strided resize resize_as set alloc_from_pool item is_nonzero is_pinned result_type
        can_cast size sym_size stride sym_stride sym_numel sym_storage_offset storage_offset numel
        dim requires_grad retain_grad output_nr is_leaf is_same_size nested_view_from_buffer
        nested_view_from_jagged nested_tensor_size values indices crow_indices col_indices lengths
        offsets coalesce local_tensor tensor scalar_implicit
        """,
    ),
)

CAST_OPS: frozenset[str] = frozenset(
    {
        "aten::copy_",
        "aten::copy",
        "aten::_to_copy",
        "aten::to",
        "aten::type_as",
        "aten::_foreach_copy_",
        "ToCopyBackward0",
    }
)
"""Ops that are Memory by name but a cast, so Elementwise, where the dtypes they see differ."""

NO_RULE = re.compile(
    # Whole blocks, projections and all: what is inside them decides.
    r"multi_head_attention|_transformer_(?:en|de)coder_layer"
    r"|gdn_attention|linear_attention|mamba|short_conv"
    r"|(?:fused_all_gather|fused_matmul|fused_scaled_matmul)_\w{0,40}(?:matmul|reduce_scatter)"
    # Wrappers.
    r"|^compiledfunction|^checkpointfunction|^##|^torch-compiled"
)
"""Names (lower-cased) that keywords would mistake for one kind of work."""

NAMESPACES: tuple[tuple[str, str, str], ...] = (
    (
        "Communication",
        "collective",
        r"^(?:record_param_comms|_?c10d\w{0,30}::|symm_mem::|mscclpp::|_c_custom_ar::|deep_ep::)",
    ),
    (
        "Attention",
        "flash attention",
        r"^sgl_kernel::fwd|^(?:flash_attn\w{0,10}|_?vllm_f(?:lash_attn|a\d)_c|xformers_flash\w{0,4}"
        r"|sageattention|sageattn|flashmla|_flashmla_c)::",
    ),
)
"""Rows on the (lower-cased) namespace: everything in it is one category."""

# Of a squashed base name: what families of ops, autograd and overloads add to it.
_PREFIX = re.compile(r"^(?:foreach|special)")
_AFFIX = re.compile(r"(?:(?:double)?backwards?[a-z0-9]*|forward|out)$")


def squash(base: str) -> str:
    """Return `base` as the table's keys are written: lower case, no underscores."""
    return base.replace("_", "").lower()


def _words() -> dict[str, Rule]:
    table: dict[str, Rule] = {}
    for category, strength, words in _WORDS:
        for word in words.split():
            if squash(word) in table:
                raise ValueError(f"{word} is in the table twice")
            table[squash(word)] = make_rule(category, word, f"op aten::{word}", strength)
    return table


WORDS: dict[str, Rule] = _words()
"""Rule by squashed base name."""


def look_up(base: str) -> Rule | None:
    """Return the rule of an op's base name (no namespace) or of an autograd node's, if it has one.

    `view_copy` and its like are copies.
    """
    key = squash(base)
    stem = _AFFIX.sub("", key)
    for candidate in (key, stem, _PREFIX.sub("", key), _PREFIX.sub("", stem)):
        rule = WORDS.get(candidate)
        if rule is not None:
            return rule
    if key.endswith("copy") and key.removesuffix("copy") in WORDS:
        return WORDS["copy"]
    return None
