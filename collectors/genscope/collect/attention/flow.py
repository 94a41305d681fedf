"""How the dimensions of tensors follow each torch function, as a table by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from genscope.collect.attention import einsum
from genscope.collect.attention.atoms import (
    CONSTANT,
    COPIES,
    Atom,
    Atoms,
    Dims,
    atom,
    broadcast,
    concatenated,
    extent,
    features,
    is_input,
    knowledge,
    leaves,
    reduced,
    reshaped,
    resized,
    sliced,
)
from genscope.collect.attention.ledger import Known, Ledger, tensors

Rule = Callable[[Ledger, tuple[Any, ...], dict[str, Any], torch.Tensor], Dims]
"""Gives the dimensions of a result, from what was called with and the result."""


def follow(
    ledger: Ledger, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
) -> None:
    """Note what is known of the `result` of the torch function called `name`."""
    if name in _WRITES:
        target = args[0]
        for written in tensors((args[1:], kwargs)):
            ledger.absorb(target, written)
        return
    results = list(tensors(result))
    if not results:
        return
    inputs = list(tensors((args, kwargs), 3))
    passed = {id(one) for one in inputs}
    origins = frozenset().union(*(ledger.of(one).origins for one in inputs)) or frozenset(
        (CONSTANT,)
    )
    if name in _CUTS and inputs:
        for one, dims in zip(results, _CUTS[name](ledger, args, kwargs, results), strict=True):
            ledger.put(one, Known(dims, origins))
        return
    rule = _RULES.get(name, _default)
    for one in results:
        if id(one) not in passed:
            ledger.put(one, Known(rule(ledger, args, kwargs, one), origins))


def _default(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    """Elementwise, else the same dimensions in other sizes, else some of them left out."""
    shape = result.shape
    inputs = [ledger.dims(one) for one in tensors((args, kwargs), 3)]
    if not inputs:
        return tuple((atom(size, source=CONSTANT),) for size in shape)
    first = inputs[0]
    if any(len(dims) == len(shape) for dims in inputs):
        dims = broadcast(inputs, shape)
        alike = first if len(first) == len(shape) else dims
        return tuple(
            here if any(one.kinds or one.sources for one in here) else resized(old, size)
            for here, old, size in zip(dims, alike, shape, strict=True)
        )
    if len(first) > len(shape):
        return reduced(first, shape)
    return broadcast(inputs, shape)


def _reshape(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    return reshaped(ledger.dims(args[0]), result.shape)


def _squeeze(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = ledger.dims(args[0])
    places = args[1:] or tuple(kwargs.values())
    if places:
        wanted = places[0] if isinstance(places[0], (list, tuple)) else places
        gone = {place % len(dims) for place in wanted if extent(dims[place]) == 1}
    else:
        gone = {place for place, atoms in enumerate(dims) if extent(atoms) == 1}
    return tuple(atoms for place, atoms in enumerate(dims) if place not in gone)


def _unsqueeze(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = ledger.dims(args[0])
    place = _argument(args, kwargs, 1, "dim") % (len(dims) + 1)
    return (*dims[:place], (), *dims[place:])


def _permute(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = ledger.dims(args[0])
    order = args[1:] or (kwargs["dims"],)
    if isinstance(order[0], (list, tuple)):
        order = tuple(order[0])
    return tuple(dims[place] for place in order)


def _transpose(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = list(ledger.dims(args[0]))
    first = _argument(args, kwargs, 1, "dim0", "axis0")
    second = _argument(args, kwargs, 2, "dim1", "axis1")
    dims[first], dims[second] = dims[second], dims[first]
    return tuple(dims)


def _flipped(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    return tuple(reversed(ledger.dims(args[0])))


def _last_two(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = ledger.dims(args[0])
    return (*dims[:-2], dims[-1], dims[-2])


def _movedim(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = ledger.dims(args[0])
    moved = [_argument(args, kwargs, 1, "source"), _argument(args, kwargs, 2, "destination")]
    source, target = ([one] if isinstance(one, int) else list(one) for one in moved)
    source = [place % len(dims) for place in source]
    rest = iter(place for place in range(len(dims)) if place not in source)
    where = {place % len(dims): old for place, old in zip(target, source, strict=True)}
    return tuple(dims[where[place] if place in where else next(rest)] for place in range(len(dims)))


def _expand(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = ledger.dims(args[0])
    new = len(result.shape) - len(dims)
    grown: list[Atoms] = [(atom(size, COPIES),) for size in result.shape[:new]]
    for atoms, size in zip(dims, result.shape[new:], strict=True):
        grown.append(atoms if extent(atoms) == size else (atom(size, COPIES),))
    return tuple(grown)


def _repeat(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = ledger.dims(args[0])
    dims = ((),) * (len(result.shape) - len(dims)) + dims
    return tuple(
        atoms if extent(atoms) == size else (atom(size // extent(atoms), COPIES), *atoms)
        for atoms, size in zip(dims, result.shape, strict=True)
    )


def _repeat_interleave(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = ledger.dims(args[0])
    if len(dims) != len(result.shape):
        return _default(ledger, args, kwargs, result)
    return tuple(
        atoms
        if extent(atoms) == size
        else (*atoms, atom(size // extent(atoms), COPIES))
        if size % extent(atoms) == 0
        else resized(atoms, size)
        for atoms, size in zip(dims, result.shape, strict=True)
    )


def _cat(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    parts = [one for one in _argument(args, kwargs, 0, "tensors") if one.dim() == result.dim()]
    place = _argument(args, kwargs, 1, "dim", "axis", default=0) % result.dim()
    known = [ledger.dims(one) for one in parts]
    dims = list(broadcast(known, result.shape))
    dims[place] = concatenated([one[place] for one in known]) if len(known) > 1 else known[0][place]
    return tuple(dims)


def _stack(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    parts = _argument(args, kwargs, 0, "tensors")
    place = _argument(args, kwargs, 1, "dim", default=0) % result.dim()
    shape = [*result.shape[:place], *result.shape[place + 1 :]]
    dims = broadcast([ledger.dims(one) for one in parts], shape)
    return (*dims[:place], (Atom(len(parts)),), *dims[place:])


def _index(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = ledger.dims(args[0])
    index = args[1] if isinstance(args[1], tuple) else (args[1],)
    if sum(isinstance(one, (torch.Tensor, list)) for one in index) > 1 or any(
        isinstance(one, (bool, list)) or getattr(one, "dtype", None) == torch.bool for one in index
    ):
        return _default(ledger, args[:1], {}, result)
    used = sum(one is not None and one is not Ellipsis for one in index)
    result_dims: list[Atoms] = []
    place = 0
    for one in index:
        if one is Ellipsis:
            skip = len(dims) - used
            result_dims.extend(dims[place : place + skip])
            place += skip
        elif one is None:
            result_dims.append(())
        elif isinstance(one, slice):
            size = extent(dims[place])
            start, stop, step = one.indices(size)
            count = len(range(start, stop, step))
            result_dims.append(
                sliced(dims[place], start, count) if step == 1 else resized(dims[place], count)
            )
            place += 1
        elif isinstance(one, torch.Tensor):
            result_dims.extend(ledger.dims(one))
            place += 1
        else:
            place += 1
    return (*result_dims, *dims[place:])


def _narrow(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = list(ledger.dims(args[0]))
    place = _argument(args, kwargs, 1, "dim")
    start = int(_argument(args, kwargs, 2, "start"))
    dims[place] = sliced(dims[place], start % max(1, extent(dims[place])), result.shape[place])
    return tuple(dims)


def _select(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = list(ledger.dims(args[0]))
    del dims[_argument(args, kwargs, 1, "dim")]
    return tuple(dims)


def _chunks(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], results: list[torch.Tensor]
) -> list[Dims]:
    place = _argument(args, kwargs, 2, "dim", default=0)
    dims = ledger.dims(_argument(args, kwargs, 0, "tensor", "input"))
    found: list[Dims] = []
    at = 0
    for one in results:
        mine = list(dims)
        mine[place] = sliced(dims[place], at, one.shape[place])
        at += one.shape[place]
        found.append(tuple(mine))
    return found


def _unbound(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], results: list[torch.Tensor]
) -> list[Dims]:
    dims = list(ledger.dims(args[0]))
    del dims[_argument(args, kwargs, 1, "dim", default=0)]
    return [tuple(dims)] * len(results)


def _linear(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = ledger.dims(_argument(args, kwargs, 0, "input"))
    ledger.settle(dims[-1])
    return (*dims[:-1], features(result.shape[-1]))


def _matmul(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    return _product(ledger, args[0], _argument(args, kwargs, 1, "other", "mat2"), result)


def _baddbmm(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    left, right = _argument(args, kwargs, 1, "batch1"), _argument(args, kwargs, 2, "batch2")
    return _product(ledger, left, right, result)


def _product(ledger: Ledger, left: torch.Tensor, right: torch.Tensor, result: torch.Tensor) -> Dims:
    a, b = ledger.dims(left), ledger.dims(right)
    if len(a) < 2 or len(b) < 2:
        return tuple((Atom(size),) for size in result.shape)
    lead = broadcast([a[:-2], b[:-2]], result.shape[:-2])
    last = features(result.shape[-1]) if isinstance(right, torch.nn.Parameter) else b[-1]
    return (*lead, a[-2], last)


def _einsum(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    equation, operands = einsum.arguments(args)
    inputs, output = einsum.letters(equation, [one.dim() for one in operands])
    found: dict[str, list[Atoms]] = {}
    for names, one in zip(inputs, operands, strict=True):
        for name, atoms in zip(names, ledger.dims(one), strict=True):
            found.setdefault(name, []).append(atoms)
    return tuple(
        max((atoms for atoms in found[name] if extent(atoms) == size), key=knowledge)
        for name, size in zip(output, result.shape, strict=True)
    )


def _convolution(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    dims = ledger.dims(_argument(args, kwargs, 0, "input"))
    spatial = _argument(args, kwargs, 1, "weight").dim() - 2
    lead = dims[: len(dims) - spatial - 1]
    ledger.settle(dims[-spatial - 1])
    return (
        *lead,
        features(result.shape[-spatial - 1]),
        *(
            resized(atoms, size)
            for atoms, size in zip(dims[-spatial:], result.shape[-spatial:], strict=True)
        ),
    )


def _embedding(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    """Each look-up begins a stream of tokens, also where one input is looked up twice."""
    dims = ledger.dims(_argument(args, kwargs, 0, "input"))
    ledger.embeddings += 1
    number = ledger.embeddings
    streams: list[Atoms] = []
    for atoms in dims:
        if any(map(is_input, (source for one in leaves(atoms) for source in one.sources))):
            atoms = tuple(
                Atom(
                    one.size,
                    one.kinds,
                    frozenset(f"{s}~{number}" if is_input(s) else s for s in one.sources),
                )
                for one in atoms
            )
        streams.append(atoms)
    return (*streams, features(result.shape[-1]))


def _attention(
    ledger: Ledger, args: tuple[Any, ...], kwargs: dict[str, Any], result: torch.Tensor
) -> Dims:
    query, value = _argument(args, kwargs, 0, "query"), _argument(args, kwargs, 2, "value")
    dims = ledger.dims(query)
    if len(dims) != result.dim():
        return tuple((Atom(size),) for size in result.shape)
    return (*dims[:-1], resized(ledger.dims(value)[-1], result.shape[-1]))


def _argument(
    args: Sequence[Any], kwargs: dict[str, Any], place: int, *names: str, default: Any = None
) -> Any:
    if len(args) > place:
        return args[place]
    for name in names:
        if name in kwargs:
            return kwargs[name]
    return default


def _table(entries: dict[Any, str]) -> dict[str, Any]:
    return {name: rule for rule, names in entries.items() for name in names.split()}


_WRITES = frozenset(
    [
        "__setitem__",
        "copy_",
        "index_copy_",
        "index_put_",
        "scatter_",
        "masked_scatter_",
        "index_add_",
    ]
)

_CUTS: dict[str, Callable[..., list[Dims]]] = _table(
    {_chunks: "chunk split split_with_sizes tensor_split unsafe_chunk", _unbound: "unbind"}
)

_RULES: dict[str, Rule] = _table(
    {
        _reshape: "view reshape view_as reshape_as flatten unflatten ravel _unsafe_view",
        _squeeze: "squeeze squeeze_",
        _unsqueeze: "unsqueeze unsqueeze_",
        _permute: "permute",
        _transpose: "transpose transpose_ swapaxes swapdims",
        _flipped: "t T",
        _last_two: "mT mH adjoint",
        _movedim: "movedim moveaxis",
        _expand: "expand expand_as broadcast_to",
        _repeat: "repeat tile",
        _repeat_interleave: "repeat_interleave",
        _cat: "cat concat concatenate",
        _stack: "stack",
        _index: "__getitem__",
        _narrow: "narrow",
        _select: "select",
        _linear: "linear",
        _matmul: "matmul __matmul__ bmm mm",
        _baddbmm: "baddbmm addmm",
        _einsum: "einsum",
        _convolution: "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
        _embedding: "embedding",
        _attention: "scaled_dot_product_attention",
    }
)
