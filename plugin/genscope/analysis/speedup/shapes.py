"""Shapes of attention calls: in words, and as what a table of times is looked up by."""

from __future__ import annotations

import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.classify import FORWARD, UNKNOWN
from genscope.analysis.speedup.alike import alike
from genscope.analysis.speedup.results import Shape
from genscope.trace.model import Int64

_SIZES = ("batch", "heads", "kv_heads", "q_len", "kv_len", "head_dim", "v_head_dim")
_MASKS = (None, "none", "causal", "tensor")
"""Masks that a shape can have; a window leaves out an amount of work that is not recorded."""

DEFAULT_DTYPE = "float32"

NOT_FORWARD = "not of the forward pass"
NO_LENGTHS = "its lengths are not known"
WINDOW = "it attends within a window"
VARYING = "lengths vary within the batch"


def shape_words(
    *,
    batch: int | None,
    heads: int | None,
    kv_heads: int | None,
    q_len: int | None,
    kv_len: int | None,
    head_dim: int | None,
    causal: bool | None,
) -> str:
    """`2 x 8 heads, 4096 x 77, width 40`."""
    if q_len is None:
        return "unknown lengths"
    of = "?" if heads is None else str(heads)
    of += f"/{kv_heads}" if kv_heads not in (None, heads) else ""
    parts = [
        f"{'?' if batch is None else batch} × {of} heads",
        f"{q_len} × {'?' if kv_len is None else kv_len}",
    ]
    parts += [f"width {head_dim}"] if head_dim is not None else []
    parts += ["causal"] if causal else []
    return ", ".join(parts)


def distinct_shapes(calls: Calls) -> tuple[list[Shape | str], list[Int64]]:
    """Put the calls of a run together by shape: a shape, or why it is none, and their places."""
    masks = [calls.words.find(name) if name else -1 for name in _MASKS]
    forward = (calls.pass_ == FORWARD) | (calls.pass_ == UNKNOWN)
    sizes = {name: calls.sizes[name].copy() for name in _SIZES}
    for name, other in (("kv_heads", "heads"), ("v_head_dim", "head_dim")):
        sizes[name] = np.where(sizes[name] < 0, sizes[other], sizes[name])
    told = np.all([column > 0 for column in sizes.values()], axis=0) if len(calls) else forward
    plain = np.isin(calls.texts["mask"], masks)
    tokens = calls.sizes["q_tokens"]
    even = (tokens < 0) | (tokens == sizes["batch"] * sizes["q_len"])
    reasons = (NOT_FORWARD, NO_LENGTHS, WINDOW, VARYING)
    why = np.select([~forward, ~told, ~plain, ~even], [1, 2, 3, 4], default=0)
    causal = (calls.causal == 1).astype(np.int64)
    columns = [
        why, causal, calls.texts["dtype"], calls.texts["mask"], calls.pass_,
        calls.texts["implementation"], *sizes.values(),
    ]  # fmt: skip
    if not len(calls):
        return [], []
    places = alike([column.astype(np.int64) for column in columns])
    found: list[Shape | str] = []
    for members in places:
        at = int(members[0])
        if why[at]:
            found.append(reasons[int(why[at]) - 1])
            continue
        mask = calls.text("mask", at)
        found.append(
            Shape(
                **{name: int(sizes[name][at]) for name in _SIZES},
                dtype=calls.text("dtype", at) or DEFAULT_DTYPE,
                causal=bool(causal[at]),
                mask="tensor" if mask == "tensor" else "causal" if causal[at] else "none",
            )
        )
    return found, places
