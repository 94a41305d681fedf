"""Work without arithmetic: copies, layouts, values written, gather and scatter, embedding rows."""

from __future__ import annotations

from math import prod

from genscope.analysis.flops.formula import MOVES, VECTOR, Formula
from genscope.analysis.flops.inputs import Cost, Op, Tensor, moved


def copied(op: Op) -> Cost | None:
    """copy_(to, from): one read, one written; also the other way round of lists."""
    given = op.given()
    if len(given) < 2:
        return None
    to, source = op.tensor(0), op.tensor(1)
    if to is None or source is None:
        return Cost(0, moved(*given), given[0].dtype)
    return Cost(0, moved(to, source), to.dtype)


def joined(op: Op) -> Cost | None:
    """cat([…]): each read and written once."""
    given = op.given()
    return Cost(0, moved(*given, *given), given[0].dtype) if given else None


def filled(op: Op) -> Cost | None:
    """fill_(x, value): written."""
    given = op.given()[:1] if not op.lists else list(next(iter(op.lists.values())))
    return Cost(0, moved(*given), given[0].dtype) if given else None


def turned(op: Op) -> Cost | None:
    """roll(x), flip(x): read and written."""
    x = op.tensor(0)
    return None if x is None else Cost(0, moved(x, x), x.dtype)


def repeated(op: Op) -> Cost | None:
    """repeat(x, times)."""
    x, times = op.tensor(0), op.ints(1)
    if x is None or times is None:
        return None
    return Cost(0, moved(x, x.shaped((x.numel, *times))), x.dtype)


