"""Kernels by name: the vendors' libraries, PyTorch's own kernels and the parallel primitives.

Used alone where nothing recorded launched a kernel (graph replays, launches before the recording)
and where no op around the launch has a rule. Kernels of other libraries are in `libraries`,
generated ones in `fused`.
"""

from __future__ import annotations

import re

from genscope.analysis.categories.libraries import GEMM_WORD
from genscope.analysis.categories.vocabulary import Patterns, Row

COPIES: tuple[Row, ...] = (("Memory", "memcpy or memset", r"^(?:memcpy|memset)\b|__amd_rocclr_"),)
"""Copies and sets, which are kernels on some ROCm releases."""

VENDORS: tuple[Row, ...] = (
    ("Linear", "Tensile GEMM", r"(?:^|_)cijk_"),
    (
        "Memory",
        "layout change",
        r"batched_transpose|tonhwckernel|tonchwkernel|nchwton|nhwcton|nchw2nhwc|nhwc2nchw",
    ),
    (
        "Normalization",
        "cuDNN or MIOpen norm",
        r"cudnn[\w:]{0,60}norm|cudnn::bn_|bn_(?:fw|bw)_|miopenbatchnorm|miopen\w{0,40}norm"
        r"|nhwc_batch_norm",
    ),
    ("Other", "pooling", r"cudnn[\w:]{0,60}pool|mlopool|miopen\w{0,40}pool"),
    ("Softmax", "cuDNN or MIOpen softmax", r"cudnn[\w:]{0,60}softmax|miopen\w{0,20}softmax"),
    (
        "Elementwise",
        "tensor op",
        r"cudnn::ops::|op_(?:generic_)?tensor|subtensorop|op(?:\dd)?tensor|lstm_elementwise"
        r"|cudnn[\w:]{0,60}(?:dropout|activation)|miopenactiv|miopenneuron",
    ),
    ("Linear", "recurrent network", r"cudnn[\w:]{0,60}(?:rnn|lstm|gru)|^(?:rnn|lstm|gru)_"),
    (
        "Convolution",
        "convolution",
        r"conv(?!er)|cudnn|miopen|implicit_gemm|(?:\d|xmma_)(?:fprop|[dw]grad)"
        r"|[dw]grad(?:_alg|_engine|2d)|winograd|igemm_(?:fwd|bwd|wrw)|im2(?:d2)?col|col2im"
        r"|computeoffsets|fft2d_[rc]2[rc]|_wrw_",
    ),
    (
        "Linear",
        "GEMM",
        GEMM_WORD + r"|gemv|cublas|nvjet|xmma|splitk_?reduce|reduce_1block"
        r"|(?<![a-z_])dot_kernel|rocblas|hipblaslt",
    ),
)
"""cuBLAS, cuDNN, CUTLASS, hipBLASLt, rocBLAS, MIOpen, Composable Kernel."""

LAST: tuple[Row, ...] = (
    ("Linear", "CUTLASS", r"cutlass"),
    ("Other", "FFT", r"(?<![a-z])fft|_fft"),
    ("Elementwise", "Transformer Engine", r"transformer_engine::"),
    ("Elementwise", "inductor", r"^triton__?\d"),
)
"""What is left when no keyword is in a name."""

PRIMITIVES: tuple[Row, ...] = (
    ("Other", "sort", r"radix_?sort|merge_?sort|segmented_?sort|block_sort|onesweep|histogram"),
    ("Elementwise", "scan", r"scan_config|device_?scan"),
    ("Memory", "selection", r"select|partition|compact|nonzero|gather|scatter|memcpy|fill"),
    ("Other", "unique", r"unique|runlength|run_length|reduce_?by_?key|adjacent"),
    ("Elementwise", "reduction or transform", r"reduce|scan|transform|for_?each|parallel_for|init"),
)
"""CUB, Thrust, hipCUB, rocPRIM: what an algorithm does to its elements."""

ATEN: tuple[Row, ...] = (
    (
        "Normalization/GroupNorm",
        "group norm",
        r"group_?norm|rowwisemoments|computefusedparams|computeinternalgradients|gammabeta1d"
        r"|compute1dbackwardfused|computebackwardfused",
    ),
    ("Normalization", "norm", r"(?:layer|batch|rms|weight|instance)_?norm|gammabeta"),
    ("Softmax", "softmax", r"soft_?max"),
    ("Convolution", "convolution", r"conv(?!er)|im2col|col2im|vol2col|unfolded"),
    ("Linear", "GEMM", r"gemm|gemv|matmul"),
    ("Elementwise", "resampling", r"upsample|grid_sampl|interpolat"),
    ("Embedding", "embedding", r"embedding|krn_partial|compute_grad_weight|sum_and_scatter"),
    (
        "Optimizer",
        "optimizer",
        r"fused_?(?:adam|sgd|adagrad)|adam_math|sgd_math|unscale|amp_update",
    ),
    (
        "Other",
        "selection",
        r"top_?k|arg_?max|arg_?min|multinomial|(?<!with_)sort|median|searchsorted|bucketize"
        r"|unique|nms|histogram|kthvalue|compute_mode|sample",
    ),
    ("Other", "pooling", r"pool(?!id)"),
    ("Other", "distance, FFT or CTC", r"cdist|fft_|ctc_loss"),
    # A copy that converts: the cast policies, the conversions by name, and the strided copy that
    # looks at the types as it goes (`gpu_kernel_impl`, where `_nocast` does not).
    (
        "Elementwise",
        "cast",
        r"(?:load|store)withcast|float\d{0,2}\w{0,16}_copy_kernel"
        r"|gpu_kernel_impl<at::native::direct_copy",
    ),
    (
        "Memory",
        "copy, fill or index",
        r"direct_copy|fillfunctor|(?<!masked_)fill_kernel|catarray|copy(?!sign)|gather|scatter"
        r"|index|arange|linspace|range_cuda|flip_|roll_|reflection_pad|replication_pad|_pad_|padded"
        r"|take_|nonzero|write_indices|compute_cuda_kernel|shuffle|eye_",
    ),
    ("Elementwise", "reduction", r"reduce_kernel|reduceop"),
    ("Elementwise", "scan", r"_scan_|scan_kernel|cumsum|cumprod"),
    ("Elementwise", "random numbers", r"distribution_|bernoulli|normal_|uniform_|random_|dropout"),
    ("Elementwise", "multi-tensor", r"multi_tensor_apply|foreach"),
    ("Elementwise", "elementwise", r"element_?wise|functor|triu_tril|_loss|nll|cell_|bias"),
)
"""PyTorch's own kernels, most of which are a family with a functor in its template."""

FAMILIES: tuple[tuple[re.Pattern[str], Patterns], ...] = (
    (
        re.compile(
            r"rocprim.{0,60}(?:detail|kernel)|cuda_cub::|hip_rocprim::|\dcub\d"
            r"|(?:^|[^a-z])(?:hip)?cub::(?:\w{1,40}::){0,4}(?:device|static_kernel|for_each)"
        ),
        Patterns("kernel", PRIMITIVES),
    ),
    (
        re.compile(r"at::native|at6native|at::cuda|cunn_|softmax_warp"),
        Patterns("kernel", ATEN),
    ),
)
"""Which of the two tables above reads a name; a name may be in neither."""
