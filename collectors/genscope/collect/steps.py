"""Which step of its loop a component's call belongs to. No value of a tensor is ever read.

- In a pipeline: how many times its scheduler has stepped, so that both calls of classifier-free
  guidance are one step; None for what runs before or after the loop.
- In training (train mode, gradients on): how many times an optimizer has stepped.
- A model that generates: the token, 0 for the prompt; it starts anew with each `generate` and with
  each new cache.
- A denoiser without a scheduler: its calls, where calls with the same timestep are one step.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

from genscope.collect.components import Part, in_steps, unwrapped
from genscope.collect.patches import Patches

_TIMES = ("timestep", "timesteps", "time", "t", "sigma", "sigmas")
"""What denoisers call the argument that says how noisy their input is."""


def _nothing() -> None:
    return None


class Counter(Protocol):
    """Counts the steps of one component."""

    def at(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int | None:
        """Return the step of a call that begins."""


class Loop:
    """The steps of a scheduler."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self._count = 0
        self._total: int | None = None
        self.is_seen = False
        """Whether the scheduler is used at all."""
        self._depth = 0

    def look(self) -> None:
        """Find out where a loop stands that may have begun before we came."""
        index = getattr(self._scheduler, "_step_index", None)
        if isinstance(index, int):
            begun = getattr(self._scheduler, "_begin_index", None)
            self._count = index - (begun if isinstance(begun, int) else 0)
            self._total = self._length()
            self.is_seen = True

    def begin(self) -> None:
        """A loop begins."""
        self._count, self._total, self.is_seen = 0, self._length(), True

    def advance(self) -> None:
        """A step has been made."""
        self._count += 1
        self.is_seen = True

    def step(self) -> int | None:
        """Return the step that is being made, None after the last."""
        return self._count if self._total is None or self._count < self._total else None

    def around_begin(self, call: Callable[[], Any]) -> Any:
        """Run `call`, which is `set_timesteps`."""
        result = call()
        self.begin()
        return result

    def around_step(self, call: Callable[[], Any]) -> Any:
        """Run `call`, which is `step`."""
        # A step may be made of another method's, of the same class or the one above.
        self._depth += 1
        try:
            result = call()
        finally:
            self._depth -= 1
        if not self._depth:
            self.advance()
        return result

    def _length(self) -> int | None:
        timesteps = getattr(self._scheduler, "timesteps", None)
        try:
            return len(timesteps) if timesteps is not None else None
        except Exception:
            return None


