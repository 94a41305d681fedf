"""Sums, extremes, norms, scans, sorting, pooling and resampling."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, log2, prod

from genscope.analysis.flops.formula import MOVES, VECTOR, Formula
from genscope.analysis.flops.inputs import Cost, Op, Tensor, is_floating, moved


def reduced(count: int, place: int = 1) -> Callable[[Op], Cost | None]:
    """Cost of `count` operations an element; the dimensions to reduce are the input at `place`."""

    def cost(op: Op) -> Cost | None:
        x = op.tensor(0)
        if x is None:
            return _of_lists(op, count)
        dims = op.ints(place)
        gone = {d % len(x.dims) for d in dims} if dims and x.dims else set(range(len(x.dims)))
        kept = x.shaped(size for at, size in enumerate(x.dims) if at not in gone)
        flops = count * x.numel if is_floating(x) else 0
        return Cost(flops, moved(x, kept), x.dtype)

    return cost


def _of_lists(op: Op, count: int) -> Cost | None:
    first = next(iter(op.lists.values()), ())
    if not first:
        return None
    return Cost(count * sum(one.numel for one in first), moved(*first), first[0].dtype)


def scanned(op: Op) -> Cost | None:
    """cumsum(x, dim): a result for each element."""
    x = op.tensor(0)
    if x is None:
        return None
    return Cost(x.numel if is_floating(x) else 0, moved(x, x), x.dtype)


def sorted_(op: Op) -> Cost | None:
    """sort(x): a comparison for each element and each doubling of the row; values and places."""
    x = op.tensor(0)
    if x is None:
        return None
    dims = op.ints(1) or (-1,)
    row = x.dims[dims[0]] if x.dims and -len(x.dims) <= dims[0] < len(x.dims) else x.numel
    steps = ceil(log2(row)) if row > 1 else 0
    return Cost(x.numel * steps, moved(x, x, Tensor(x.dims, "int64", 8)), x.dtype)


def largest(op: Op) -> Cost | None:
    """topk(x, k, dim): a comparison an element at least."""
    x, k = op.tensor(0), op.ints(1)
    if x is None or not x.dims:
        return None
    row = x.dims[(op.ints(2) or (-1,))[0] % len(x.dims)]
    found = x.numel // max(row, 1) * (k[0] if k else 0)
    return Cost(x.numel, moved(x, x.shaped((found,)), Tensor((found,), "int64", 8)), x.dtype)


def pooled(space: int, *, places: bool = False) -> Callable[[Op], Cost | None]:
    """max_pool2d(x, kernel, stride, padding, dilation, ceil): an operation for each element seen.

    `places`: where each maximum was is written too.
    """

    def cost(op: Op) -> Cost | None:
        x, kernel = op.tensor(0), _each(op, 1, space)
        if x is None or kernel is None or len(x.dims) <= space:
            return None
        stride = _each(op, 2, space) or kernel
        padding = _each(op, 3, space) or (0,) * space
        sizes = zip(x.dims[-space:], kernel, stride, padding, strict=True)
        made = [max((n + 2 * p - k) // max(s, 1) + 1, 0) for n, k, s, p in sizes]
        result = x.shaped((*x.dims[:-space], *made))
        beside = Tensor(result.dims, "int64", 8) if places else None
        return Cost(result.numel * prod(kernel), moved(x, result, beside), x.dtype)

    return cost


def _each(op: Op, place: int, space: int) -> tuple[int, ...] | None:
    found = op.ints(place)
    if not found or len(found) not in (1, space):
        return None
    return found * space if len(found) == 1 else found


def resized(space: int, count: int) -> Callable[[Op], Cost | None]:
    """upsample(x, size, …): `count` operations an element of the result."""

    def cost(op: Op) -> Cost | None:
        x = op.tensor(0)
        size = op.ints(1) or _scaled(op, space)
        if x is None or size is None or len(size) != space or len(x.dims) != space + 2:
            return None
        result = x.shaped((*x.dims[:2], *size))
        return Cost(count * result.numel, moved(x, result), x.dtype)

    return cost


def _scaled(op: Op, space: int) -> tuple[int, ...] | None:
    """Size of the result where factors are given for it: `[2., 2.]`."""
    x = op.tensor(0)
    for text in op.values[2:4]:
        parts = text.strip("[]").split(",") if text.startswith("[") else []
        if x is None or len(parts) != space or len(x.dims) != space + 2:
            continue
        try:
            return tuple(
                int(size * float(part)) for size, part in zip(x.dims[2:], parts, strict=True)
            )
        except (ValueError, OverflowError):
            return None
    return None


def adaptive(space: int) -> Callable[[Op], Cost | None]:
    """adaptive_avg_pool2d(x, size): each element at least once."""

    def cost(op: Op) -> Cost | None:
        x, size = op.tensor(0), op.ints(1)
        if x is None or size is None or len(size) not in (1, space):
            return None
        result = x.shaped((*x.dims[:-space], *(size * space)[:space]))
        return Cost(x.numel, moved(x, result), x.dtype)

    return cost


def rotated(op: Op) -> Cost | None:
    """rotary_embedding(positions, q, k, …): each element times a cosine, its pair a sine, added."""
    q, k = op.tensor(1), op.tensor(2)
    if q is None or k is None:
        return None
    return Cost(3 * (q.numel + k.numel), moved(*op.given(), q, k), q.dtype)


def _resizes() -> list[Formula]:
    kinds = (
        ("upsample_nearest{}d _upsample_nearest_exact{}d", (1, 2, 3), 0, "none"),
        ("upsample_linear{}d", (1,), 3, "3·n: two products and their sum"),
        ("upsample_bilinear{}d _upsample_bilinear{}d_aa", (2,), 7, "7·n: four products, summed"),
        ("upsample_trilinear{}d", (3,), 15, "15·n: eight products and their sum"),
        ("upsample_bicubic{}d _upsample_bicubic{}d_aa", (2,), 31, "31·n: 16 products, summed"),
    )
    return [
        Formula(
            names.replace("{}", str(space)),
            says,
            resized(space, count),
            VECTOR if count else MOVES,
        )
        for names, spaces, count, says in kinds
        for space in spaces
    ]


ROWS: tuple[Formula, ...] = (
    Formula("sum nansum mean nanmean prod max min amax amin all any", "1·n", reduced(1)),
    Formula("argmax argmin count_nonzero aminmax", "1·n", reduced(1)),
    Formula("logsumexp", "4·n: maximum, subtract, exp, add", reduced(4)),
    Formula("std var std_mean var_mean", "4·n: mean, subtract, square, add", reduced(4)),
    Formula("norm linalg_vector_norm linalg_norm", "2·n: square, add", reduced(2, 2)),
    Formula("cumsum cumprod cummax cummin logcumsumexp", "1·n", scanned),
    Formula("sort argsort", "n·log2(row)", sorted_, estimate=True),
    Formula("topk", "1·n at least", largest, estimate=True),
    *(
        Formula(f"avg_pool{space}d", "elements of the kernel, for each result", pooled(space))
        for space in (1, 2, 3)
    ),
    *(
        Formula(
            f"max_pool{space}d_with_indices",
            "elements of the kernel, for each result",
            pooled(space, places=True),
        )
        for space in (2, 3)
    ),
    *(
        Formula(f"_adaptive_avg_pool{space}d", "1·n", adaptive(space), estimate=True)
        for space in (2, 3)
    ),
    *_resizes(),
    Formula(
        "_C::rotary_embedding sgl_kernel::rotary_embedding aiter::rotary_embedding",
        "3·n: two products and their sum; q and k read and written",
        rotated,
    ),
)
