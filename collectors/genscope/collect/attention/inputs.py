"""What the dimensions of a model's inputs count."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import torch

from genscope.collect.attention.atoms import (
    BATCH,
    CACHE,
    CONSTANT,
    FEATURES,
    FRAMES,
    HEIGHT,
    SPACE,
    TEXT,
    TOKENS,
    VIDEO,
    WIDTH,
    Atoms,
    Dims,
    atom,
)
from genscope.collect.attention.ledger import Known, Ledger

_DEPTH, _MOST = 6, 4000
"""How far tensors are looked for within arguments, such as a cache of keys and values."""

_TEXTS = ("encoder_hidden_states", "prompt", "text", "inputs_embeds", "input_embeds")
_NO_TOKENS = ("mask", "position_ids", "cache_position", "bias", "rotary", "pooled")
_CACHES = ("past", "cache")


def register(ledger: Ledger, root: torch.nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
    """Tell the ledger what the inputs of a call of `root` are."""
    named = _named(root, args, kwargs)
    for name, value in named.items():
        cached = any(word in name for word in _CACHES)
        for path, tensor in _within(value, name):
            # The first name of a tensor that is passed twice stays.
            if ledger.find(tensor) is None:
                dims = _cached(tensor) if cached else _dims(tensor, path, root, named)
                sources = [source for atoms in dims for one in atoms for source in one.sources]
                ledger.put(tensor, Known(dims, frozenset(sources)))
    for buffer in root.buffers():
        if ledger.find(buffer) is None:
            dims = tuple((atom(size, source=CONSTANT),) for size in buffer.shape)
            ledger.put(buffer, Known(dims, frozenset((CONSTANT,))))


def signature(args: Any, kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Return what tells one way of calling a model from another: ranks and types, channels."""
    found: list[Any] = [torch.is_grad_enabled()]
    for place, value in (*enumerate(args), *kwargs.items()):
        if isinstance(value, torch.Tensor):
            rank = value.dim()
            channels = value.shape[1] if rank == 4 else None
            found.append((place, rank, value.dtype.is_floating_point, channels))
    return tuple(found)


def _named(root: torch.nn.Module, args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    try:
        bound = inspect.signature(root.forward).bind_partial(*args).arguments
        names = list(bound) if len(bound) == len(args) else []
    except (TypeError, ValueError):
        names = []
    names += [f"input{place}" for place in range(len(names), len(args))]
    return {**dict(zip(names, args, strict=True)), **kwargs}


def _within(value: Any, name: str) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the tensors in an argument, with a name for each."""
    waiting = [(name, value, 0)]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST:
        path, one, depth = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, torch.Tensor):
            yield path, one
        elif depth == _DEPTH or isinstance(one, (str, bytes, torch.nn.Module, type)):
            continue
        elif isinstance(one, dict):
            waiting += [(f"{path}.{key}", item, depth + 1) for key, item in one.items()]
        elif isinstance(one, (list, tuple)):
            waiting += [(f"{path}.{place}", item, depth + 1) for place, item in enumerate(one)]
        elif type(one).__module__.partition(".")[0] not in ("builtins", "torch", "numpy"):
            fields = getattr(one, "__dict__", {})
            waiting += [(f"{path}.{key}", item, depth + 1) for key, item in fields.items()]


def _cached(tensor: torch.Tensor) -> Dims:
    return tuple((atom(size, source=CACHE),) for size in tensor.shape)


def _dims(tensor: torch.Tensor, name: str, root: torch.nn.Module, named: dict[str, Any]) -> Dims:
    shape = tensor.shape
    last = name.rpartition(".")[2]
    if any(word in last for word in _NO_TOKENS):
        return tuple((atom(size, source=CONSTANT),) for size in shape)
    ranks = _INTEGERS if not tensor.is_floating_point() else _FLOATS
    kinds = ranks.get(len(shape))
    if kinds is None:
        return tuple((atom(size, source=name),) for size in shape)
    if len(shape) == 3 and kinds[-1] == FEATURES:
        kinds = (BATCH, _flat(name, named), FEATURES)
    dims: list[Atoms] = [
        (atom(size, kind.format(name), source=name),)
        for kind, size in zip(kinds, shape, strict=True)
    ]
    frames = named.get("num_frames")
    if (
        len(shape) == 4
        and tensor.is_floating_point()
        and isinstance(frames, int)
        and frames > 1
        and shape[0] % frames == 0
    ):
        dims[0] = (
            atom(shape[0] // frames, BATCH, source=name),
            atom(frames, FRAMES, source=name),
        )
    _by_configuration(dims, root)
    return tuple(dims)


def _flat(name: str, named: dict[str, Any]) -> str:
    """Say what the middle of (batch, tokens, features) counts."""
    if any(word in name for word in _TEXTS):
        return TEXT
    if isinstance(named.get("num_frames"), int):
        return VIDEO
    diffusion = "timestep" in named and named.get("encoder_hidden_states") is not None
    if named.get("img_ids") is not None or named.get("img_shapes") is not None or diffusion:
        return SPACE
    return TOKENS


def _by_configuration(dims: list[Atoms], root: torch.nn.Module) -> None:
    """Name channels and frames of a video at once where only one of them can be the channels."""
    if len(dims) != 5:
        return
    config = getattr(root, "config", None)
    channels = {getattr(config, key, None) for key in ("in_channels", "num_channels")} - {None}
    sizes = [dims[1][0].size, dims[2][0].size]
    fits = [size in channels for size in sizes]
    if sum(fits) == 1:
        source = next(iter(dims[1][0].sources))
        kinds = (FEATURES, FRAMES) if fits[0] else (FRAMES, FEATURES)
        for place, kind in enumerate(kinds):
            dims[1 + place] = (atom(sizes[place], kind, source=source),)


_FLOATS: dict[int, tuple[str, ...]] = {
    0: (),
    1: (BATCH,),
    2: (BATCH, FEATURES),
    3: (BATCH, TOKENS, FEATURES),
    4: (BATCH, FEATURES, HEIGHT, WIDTH),
    # Channels and frames: which is which, the first convolution tells.
    5: (BATCH, "?1 of {}", "?0 of {}", HEIGHT, WIDTH),
}
_INTEGERS: dict[int, tuple[str, ...]] = {
    0: (),
    1: (BATCH,),
    2: (BATCH, TEXT),
    3: (BATCH, HEIGHT, WIDTH),
    4: (BATCH, FRAMES, HEIGHT, WIDTH),
}
