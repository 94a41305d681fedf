"""Matrix products: 2 FLOPs for each multiplication and addition, biases in the epilogue free."""

from __future__ import annotations

from math import prod

from genscope.analysis.flops.formula import COUNTER, MATRIX, Formula
from genscope.analysis.flops.inputs import Cost, Op, Tensor, moved

SAYS = "2·m·n·k"


def _product(op: Op, place: int, *, transposed: bool = False) -> Cost | None:
    """Cost of operands at `place` and after it: (…, m, k) and (…, k, n), or (n, k) transposed."""
    left, right = op.tensor(place), op.tensor(place + 1)
    if left is None or right is None or not left.dims or not right.dims:
        return None
    inner, columns = _inner(right, transposed)
    if left.dims[-1] != inner:
        return None
    rows = left.dims[:-1]
    batch = right.dims[:-2]
    if batch and len(left.dims) > 2:
        shared = left.dims[:-2]
        if len(batch) > len(shared) or any(
            one != two and 1 not in (one, two)
            for one, two in zip(reversed(batch), reversed(shared), strict=False)
        ):
            return None
        wide = [max(pair) for pair in zip(shared[-len(batch) :], batch, strict=True)]
        rows = (*shared[: len(shared) - len(batch)], *wide, left.dims[-2])
    elif batch:
        rows = (*batch, *rows)
    result = left.shaped((*rows, columns))
    bias = op.tensor(0) if place else None
    # A bias is read as it is stored, though it may be recorded as expanded.
    return Cost(2 * prod(rows) * inner * columns, moved(left, right, result, bias), left.dtype)


def _inner(right: Tensor, transposed: bool) -> tuple[int, int]:
    if len(right.dims) == 1:
        return right.dims[0], 1
    return (right.dims[-1], right.dims[-2]) if transposed else (right.dims[-2], right.dims[-1])


def first(op: Op) -> Cost | None:
    """mm(a, b), bmm(a, b), matmul(a, b), mv(a, b)."""
    return _product(op, 0)


def biased(op: Op) -> Cost | None:
    """addmm(bias, a, b) and its like."""
    return _product(op, 1)


def linear(op: Op) -> Cost | None:
    """A product with a weight stored as (n, k), and a bias."""
    cost = _product(op, 0, transposed=True)
    bias = op.tensor(2)
    if cost is None or cost.moved is None or bias is None:
        return cost
    return Cost(cost.flops, cost.moved + bias.nbytes, cost.dtype)


def summed(op: Op) -> Cost | None:
    """addbmm(x, a, b): the products of a batch, added up."""
    cost = _product(op, 1)
    left, total = op.tensor(1), op.tensor(0)
    if cost is None or left is None or total is None or len(left.dims) != 3:
        return None
    return Cost(cost.flops, moved(left, op.tensor(2), total, total), cost.dtype)


def grouped(op: Op) -> Cost | None:
    """_grouped_mm(a, b, offsets): each row of a meets the matrix of its group."""
    left, right = op.tensor(0), op.tensor(1)
    if left is None or right is None or len(left.dims) != 2 or len(right.dims) != 3:
        return _product(op, 0)
    if left.dims[1] != right.dims[1]:
        return None
    result = left.shaped((left.dims[0], right.dims[2]))
    return Cost(2 * prod(left.dims) * right.dims[2], moved(left, right, result), left.dtype)


def packed_int4(op: Op) -> Cost | None:
    """_weight_int4pack_mm(a, packed, group, scales and zeros): the scales tell the columns."""
    left, weight, scales = op.tensor(0), op.tensor(1), op.tensor(3)
    if left is None or weight is None or scales is None or len(scales.dims) != 3:
        return None
    columns = scales.dims[1]
    result = left.shaped((*left.dims[:-1], columns))
    return Cost(2 * left.numel * columns, moved(left, weight, scales, result), left.dtype)


def written(op: Op) -> Cost | None:
    """scaled_mm(out, a, b, …): the result is an operand."""
    result, left, right = op.tensor(0), op.tensor(1), op.tensor(2)
    if result is None or left is None or right is None or not left.dims or not result.dims:
        return None
    return Cost(2 * result.numel * left.dims[-1], moved(result, left, right), left.dtype)


def dot(op: Op) -> Cost | None:
    """Two vectors."""
    left, right = op.tensor(0), op.tensor(1)
    if left is None or right is None or left.dims != right.dims:
        return None
    return Cost(2 * left.numel, moved(left, right), left.dtype)


def outer(op: Op) -> Cost | None:
    """addr(x, a, b): x + a bᵀ."""
    total, left, right = op.tensor(0), op.tensor(1), op.tensor(2)
    if total is None or left is None or right is None:
        return None
    return Cost(2 * left.numel * right.numel, moved(total, total, left, right), left.dtype)


ROWS: tuple[Formula, ...] = (
    Formula("mm bmm _scaled_mm _int_mm mkl_linear", SAYS, first, MATRIX, COUNTER),
    Formula("addmm baddbmm _addmm_activation", SAYS, biased, MATRIX, COUNTER),
    Formula("mv", "2·m·k", first, MATRIX),
    Formula("addmv", "2·m·k", biased, MATRIX),
    Formula("dot vdot", "2·n", dot, MATRIX),
    Formula("addbmm", "2·b·m·n·k", summed, MATRIX),
    Formula("addr", "2·m·n", outer, MATRIX),
    Formula("_grouped_mm _scaled_grouped_mm", "2·rows·n·k", grouped, MATRIX),
    Formula("_weight_int4pack_mm _weight_int4pack_mm_for_cpu", SAYS, packed_int4, MATRIX),
    Formula("_weight_int8pack_mm", SAYS, linear, MATRIX),
    Formula("mkldnn_linear _linear_pointwise mkldnn::_linear_pointwise", SAYS, linear, MATRIX),
    Formula("_C::cutlass_scaled_mm _C::cutlass_scaled_mm_azp", SAYS, written, MATRIX),
    Formula("linear", SAYS, linear, MATRIX, wraps=True),
    Formula("matmul inner", SAYS, first, MATRIX, wraps=True),
)
