"""Attention kernels that no op explains: graph replays, and what was launched before recording."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from genscope.analysis.attention.signatures import Shape, implementation_of
from genscope.trace.model import NONE, Int64, Trace

_HELPER = re.compile(
    r"reduce_segments|combine|split_?kv_?reduce|merge_?(attn_)?states?|segment_reduce"
    r"|preprocess|postprocess|convert_dq|dot_do_o|_reduce_kernel",
    re.IGNORECASE,
)
"""Kernels that finish or prepare the call of the kernel beside them."""

_AFTER = re.compile(r"preprocess|dot_do_o", re.IGNORECASE)
"""Of the helpers, those that come before their main kernel."""

_MAIN = re.compile(r"softmax", re.IGNORECASE)

GRAPH = "replayed by a graph: no op tells the shapes"
LOST = "its launch is not in the trace"
ALONE = "no op around the launch is known as attention"


def loose_calls(trace: Trace, rows: Int64) -> Iterator[tuple[Int64, Shape]]:
    """Group attention kernels without a call, shape (k,), into calls without shapes.

    A helper (the reduction after split keys) belongs to the kernel before it on its stream. Of
    kernels known as a chain by their sequence, one softmax is one call.
    """
    events = trace.events
    order = rows[np.lexsort((events.start_ns[rows], events.track[rows]))]
    group: list[int] = []
    previous: int | None = None
    for row in order.tolist():
        if previous is not None and _starts_call(trace, group, previous, row):
            yield _call(trace, group)
            group = []
        group.append(row)
        previous = row
    if group:
        yield _call(trace, group)


def _starts_call(trace: Trace, group: list[int], previous: int, row: int) -> bool:
    """Whether the kernel in `row` begins a new call rather than going on with `group`."""
    if trace.events.track[row] != trace.events.track[previous]:
        return True
    name = trace.name_of(row)
    if _HELPER.search(name) and not _AFTER.search(name):
        return False
    if all(_AFTER.search(trace.name_of(one)) for one in group):
        return False
    if not _fused(name):
        # A chain: product, softmax, product. The second product ends it.
        softmax = [place for place, one in enumerate(group) if _MAIN.search(trace.name_of(one))]
        if not any(_fused(trace.name_of(one)) for one in group):
            products = sum(_is_product(trace.name_of(one)) for one in group)
            return bool(softmax) and products >= 2
    return True


def _fused(name: str) -> bool:
    return implementation_of(name) != "other" or "attn" in name.lower()


def _is_product(name: str) -> bool:
    text = name.lower()
    return "gemm" in text or "cijk" in text or "cutlass" in text or "nvjet" in text


def _call(trace: Trace, group: list[int]) -> tuple[Int64, Shape]:
    """The device events of a call and why it has no shapes."""
    first = group[0]
    named = [implementation_of(trace.name_of(row)) for row in group]
    known = [name for name in named if name != "other"]
    chain = any(_MAIN.search(trace.name_of(row)) for row in group) and not known
    if trace.links.graph_launch[first]:
        reason = GRAPH
    elif trace.links.launch[first] == NONE:
        reason = LOST
    else:
        reason = ALONE
    implementation = known[0] if known else "eager" if chain else "other"
    return np.array(group, dtype=np.int64), Shape(implementation=implementation, reason=reason)
