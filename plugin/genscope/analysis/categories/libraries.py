"""Names that libraries give to their ops and kernels, vendors' own kernels apart.

vLLM, SGLang, FlashInfer, FlashAttention, xformers, aiter, TensorRT-LLM, Transformer Engine, Apex,
Megatron, DeepSpeed, Liger, bitsandbytes, torchao, ... call a thing by what it does, in an op
(`_C::silu_and_mul`), a CUDA kernel (`vllm::act_and_mul_kernel`), a Triton kernel or an autograd
function, so one table reads them all. The order of the rows settles names that say two things: a
fused kernel is what costs most in it (products, then norms, then the rest).
"""

from __future__ import annotations

from genscope.analysis.categories.vocabulary import Row

GEMM_WORD = r"gemm(?!a(?:[^a-z]|$|rms|norm|fused|att))(?!(?:_gpu)?::)"
"""GEMM, but neither a model called Gemma nor a library called FBGEMM or DeepGEMM."""

# `(?<![a-z])` and `(?![a-z])` bound a word: digits and underscores separate in mangled names.
DEDICATED: tuple[Row, ...] = (
    ("Memory", "copy into a collective's buffer", r"all_gather_copy|^fsdp::(?:split|chunk|copy)"),
    (
        "Communication",
        "collective",
        r"nccl|rccl|msccl|oneccl|nvshmem|symm_mem|multimem_|sendrecv|quick_?reduce"
        r"|(?<!warp)(?<!block)(?<!warp_)(?<!block_)all_?reduce|all_?gather|reduce_?scatter"
        r"|all_?to_?all|cross_device_reduce|(?:one|two)_?shot|(?:intra|inter)node(?:_ll)?::"
        r"|parallel_?region",
    ),
    ("Other", "linear attention", r"linear_?att(?:entio)?n|lightning_att"),
    (
        "Attention",
        "flash attention",
        r"flash_(?:fwd|bwd|attn|attention|mla|decode|prefill)|flash_?att(?:entio)?n|flash::",
    ),
    (
        "Attention",
        "fused attention",
        r"fmha|sdpa|fused_sdp_choice|scaled_?dot_?product|mem(?:ory)?_?eff(?:icient)?_?attention"
        r"|efficient_attention|_cudnn_attention|gemm_?softmax_?gemm|softmax_context|mqa_logits"
        r"|(?:^|[^a-z])attn_(?:fwd|bwd)|mha_(?:fwd|bwd|varlen)"
        r"|flex_(?:attention|decoding)|sage_?att|qk_int\d?_sv|fused_?attn|multi_?head_?attention"
        r"|(?:batch|single)_?(?:prefill|decode)_?(?:with|kernel)|(?<![a-z])xqa",
    ),
    (
        "Attention",
        "paged attention",
        r"paged_?attention|unified_(?:mla_)?attention|radix_?attention|mlapagedattention"
        r"|(?<![a-z])pa_(?:fwd|bf16|fp16|fp8|a16w|decode|prefill|noquant|persistent|ps_)",
    ),
    (
        "Attention",
        "merge of attention parts",
        r"reduce_segments|merge_?(?:attn_)?states?|merge_attn",
    ),
    (
        "Attention",
        "Triton attention",
        r"^_(?:fwd|bwd)_(?:grouped_)?kernel(?!_ep_)|^_bwd_preprocess",
    ),
)
"""Rows that go before the vendors' ones: collectives and attention as a whole."""

