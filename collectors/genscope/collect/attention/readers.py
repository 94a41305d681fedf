"""What the arguments of a call of attention say.

A reader takes the arguments by name and tells lengths, heads and mask, and which arguments are
queries and keys. It never touches the data of a tensor that is not on the CPU, which would wait
for the device.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch


class Seen(NamedTuple):
    """What the arguments of a call say; None where they do not."""

    batch: int | None
    heads: int | None
    """None where they stand in the batch, or there is one."""
    kv_heads: int | None
    q_len: int | None
    kv_len: int | None
    head_dim: int | None
    v_head_dim: int | None
    causal: bool
    mask: str
    dtype: str
    q_tokens: int | None = None


class Layout(NamedTuple):
    """Where tokens and heads stand in a tensor; heads None where they have no dimension."""

    tokens: int
    heads: int | None


class Reading(NamedTuple):
    """A call as its arguments tell it."""

    seen: Seen
    query: torch.Tensor
    key: torch.Tensor
    query_layout: Layout
    key_layout: Layout


Reader = Callable[[dict[str, Any]], Reading | None]


BHSD, BSHD = Layout(-2, -3), Layout(-3, -2)
_FLAT, _VARLEN = Layout(-2, None), Layout(0, 1)


def name_of(dtype: torch.dtype) -> str:
    """Return the name of a dtype without `torch.`."""
    return str(dtype).removeprefix("torch.")


def heads_first(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, causal: bool, mask: str
) -> Reading:
    """Read a call of (batch, heads, tokens, features), where heads may be missing."""
    return _dense(query, key, value, BHSD, causal, mask)


def _dense(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    layout: Layout,
    causal: bool,
    mask: str,
) -> Reading:
    if query.is_nested:
        return _nested(query, key, value, causal, mask)
    if query.dim() < 4:
        layout = _FLAT
    shape, key_shape = query.shape, key.shape
    heads: int | None = None
    kv_heads: int | None = None
    if layout is BSHD and len(shape) == 5:
        # (batch, tokens, groups, heads of a group, features): a group shares its keys, repeated.
        layout = Layout(1, 2)
        heads, kv_heads = shape[2] * shape[3], shape[2]
    elif layout.heads is not None:
        heads, kv_heads = shape[layout.heads], key_shape[layout.heads]
    rows = shape[layout.tokens] * (heads or 1)
    seen = Seen(
        batch=math.prod(shape[:-1]) // rows if rows else 0,
        heads=heads,
        kv_heads=kv_heads,
        q_len=shape[layout.tokens],
        kv_len=key_shape[layout.tokens],
        head_dim=shape[-1],
        v_head_dim=value.shape[-1],
        causal=causal,
        mask=mask,
        dtype=name_of(query.dtype),
    )
    return Reading(seen, query, key, layout, layout)


def _nested(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, causal: bool, mask: str
) -> Reading:
    """Read a call of nested tensors, whose lengths are not asked for: that may wait."""
    seen = Seen(
        batch=query.size(0),
        heads=None,
        kv_heads=None,
        q_len=None,
        kv_len=None,
        head_dim=None,
        v_head_dim=None,
        causal=causal,
        mask=mask,
        dtype=name_of(query.dtype),
    )
    return Reading(seen, query, key, _FLAT, _FLAT)


def _mask(causal: Any, given: Any, window: Any = None) -> tuple[bool, str]:
    causal = causal is True
    if given is not None:
        kind = type(given).__name__.lower()
        return causal, "causal" if "causal" in kind or "lowertriangular" in kind else "tensor"
    if isinstance(window, (tuple, list)) and any(
        isinstance(side, int) and side >= 0 and not (causal and place == 1 and side == 0)
        for place, side in enumerate(window)
    ):
        return causal, "window"
    return causal, "causal" if causal else "none"


def sdpa(args: dict[str, Any]) -> Reading:
    """Read a call of SDPA: (batch, heads, tokens, features)."""
    query, key, value = args["query"], args["key"], args["value"]
    causal, mask = _mask(args.get("is_causal", False), args.get("attn_mask"))
    return _dense(query, key, value, BHSD, causal, mask)


def flash(args: dict[str, Any]) -> Reading:
    """Read a call of flash_attn_func: (batch, tokens, heads, features)."""
    query = args["q"]
    key = args.get("k", query)
    causal, mask = _mask(args.get("causal", False), None, args.get("window_size"))
    return _dense(query, key, args.get("v", key), BSHD, causal, mask)


def flash_qkv(args: dict[str, Any]) -> Reading:
    """Read a call of flash_attn_qkvpacked_func: (batch, tokens, 3, heads, features)."""
    packed = args["qkv"]
    query, key, value = (packed.select(2, place) for place in range(3))
    return _related(flash({**args, "q": query, "k": key, "v": value}), packed, packed)


def flash_kv(args: dict[str, Any]) -> Reading:
    """Read a call of flash_attn_kvpacked_func: (batch, tokens, 2, heads, features)."""
    query, packed = args["q"], args["kv"]
    key, value = (packed.select(2, place) for place in range(2))
    return _related(flash({**args, "k": key, "v": value}), query, packed)


def _related(reading: Reading, query: torch.Tensor, key: torch.Tensor) -> Reading:
    """Point at the tensors that the model made; a packed one has a dimension more."""

    def layout(tensor: torch.Tensor) -> Layout:
        return Layout(1, 3) if tensor.dim() == 5 else BSHD

    return reading._replace(
        query=query, key=key, query_layout=layout(query), key_layout=layout(key)
    )


def flash_varlen(args: dict[str, Any]) -> Reading:
    """Read a call of the functions for sequences one after the other: (tokens, heads, features)."""
    query = args["q"]
    key = args["k"]
    value = args["v"]
    starts = args.get("cu_seqlens_q", args.get("cu_seq_q"))
    seen = Seen(
        batch=starts.numel() - 1 if isinstance(starts, torch.Tensor) else None,
        heads=query.shape[1],
        kv_heads=key.shape[-2],
        q_len=_number(args.get("max_seqlen_q", args.get("max_q"))),
        kv_len=_number(args.get("max_seqlen_k", args.get("max_k"))),
        head_dim=query.shape[-1],
        v_head_dim=value.shape[-1],
        causal=args.get("causal", args.get("is_causal", False)) is True,
        mask=_mask(args.get("causal", args.get("is_causal")), None, args.get("window_size"))[1],
        dtype=name_of(query.dtype),
        q_tokens=query.shape[0],
    )
    return Reading(seen, query, key, _VARLEN, _VARLEN if key.dim() == 3 else BSHD)


def flash_cache(args: dict[str, Any]) -> Reading:
    """Read a call of flash_attn_with_kvcache."""
    query, key = args["q"], args["k_cache"]
    reading = flash({**args, "k": key, "v": args["v_cache"]})
    filled = _number(args.get("cache_seqlens"))
    new = args.get("k")
    if filled is not None:
        kv_len: int | None = filled + (new.shape[1] if new is not None else 0)
    else:
        # How much of the cache is filled stands in a tensor, perhaps on the device.
        given = args.get("cache_seqlens") is not None or args.get("block_table") is not None
        kv_len = None if given else key.shape[1]
    related = new if new is not None else key
    return reading._replace(seen=reading.seen._replace(kv_len=kv_len), query=query, key=related)


def xformers(args: dict[str, Any]) -> Reading:
    """Read a call of memory_efficient_attention: (batch, tokens, heads, features)."""
    query, key, value = args["query"], args["key"], args["value"]
    bias = args.get("attn_bias")
    kind = type(bias).__name__
    mask = _mask(False, bias)[1] if bias is not None else "none"
    causal = "Causal" in kind or "LowerTriangular" in kind
    reading = _dense(query, key, value, BSHD, causal, mask)
    for side in ("q_seqinfo", "k_seqinfo"):
        info = getattr(bias, side, None)
        if info is None:
            continue
        longest = _number(getattr(info, "max_seqlen", None))
        seen = reading.seen._replace(kv_len=longest)
        if side == "q_seqinfo":
            starts = getattr(info, "seqstart_py", None) or ()
            seen = reading.seen._replace(
                q_len=longest,
                batch=len(starts) - 1 if starts else None,
                q_tokens=query.shape[0] * query.shape[1],
            )
        reading = reading._replace(seen=seen)
    return reading


def sage(args: dict[str, Any]) -> Reading:
    """Read a call of sageattn, in either layout."""
    layout = BSHD if args.get("tensor_layout") == "NHD" else BHSD
    causal, mask = _mask(args.get("is_causal", False), args.get("attn_mask"))
    return _dense(args["q"], args["k"], args["v"], layout, causal, mask)


def flex(args: dict[str, Any]) -> Reading:
    """Read a call of flex_attention; the name of its mask tells what it is."""
    block = args.get("block_mask")
    name = getattr(getattr(block, "mask_mod", None), "__name__", "")
    mask = "none" if block is None and args.get("score_mod") is None else "tensor"
    if block is not None:
        for word, kind in (("causal", "causal"), ("sliding", "window"), ("window", "window")):
            if word in name:
                mask = kind
                break
    return _dense(args["query"], args["key"], args["value"], BHSD, mask == "causal", mask)


def native_mha(args: dict[str, Any]) -> Reading:
    """Read a call of the fast path of torch.nn.MultiheadAttention: (batch, tokens, features)."""
    query, key = args["query"], args["key"]
    heads, width = args["num_head"], args["embed_dim"]
    mask = "none" if args.get("mask") is None else "tensor"
    if query.is_nested:
        seen = _nested(query, key, key, False, mask).seen
    else:
        seen = _dense(query, key, key, _FLAT, False, mask).seen
    seen = seen._replace(
        heads=heads, kv_heads=heads, head_dim=width // heads, v_head_dim=width // heads
    )
    return Reading(seen, query, key, _FLAT, _FLAT)


def native_layer(args: dict[str, Any]) -> Reading:
    """Read a call of the fast path of torch.nn.TransformerEncoderLayer."""
    return native_mha({**args, "query": args["src"], "key": args["src"]})


def _number(value: Any) -> int | None:
    if isinstance(value, int):
        return value
    if isinstance(value, torch.Tensor) and value.device.type == "cpu" and value.numel() == 1:
        return int(value.item())
    return None
