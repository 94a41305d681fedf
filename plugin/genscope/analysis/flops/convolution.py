"""Convolutions in 1 to 3 dimensions, grouped and transposed, and their gradients.

Every multiplication and addition counts, those with padding too, the bias does not. Each element of
the result takes (in channels / groups) · (kernel elements) of them; transposed, each element of the
input goes to (out channels / groups) · (kernel elements). Either is the number of positions times
the elements of the weight, for each image.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from genscope.analysis.flops.formula import COUNTER, MATRIX, Formula
from genscope.analysis.flops.inputs import Cost, Op, Tensor, moved


@dataclass(frozen=True, slots=True)
class Places:
    """Positions of a convolution's inputs; None for what it does not take."""

    stride: int
    padding: int
    dilation: int | None = None
    output_padding: int | None = None
    groups: int | None = None
    transposed: int | bool = False
    """Position of the flag, or whether the op is transposed."""
    bias: int | None = 2
    x: int = 0
    weight: int = 1


PLAIN = Places(3, 4, 5, 7, 8, transposed=6)
CONV = Places(3, 4, 5, groups=6)
TRANSPOSED = Places(3, 4, 7, 5, 6, transposed=True)
CUDNN = Places(3, 2, 4, groups=5, bias=None)
CUDNN_FUSED = Places(3, 4, 5, groups=6)
CUDNN_TRANSPOSED = Places(4, 2, 5, 3, 6, transposed=True, bias=None)
MIOPEN = Places(4, 3, 5, groups=6)
MIOPEN_TRANSPOSED = Places(5, 3, 6, 4, 7, transposed=True)
SLOW = Places(4, 5, bias=3)
DILATED = Places(4, 5, 6, bias=3)
BACKWARD = Places(4, 5, 6, 8, 9, transposed=7, x=1, weight=2)
BACKWARD_OLD = Places(4, 3, 5, groups=6, x=0, weight=2)
BACKWARD_SLOW = Places(4, 5, x=1, weight=2)


def positions(op: Op, at: Places, x: Tensor, weight: Tensor) -> tuple[int, ...] | None:
    """Spatial size of the result; None where neither the inputs nor the trace around tell it."""
    space = len(weight.dims) - 2
    size, kernel = x.dims[-space:], weight.dims[2:]
    stride, padding = _each(op, at.stride, space), _each(op, at.padding, space)
    dilation = (1,) * space if at.dilation is None else _each(op, at.dilation, space)
    if stride is None or padding is None or dilation is None or 0 in stride:
        return op.output[-space:] if op.output is not None else None
    reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if is_transposed(op, at):
        more = (0,) * space
        if at.output_padding is not None:
            more = _each(op, at.output_padding, space) or more
        found = [
            (n - 1) * s - 2 * p + r + m + 1
            for n, s, p, r, m in zip(size, stride, padding, reach, more, strict=True)
        ]
    else:
        found = [
            (n + 2 * p - r - 1) // s + 1
            for n, s, p, r in zip(size, stride, padding, reach, strict=True)
        ]
    # `padding="same"` reaches some ops as a word or as zeros: what follows knows better.
    return tuple(found) if min(found) > 0 else None


def is_transposed(op: Op, at: Places) -> bool:
    """Whether a convolution is transposed."""
    if isinstance(at.transposed, bool):
        return at.transposed
    return op.flag(at.transposed) or False


def _each(op: Op, place: int, space: int) -> tuple[int, ...] | None:
    """A number for each dimension; one stands for all."""
    found = op.ints(place)
    if found is None or len(found) not in (1, space):
        return None
    return found * space if len(found) == 1 else found


def _operands(op: Op, at: Places) -> tuple[Tensor, Tensor] | None:
    x, weight = op.tensor(at.x), op.tensor(at.weight)
    if x is None or weight is None or not 3 <= len(weight.dims) <= 5:
        return None
    if len(x.dims) == len(weight.dims) - 1:
        x = x.shaped((1, *x.dims))
    if len(x.dims) != len(weight.dims):
        return None
    channels = weight.dims[0] if is_transposed(op, at) else weight.dims[1]
    fits = x.dims[1] == channels if is_transposed(op, at) else x.dims[1] % max(channels, 1) == 0
    return (x, weight) if fits and channels else None


def _forward(op: Op, at: Places) -> Cost | None:
    operands = _operands(op, at)
    if operands is None:
        return None
    x, weight = operands
    bias = op.tensor(at.bias) if at.bias is not None else None
    space = positions(op, at, x, weight)
    groups = _groups(op, at)
    transposed = is_transposed(op, at)
    moves = None
    if space is not None and groups is not None:
        channels = weight.dims[1] * groups if transposed else weight.dims[0]
        moves = moved(x, weight, bias, x.shaped((x.dims[0], channels, *space)))
    elif space is not None and not transposed:
        moves = moved(x, weight, bias, x.shaped((x.dims[0], weight.dims[0], *space)))
    over = x.dims[2:] if transposed else space
    flops = None if over is None else 2 * x.dims[0] * prod(over) * weight.numel
    return Cost(flops, moves, x.dtype)


