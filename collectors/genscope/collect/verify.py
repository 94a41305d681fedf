"""Watching which implementation of attention runs.

Every call of `scaled_dot_product_attention` asks torch, just before, which backend it is about to
choose: `torch._fused_sdp_choice` looks at the same arguments and flags by the same rules and
computes nothing. A look takes 1.1 µs in a loop, and 4 to 14 µs between the layers of a model on a
busy CPU, whose caches hold other things by then. Functions are replaced wherever they were imported
to, while a block is open and never where torch.compile is in use: its guards would see that, and
compile again.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol

import torch
from torch import nn
from torch.compiler import is_compiling

from genscope.collect.libraries import PROCESSORS, TRANSFORMERS, UNFUSED_PROCESSORS, compiled
from genscope.collect.reasons import CAST, autocast, why

_CHOICES = {0: "math", 1: "flash", 2: "efficient", 3: "cudnn", 4: "other"}
# By the names of transformers; what goes through torch's function is counted there.
_INTERFACES = {
    "eager": "eager",
    "paged|eager": "eager",
    "flash_attention_2": "flash",
    "flash_attention_3": "flash3",
    "flex_attention": "flex",
}
UNKNOWN = "unknown"
"""Counts calls of which torch does not tell what it chooses."""


@dataclass(slots=True)
class AsRan:
    """How attention ran within a block. Its text is for people."""

    asked: str
    ran: Counter[str] = field(default_factory=Counter)
    """Calls, by the implementation that ran: math, eager, flash, efficient, cudnn, flex, …"""
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    """Why calls ran otherwise, by what ran instead, in words, with the number of calls."""
    notes: list[str] = field(default_factory=list)
    """What else there is to say, such as models that could not be switched."""
    watched: bool = True
    """False where nothing could be seen, since torch.compile is in use."""

    @property
    def calls(self) -> int:
        """All calls that were seen."""
        return sum(self.ran.values())

    @property
    def as_asked(self) -> bool:
        """Whether calls were seen and all of them ran as asked."""
        return self.watched and self.calls > 0 and self.calls == self.ran[self.asked]

    def note(self, text: str) -> None:
        """Add to the notes what does not stand there yet."""
        if text not in self.notes:
            self.notes.append(text)

    def because(self, ran: str, reason: str) -> None:
        """Count a reason for which a call ran as `ran`."""
        self.reasons.setdefault(ran, Counter())[reason] += 1

    def __str__(self) -> str:
        if not self.watched:
            text = f"asked for {self.asked} attention; what ran was not watched"
        elif not self.calls:
            text = f"asked for {self.asked} attention, but no attention call was seen"
        elif self.as_asked:
            text = f"asked for {self.asked} attention: all {self.calls} calls ran so"
        else:
            text = (
                f"asked for {self.asked} attention: {self.ran[self.asked]} of {self.calls} calls "
                "ran so"
            )
            for name, calls in sorted(self.ran.items()):
                if name != self.asked and calls:
                    reasons = ", ".join(self.reasons.get(name, ())) or "no reason is known"
                    text += f"; {calls} as {name} ({reasons})"
        return "; ".join([text, *self.notes])


class Layer(Protocol):
    """Something else that replaces the same functions for a while."""

    def lift(self) -> None:
        """Take the replacements away."""

    def lower(self) -> None:
        """Put them back, over what stands there now."""


ABOVE: list[Layer] = []
"""Layers that are in place. They are lifted while a watch begins or ends, so that blocks and
recordings may overlap in any order and each finds what it has replaced."""


@contextmanager
def _lifted() -> Iterator[None]:
    layers = list(ABOVE)
    for layer in reversed(layers):
        layer.lift()
    try:
        yield
    finally:
        for layer in layers:
            layer.lower()


class Watch:
    """Counts into `ran` while it is open. The innermost open one counts, on every thread."""

    def __init__(self, ran: AsRan, modules: Iterable[nn.Module] = ()) -> None:
        self._ran = ran
        self._modules = list(modules)

    def __enter__(self) -> AsRan:
        with _LOCK:
            if _compiling_is_in_use() or any(map(compiled, self._modules)):
                self._ran.watched = False
                self._ran.note("torch.compile is in use, and watching would make it compile again")
            else:
                with _lifted():
                    _PATCHES.install(self._modules)
            _OPEN.append(self._ran)
        return self._ran

    def __exit__(self, *_: object) -> None:
        with _LOCK:
            # By identity: equal ones may be open.
            _OPEN[:] = [ran for ran in _OPEN if ran is not self._ran]
            if not any(ran.watched for ran in _OPEN):
                with _lifted():
                    _PATCHES.remove(self._modules)


def _compiling_is_in_use() -> bool:
    frames = getattr(sys.modules.get("torch._dynamo.convert_frame"), "FRAME_COUNTER", 0)
    return bool(frames)


class _Patches:
    """What is replaced while a watch is open."""

    def __init__(self) -> None:
        self._sdpa: Callable[..., Any] | None = None
        self._wrapper: Callable[..., Any] | None = None
        self._replaced: list[tuple[Any, str, object, object]] = []
        self._libraries: set[str] = set()
        self._hook: Any = None

    def install(self, modules: Iterable[nn.Module]) -> None:
        """Replace the functions wherever they are; again for what has come since."""
        if self._sdpa is None or self._wrapper is None:
            self._sdpa = torch.nn.functional.scaled_dot_product_attention
            self._wrapper = _watched(self._sdpa)
            _let_script(self._wrapper, True)
            self._hook = nn.modules.module.register_module_module_registration_hook(self._late)
        for holder, name in _holders(self._sdpa, modules):
            self._replace(holder, name, self._wrapper)
        self._patch_libraries()

    def remove(self, modules: Iterable[nn.Module]) -> None:
        """Put everything back, also where a replaced function was imported to meanwhile."""
        if self._sdpa is None or self._wrapper is None:
            return
        self._hook.remove()
        while self._replaced:
            holder, name, old, new = self._replaced.pop()
            if vars(holder).get(name) is new:
                setattr(holder, name, old)
        for holder, name in _holders(self._wrapper, modules):
            setattr(holder, name, self._sdpa)
        _let_script(self._wrapper, False)
        self._sdpa = self._wrapper = None
        self._libraries.clear()
        _REASONS.clear()

    def _late(self, *_: object) -> None:
        """Called when a model is built: its library may not have been imported before."""
        if len(self._libraries) < 2:
            self._patch_libraries()

    def _patch_libraries(self) -> None:
        interface = getattr(sys.modules.get(TRANSFORMERS), "AttentionInterface", None)
        if interface is not None and TRANSFORMERS not in self._libraries:
            self._libraries.add(TRANSFORMERS)
            if "get_interface" in vars(interface):
                self._replace(interface, "get_interface", _interface(interface.get_interface))
        processors = sys.modules.get(PROCESSORS)
        # The last one defined, so that a module in the middle of its import is left for later.
        if hasattr(processors, "AttentionProcessor") and PROCESSORS not in self._libraries:
            self._libraries.add(PROCESSORS)
            for name in UNFUSED_PROCESSORS:
                kind = getattr(processors, name, None)
                if kind is not None:
                    self._replace(kind, "__call__", _unfused(kind.__call__))

    def _replace(self, holder: Any, name: str, new: object) -> None:
        self._replaced.append((holder, name, vars(holder)[name], new))
        setattr(holder, name, new)


_LOCK = threading.RLock()
_OPEN: list[AsRan] = []
_PATCHES = _Patches()


def _holders(function: object, modules: Iterable[nn.Module]) -> list[tuple[Any, str]]:
    """Return what has `function` as an attribute: Python modules, models and their classes."""
    # Not in torch._C, by whose names torch.compile comes to know the functions that it can take.
    loaded = [
        module
        for name, module in list(sys.modules.items())
        if isinstance(module, ModuleType) and not name.startswith("torch._C")
    ]
    models = list(modules)
    places: list[Any] = [*loaded, *models, *dict.fromkeys(map(type, models))]
    return [
        (place, name)
        for place in places
        for name, value in list(vars(place).items())
        if value is function
    ]


def _watched(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def scaled_dot_product_attention(*args: Any, **kwargs: Any) -> Any:
        # While a graph is traced or compiled nothing runs, and a look would become part of it.
        if _OPEN and not is_compiling() and _tracing() is None:
            _look(_OPEN[-1], args, kwargs)
        return original(*args, **kwargs)

    return scaled_dot_product_attention


def _look(ran: AsRan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Count what torch is about to choose. Never raises."""
    try:
        chosen = _chosen(args, kwargs)
    except Exception:
        # What torch refuses, it will refuse in the call itself, in its own words.
        chosen = UNKNOWN
    ran.ran[chosen] += 1
    if chosen != ran.asked:
        try:
            kind = (ran.asked, chosen, *map(_kind, args), *map(_kind, kwargs.values()), *kwargs)
            reason = _REASONS.get(kind)
            if reason is None:
                reason = _REASONS[kind] = why(ran.asked, chosen, *args, **kwargs)
        except Exception:
            reason = "no reason is known"
        ran.because(chosen, reason)


