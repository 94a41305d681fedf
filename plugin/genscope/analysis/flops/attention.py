"""FLOPs and bytes of attention calls, from their sizes.

Forward, a query and a key that it sees take 2·d_qk FLOPs for their score and 2·d_v for the value;
softmax, scale and mask are not counted, as everywhere where FLOPs of attention are told. Causal
calls of fused kernels count exactly the pairs that the mask leaves: query i of q sees
kv - q + i + 1 keys (aligned at the last, as a cache has it). Heads that share keys read them once.

Backward takes four products for the two (gradients of the probabilities, of q, k and v), and
a fused one computes the scores again: 6·d_qk + 4·d_v for a pair.

Of a batch of variable lengths only the longest and the sum are known; its pairs are counted as
though all queries met the longest sequence of keys, which bounds them from above.
"""

from __future__ import annotations

import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.classify import BACKWARD
from genscope.trace.model import NONE, Bool, Int64

SAYS = "2·b·h·pairs·(d_qk + d_v)"
SAYS_BACKWARD = "b·h·pairs·(6·d_qk + 4·d_v) where fused, else 4·b·h·pairs·(d_qk + d_v)"

_BYTES = {
    "float64": 8,
    "float32": 4,
    "bfloat16": 2,
    "float16": 2,
    "float8_e4m3fn": 1,
    "float8_e4m3fnuz": 1,
    "float8_e5m2": 1,
    "int8": 1,
}


def counts_causal(calls: Calls) -> Bool:
    """Mask of shape (c,) of the calls that count only the keys which a causal mask leaves.

    Those whose op was told to, and the prompts of a serving engine. A chain that masks its scores
    has computed all of them.
    """
    masked = calls.is_word("mask", "causal") & ~calls.chain
    mask: Bool = (calls.causal == 1) | (masked & ~calls.is_word("implementation", "native"))
    return mask


def causal_unknown(calls: Calls) -> Bool:
    """Mask of shape (c,) of fused calls of which nothing tells whether they are causal.

    With one query a sequence it makes no difference.
    """
    open_ = (calls.causal < 0) & (calls.texts["mask"] < 0) & ~calls.chain
    mask: Bool = open_ & calls.has_shape & (calls.sizes["q_len"] != 1)
    return mask & ~calls.is_word("kind", "cross")


def varies(calls: Calls) -> Bool:
    """Mask of shape (c,) of the calls whose sequences differ in length, or may."""
    batch, q, tokens = (calls.sizes[name] for name in ("batch", "q_len", "q_tokens"))
    mask: Bool = (batch > 1) & (q >= 0) & (tokens >= 0) & (tokens != batch * q)
    return mask


def is_unfused(calls: Calls) -> Bool:
    """Mask of shape (c,) of the calls that write their scores to memory."""
    mask: Bool = calls.chain | calls.is_word("implementation", "eager")
    return mask | calls.is_word("implementation", "math")


def _known(calls: Calls) -> Bool:
    names = ("batch", "heads", "q_len", "kv_len", "head_dim")
    mask: Bool = np.logical_and.reduce([calls.sizes[name] >= 0 for name in names])
    return mask


def _value_width(calls: Calls) -> Int64:
    d, v = calls.sizes["head_dim"], calls.sizes["v_head_dim"]
    return np.where(v < 0, d, v)


def pairs_of(calls: Calls, causal: Bool) -> Int64:
    """Pairs of a query and a key that it sees, of one head and the whole batch; shape (c,)."""
    batch, q, kv = (calls.sizes[name] for name in ("batch", "q_len", "kv_len"))
    corner = np.minimum(q, kv)
    seen = q * np.maximum(kv - q, 0) + corner * (corner + 1) // 2
    pairs = batch * np.where(causal, seen, q * kv)
    # Σ qᵢ·kvᵢ ≤ longest kv · Σ qᵢ, and below a causal diagonal Σ qᵢ(qᵢ + 1)/2 ≤ (q + 1)/2 · Σ qᵢ.
    tokens = calls.sizes["q_tokens"]
    most = np.where(causal, tokens * (2 * np.maximum(kv - q, 0) + corner + 1) // 2, tokens * kv)
    found: Int64 = np.where(varies(calls), np.minimum(pairs, most), pairs)
    return found


def attention_flops(calls: Calls, *, every_pair: bool = False) -> Int64:
    """FLOPs of each call, shape (c,), -1 where its sizes are not known.

    `every_pair` counts causal calls as though they saw all keys, as PyTorch's counter does.
    """
    causal = np.zeros(len(calls), dtype=np.bool_) if every_pair else counts_causal(calls)
    pairs = pairs_of(calls, causal)
    d, v = calls.sizes["head_dim"], _value_width(calls)
    backward = calls.pass_ == BACKWARD
    width = np.where(backward, np.where(is_unfused(calls), 4 * (d + v), 6 * d + 4 * v), 2 * (d + v))
    return np.where(_known(calls), calls.sizes["heads"] * pairs * width, NONE)


def attention_bytes(calls: Calls) -> Int64:
    """Bytes that each call has to move, shape (c,), -1 where its sizes are not known.

    q, k, v and the result once; an unfused call writes and reads its scores before and after the
    softmax. Backward reads the result and its gradient too, and writes three gradients.
    """
    size = np.full(len(calls), NONE, dtype=np.int64)
    for name, width in _BYTES.items():
        size[calls.is_word("dtype", name)] = width
    b, h, hk = (calls.sizes[name] for name in ("batch", "heads", "kv_heads"))
    q, kv, d = (calls.sizes[name] for name in ("q_len", "kv_len", "head_dim"))
    v = _value_width(calls)
    queries = np.where(varies(calls), calls.sizes["q_tokens"], b * q)
    keys = np.where(varies(calls) & (q == kv), calls.sizes["q_tokens"], b * kv)
    forward = queries * h * (d + v) + keys * hk * (d + v)
    backward = queries * h * (2 * d + 2 * v) + 2 * keys * hk * (d + v)
    scores = np.where(is_unfused(calls), 4 * b * h * q * kv, 0)
    moved = np.where(calls.pass_ == BACKWARD, backward, forward) + scores
    known = (size > 0) & _known(calls) & (hk >= 0)
    return np.where(known, moved * size, NONE)
