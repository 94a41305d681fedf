"""Lengths of an unfused chain, from its products, its softmax and what stands between them.

Products see batch and heads as one dimension, and heads that share their keys as queries. The
softmax, or an op around or between the products, often sees them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from genscope.analysis.attention.signatures import Shape, dtype_of
from genscope.analysis.chains import Chains, parse_dims
from genscope.trace.model import Kind, Trace

NO_SHAPES = "the op's shapes were not recorded (record_shapes)"

_CAUSAL_SOFTMAX = re.compile(r"upper_?triang|causal", re.IGNORECASE)
"""Names of fused softmaxes that mask the future themselves."""

_TRIANGLES = ("aten::triu", "aten::tril", "aten::triu_", "aten::tril_")
_MASKS = re.compile(r"aten::(masked_fill_?|where|add_?|__or__|logical_or)$")
_MOST_BETWEEN = 400
"""Events between the products that are looked at."""

Dims = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Products:
    """(…, q, d) x (…, d, kv), as the first product sees them."""

    both: int
    """Batch times heads."""
    q_len: int
    kv_len: int
    head_dim: int


def read_chain(trace: Trace, chains: Chains, place: int) -> Shape:
    """Read what the ops of a chain tell; `place` is its place among the chains."""
    first, second = int(chains.first_product[place]), int(chains.second_product[place])
    softmax = int(chains.softmax[place])
    events = trace.events
    skip = 1 if trace.name_of(first) == "aten::baddbmm" else 0
    dims = _dims(trace, first)[skip : skip + 2]
    types = int(events.types[first])
    dtype = dtype_of(trace.strings[types], skip) if types >= 0 else None
    if len(dims) < 2 or len(dims[0]) < 2 or len(dims[0]) != len(dims[1]):
        return Shape(implementation="eager", dtype=dtype, reason=NO_SHAPES)
    left, right = dims
    seen = _Products(left[0] if len(left) == 3 else 1, left[-2], right[-1], left[-1])
    values = _dims(trace, second)
    shape = Shape(
        implementation="eager",
        dtype=dtype,
        head_dim=seen.head_dim,
        v_head_dim=values[1][-1] if len(values) > 1 and values[1] else None,
        mask=_mask(trace, first, softmax, seen),
    )
    if _CAUSAL_SOFTMAX.search(trace.name_of(softmax)):
        shape = replace(shape, causal=True, mask="causal")
    return _heads(trace, first, softmax, second, seen).filled(shape)


def _dims(trace: Trace, row: int) -> tuple[Dims, ...]:
    index = int(trace.events.dims[row])
    return parse_dims(trace.strings[index]) if index >= 0 else ()


def _heads(trace: Trace, first: int, softmax: int, second: int, seen: _Products) -> Shape:
    """Tell batch, heads and queries apart, where any op saw them apart."""
    parent = trace.links.parent
    around = int(parent[first])
    while around >= 0 and trace.name_of(around) in ("aten::matmul", "aten::einsum"):
        for shape in _dims(trace, around):
            if len(shape) == 4 and shape[0] * shape[1] == seen.both:
                return _shape(seen, shape[0], shape[1], shape[1], None)
        around = int(parent[around])
    scores = next((one for one in _dims(trace, softmax) if one), ())
    if len(scores) == 4 and scores[3] == seen.kv_len:
        batch, heads, q_len, _ = scores
        grouped = seen.both // batch if batch and seen.both % batch == 0 else 0
        if grouped and heads % grouped == 0 and q_len * heads == seen.q_len * grouped:
            reason = "heads and batch as the softmax saw the scores"
            if grouped != heads:
                reason = "heads share their keys: the softmax saw them apart, the product as one"
            return _shape(replace(seen, q_len=q_len), batch, heads, grouped, reason)
    for shape in _between(trace, first, second):
        if (
            len(shape) == 4
            and shape[0] * shape[1] == seen.both
            and shape[2:] == (seen.q_len, seen.kv_len)
            # Where there is one head or batch, an einsum's own reshaping tells nothing.
            and min(shape[:2]) > 1
        ):
            reason = "heads and batch as the scores were reshaped"
            return _shape(seen, shape[0], shape[1], shape[1], reason)
    return _shape(seen, None, None, None, f"batch and heads are one dimension of {seen.both}")


def _shape(
    seen: _Products,
    batch: int | None,
    heads: int | None,
    kv_heads: int | None,
    reason: str | None,
) -> Shape:
    return Shape(
        batch=batch,
        heads=heads,
        kv_heads=kv_heads,
        q_len=seen.q_len,
        kv_len=seen.kv_len,
        q_tokens=None if batch is None else batch * seen.q_len,
        reason=reason,
    )


def _ops_between(trace: Trace, first: int, second: int) -> list[int]:
    """Rows of the ops that start from one op to another on their thread."""
    events = trace.events
    part = slice(first, second + 1)
    start_ns = events.start_ns[part]
    lane = np.flatnonzero(
        (events.track[part] == events.track[first])
        & (events.kind[part] == Kind.CPU_OP)
        & (start_ns >= events.start_ns[first])
        & (start_ns <= events.start_ns[second])
    )
    return [int(row) + first for row in lane[:_MOST_BETWEEN]]


def _between(trace: Trace, first: int, second: int) -> Iterator[Dims]:
    for row in _ops_between(trace, first, second):
        yield from _dims(trace, row)


def _mask(trace: Trace, first: int, softmax: int, seen: _Products) -> str | None:
    """What was masked between the first product and the softmax, as far as sizes tell."""
    found = None
    for row in _ops_between(trace, first, softmax):
        name = trace.name_of(row)
        if name in _TRIANGLES and _dims(trace, row)[:1] == ((seen.q_len, seen.kv_len),):
            return "causal"
        if name in _TRIANGLES and _dims(trace, row)[:1] == ((seen.kv_len, seen.kv_len),):
            return "causal"
        if _MASKS.match(name):
            masks = [one for one in _dims(trace, row)[1:] if one and one[-1] == seen.kv_len]
            found = "tensor" if masks else found
    return found