def _groups(op: Op, at: Places) -> int | None:
    found = op.ints(at.groups) if at.groups is not None else (1,)
    return found[0] if found else None


def _backward(op: Op, at: Places, made_of: int, mask: int) -> Cost | None:
    """Up to three gradients, made of the one at `made_of`; the flags at `mask` say which."""
    gradient = op.tensor(made_of)
    operands = _operands(op, at)
    if gradient is None or operands is None or len(gradient.dims) != len(operands[1].dims):
        return None
    x, weight = operands
    transposed = is_transposed(op, at)
    each = 2 * x.dims[0] * prod((x if transposed else gradient).dims[2:]) * weight.numel
    wanted = {"True": True, "1": True, "False": False, "0": False}
    flags = [wanted.get(one.strip()) for one in op.value(mask).strip("[]").split(",")]
    known = len(flags) == 3 and None not in flags
    of_x, of_weight, of_bias = flags if known else (True, True, False)
    bias = gradient.shaped(gradient.dims[1:2])
    read = [gradient, *([weight] if of_x else []), *([x] if of_weight else [])]
    made = [*([x] if of_x else []), *([weight] if of_weight else []), *([bias] if of_bias else [])]
    return Cost(
        each * (int(bool(of_x)) + int(bool(of_weight))),
        moved(*read, *made),
        x.dtype,
        None if known else "gradients of input and weight taken to be both wanted",
    )


def _one_gradient(op: Op) -> Cost | None:
    """cudnn_convolution_backward_input(size, gradient, weight, …): the input is of that size."""
    gradient, weight = op.tensor(1), op.tensor(2)
    if gradient is None or weight is None or len(gradient.dims) != len(weight.dims):
        return None
    if gradient.dims[1] != weight.dims[0]:
        return None
    size = op.ints(0)
    made = None if size is None else moved(gradient, weight, gradient.shaped(size))
    flops = 2 * gradient.dims[0] * prod(gradient.dims[2:]) * weight.numel
    return Cost(flops, made, gradient.dtype)


def _gradients(ops: str, at: Places, made_of: int, mask: int) -> Formula:
    return Formula(
        ops,
        "that of the convolution, for the gradient of x and for that of the weight",
        lambda op: _backward(op, at, made_of, mask),
        MATRIX,
        COUNTER + ", but groups divide the gradient of the weight too",
    )


def _row(ops: str, at: Places, *, wraps: bool = False) -> Formula:
    says = (
        "2·n·(in positions)·(weight elements)"
        if at.transposed is True
        else "2·n·(out positions)·(weight elements)"
    )
    return Formula(ops, says, lambda op: _forward(op, at), MATRIX, COUNTER, wraps)


ROWS: tuple[Formula, ...] = (
    _row("convolution _convolution convolution_overrideable", PLAIN),
    _row("conv1d conv2d conv3d", CONV, wraps=True),
    _row("conv_transpose1d conv_transpose2d conv_transpose3d", TRANSPOSED, wraps=True),
    _row("cudnn_convolution", CUDNN),
    _row("cudnn_convolution_relu", CUDNN_FUSED),
    _row("cudnn_convolution_add_relu", Places(5, 6, 7, groups=8, bias=4)),
    _row("cudnn_convolution_transpose", CUDNN_TRANSPOSED),
    _row("miopen_convolution miopen_depthwise_convolution mkldnn_convolution", MIOPEN),
    _row("miopen_convolution_relu", CUDNN_FUSED),
    _row("miopen_convolution_transpose", MIOPEN_TRANSPOSED),
    _row("_convolution_pointwise mkldnn::_convolution_pointwise", MIOPEN),
    _row("thnn_conv2d _slow_conv2d_forward slow_conv3d slow_conv3d_forward", SLOW),
    _row("slow_conv_dilated2d slow_conv_dilated3d _conv_depthwise2d conv_depthwise3d", DILATED),
    _gradients("convolution_backward", BACKWARD, 0, 10),
    _gradients(
        "cudnn_convolution_backward miopen_convolution_backward mkldnn_convolution_backward",
        BACKWARD_OLD,
        1,
        9,
    ),
    _gradients("thnn_conv2d_backward _slow_conv2d_backward", BACKWARD_SLOW, 0, 6),
    Formula(
        "cudnn_convolution_backward_input miopen_convolution_backward_input",
        "2·n·(out positions)·(weight elements)",
        _one_gradient,
        MATRIX,
    ),
)
