"""Which ops are attention calls, and where each keeps its operands: a table, and how it is read.

Positions count the inputs of the op as its schema declares them, which is how the profiler records
`Input Dims`, `Input type` and `Concrete Inputs`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

import msgspec

from genscope.analysis.chains import parse_dims

HEADS_FIRST, HEADS_LAST, PACKED, WIDE = "bhsd", "bshd", "thd", "bse"
"""Layouts: (batch, heads, length, width), (batch, length, heads, width), (tokens, heads, width)
with lengths beside it, and (batch, length, heads x width)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What one op tells of an attention call; None is unknown."""

    batch: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    q_len: int | None = None
    kv_len: int | None = None
    q_tokens: int | None = None
    head_dim: int | None = None
    v_head_dim: int | None = None
    dtype: str | None = None
    causal: bool | None = None
    mask: str | None = None
    implementation: str | None = None
    reason: str | None = None

    def filled(self, inner: Shape) -> Shape:
        """Return this with what it does not know taken from an op inside it."""
        missing = {
            name: getattr(inner, name) for name in Shape.__slots__ if getattr(self, name) is None
        }
        return replace(self, **missing)


@dataclass(frozen=True, slots=True)
class Signature:
    """An attention op; numbers are positions among its inputs, None for what it does not take."""

    name: str
    """Regular expression of the whole name."""
    layout: str = HEADS_FIRST
    operands: tuple[int, int, int] = (0, 1, 2)
    causal: int | tuple[int, ...] | None = None
    """Several where versions of the op differ: the first that holds a flag."""
    mask: int | None = None
    lengths: tuple[int, int] | None = None
    """Offsets of the sequences among the tokens, of queries and of keys (shape: batch + 1)."""
    longest: tuple[int, int] | None = None
    """The longest query and the longest key sequence."""
    head_count: int | None = None
    implementation: str | None = None
    """None where an op inside tells."""


_ATEN = r"aten::_scaled_dot_product_"

SIGNATURES: tuple[Signature, ...] = (
    Signature(r"aten::scaled_dot_product_attention", causal=5, mask=3),
    Signature(_ATEN + "attention_math(_for_mps)?", causal=5, mask=3, implementation="math"),
    Signature(_ATEN + "flash_attention", causal=4, implementation="flash"),
    Signature(_ATEN + "flash_attention_for_cpu", causal=4, mask=5, implementation="flash"),
    Signature(_ATEN + "efficient_attention", causal=6, mask=3, implementation="efficient"),
    Signature(_ATEN + "cudnn_attention", causal=6, mask=3, implementation="cudnn"),
    Signature(_ATEN + r"fused_attention_overrideable\w*", causal=5, mask=3, implementation="other"),
    Signature(
        "aten::_flash_attention_forward",
        HEADS_LAST,
        causal=8,
        lengths=(3, 4),
        longest=(5, 6),
        implementation="flash",
    ),
    Signature(
        "aten::_efficient_attention_forward",
        HEADS_LAST,
        mask=3,
        lengths=(4, 5),
        longest=(6, 7),
        causal=9,
        implementation="efficient",
    ),
    Signature(
        "aten::_cudnn_attention_forward",
        mask=3,
        lengths=(4, 5),
        longest=(6, 7),
        causal=10,
        implementation="cudnn",
    ),
    # Of the backward ops the gradient comes first; what they differentiate tells the rest.
    Signature(_ATEN + r"flash_attention\w*_backward", operands=(1, 2, 3), implementation="flash"),
    Signature(
        _ATEN + "efficient_attention_backward", operands=(1, 2, 3), implementation="efficient"
    ),
    Signature(_ATEN + "cudnn_attention_backward", operands=(1, 2, 3), implementation="cudnn"),
    Signature(
        "aten::_flash_attention_backward",
        HEADS_LAST,
        operands=(1, 2, 3),
        lengths=(6, 7),
        longest=(8, 9),
        causal=11,
        implementation="flash",
    ),
    Signature(
        "aten::_efficient_attention_backward",
        HEADS_LAST,
        operands=(1, 2, 3),
        implementation="efficient",
    ),
    Signature(
        "aten::_native_multi_head_attention", WIDE, mask=9, head_count=4, implementation="native"
    ),
    Signature(
        r"flash_attn::_flash_attn_forward(\.\w+)?", HEADS_LAST, causal=5, implementation="flash"
    ),
    Signature(
        r"flash_attn::_flash_attn_varlen_forward(\.\w+)?",
        PACKED,
        lengths=(3, 4),
        longest=(5, 6),
        causal=9,
        implementation="flash",
    ),
    Signature(
        r"flash_attn::_flash_attn_backward(\.\w+)?",
        HEADS_LAST,
        operands=(1, 2, 3),
        implementation="flash",
    ),
    Signature(
        r"flash_attn::_flash_attn_varlen_backward(\.\w+)?",
        PACKED,
        operands=(1, 2, 3),
        lengths=(9, 10),
        longest=(11, 12),
        implementation="flash",
    ),
    Signature(r"FlashAttnFunc", HEADS_LAST, causal=5, implementation="flash"),
    Signature(
        r"FlashAttnVarlenFunc",
        PACKED,
        lengths=(3, 4),
        longest=(5, 6),
        causal=9,
        implementation="flash",
    ),
    Signature(
        r"(flash_attn_3|flash_attn_3_cuda|_vllm_fa3_C|hopper)::_?(flash_attn_)?(fwd|forward)",
        HEADS_LAST,
        lengths=(7, 8),
        longest=(12, 13),
        causal=24,
        implementation="flash3",
    ),
    Signature(r"_vllm_fa2_C::varlen_fwd", PACKED, lengths=(4, 5), implementation="flash"),
    Signature(r"_vllm_fa2_C::fwd_kvcache", HEADS_LAST, implementation="paged"),
    Signature(r"xformers_flash\w*::flash_fwd", HEADS_LAST, implementation="flash"),
    Signature(
        r"xformers(_python)?::(_?efficient_attention_forward_\w+|memory_efficient_attention\w*)",
        HEADS_LAST,
        implementation="efficient",
    ),
    Signature(
        r"aiter::(mha|fmha)_fwd\w*|aiter::flash_attn_func", HEADS_LAST, implementation="flash"
    ),
    Signature(
        r"aiter::(mha|fmha|flash_attn)_varlen_\w+",
        PACKED,
        lengths=(3, 4),
        longest=(5, 6),
        implementation="flash",
    ),
    Signature(
        r"aiter::mha_batch_prefill",
        PACKED,
        lengths=(3, 4),
        longest=(6, 7),
        # Older ones lack the cap of the logits.
        causal=(12, 11),
        implementation="paged",
    ),
    Signature(r"sglang_profiler::mha\w*", PACKED, lengths=(3, 4)),
    Signature(
        r"vllm::unified_attention(_with_output)?|vllm::unified_mla_attention\w*",
        PACKED,
        implementation="paged",
    ),
    Signature(r"sglang::unified_attention\w*", PACKED, implementation="paged"),
    Signature(r"(sageattention|sageattn)\w*::\w+|sageattn\w*", implementation="sage"),
    Signature(r"flex_attention|higher_order::flex_attention", implementation="flex"),
    Signature(r"(transformer_engine|te|tex)::\w*(fused_)?attn_fwd\w*|FusedAttnFunc\w*", HEADS_LAST),
)
"""Ops that are attention as a whole. An op not listed here that the categories know as attention
as a whole is a call too, with what the ops inside it tell."""

_MATCHERS = tuple((re.compile(one.name), one) for one in SIGNATURES)

IMPLEMENTATIONS: tuple[tuple[str, str], ...] = (
    (r"flash_attn_3|flash3|fa3|hopper|sm90.*flash|flash.*sm90", "flash3"),
    (r"flex_?(attention|decoding)", "flex"),
    (r"sage", "sage"),
    (
        r"paged|unified_attention|reduce_segments|batch_?decode|batch_?prefill|pagedkv|xqa"
        r"|(?<![a-z])pa_(?:decode|fwd)|radix",
        "paged",
    ),
    (r"cudnn", "cudnn"),
    (r"fmha_cutlass|efficient_attention|mem_?eff", "efficient"),
    (r"flash|fmhafwd|fmha_fwd|attn_fwd|attn_bwd|fmhabwd|fmha_bwd|mha_fwd|mha_bwd|fmha", "flash"),
    (r"native_multi_head|transformer_encoder_layer", "native"),
)
"""Pattern of a lower-cased op or kernel name -> implementation, the first that is found."""

_IMPLEMENTATIONS = tuple((re.compile(text), name) for text, name in IMPLEMENTATIONS)

_DTYPES = {
    "float": "float32",
    "double": "float64",
    "c10::half": "float16",
    "half": "float16",
    "c10::bfloat16": "bfloat16",
    "bfloat16": "bfloat16",
    "c10::float8_e4m3fn": "float8_e4m3fn",
    "c10::float8_e4m3fnuz": "float8_e4m3fnuz",
    "c10::float8_e5m2": "float8_e5m2",
    "signed char": "int8",
}


@lru_cache(maxsize=4096)
def signature_of(name: str) -> Signature | None:
    """Return the signature of an op by its name; None where the table has none."""
    for pattern, one in _MATCHERS:
        if pattern.fullmatch(name[:500]):
            return one
    return None


@lru_cache(maxsize=4096)
def implementation_of(name: str) -> str:
    """Return the implementation that the name of an op or kernel tells; "other" if none."""
    text = name[:500].lower()
    for pattern, implementation in _IMPLEMENTATIONS:
        if pattern.search(text):
            return implementation
    return "other"


@lru_cache(maxsize=4096)
def _texts(text: str) -> tuple[str, ...]:
    """Parse the JSON text of `Concrete Inputs` or `Input type`; what is no text becomes ""."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return ()
    if not isinstance(found, list):
        return ()
    return tuple(entry if isinstance(entry, str) else "" for entry in found)