def padded(op: Op) -> Cost | None:
    """constant_pad_nd(x, pad): pairs of what is added before and after, last dimension first."""
    x, pad = op.tensor(0), op.ints(1)
    if x is None or pad is None or len(pad) > 2 * len(x.dims):
        return None
    dims = list(x.dims)
    for place in range(0, len(pad) - 1, 2):
        dims[-1 - place // 2] += pad[place] + pad[place + 1]
    return Cost(0, moved(x, x.shaped(max(size, 0) for size in dims)), x.dtype)


def selected(op: Op) -> Cost | None:
    """index_select(x, dim, index): only the rows that are taken are read."""
    x, index = op.tensor(0), op.tensor(2)
    if x is None or index is None or not x.dims:
        return None
    dim = (op.ints(1) or (0,))[0] % len(x.dims)
    taken = x.shaped((*x.dims[:dim], index.numel, *x.dims[dim + 1 :]))
    return Cost(0, moved(index, taken, taken), x.dtype)


def embedded(op: Op) -> Cost | None:
    """embedding(weight, index): a row for each index."""
    weight, index = op.tensor(0), op.tensor(1)
    if weight is None or index is None or len(weight.dims) != 2:
        return None
    taken = weight.shaped((*index.dims, weight.dims[1]))
    return Cost(0, moved(index, taken, taken), weight.dtype)


def embedded_backward(op: Op) -> Cost | None:
    """embedding_dense_backward(gradient, index, rows, …): rows are added up."""
    gradient, index, rows = op.tensor(0), op.tensor(1), op.ints(2)
    if gradient is None or index is None or not gradient.dims:
        return None
    table = None if rows is None else gradient.shaped((rows[0], gradient.dims[-1]))
    made = None if table is None else moved(gradient, index, table)
    return Cost(gradient.numel, made, gradient.dtype)


def gathered(op: Op) -> Cost | None:
    """gather(x, dim, index): a value for each index."""
    x, index = op.tensor(0), op.tensor(2)
    if x is None or index is None:
        return None
    taken = x.shaped(index.dims)
    return Cost(0, moved(index, taken, taken), x.dtype)


def scattered(op: Op) -> Cost | None:
    """scatter_(x, dim, index, source): a value for each index."""
    x, index = op.tensor(0), op.tensor(2)
    if x is None or index is None:
        return None
    written = x.shaped(index.dims)
    return Cost(0, moved(index, op.tensor(3), written), x.dtype)


def scatter_added(op: Op) -> Cost | None:
    """scatter_add_, index_add_(x, dim, index, source): what is there is read as well."""
    x, index, source = op.tensor(0), op.tensor(2), op.tensor(3)
    if x is None or index is None or source is None:
        return None
    return Cost(source.numel, moved(index, source, source, source), x.dtype)


def indexed(op: Op) -> Cost | None:
    """index(x, [indices]): the indices are often not recorded, and then not what is read."""
    x = op.tensor(0)
    indices = op.lists.get(1)
    if x is None:
        return None
    if not indices or len(indices) > len(x.dims) or any(one.dtype == "bool" for one in indices):
        return Cost(0, None, x.dtype)
    taken = x.shaped((max(one.numel for one in indices), *x.dims[len(indices) :]))
    return Cost(0, moved(*indices, taken, taken), x.dtype)


def put(op: Op) -> Cost | None:
    """index_put_(x, [indices], values): the values are read and written."""
    x, values = op.tensor(0), op.tensor(2)
    if x is None:
        return None
    if values is None or not values.dims:
        return Cost(0, None, x.dtype)
    return Cost(0, moved(*op.lists.get(1, ()), values, values), x.dtype)


def searched(op: Op) -> Cost | None:
    """nonzero(x): read; how much is written depends on the values."""
    x = op.tensor(0)
    return (
        None if x is None else Cost(0, moved(x), x.dtype, "results that depend on values left out")
    )


def everything(op: Op) -> Cost | None:
    """Each operand once."""
    given = op.given()
    return Cost(0, moved(*given), given[0].dtype) if given else None


def cached(op: Op) -> Cost | None:
    """A cache write: keys and values are read, and as much is written."""
    k, v = op.tensor(0), op.tensor(1)
    if k is None or v is None:
        return None
    return Cost(0, moved(k, v, k, v), k.dtype)


def shuffled(op: Op) -> Cost | None:
    """pixel_shuffle and the like: as many elements as before."""
    return turned(op)


def counted_up(op: Op) -> Cost | None:
    """arange(start, end, step): a few numbers, written; how many, only some calls record."""
    out = next((one for one in op.given() if prod(one.dims)), None)
    return Cost(0, None if out is None else moved(out))


def adam(op: Op) -> Cost | None:
    """_fused_adamw_([parameters], [gradients], [means], [squares], …)."""
    groups = list(op.lists.values())
    if len(groups) < 4:
        return None
    parameters, _, means, squares = groups[:4]
    count = sum(one.numel for one in parameters)
    read: list[Tensor] = [one for group in groups[:4] for one in group]
    return Cost(14 * count, moved(*read, *parameters, *means, *squares), parameters[0].dtype)


ROWS: tuple[Formula, ...] = (
    Formula("copy", "none", copied, MOVES),
    Formula("cat chunk_cat _chunk_cat", "none", joined, MOVES),
    Formula("fill zero", "none; only written", filled, MOVES),
    Formula("roll flip rot90 channel_shuffle native_channel_shuffle", "none", turned, MOVES),
    Formula("pixel_shuffle pixel_unshuffle", "none", shuffled, MOVES),
    Formula("repeat", "none", repeated, MOVES, wraps=True),
    Formula("constant_pad_nd reflection_pad1d reflection_pad2d", "none", padded, MOVES),
    Formula("replication_pad1d replication_pad2d replication_pad3d", "none", padded, MOVES),
    Formula("index_select", "none; the rows taken", selected, MOVES),
    Formula("embedding", "none; a row for each index", embedded, MOVES, wraps=True),
    Formula("embedding_dense_backward", "1·n", embedded_backward),
    Formula("gather", "none; a value for each index", gathered, MOVES),
    Formula("scatter", "none; a value for each index", scattered, MOVES),
    Formula("scatter_add index_add", "1·n of the source", scatter_added),
    Formula("index", "none; a value for each index", indexed, MOVES),
    Formula("_index_put_impl", "none; the values", put, MOVES),
    Formula("index_put", "none; the values", put, MOVES, wraps=True),
    Formula("nonzero", "none", searched, MOVES, estimate=True),
    Formula("_local_scalar_dense", "none; one value", everything, MOVES),
    Formula("arange linspace", "none; only written", counted_up, MOVES),
    Formula("sglang::store_cache", "none; keys and values, read and written", cached, MOVES),
    Formula(
        "_C_cache_ops::reshape_and_cache_flash _C_cache_ops::reshape_and_cache",
        "none; keys and values, read and written",
        cached,
        MOVES,
    ),
    Formula("_fused_adam _fused_adamw", "14·n; 4 operands read, 3 written", adam, VECTOR),
)
