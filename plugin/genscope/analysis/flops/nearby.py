"""What an op's inputs do not tell, from the ops near it.

The shape of a convolution's result (older traces have no strides), and the dtypes of lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from genscope.analysis.flops.inputs import Op, Tensor, read_op
from genscope.trace.model import Int64, Kind, Trace

_AHEAD = 12
"""Ops looked at after the op."""


def result_shape(trace: Trace, row: int, op: Op) -> tuple[int, ...] | None:
    """Shape of the result of the convolution in `row`; None where nothing near it can be that.

    The first op inside or after it that takes a tensor of as many images, as many channels as the
    weight makes, and no larger than a stride of 1 leaves it, takes the result.
    """
    x, weight = op.tensor(0), op.tensor(1)
    if x is None or weight is None or len(weight.dims) < 3:
        return None
    batch = x.dims[0] if len(x.dims) == len(weight.dims) else 1
    space = len(weight.dims) - 2
    events, strings = trace.events, trace.strings
    end = int(events.end_ns[row])
    for other in _after(trace, row).tolist():
        if events.dims[other] < 0:
            continue
        types = int(events.types[other])
        near = read_op(
            trace.name_of(other),
            strings[int(events.dims[other])],
            strings[types] if types >= 0 else None,
            None,
        )
        given = near.given() if near is not None else []
        if any(one.dims == weight.dims for one in given):
            continue
        inside = int(events.start_ns[other]) < end
        for one in given:
            # Inside, x itself may be laid out anew.
            if inside and one.dims == x.dims:
                continue
            if len(one.dims) != space + 2 or one.dims[:2] != (batch, weight.dims[0]):
                continue
            sizes = zip(one.dims[2:], x.dims[-space:], weight.dims[2:], strict=True)
            if all(0 < made <= size + 2 * kernel for made, size, kernel in sizes):
                return one.dims
    return None


def with_dtypes(trace: Trace, row: int, op: Op) -> Op:
    """The op, the dtypes of its list of tensors taken from the ops near it.

    The profiler records the shapes of a list but not its dtypes; an op shortly before that had a
    tensor of a shape in the list most likely made or read that very one.
    """
    listed = [one for each in op.lists.values() for one in each if one.numel > 1]
    shapes, sizes = {one.dims for one in listed}, {one.numel for one in listed}
    alike: Tensor | None = None
    for one in _tensors_near(trace, row):
        if one.dims in shapes:
            return _typed(op, one)
        if alike is None and one.numel in sizes:
            alike = one
    return op if alike is None else _typed(op, alike)


def _tensors_near(trace: Trace, row: int) -> Iterator[Tensor]:
    """Tensors of known dtype that the ops before and after `row` take, the nearest before first."""
    events, strings = trace.events, trace.strings
    for other in [*_before(trace, row).tolist(), *_after(trace, row).tolist()]:
        dims, types = int(events.dims[other]), int(events.types[other])
        if dims < 0 or types < 0:
            continue
        near = read_op(trace.name_of(other), strings[dims], strings[types], None)
        for one in near.tensors if near is not None else ():
            if one is not None and one.width:
                yield one


def _typed(op: Op, like: Tensor) -> Op:
    lists = {
        place: tuple(Tensor(one.dims, like.dtype, like.width) for one in listed)
        for place, listed in op.lists.items()
    }
    return replace(op, lists=lists)


def _before(trace: Trace, row: int) -> Int64:
    """CPU ops that start before `row` on its thread, the nearest first."""
    events = trace.events
    _after(trace, row)
    place = int(trace.derived["flops:place"][row])
    ordered: Int64 = trace.derived["flops:by_time"]
    near = ordered[max(place - 2 * _AHEAD, 0) : place][::-1]
    found: Int64 = near[events.track[near] == events.track[row]]
    return found


def _after(trace: Trace, row: int) -> Int64:
    """CPU ops that start after `row` on its thread, in order of time."""
    events = trace.events
    if "flops:by_time" not in trace.derived:
        ops = np.flatnonzero(events.kind == Kind.CPU_OP)
        order = np.lexsort((events.start_ns[ops], events.track[ops]))
        trace.derived["flops:by_time"] = ops[order]
        place = np.full(len(events), -1, dtype=np.int64)
        place[ops[order]] = np.arange(len(ops))
        trace.derived["flops:place"] = place
    ordered: Int64 = trace.derived["flops:by_time"]
    first = int(trace.derived["flops:place"][row]) + 1
    near = ordered[first : first + _AHEAD]
    found: Int64 = near[events.track[near] == events.track[row]]
    return found
