"""Normalisation and softmax, forward and backward.

A row is normalised by: mean (1 operation an element), variance (3: subtract, square, add), subtract
and scale (2), and one more each for a weight and a bias. Its backward pass takes 13 with a weight:
the normalised value (2), the gradients of weight (2) and bias (1), the gradient times the weight
(1), two means (3), and the gradient of the input (4).
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from genscope.analysis.flops.formula import Formula
from genscope.analysis.flops.inputs import Cost, Op, Tensor, moved


def _normalised(
    op: Op, x: Tensor | None, weight: Tensor | None, bias: Tensor | None, rows: int, own: int = 6
) -> Cost | None:
    """Cost of normalising x in `rows` rows, whose mean and deviation are written beside it."""
    if x is None:
        return None
    count = own + (weight is not None) + (bias is not None)
    beside = Tensor((2 * rows,), "float32", 4)
    return Cost(count * x.numel, moved(x, x, weight, bias, beside), x.dtype)


def layer(op: Op) -> Cost | None:
    """native_layer_norm(x, shape, weight, bias, eps)."""
    x = op.tensor(0)
    if x is None:
        return None
    inner = prod(op.ints(1) or x.dims[-1:])
    return _normalised(op, x, op.tensor(2), op.tensor(3), x.numel // max(inner, 1))


def composite(op: Op) -> Cost | None:
    """group_norm(x, groups, weight, bias), instance_norm(x, weight, bias): none inside counts."""
    x = op.tensor(0)
    weights = [one for one in op.tensors[1:] if one is not None and len(one.dims) == 1][:2]
    weight, bias = (*weights, None, None)[:2]
    return _normalised(op, x, weight, bias, 0)


def group(op: Op) -> Cost | None:
    """native_group_norm(x, weight, bias, n, channels, positions, groups, eps)."""
    batch, groups = op.ints(3), op.ints(6)
    rows = batch[0] * groups[0] if batch and groups else 0
    return _normalised(op, op.tensor(0), op.tensor(1), op.tensor(2), rows)


def batch(op: Op) -> Cost | None:
    """native_batch_norm(x, weight, bias, mean, variance, training, …).

    Without training the statistics are known, and only applied.
    """
    x, mean = op.tensor(0), op.tensor(3)
    training = op.flag(5)
    if x is None or len(x.dims) < 2:
        return None
    known = mean is not None and training is False
    cost = _normalised(op, x, op.tensor(1), op.tensor(2), x.dims[1], 2 if known else 6)
    if cost is None or training is not None or mean is None:
        return cost
    return Cost(cost.flops, cost.moved, cost.dtype, "batch normalisation taken to be in training")


def root_mean_square(op: Op) -> Cost | None:
    """_fused_rms_norm(x, shape, weight, eps), rms_norm(out, x, weight, eps) of libraries."""
    given = op.given()
    if not given:
        return None
    x = given[0]
    written = [] if any(one.dims == x.dims for one in given[1:]) else [x]
    weighted = any(len(one.dims) == 1 for one in given)
    return Cost((3 + weighted) * x.numel, moved(*given, *written), x.dtype)


def added(op: Op) -> Cost | None:
    """The sum with a residual, then its root mean square: both results are written."""
    given = op.given()
    if len(given) < 2:
        return None
    x = given[0]
    like = [one for one in given if one.dims == x.dims]
    # Where only x and the residual are given, both are overwritten.
    written = like if len(like) == 2 else []
    return Cost(5 * x.numel, moved(*given, *written), x.dtype)


def backward(count: int) -> Callable[[Op], Cost | None]:
    """Cost of a gradient: `count` operations an element; gradient and x read, one written."""

    def cost(op: Op) -> Cost | None:
        given = op.given()
        if not given:
            return None
        return Cost(count * given[0].numel, moved(*given, given[0]), given[0].dtype)

    return cost


def softmax(op: Op) -> Cost | None:
    """_softmax(x, dim, half_to_float)."""
    x = op.tensor(0)
    if x is None:
        return None
    widens = op.flag(2) and x.width == 2
    result = Tensor(x.dims, "float32", 4) if widens else x
    return Cost(5 * x.numel, moved(x, result), x.dtype)


def scores(op: Op) -> Cost | None:
    """Scale, mask and softmax of attention scores in one."""
    x = op.tensor(0)
    return None if x is None else Cost(7 * x.numel, moved(x, x), x.dtype)


_LAYER = "n·(6, and 1 for each of weight and bias)"
_SOFTMAX = "5·n: maximum, subtract, exp, sum, divide (or subtract the logarithm)"
_RMS = "4·n with a weight: square, add, scale, weight"


def affine(op: Op) -> Cost | None:
    """FusedLayerNormAffineFunction(x, weight, bias)."""
    x = op.tensor(0)
    if x is None or not x.dims:
        return None
    return _normalised(op, x, op.tensor(1), op.tensor(2), x.numel // max(x.dims[-1], 1))


ROWS: tuple[Formula, ...] = (
    Formula("native_layer_norm", _LAYER, layer),
    Formula("native_group_norm", _LAYER, group),
    Formula(
        """native_batch_norm cudnn_batch_norm miopen_batch_norm _native_batch_norm_legit
        _batch_norm_with_update _native_batch_norm_legit_no_training""",
        _LAYER + "; 4 less where the statistics are given",
        batch,
    ),
    Formula("::FusedLayerNormAffineFunction ::FastLayerNormFN", _LAYER, affine),
    Formula("layer_norm", _LAYER, layer, wraps=True),
    Formula("group_norm instance_norm batch_norm", _LAYER, composite, wraps=True),
    Formula("_batch_norm_impl_index _batch_norm_no_update", _LAYER, batch, wraps=True),
    Formula(
        "aiter::_groupnorm_run aiter::groupnorm_run",
        _LAYER,
        composite,
    ),
    Formula(
        """native_layer_norm_backward native_group_norm_backward native_batch_norm_backward
        cudnn_batch_norm_backward miopen_batch_norm_backward batch_norm_backward""",
        "13·n",
        backward(13),
    ),
    Formula("_fused_rms_norm", _RMS, root_mean_square),
    Formula("rms_norm", _RMS, root_mean_square, wraps=True),
    Formula("_fused_rms_norm_backward", "9·n", backward(9)),
    Formula(
        """_C::rms_norm sgl_kernel::rmsnorm aiter::rmsnorm aiter::rms_norm vllm::rms_norm
        aiter::rmsnorm2d_fwd flashinfer::rmsnorm""",
        _RMS,
        root_mean_square,
    ),
    Formula(
        """_C::fused_add_rms_norm sgl_kernel::fused_add_rmsnorm aiter::add_rmsnorm
        aiter::rmsnorm2d_fwd_with_add flashinfer::fused_add_rmsnorm""",
        "5·n: add, square, add, scale, weight",
        added,
    ),
    Formula("_softmax _log_softmax _masked_softmax", _SOFTMAX, softmax),
    Formula(
        "::ScaledUpperTriangMaskedSoftmax ::ScaledMaskedSoftmax",
        "7·n: scale, mask, softmax",
        scores,
    ),
    Formula("softmax log_softmax _safe_softmax", _SOFTMAX, softmax, wraps=True),
    Formula(
        "_softmax_backward_data _log_softmax_backward_data _masked_softmax_backward",
        "4·n: product, sum, subtract, product",
        backward(4),
    ),
)
