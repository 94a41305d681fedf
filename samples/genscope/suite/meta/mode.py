"""A mode in which what depends on weights has shapes alone, and small things of the host are real.

Weights lie on the device `meta`. An op that takes a tensor from there gives one; all others are
computed, so that schedules, masks of lengths and counters have their values. What a program asks of
a value that nobody has (`item()`, `bool()`) is answered with 0, and counted as a guess.

Under `torch.inference_mode` ops that are written with others arrive here as a whole. They are taken
apart in place, so that a profile has them as it has those of a real run. What kernels do on `meta`
inside themselves is kept out of it.
"""

from __future__ import annotations

import math
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

LARGEST_MADE = 1 << 14
"""Elements of a tensor that is made out of nothing and still real."""

LARGEST_KEPT = 1 << 24
"""Elements of a real result; larger ones lose their values."""

META = torch.device("meta")

_record: Callable[[bool], None] = torch._C._autograd._enable_record_function
_aten: Any = torch.ops.aten

_FACTORY_NAMES = """
    empty zeros ones full arange linspace logspace eye rand randn randint randperm scalar_tensor
    empty_strided tril_indices triu_indices normal _efficientzerotensor hann_window
"""
_FACTORIES = frozenset(_FACTORY_NAMES.split())
_RANGE = "(range)"
"""Ops of the profiler itself."""

_IMPLICIT: Any = torch._C.DispatchKey.CompositeImplicitAutograd
_EXPLICIT: Any = torch._C.DispatchKey.CompositeExplicitAutograd
_DRAWN = {"rand": "uniform_", "randn": "normal_", "randint": "random_"}
"""Ops that make a tensor and then call one that fills it, which has the work."""

_WRITTEN_WITH_OTHERS = frozenset({"_safe_softmax", "embedding"})
"""Ops that every device does with other ops, though they are not marked so."""

_MOVES = frozenset({"to", "_to_copy"})
_ALL_TRUE = frozenset({"bitwise_or", "logical_or", "__or__"})
_ALL_FALSE = frozenset({"bitwise_and", "logical_and", "__and__"})

Log = Callable[[str, tuple[Any, ...], dict[str, Any]], None]