class OfLoop:
    """The steps of a denoiser whose scheduler is known."""

    def __init__(self, loop: Loop, alone: Counter) -> None:
        self.loop = loop
        self._alone = alone

    def at(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int | None:
        """Return the step of a call that begins."""
        return self.loop.step() if self.loop.is_seen else self._alone.at(args, kwargs)


class Tokens:
    """The tokens of a model that generates."""

    def __init__(self) -> None:
        self._next = 0
        self._open = 0
        self._cache: Callable[[], Any] | None = None

    def at(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int | None:
        """Return the step of a call that begins."""
        if not self._open and self._is_new(kwargs.get("past_key_values")):
            self._next = 0
        step = self._next
        self._next += 1
        return step

    def _is_new(self, cache: Any) -> bool:
        """Whether a call begins another text. A cache that grows is the same object, or tuples."""
        if cache is None:
            self._cache = None
            return True
        if isinstance(cache, tuple):
            return False
        known, self._cache = self._cache, weakref.ref(cache)
        # The first cache may have been made by the call before, which had none.
        return known is not None and known() is not cache

    def around_generate(self, call: Callable[[], Any]) -> Any:
        """Run `call`, which is `generate`."""
        if not self._open:
            self._next = 0
        self._open += 1
        try:
            return call()
        finally:
            self._open -= 1
            self._cache = None


class Calls:
    """The calls of a denoiser that no known scheduler drives."""

    def __init__(self, module: nn.Module) -> None:
        self._count = -1
        self._last: Callable[[], Any] = _nothing
        self._name, self._place = _time_argument(module)

    def at(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int | None:
        """Return the step of a call that begins."""
        if self._name is None:
            return None
        time = kwargs.get(self._name)
        if time is None and self._place < len(args):
            time = args[self._place]
        if time is None or not _is_same(self._last(), time):
            self._count += 1
        try:
            self._last = weakref.ref(time)
        except TypeError:
            self._last = functools.partial(_itself, time)
        return self._count


class Steps:
    """The counters of all components."""

    def __init__(self, before: Callable[[], object] = _nothing) -> None:
        """Count; `before` is called at the beginning of each text or loop."""
        self._begin = before
        self._before = 0
        self._done: weakref.WeakKeyDictionary[Optimizer, int] = weakref.WeakKeyDictionary()
        self._loops: dict[int, Loop] = {}
        self._tokens: dict[int, Tokens] = {}
        self._handle: Any = None

    @property
    def training(self) -> int:
        """Which training step it is. May be set, where steps passed unseen."""
        return self._before + max(self._done.values(), default=0)

    @training.setter
    def training(self, step: int) -> None:
        self._before = step - max(self._done.values(), default=0)

    def counter(self, part: Part, patches: Patches) -> Counter:
        """Return what counts the steps of a component, with `patches` that it needs."""
        if part.scheduler is not None and in_steps(part.name):
            return OfLoop(self._loop(part.scheduler, patches), Calls(part.module))
        if _generates(part.module):
            tokens = self._tokens.setdefault(id(part.module), Tokens())
            patches.method(
                part.module, "generate", _around(self._tokens, "around_generate", self._begin)
            )
            return tokens
        return Calls(part.module)

    def _loop(self, scheduler: Any, patches: Patches) -> Loop:
        loop = self._loops.setdefault(id(scheduler), Loop(scheduler))
        patches.method(scheduler, "step", _around(self._loops, "around_step", _nothing))
        patches.method(
            scheduler, "set_timesteps", _around(self._loops, "around_begin", self._begin)
        )
        return loop

    def at(
        self, counter: Counter, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> int | None:
        """Return the step of a call of `module` that begins."""
        loops = isinstance(counter, OfLoop) and counter.loop.is_seen
        if unwrapped(module).training and torch.is_grad_enabled() and not loops:
            return self.training
        return counter.at(args, kwargs)

    def start(self) -> None:
        """Begin to count optimizer steps, and look where loops stand."""
        if self._handle is None:
            self._handle = register_optimizer_step_post_hook(self._stepped)
        for loop in self._loops.values():
            loop.look()

    def stop(self) -> None:
        """Count no further; the numbers are kept."""
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.remove()

    def _stepped(self, optimizer: Optimizer, *_: object) -> None:
        # Several optimizers in turn make one step.
        self._done[optimizer] = self._done.get(optimizer, 0) + 1


def _around(
    known: Mapping[int, Any], method: str, before: Callable[[], object]
) -> Callable[[Any], Any]:
    """Make functions that pass the calls of known objects to a method of what counts for them."""

    def make(original: Any) -> Any:
        bound = getattr(original, "__self__", None) is not None or not inspect.isfunction(original)

        @functools.wraps(original)
        def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
            counter = known.get(id(self))
            if counter is None:
                return original(self, *args, **kwargs)
            before()
            return getattr(counter, method)(functools.partial(original, self, *args, **kwargs))

        # An attribute of the object itself is not given `self`; whose it is cannot be told.
        return original if bound else counted

    return make


def _generates(module: nn.Module) -> bool:
    can = getattr(module, "can_generate", None)
    try:
        return callable(getattr(module, "generate", None)) and callable(can) and bool(can())
    except Exception:
        return False


def _time_argument(module: nn.Module) -> tuple[str | None, int]:
    """Name and place of the argument that a denoiser takes for its timestep."""
    try:
        names = list(inspect.signature(module.forward).parameters)
    except (TypeError, ValueError):
        return None, 0
    return next(((name, names.index(name)) for name in _TIMES if name in names), (None, 0))


def _is_same(last: Any, time: Any) -> bool:
    return last is time or (
        isinstance(time, int | float) and type(last) is type(time) and last == time
    )


def _itself(value: Any) -> Any:
    return value