def dtype_of(types: str | None, position: int) -> str | None:
    """Return the dtype of an input, as torch spells it; None where nothing was recorded."""
    listed = _texts(types) if types else ()
    if position >= len(listed) or not listed[position]:
        return None
    name = listed[position]
    return _DTYPES.get(name.lower(), name[:40])


def read_op(name: str, dims: str | None, types: str | None, inputs: str | None) -> Shape:
    """Read what an op of a known signature tells.

    `dims`, `types` and `inputs` are the JSON texts of `Input Dims`, `Input type` and `Concrete
    Inputs`, None where not recorded.
    """
    signature = signature_of(name) or _guess(parse_dims(dims) if dims else ())
    if signature is None:
        return Shape()
    shape = Shape(implementation=signature.implementation)
    sizes = parse_dims(dims) if dims else ()
    values = _texts(inputs) if inputs else ()
    if sizes:
        shape = _LAYOUTS[_layout(signature, sizes)](signature, sizes, values).filled(shape)
    causal = _flag(values, signature.causal)
    mask = None
    if causal:
        mask = "causal"
    elif signature.mask is not None and signature.mask < len(sizes):
        mask = "tensor" if sizes[signature.mask] else "none"
    elif causal is False:
        mask = "none"
    return replace(shape, dtype=dtype_of(types, signature.operands[0]), causal=causal, mask=mask)