class MetaMode(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Runs models on `meta`; see the top of this module.

    Args:
        attention: How `scaled_dot_product_attention` is done: math or flash.
        device: Type of the device that is meant, cpu or cuda: which fused op there is depends on
            it.
    """

    admits_probe = True
    """To the collectors: what follows tensors to attention is welcome (`collect.compiling`)."""

    def __init__(self, attention: str = "math", device: str = "cpu") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.guesses: Counter[str] = Counter()
        """What was answered without knowing, by op."""
        self.log: Log | None = None
        """Told of each op that is not taken apart."""
        self.live_bytes = 0
        self.peak_bytes = 0
        """Most bytes of results that lived at once; weights are not among them."""
        self._is_seen = True
        self._attention = attention
        self._device = device
        self._known: dict[Any, tuple[str, bool]] = {}
        self._storages: dict[int, Any] = {}
        self._weights: dict[int, Any] = {}
        self._results: dict[Any, Any] = {}

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name, is_composite = self._known.get(func) or self._learn(func)
        if name == _RANGE:
            return func(*args, **kwargs)
        if name in _MOVES:
            kwargs = _without_move(args, kwargs)
            args = _without_device(args)
        if name == "scaled_dot_product_attention" and self._attention == "flash":
            with self:
                fused = self._fused(*args, **kwargs)
            if fused is not None:
                return fused
        if is_composite:
            with self:
                # Not `decompose`, which has Python's own idea of some.
                key = _EXPLICIT if name in _WRITTEN_WITH_OTHERS else _IMPLICIT
                return func._op_dk(key, *args, **kwargs)
        if self.log is not None:
            self.log(name, args, kwargs)
        _record(False)
        try:
            return self._run(func, name, args, kwargs)
        finally:
            _record(self._is_seen)

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Leave what runs in this block out of the profile: it is nothing that a run does."""
        self._is_seen = False
        _record(False)
        try:
            yield
        finally:
            self._is_seen = True
            _record(True)

    def _learn(self, func: Any) -> tuple[str, bool]:
        space, _, name = func._schema.name.partition("::")
        if space == "profiler":
            self._known[func] = _RANGE, False
            return self._known[func]
        key = _EXPLICIT if name in _WRITTEN_WITH_OTHERS else _IMPLICIT
        # Those that torch has in Python alone are no kernels that a device runs.
        found = name, bool(torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), key.name))
        self._known[func] = found
        return found

    # Ops ----------------------------------------------------------------------------------------

    def _run(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = list(_tensors((args, kwargs)))
        if (not given and name in _FACTORIES) or name.startswith("new_"):
            return self._made(func, name, args, kwargs)
        if not any(one.is_meta for one in given):
            if kwargs.get("device") is not None:
                kwargs = {**kwargs, "device": torch.device("cpu")}
            result = func(*args, **kwargs)
            return _map(_small, result) if not _writes(func) else result
        answer = self._answered(name, args)
        if answer is not None:
            return answer
        if _writes(func) and _target(func, args, kwargs) is not None:
            # A real tensor that is written what nobody knows keeps what it had.
            self.guesses[name] += 1
            return _target(func, args, kwargs)
        if kwargs.get("device") is not None:
            kwargs = {**kwargs, "device": META}
        key = _key(func, args, kwargs) if _makes_new(func) else None
        made = self._results.get(key) if key is not None else None
        if made is None:
            result = func(*_map(_moved, args), **_map(_moved, kwargs))
            if key is not None:
                self._results[key] = _map(_layout, result)
        else:
            # Many of torch's kernels for `meta` are Python, and take a millisecond.
            result = _like(made)
        for one in _tensors(result):
            self._track(one)
        return result

    def _made(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Make a tensor out of nothing: real if it is small."""
        kwargs = {key: one for key, one in kwargs.items() if key != "pin_memory"}
        on_meta = {**_map(_moved, kwargs), "device": META}
        if "generator" in on_meta:
            on_meta["generator"] = None
        shape = func(*_map(_moved, args), **on_meta)
        if shape.numel() <= LARGEST_MADE:
            if any(one.is_meta for one in _tensors((args[1:], kwargs))):
                self._track(shape)
                return shape
            args = (_real(args[0]), *args[1:]) if args else args
            _record(self._is_seen and name in _DRAWN)
            return func(*args, **{**kwargs, "device": torch.device("cpu")})
        if name in _DRAWN:
            _record(self._is_seen)
            getattr(_aten, _DRAWN[name])(shape)
        self._track(shape)
        return shape

    def _answered(self, name: str, args: tuple[Any, ...]) -> Any:
        """Answer what needs values, if this is such an op."""
        if name in ("_local_scalar_dense", "item"):
            self.guesses[name] += 1
            kind = args[0].dtype
            return False if kind == torch.bool else 0.0 if kind.is_floating_point else 0
        if name in ("equal", "is_nonzero", "allclose"):
            self.guesses[name] += 1
            return False
        if name == "nonzero":
            self.guesses[name] += 1
            rows = args[0].numel()
            return torch.empty((rows, args[0].dim()), dtype=torch.int64, device=META)
        if name in _ALL_TRUE or name in _ALL_FALSE:
            # What one side decides alone stays known: whether a loop ends.
            for one, other in (args[:2], args[1::-1]):
                if _decides(one, other, name in _ALL_TRUE):
                    return one.clone()
        return None

    def _fused(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        *,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Any:
        """Do attention with the fused op of the device; None where that takes no such inputs."""
        if query.dim() != 4 or dropout_p or query.shape[-1] != value.shape[-1]:
            return None
        if attn_mask is not None and attn_mask.dtype == torch.bool:
            attn_mask = torch.zeros_like(attn_mask, dtype=query.dtype).masked_fill_(
                attn_mask.logical_not(), -math.inf
            )
        if self._device == "cpu":
            done = _aten._scaled_dot_product_flash_attention_for_cpu(
                query, key, value, 0.0, is_causal, attn_mask=attn_mask, scale=scale
            )
            return done[0]
        if key.shape[1] != query.shape[1]:
            groups = query.shape[1] // key.shape[1]
            key, value = (one.repeat_interleave(groups, 1) for one in (key, value))
        narrow = query.dtype in (torch.float16, torch.bfloat16)
        if narrow and attn_mask is None and query.shape[-1] <= 256:
            done = _aten._scaled_dot_product_flash_attention(
                query, key, value, 0.0, is_causal, False, scale=scale
            )
            return done[0]
        if attn_mask is not None:
            attn_mask = attn_mask.expand(*query.shape[:3], key.shape[2])
        done = _aten._scaled_dot_product_efficient_attention(
            query, key, value, attn_mask, False, 0.0, is_causal, scale=scale
        )
        return done[0]

    @contextmanager
    def as_arrays(self) -> Iterator[None]:
        """Let `numpy()` and `tolist()` give zeros in this block, where nobody has the values."""
        numpy: Any = torch.Tensor.numpy

        def array(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            if not tensor.is_meta:
                return numpy(tensor, *args, **kwargs)
            self.guesses["numpy"] += 1
            try:
                kind = np.dtype(str(tensor.dtype).removeprefix("torch."))
            except TypeError:  # numpy knows no bfloat16
                kind = np.dtype(np.float32)
            return np.zeros(tuple(tensor.shape), kind)

        tolist: Any = torch.Tensor.tolist

        def listed(tensor: torch.Tensor) -> Any:
            return array(tensor).tolist() if tensor.is_meta else tolist(tensor)

        torch.Tensor.numpy, torch.Tensor.tolist = array, listed  # type: ignore[method-assign,assignment]
        try:
            yield
        finally:
            del torch.Tensor.numpy, torch.Tensor.tolist

    # Memory -------------------------------------------------------------------------------------

    def leave_out(self, tensors: Iterable[torch.Tensor]) -> None:
        """Do not count these, which are weights."""
        for one in tensors:
            storage = one.untyped_storage()
            self._weights[storage._cdata] = storage

    def _track(self, tensor: torch.Tensor) -> None:
        """Count the storage of a new result for as long as it lives."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._storages or key in self._weights:
            return
        size = storage.nbytes()

        def gone(_: Any, key: int = key, size: int = size) -> None:
            if self._storages.pop(key, None) is not None:
                self.live_bytes -= size

        self._storages[key] = weakref.ref(storage, gone)
        self.live_bytes += size
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)


def _tensors(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _tensors(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _tensors(one)


def _map(change: Callable[[torch.Tensor], Any], value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, list | tuple):
        return type(value)(_map(change, one) for one in value)
    if isinstance(value, dict):
        return {key: _map(change, one) for key, one in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a tensor without values is."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype


def _layout(tensor: torch.Tensor) -> _Layout:
    return _Layout(tuple(tensor.shape), tensor.stride(), tensor.dtype)


def _like(value: Any) -> Any:
    """Make new tensors of layouts."""
    if isinstance(value, _Layout):
        return torch.empty_strided(value.shape, value.stride, dtype=value.dtype, device=META)
    if isinstance(value, list | tuple):
        return type(value)(_like(one) for one in value)
    return value


@cache
def _makes_new(func: Any) -> bool:
    """Whether an op gives new tensors alone: it neither views nor writes what it takes."""
    schema = func._schema
    return not any(one.alias_info is not None for one in (*schema.arguments, *schema.returns))


def _key(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    parts: list[Any] = [func]
    _add_key(parts, args)
    for name, value in kwargs.items():
        parts.append(name)
        _add_key(parts, value)
    try:
        key = tuple(parts)
        hash(key)
    except TypeError:
        return None
    return key


def _add_key(parts: list[Any], value: Any) -> None:
    if isinstance(value, torch.Tensor):
        parts += (tuple(value.shape), value.stride(), value.dtype)
    elif isinstance(value, list | tuple):
        parts.append(len(value))
        for one in value:
            _add_key(parts, one)
    else:
        # Equal numbers of several types make results of several types.
        parts += (type(value), value)


def _moved(tensor: torch.Tensor) -> torch.Tensor:
    return tensor if tensor.is_meta else tensor.to(META)


def _small(tensor: torch.Tensor) -> torch.Tensor:
    return tensor if tensor.numel() <= LARGEST_KEPT else tensor.to(META)


def _real(value: Any) -> Any:
    """What stands for the tensor that `new_zeros` and its like are a method of."""
    if isinstance(value, torch.Tensor) and value.is_meta:
        return torch.empty(0, dtype=value.dtype)
    return value


def _writes(func: Any) -> bool:
    return bool(func._schema.is_mutable)


def _target(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor | None:
    """The real tensor that an op writes to, if it does."""
    for place, one in enumerate(func._schema.arguments):
        if one.alias_info is not None and one.alias_info.is_write:
            value = args[place] if place < len(args) else kwargs.get(one.name)
            if isinstance(value, torch.Tensor) and not value.is_meta:
                return value
    return None


def _decides(one: Any, other: Any, value: bool) -> bool:
    if not isinstance(one, torch.Tensor) or one.is_meta or one.dtype != torch.bool:
        return False
    if not isinstance(other, torch.Tensor) or other.dtype != torch.bool:
        return False
    same = one.shape == np.broadcast_shapes(one.shape, other.shape)
    return same and bool((one if value else ~one).all())


def _without_move(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Leave a tensor where it is: there is one device, though some of it is real."""
    if kwargs.get("device") is None:
        return kwargs
    return {**kwargs, "device": args[0].device}


def _without_device(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(args[0].device if isinstance(one, torch.device) else one for one in args)
