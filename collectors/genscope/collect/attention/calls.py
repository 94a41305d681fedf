"""The functions that are attention, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from genscope.collect.attention.readers import (
    Reader,
    Reading,
    flash,
    flash_cache,
    flash_kv,
    flash_qkv,
    flash_varlen,
    flex,
    native_layer,
    native_mha,
    sage,
    sdpa,
    xformers,
)


@dataclass(frozen=True, slots=True)
class Target:
    """Functions that take the same arguments."""

    via: str
    modules: tuple[str, ...]
    """Where they are defined. A module that is not loaded is not asked for."""
    names: tuple[str, ...]
    parameters: tuple[str, ...]
    """Names of the arguments in order, as far as they matter."""
    read: Reader


_QKV = ("query", "key", "value")
_VARLEN_PARAMETERS = ("q", "k", "v", "cu_seqlens_q", "cu_seqlens_k", "max_seqlen_q", "max_seqlen_k")

SDPA = Target(
    "sdpa",
    ("torch.nn.functional", "torch._C._nn"),
    ("scaled_dot_product_attention",),
    (*_QKV, "attn_mask", "dropout_p", "is_causal"),
    sdpa,
)

_FLASH_MODULES = (
    "flash_attn",
    "flash_attn.flash_attn_interface",
    "flash_attn_interface",
    "flash_attn.cute",
    "flash_attn.cute.interface",
    "flash_attn_2_cuda",
    "aiter",
    "aiter.ops.mha",
)

_FLASH = Target("flash_attn", _FLASH_MODULES, ("flash_attn_func",), ("q", "k", "v"), flash)
_FLASH_VARLEN = Target(
    "flash_attn", _FLASH_MODULES, ("flash_attn_varlen_func",), _VARLEN_PARAMETERS, flash_varlen
)
_FLASH_CACHE = Target(
    "flash_attn",
    _FLASH_MODULES,
    ("flash_attn_with_kvcache",),
    ("q", "k_cache", "v_cache", "k", "v", "rotary_cos", "rotary_sin", "cache_seqlens"),
    flash_cache,
)
_SAGE = Target(
    "sageattention",
    ("sageattention", "sageattention.core", "sageattn3"),
    (
        "sageattn",
        "sageattn_qk_int8_pv_fp16_cuda",
        "sageattn_qk_int8_pv_fp16_triton",
        "sageattn_qk_int8_pv_fp8_cuda",
        "sageattn_qk_int8_pv_fp8_cuda_sm90",
        "sageattn3_blackwell",
    ),
    ("q", "k", "v", "tensor_layout", "is_causal"),
    sage,
)

TARGETS: tuple[Target, ...] = (
    SDPA,
    Target(
        "native_mha",
        ("torch",),
        ("_native_multi_head_attention",),
        (*_QKV, "embed_dim", "num_head", "", "", "", "", "mask"),
        native_mha,
    ),
    Target(
        "native_encoder_layer",
        ("torch",),
        ("_transformer_encoder_layer_fwd",),
        ("src", "embed_dim", "num_head", *("",) * 15, "mask"),
        native_layer,
    ),
    Target(
        "flex",
        ("torch.nn.attention.flex_attention",),
        ("flex_attention",),
        (*_QKV, "score_mod", "block_mask"),
        flex,
    ),
    Target(
        "flex",
        ("transformers.integrations.flex_attention",),
        ("compile_friendly_flex_attention",),
        _QKV,
        flex,
    ),
    Target(
        "varlen",
        ("torch.nn.attention.varlen",),
        ("varlen_attn",),
        ("q", "k", "v", "cu_seq_q", "cu_seq_k", "max_q", "max_k", "is_causal"),
        flash_varlen,
    ),
    _FLASH,
    _FLASH_VARLEN,
    _FLASH_CACHE,
    Target("flash_attn", _FLASH_MODULES, ("flash_attn_qkvpacked_func",), ("qkv",), flash_qkv),
    Target("flash_attn", _FLASH_MODULES, ("flash_attn_kvpacked_func",), ("q", "kv"), flash_kv),
    Target(
        "xformers",
        ("xformers.ops", "xformers.ops.fmha"),
        ("memory_efficient_attention",),
        (*_QKV, "attn_bias"),
        xformers,
    ),
    _SAGE,
    Target(
        "sageattention",
        ("sageattention", "sageattention.core"),
        ("sageattn_varlen",),
        _VARLEN_PARAMETERS,
        flash_varlen,
    ),
    # Functions that transformers loads from elsewhere and keeps under names of its own.
    Target(
        "flash_attn",
        ("transformers.modeling_flash_attention_utils",),
        ("_flash_fn",),
        ("q", "k", "v"),
        flash,
    ),
    Target(
        "flash_attn",
        ("transformers.modeling_flash_attention_utils",),
        ("_flash_varlen_fn",),
        _VARLEN_PARAMETERS,
        flash_varlen,
    ),
)

KERNELS: dict[str, Target] = {
    "flash_attn_func": _FLASH,
    "flash_attn_varlen_func": _FLASH_VARLEN,
    "sageattn": _SAGE,
    "sageattn3_blackwell": _SAGE,
}
"""Functions by the names that diffusers keeps for kernels of the hub."""

OPERATORS: dict[str, Target] = dict.fromkeys(
    (
        "scaled_dot_product_attention",
        "_scaled_dot_product_flash_attention",
        "_scaled_dot_product_flash_attention_for_cpu",
        "_scaled_dot_product_efficient_attention",
        "_scaled_dot_product_cudnn_attention",
        "_scaled_dot_product_attention_math",
        "_scaled_dot_product_fused_attention_overrideable",
    ),
    SDPA,
)
"""What a torch function mode sees where a function was imported in a way that no patch reaches."""


def bind(target: Target, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name."""
    return {**dict(zip(target.parameters, args, strict=False)), **kwargs}


def read(target: Target, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Reading | None:
    """Read the arguments of a call; None where they are wrong, or being traced."""
    if torch._C._get_tracing_state() is not None:
        return None
    try:
        reading = target.read(bind(target, args, kwargs))
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError):
        return None
    if reading is None or not isinstance(reading.query, torch.Tensor):
        return None
    plain = all(one is None or type(one) in (int, bool, str) for one in reading.seen)
    return reading if plain else None
