"""What the ops just before a call tell of it: how heads were split, packed or repeated.

An op sees its operands as they are after all reshaping. Where heads stand in the batch, where
several query heads were packed along the length, or where keys were repeated for grouped-query
attention, the reshaping right before the call still shows the true numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import numpy as np

from genscope.analysis.attention.signatures import Shape
from genscope.analysis.chains import parse_dims
from genscope.trace.model import Int64, Kind, Trace

_LOOK_BACK = 96
"""Ops before a call that are looked at; the projections and the rotary embedding lie within."""

_LAYOUT_OPS = frozenset(
    {
        "aten::reshape",
        "aten::view",
        "aten::_unsafe_view",
        "aten::permute",
        "aten::transpose",
        "aten::expand",
        "aten::unbind",
        "aten::unflatten",
        "aten::clone",
        "aten::contiguous",
        "aten::select",
    }
)

Dims = tuple[int, ...]


class Nearby:
    """Look at the ops before calls; calls alike in the same kind of module are looked at once."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        events = trace.events
        wanted = np.array([text in _LAYOUT_OPS for text in trace.strings], dtype=np.bool_)
        ops = np.flatnonzero(events.kind == Kind.CPU_OP)
        ops = ops[wanted[events.name[ops]]]
        ops = ops[np.lexsort((ops, events.start_ns[ops], events.track[ops]))]
        self._ops = ops
        self._first: dict[int, tuple[int, int]] = {}
        tracks = events.track[ops]
        for track in np.unique(tracks).tolist():
            low, high = np.searchsorted(tracks, [track, track + 1])
            self._first[track] = (int(low), int(high))
        self._known: dict[tuple[int, ...], Shape] = {}

    def corrected(self, row: int, shape: Shape, *, chain: bool) -> Shape:
        """Return the shape of the call in `row` with what the ops before it tell."""
        if shape.q_len is None or shape.head_dim is None:
            return shape
        events, links = self._trace.events, self._trace.links
        module = int(links.module[row])
        key = (
            int(events.name[row]),
            int(events.dims[row]),
            int(events.inputs[row]),
            int(events.name[module]) if module >= 0 else -1,
            shape.batch or 0,
        )
        if key not in self._known:
            self._known[key] = self._look(row, shape, chain=chain)
        return self._known[key]

    def _look(self, row: int, shape: Shape, *, chain: bool) -> Shape:
        before = list(self._before(row))
        if shape.heads is None or (chain and shape.batch is None):
            shape = _split(before, shape, self._both(row))
        if shape.heads is not None and shape.heads == shape.kv_heads and (shape.q_len or 0) > 1:
            shape = _unpacked(before, shape)
        return _grouped(before, shape)

    def _both(self, row: int) -> int:
        """Batch times heads of a chain's first product."""
        for dims in self._dims(row):
            if len(dims) == 3:
                return dims[0]
        return 1

    def _dims(self, row: int) -> tuple[Dims, ...]:
        index = int(self._trace.events.dims[row])
        return parse_dims(self._trace.strings[index]) if index >= 0 else ()

    def _before(self, row: int) -> Iterator[tuple[Dims, Dims | None]]:
        """Sizes of what layout ops before a call were given and made, the nearest first."""
        events, strings = self._trace.events, self._trace.strings
        low, high = self._first.get(int(events.track[row]), (0, 0))
        lane: Int64 = self._ops[low:high]
        # What an einsum does to its operands is its own affair.
        parent = self._trace.links.parent
        around = int(parent[row])
        while around >= 0 and self._trace.name_of(around) in ("aten::matmul", "aten::einsum"):
            row, around = around, int(parent[around])
        place = int(np.searchsorted(events.start_ns[lane], events.start_ns[row]))
        for one in lane[max(0, place - _LOOK_BACK) : place][::-1].tolist():
            dims = self._dims(one)
            if not dims or not dims[0]:
                continue
            index = int(events.inputs[one])
            name = strings[int(events.name[one])]
            made = _target(strings[index]) if index >= 0 else None
            if name in ("aten::permute", "aten::transpose", "aten::select", "aten::unbind"):
                made = None
            yield dims[0], made


def _target(text: str) -> Dims | None:
    """The sizes that `Concrete Inputs` of a view or expand ask for."""
    try:
        listed = msgspec.json.decode(text)
        sizes = msgspec.json.decode(listed[1]) if len(listed) > 1 and listed[1] else None
    except (msgspec.DecodeError, RecursionError, TypeError):
        return None
    if not isinstance(sizes, list) or not all(type(one) is int for one in sizes):
        return None
    return tuple(sizes)


def _split(before: list[tuple[Dims, Dims | None]], shape: Shape, both: int) -> Shape:
    """Tell heads from batch where a chain's product saw them as one."""
    q_len, width = shape.q_len, shape.head_dim
    for dims, made in before:
        batch, heads = 0, 0
        if len(dims) >= 4 and dims[-1] == width:
            if dims[-2] == q_len and dims[-4] * dims[-3] == both:
                batch, heads = dims[-4], dims[-3]
            elif dims[-3] == q_len and dims[-4] * dims[-2] == both:
                batch, heads = dims[-4], dims[-2]
        elif len(dims) == 3 and width and made == (q_len, both, width) and dims[0] == q_len:
            # (q, b, h·d) to (q, b·h, d)
            batch, heads = dims[1], dims[2] // width
        if batch and heads and batch * heads == both:
            return replace(
                shape,
                batch=batch,
                heads=heads,
                kv_heads=heads,
                q_tokens=batch * (q_len or 0),
                reason="heads and batch as the query was before they were merged",
            )
    return shape


def _unpacked(before: list[tuple[Dims, Dims | None]], shape: Shape) -> Shape:
    """Undo the packing of query heads along the length, as libraries do for grouped queries.

    (b, heads, q, d) seen as (b, kv_heads, heads / kv_heads x q, d): the view before it tells.
    """
    packed = (shape.batch, shape.heads, shape.q_len, shape.head_dim)
    for dims, made in before:
        if made is None or len(made) != 4 or len(dims) != 4 or dims == made:
            continue
        same = tuple(a if a >= 0 else b for a, b in zip(made, packed, strict=True)) == packed
        heads, q_len = dims[1], dims[2]
        if (
            same
            and dims[0] == shape.batch
            and dims[3] == shape.head_dim
            and heads > (shape.heads or 0)
            and heads % (shape.heads or 1) == 0
            and heads * q_len == (shape.heads or 0) * (shape.q_len or 0)
        ):
            return replace(
                shape,
                heads=heads,
                q_len=q_len,
                q_tokens=(shape.batch or 0) * q_len,
                reason="grouped queries were packed along the length; the view before tells",
            )
    return shape


def _grouped(before: list[tuple[Dims, Dims | None]], shape: Shape) -> Shape:
    """Find the number of key heads before they were repeated for grouped-query attention."""
    heads, kv_len = shape.kv_heads, shape.kv_len
    if heads is None or shape.heads != heads or heads < 2:
        return shape
    for dims, made in before:
        if made is None or len(made) != 5 or len(dims) != 5:
            continue
        # (b, kv_heads, 1, kv, d) expanded to (b, kv_heads, n, kv, d)
        repeated = dims[2] == 1 and made[2] > 1 and dims[1] * made[2] == heads
        if repeated and dims[-2] == kv_len and dims[-1] == shape.head_dim:
            return replace(
                shape,
                kv_heads=dims[1],
                reason=shape.reason or "keys were repeated; the expand before tells",
            )
    return shape