KEYWORDS: tuple[Row, ...] = (
    (
        "Memory",
        "token permutation",
        r"moe_?(?:align|sort|permute|unpermute|finalize)|finalize_?(?:moe|matmul)|moe_?routing"
        r"|(?<![a-z])routing|bitmatrix|moe_mm_data|prepare_moe|moe::dev::finalize"
        r"|computestrides|expand_?input_?rows|ep_(?:scatter|gather)|expert_?offset",
    ),
    ("Convolution", "convolution", r"conv(?!er)|winograd|im2(?:d2)?col|col2im"),
    (
        "Linear",
        "GEMM",
        GEMM_WORD + r"|gemv|mat_?mul|mul_mat|(?<![a-z])(?:b|add|badd)?mm(?![a-z])|wv_?splitk|llmm"
        r"|quant\w{0,8}_linear|nvjet|f8f8bf16|bf16i4bf16|bgmv|sgmv"
        r"|lora_(?:shrink|expand|qkv|mlp|a|b)(?![a-z])",
    ),
    ("Normalization/GroupNorm", "group norm", r"group_?norm|(?<![a-z])gn_(?:fwd|bwd|apply)"),
    (
        "Other",
        "selection or sampling",
        r"(?<![a-z])top_?[kp]|min_p|renorm|(?<!up)(?<!down)(?<!re)(?<!grid_)(?<!grid)sampl(?:e|ing)"
        r"|multinomial|arg_?(?:max|min)|radix_?sort|bitonic|merge_?sort|(?<![a-z])sort(?![a-z])"
        r"|beam_search|(?:verify|build)_tree|penalt|moe_fused_gate|(?<![a-z])nms"
        r"|roi_(?:align|pool)",
    ),
    (
        "Other",
        "pooling",
        r"(?:max|avg|average|adaptive|global)_?pool|pooling|(?<![a-z])pool[123]d",
    ),
    (
        "Other",
        "state-space scan",
        r"selective_?scan|chunk_scan|chunk_state|state_passing|ssm_|ssd_",
    ),
    (
        "Other",
        "linear attention",
        r"gated_?delta|delta_?rule|fused_recurrent|chunk_(?:fwd|bwd)_kernel|(?<![a-z])wkv",
    ),
    (
        "Normalization",
        "norm",
        r"norm(?!al)|welford|(?<![a-z])ln_(?:fwd|bwd)|cucomputegradinput|cucomputepartgradgamma",
    ),
    ("Elementwise", "rotary embedding", r"rotary|rope(?!r)"),
    ("Elementwise", "resampling", r"upsampl|downsampl|resampl|interpolat|grid_?sampl"),
    (
        "Memory",
        "cache write",
        r"reshape_and_cache|concat_and_cache|gather_cache|cp_gather|(?:swap|copy)_blocks"
        r"|(?:append|store|write|set|copy|update|save|load|gather|concat|transfer)_?[a-z_]{0,12}_?"
        r"(?:kv(?![a-z])|kv_?c|mla_k|paged_?kv)|kv_?(?:cache|buffer|indices)|store_cache|appendkv"
        r"|slot_mapping|req_to_token",
    ),
    ("Embedding", "embedding", r"embedding|(?<![a-z])embed(?![a-z])"),
    # Before attention: an unfused one is found by the products around its softmax.
    ("Softmax", "softmax", r"soft_?max|cross_?entropy"),
    (
        "Attention",
        "attention",
        r"attention|(?<![a-z])attn|att(?:ention|n)_kernel|(?<![a-z])ml(?:a|adec)(?![a-z])"
        r"|(?<![a-z])mha(?![a-z])|fused_?attn|customflash",
    ),
    (
        "Optimizer",
        "optimizer",
        r"(?<!h)adam|adagrad|adafactor|(?<![a-z])lamb(?![a-z])|lambstage|(?<![a-z])lion(?![a-z])"
        r"|(?<![a-z])sgd|optimizer|unscale",
    ),
    (
        "Elementwise",
        "quantise or cast",
        r"quant(?!ized)|qparams|hada(?:mard|core)|(?<!broad)cast|convert"
        r"|(?<![a-z])cvt|(?<![a-z])amax(?![a-z])",
    ),
    (
        "Linear",
        "quantised or expert GEMM",
        r"marlin|machete|exllama|gptq|(?<![a-z])awq|w\d{1,2}a\d{1,2}(?!\d)|fused_?moe|fmoe"
        r"|(?:fused|outplace|inplace)_\w{0,10}experts|moe_(?:wna16|mlp|kernel|cutlass|stage)"
        r"|(?:ck|asm|ggml)_moe"
        r"|group(?:ed)?_?(?:gemm|mm)|int8_linear|(?<!bi)(?<!tri)linear(?!1d)",
    ),
    (
        "Elementwise",
        "activation",
        r"gelu|silu|swiglu|geglu|(?<![a-z])glu(?![a-z])|relu|swish|sigmoid|tanh|softplus"
        r"|act_and_mul|activation|(?<![a-z])mish",
    ),
    (
        "Memory",
        "copy or layout",
        r"memcpy|memset|(?<![a-z])(?:copy|copies|cat|concat|fill|zero|clone|stack|split|unpad|pad"
        r"|roll|flip|slice|clear)(?![a-z])|copykernel|transpos|permut|gather|(?<![a-z])scatter"
        r"|(?<![a-z])index|n[cdhw]{2,3}c?_?to_?n|reorder|(?<![a-z])(?:re|un)?pack|unpad|shuffle"
        r"|jagged|cache",
    ),
    (
        "Elementwise",
        "elementwise",
        r"element_?wise|pointwise|eltwise|dropout|multi_tensor_apply|residual|bias_|_bias|cumsum"
        r"|(?<![a-z])(?:add|mul|sub|div|exp|sqrt|pow|clamp|scale|axpby|sum|mean|max|min|reduce"
        r"|mask|masked|where|sin|cos|noise|random|rand|normal|uniform)(?![a-z])|reduce_kernel",
    ),
)
"""Rows on what a name says, after the vendors' ones."""

WRAPPERS: tuple[Row, ...] = (
    (
        "Linear",
        "projection or experts",
        r"fused_?moe|fused_\w{0,10}_moe|moe_forward|fused_experts"
        r"|^_(?:grouped|layernorm)?(?:linear|mlp)(?:backward)?$",
    ),
)
"""Rows on ops that launch kernels of several kinds themselves, where the kernel knows better."""