_REASONS: dict[tuple[object, ...], str] = {}
"""Found ones, by what they depend on; for the time that a watch is open."""


def _kind(value: Any) -> object:
    """Return what matters about an argument: of a tensor all but its lengths and place."""
    if isinstance(value, torch.Tensor):
        width = value.shape[-1] if value.shape else 0
        return value.dtype, value.dim(), width, value.requires_grad, value.numel() == 0
    return value


def _chosen(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    query = args[0] if args else kwargs["query"]
    mask = args[3] if len(args) > 3 else kwargs.get("attn_mask")
    # Subclasses (sharded, nested, fake tensors, causal biases) choose by rules of their own.
    if type(query) not in _PLAIN or (mask is not None and type(mask) not in _PLAIN):
        return UNKNOWN
    if _casting():
        dtype = autocast(query.device.type)
        if dtype is not None:
            args, kwargs = _as_cast(dtype, args, kwargs)
    if not _profiling():
        return _CHOICES.get(_choice(*args, **kwargs), UNKNOWN)
    # A look is none of what the user does, and has no place in his trace.
    _enable_record_function(False)
    try:
        return _CHOICES.get(_choice(*args, **kwargs), UNKNOWN)
    finally:
        _enable_record_function(True)


_PLAIN = (torch.Tensor, nn.Parameter)
# Looked up once; in a model's own rhythm, each look-up costs as much as the call.
_choice = torch._fused_sdp_choice
_profiling: Callable[[], bool] = torch.autograd._profiler_enabled  # type: ignore[attr-defined]
_enable_record_function: Callable[[bool], None] = torch.autograd._enable_record_function  # type: ignore[attr-defined]
_casting: Callable[[], bool] = getattr(torch._C, "_is_any_autocast_enabled", lambda: True)
_tracing: Callable[[], object] = torch._C._get_tracing_state


def _as_cast(
    dtype: torch.dtype, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments as autocast is about to make them, without casting their values."""

    def cast(value: Any) -> Any:
        if not isinstance(value, torch.Tensor) or value.dtype not in CAST:
            return value
        row = torch.empty(value.shape[-1:], dtype=dtype, device=value.device)
        return row.expand(value.shape).requires_grad_(value.requires_grad)

    return tuple(map(cast, args)), {name: cast(value) for name, value in kwargs.items()}


def _interface(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def get_interface(
        self: Any, attn_implementation: str, default: Callable[..., Any]
    ) -> Callable[..., Any]:
        found: Callable[..., Any] = original(self, attn_implementation, default)
        if _OPEN and "sdpa" not in str(attn_implementation) and not is_compiling():
            name = _INTERFACES.get(attn_implementation, "other")
            _count(_OPEN[-1], name, f"the model is set to {attn_implementation} in transformers")
        return found

    return get_interface


def _unfused(original: Callable[..., Any]) -> Callable[..., Any]:
    # Diffusers looks at the signature to decide what to pass; wraps keeps it.
    @functools.wraps(original)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _OPEN and not is_compiling():
            _count(_OPEN[-1], "eager", f"the model is set to {type(self).__name__} in diffusers")
        return original(self, *args, **kwargs)

    return __call__


def _count(ran: AsRan, name: str, reason: str) -> None:
    ran.ran[name] += 1
    if name != ran.asked:
        ran.because(name, reason)


def _let_script(function: Callable[..., Any], known: bool) -> None:
    """Let torch.jit.script take the replaced function for the op that it stands for."""
    try:
        from torch.jit import _builtins

        table = _builtins._get_builtin_table()  # type: ignore[no-untyped-call]
        if known:
            table[id(function)] = "aten::scaled_dot_product_attention"
        else:
            table.pop(id(function), None)
    except Exception:  # Private to torch; without it, only scripting within a block fails.
        return
