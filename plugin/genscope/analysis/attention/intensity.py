"""FLOPs and bytes of matrix products and of attention, as far as recorded shapes tell.

A product (m, k) x (k, n) takes 2·m·k·n FLOPs and moves its two operands and its result once. An
attention call takes 2·b·h·q·kv·(d_qk + d_v), counted exactly where it is known to be causal, and
moves q, k, v and its output; an unfused one also writes and reads its scores. A call of which
nothing tells whether it is causal counts all keys for every query, which is up to twice too many.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.signatures import dtype_of
from genscope.analysis.chains import parse_dims
from genscope.trace.model import NONE, Bool, Int64, Kind, Trace

_FIRST = {
    "aten::mm": 0,
    "aten::addmm": 1,
    "aten::bmm": 0,
    "aten::baddbmm": 1,
    "aten::linear": 0,
}
"""Products, and the place of their first operand. `linear` counts only where none is inside."""

_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2, "int8": 1}


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


def attention_flops(calls: Calls) -> Int64:
    """FLOPs of each call, shape (c,), -1 where its lengths are not known.

    Causal calls count the products that the mask leaves: query i of q sees kv - q + i + 1 keys
    (aligned at the last), as a cache has it.
    """
    q, kv = calls.sizes["q_len"], calls.sizes["kv_len"]
    pairs = q * kv
    seen = q * np.maximum(kv - q, 0) + np.minimum(q, kv) * (np.minimum(q, kv) + 1) // 2
    pairs = np.where(counts_causal(calls), seen, pairs)
    width = calls.sizes["head_dim"] + np.where(
        calls.sizes["v_head_dim"] < 0, calls.sizes["head_dim"], calls.sizes["v_head_dim"]
    )
    known = (q >= 0) & (kv >= 0) & (calls.sizes["head_dim"] >= 0)
    known &= (calls.sizes["batch"] >= 0) & (calls.sizes["heads"] >= 0)
    # Of a batch of variable lengths only the longest is known, which bounds it from above.
    total = 2 * calls.sizes["batch"] * calls.sizes["heads"] * pairs * width
    return np.where(known, total, NONE)


def attention_bytes(calls: Calls) -> Int64:
    """Bytes that each call has to move, shape (c,), -1 where its sizes are not known."""
    size = np.full(len(calls), NONE, dtype=np.int64)
    for name, width in _BYTES.items():
        size[calls.is_word("dtype", name)] = width
    b, h, hk = (calls.sizes[name] for name in ("batch", "heads", "kv_heads"))
    q, kv, d = (calls.sizes[name] for name in ("q_len", "kv_len", "head_dim"))
    v = np.where(calls.sizes["v_head_dim"] < 0, d, calls.sizes["v_head_dim"])
    moved = b * (h * q * (d + v) + hk * kv * (d + v))
    unfused = calls.is_word("implementation", "eager") | calls.is_word("implementation", "math")
    scores = np.where(unfused, 4 * b * h * q * kv, 0)
    known = (size > 0) & (attention_flops(calls) >= 0) & (hk >= 0)
    return np.where(known, (moved + scores) * size, NONE)


def products(trace: Trace, calls: Calls) -> tuple[Int64, Int64, Int64]:
    """Rows of the matrix products outside attention, their FLOPs and bytes; shape (p,) each."""
    events, strings = trace.events, trace.strings
    first = np.array([_FIRST.get(text, NONE) for text in strings], dtype=np.int64)
    mine = (events.kind == Kind.CPU_OP) & (first[events.name] >= 0) & (events.dims >= 0)
    rows = np.flatnonzero(mine & (calls.of_event < 0))
    parents = trace.links.parent[rows]
    rows = rows[~np.isin(rows, parents[parents >= 0])]
    table = np.stack([events.name[rows], events.dims[rows], events.types[rows]], axis=1)
    distinct, which = np.unique(table, axis=0, return_inverse=True)
    figures = np.array(
        [_product(strings, *map(int, one)) for one in distinct], dtype=np.int64
    ).reshape(-1, 2)
    of_row = figures[which.reshape(-1)]
    known = of_row[:, 0] > 0
    return rows[known], of_row[known, 0], of_row[known, 1]


def _product(strings: Sequence[str], name: int, dims_at: int, types_at: int) -> tuple[int, int]:
    place = _FIRST[strings[name]]
    dims = parse_dims(strings[dims_at])
    pair = dims[place : place + 2]
    if len(pair) < 2 or not pair[0] or len(pair[1]) < 2:
        return 0, 0
    left, right = pair
    transposed = strings[name] == "aten::linear"
    inner = right[-1] if transposed else right[-2]
    columns = right[-2] if transposed else right[-1]
    if left[-1] != inner:
        return 0, 0
    rows = 1
    for size in left[:-1]:
        rows *= size
    batch = right[0] if len(right) == 3 else 1
    dtype = dtype_of(strings[types_at], place) if types_at >= 0 else None
    width = _BYTES.get(dtype or "", 4)
    moved = rows * inner + batch * inner * columns + rows * columns
    return 2 * rows * inner * columns, moved * width
