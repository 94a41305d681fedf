"""Work on each element on its own: arithmetic, comparisons, activations, random numbers, losses.

An operation or the value of a function (exp, sin, rsqrt, a comparison) counts 1; what is defined by
several counts them all. Whole numbers and truth values take no floating-point operations.
"""

from __future__ import annotations

from collections.abc import Callable

from genscope.analysis.flops.formula import DEFINITION, MOVES, VECTOR, Formula
from genscope.analysis.flops.inputs import Cost, Op, Tensor, broadcast, is_floating, moved

_TRUTHS = Tensor((), "bool", 1)


def each(count: int, *, truth: bool = False, mask: bool = False) -> Callable[[Op], Cost | None]:
    """Cost of `count` operations on each element of the result.

    `truth`: the result is truth values; `mask`: such a one is written beside it.
    """

    def cost(op: Op) -> Cost | None:
        if op.lists:
            return _each_of_lists(op, count)
        given = op.given()
        result = broadcast(given)
        if result is None:
            return None
        flops = count * result.numel if any(map(is_floating, given)) else 0
        made = _TRUTHS.shaped(result.dims) if truth else result
        beside = _TRUTHS.shaped(result.dims) if mask else None
        read = _read_once(given, result)
        return Cost(flops, moved(*read, made, beside), result.dtype)

    return cost


def _read_once(given: list[Tensor], result: Tensor) -> list[Tensor]:
    # A result that was handed over (`out=`) cannot be told from an operand; numbers cost nothing.
    return [one for one in given if one.dims or not result.dims]


def _each_of_lists(op: Op, count: int) -> Cost | None:
    first = next(iter(op.lists.values()))
    flops = count * sum(one.numel for one in first if is_floating(one))
    read = [one for listed in op.lists.values() for one in listed]
    return Cost(flops, moved(*read, *first), first[0].dtype if first else "")


def in_place(count: int) -> Callable[[Op], Cost | None]:
    """Cost of writing `count` operations an element into the first operand, without reading it."""

    def cost(op: Op) -> Cost | None:
        target = op.tensor(0)
        targets = next(iter(op.lists.values()), ()) if target is None else (target,)
        if not targets:
            return None
        flops = count * sum(one.numel for one in targets if is_floating(one))
        return Cost(flops, moved(*targets), targets[0].dtype)

    return cost


def halved(op: Op) -> Cost | None:
    """glu(x, dim): one half times the sigmoid of the other."""
    x = op.tensor(0)
    if x is None:
        return None
    half = x.shaped((x.numel // 2,))
    return Cost(5 * half.numel, moved(x, half), x.dtype)


def to_one(count: int) -> Callable[[Op], Cost | None]:
    """Cost of a loss: `count` operations an element of the first operand, one result."""

    def cost(op: Op) -> Cost | None:
        given = op.given()
        if not given:
            return None
        return Cost(count * given[0].numel, moved(*given), given[0].dtype)

    return cost


def _row(count: int, ops: str, says: str | None = None, source: str = DEFINITION) -> Formula:
    return Formula(ops, says or f"{count}·n", each(count), VECTOR, source)


_ONE = """
    add sub rsub mul multiply div divide true_divide floor_divide remainder fmod subtract neg
    negative abs absolute sign sgn positive reciprocal sqrt rsqrt square pow float_power exp exp2
    expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh
    arctan2 hypot erf erfc erfinv lgamma digamma i0 ceil floor round trunc fix frac copysign
    nextafter heaviside maximum minimum fmax fmin nan_to_num angle relu threshold
    threshold_backward deg2rad rad2deg conj_physical masked_fill masked_scale where clamp_min
    clamp_max prelu sinc logit xlogy ldexp
"""

_TESTS = """
    eq ne lt le gt ge equal not_equal less less_equal greater greater_equal isfinite isinf isnan
    isneginf isposinf isreal signbit logical_and logical_or logical_not logical_xor
"""

_WHOLE = """
    bitwise_and bitwise_or bitwise_not bitwise_xor bitwise_left_shift bitwise_right_shift __and__
    __or__ __xor__ __iand__ __ior__ __ixor__ __lshift__ __rshift__ gcd lcm
"""

_RANDOM = """
    bernoulli normal uniform random exponential cauchy geometric log_normal poisson
"""

ROWS: tuple[Formula, ...] = (
    _row(1, _ONE),
    Formula(_TESTS, "1·n", each(1, truth=True)),
    Formula("isclose", "4·n: subtract, absolute value, bound, compare", each(4, truth=True)),
    Formula(_WHOLE, "none: whole numbers", each(0), MOVES),
    _row(2, "clamp clip hardtanh relu6 leaky_relu hardshrink", "2·n"),
    _row(2, "leaky_relu_backward hardtanh_backward"),
    _row(3, "addcmul addcdiv lerp logaddexp logaddexp2 elu softshrink dist"),
    _row(3, "softplus", "3·n: exp, add, log"),
    _row(3, "log_sigmoid log_sigmoid_forward", "3·n: exp, add, log"),
    _row(4, "sigmoid hardsigmoid softsign", "4·n: negate, exp, add, divide"),
    _row(5, "silu hardswish", "5·n: sigmoid, multiply"),
    _row(5, "gelu", "5·n: scale, erf, add, halve, multiply; the tanh form takes 9"),
    _row(5, "mish", "5·n: softplus, tanh, multiply"),
    _row(5, "selu celu"),
    _row(3, "sigmoid_backward tanh_backward", "3·n: g·y·(1 - y), or g·(1 - y²)"),
    _row(5, "log_sigmoid_backward softplus_backward elu_backward hardsigmoid_backward"),
    _row(9, "silu_backward hardswish_backward", "9·n: sigmoid, then g·s·(1 + x·(1 - s))"),
    _row(11, "gelu_backward", "11·n: the distribution and the density, then g·(Φ + x·φ)"),
    _row(12, "mish_backward"),
    Formula("glu", "5·n/2: sigmoid of one half, times the other", halved),
    _row(4, "glu_backward"),
    Formula("polar complex", "4·n", each(4)),
    Formula(
        "native_dropout fused_dropout",
        "3·n: random number, compare, scale; a byte of mask an element",
        each(3, mask=True),
    ),
    _row(2, "native_dropout_backward", "2·n: mask, scale"),
    Formula(_RANDOM, "1·n; only written", in_place(1)),
    Formula("mse_loss", "3·n: subtract, square, add", to_one(3)),
    Formula("l1_loss smooth_l1_loss huber_loss", "3·n", to_one(3)),
    Formula("kl_div binary_cross_entropy binary_cross_entropy_with_logits", "6·n", to_one(6)),
    _row(3, "mse_loss_backward smooth_l1_loss_backward huber_loss_backward"),
    Formula("tril triu", "none", each(0), MOVES),
    Formula("_C::silu_and_mul sgl_kernel::silu_and_mul", "6·n/2", lambda op: gated(op, 6)),
    Formula("aiter::silu_and_mul _C::mul_and_silu", "6·n/2", lambda op: gated(op, 6)),
    Formula(
        """_C::gelu_and_mul _C::gelu_tanh_and_mul sgl_kernel::gelu_and_mul
        sgl_kernel::gelu_tanh_and_mul aiter::gelu_and_mul""",
        "6·n/2",
        lambda op: gated(op, 6),
    ),
)


def gated(op: Op, count: int) -> Cost | None:
    """silu_and_mul(out, x): `count` operations for each element of the result."""
    out, x = op.tensor(0), op.tensor(1)
    if out is None or x is None or 2 * out.numel != x.numel:
        return None
    return Cost(count * out.numel, moved(out, x), out.dtype)