def _guess(sizes: tuple[tuple[int, ...], ...]) -> Signature | None:
    """Signature of an op that the table lacks, where its first three inputs can only be q, k, v."""
    q, k, v = sizes[:3] if len(sizes) >= 3 else ((), (), ())
    if len(q) != 4 or len(k) != 4 or len(v) != 4:
        return None
    if q[0] != k[0] or k[:3] != v[:3] or q[3] != k[3]:
        return None
    return Signature("", HEADS_FIRST if k[1] <= k[2] else HEADS_LAST)


def _layout(signature: Signature, sizes: tuple[tuple[int, ...], ...]) -> str:
    """Layout of this call: that of the signature, unless the number of dimensions denies it."""
    at = signature.operands[0]
    rank = len(sizes[at]) if at < len(sizes) else 0
    if signature.layout == HEADS_LAST and rank == 3:
        return PACKED
    if signature.layout == PACKED and rank == 4:
        return HEADS_LAST
    return signature.layout


def _operands(
    signature: Signature, sizes: tuple[tuple[int, ...], ...]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    q, k, v = (sizes[at] if at < len(sizes) else () for at in signature.operands)
    return q, k, v


def _heads_first(
    signature: Signature, sizes: tuple[tuple[int, ...], ...], values: tuple[str, ...]
) -> Shape:
    q, k, v = _operands(signature, sizes)
    if len(q) < 3 or len(k) != len(q):
        return Shape()
    if len(q) == 3:
        # Without a heads dimension: heads are in the batch, or there is one.
        return Shape(
            batch=q[0],
            heads=1,
            kv_heads=1,
            q_len=q[1],
            kv_len=k[1],
            q_tokens=q[0] * q[1],
            head_dim=q[2],
            v_head_dim=v[2] if len(v) == 3 else None,
            reason="3-D operands: what stands for heads is counted as batch",
        )
    batch = 1
    for size in q[:-3]:
        batch *= size
    heads, q_len, kv_heads, kv_len = q[-3], q[-2], k[-3], k[-2]
    reason = None
    if heads != kv_heads and (kv_heads == 0 or heads % kv_heads) and q_len == kv_len:
        heads, q_len, kv_heads, kv_len = q_len, heads, kv_len, kv_heads
        reason = "length and heads are swapped: queries and keys agree in the place of lengths"
    return Shape(
        batch=batch,
        heads=heads,
        kv_heads=kv_heads,
        q_len=q_len,
        kv_len=kv_len,
        q_tokens=batch * q_len,
        head_dim=q[-1],
        v_head_dim=v[-1] if v else None,
        reason=reason,
    )


def _heads_last(
    signature: Signature, sizes: tuple[tuple[int, ...], ...], values: tuple[str, ...]
) -> Shape:
    q, k, v = _operands(signature, sizes)
    if len(q) != 4 or len(k) < 3:
        return Shape()
    return Shape(
        batch=q[0],
        heads=q[2],
        kv_heads=k[-2],
        q_len=q[1],
        # A paged cache has (blocks, block size, heads, width): its length is no sequence's.
        kv_len=k[1] if len(k) == 4 and k[0] == q[0] else None,
        q_tokens=q[0] * q[1],
        head_dim=q[3],
        v_head_dim=v[-1] if v else None,
    )


def _packed(
    signature: Signature, sizes: tuple[tuple[int, ...], ...], values: tuple[str, ...]
) -> Shape:
    q, k, v = _operands(signature, sizes)
    if len(q) < 2:
        return Shape()
    batch = None
    if signature.lengths is not None and signature.lengths[0] < len(sizes):
        offsets = sizes[signature.lengths[0]]
        batch = offsets[0] - 1 if len(offsets) == 1 and offsets[0] > 1 else None
    q_len = _number(values, signature.longest[0]) if signature.longest else None
    kv_len = _number(values, signature.longest[1]) if signature.longest else None
    if batch == 1:
        q_len = q_len or q[0]
        kv_len = kv_len or (k[0] if k else None)
    shaped = len(q) == 3
    return Shape(
        batch=batch,
        heads=q[1] if shaped else None,
        kv_heads=k[-2] if shaped and len(k) >= 3 else None,
        q_len=q_len,
        kv_len=kv_len,
        q_tokens=q[0],
        head_dim=q[2] if shaped else None,
        v_head_dim=v[-1] if shaped and v else None,
        reason="variable length: tokens of all sequences in one",
    )


def _wide(
    signature: Signature, sizes: tuple[tuple[int, ...], ...], values: tuple[str, ...]
) -> Shape:
    q, k, _ = _operands(signature, sizes)
    if len(q) != 3:
        return Shape()
    heads = _number(values, signature.head_count)
    width = q[2] // heads if heads else None
    return Shape(
        batch=q[0],
        heads=heads,
        kv_heads=heads,
        q_len=q[1],
        kv_len=k[1] if len(k) == 3 else q[1],
        q_tokens=q[0] * q[1],
        head_dim=width,
        v_head_dim=width,
    )


_LAYOUTS = {HEADS_FIRST: _heads_first, HEADS_LAST: _heads_last, PACKED: _packed, WIDE: _wide}


def _number(values: tuple[str, ...], position: int | None) -> int | None:
    if position is None or position >= len(values):
        return None
    text = values[position]
    return int(text) if text.isdecimal() and len(text) < 12 and int(text) > 0 else None


# 2 is causal too: xformers' `custom_mask_type`, aligned at the last query.
_FLAGS = {"true": True, "false": False, "1": True, "2": True, "0": False}


def _flag(values: tuple[str, ...], position: int | tuple[int, ...] | None) -> bool | None:
    if isinstance(position, tuple):
        # What stands there in another version may be a number.
        for one in position:
            if one < len(values) and values[one] in ("True", "False"):
                return values[one] == "True"
        return None
    if position is None or position >= len(values):
        return None
    return _FLAGS.get(values[position].lower())
