"""Torch function modes that see attention no replaced function sees.

`Watch` runs in the modules that need it, `Probe` in the first call of a model, where it also
follows all tensors. Both are off inside code that asks whether a mode is on: torch's fast paths
would not be taken, and results would differ in their last bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch.overrides import TorchFunctionMode

from genscope.collect.attention import chains
from genscope.collect.attention.calls import OPERATORS, Target
from genscope.collect.attention.flow import follow
from genscope.collect.attention.ledger import Ledger


class Owner(Protocol):
    """What the modes report to."""

    def inside(self) -> bool:
        """Tell whether an annotated call is running on this thread."""

    def call(
        self,
        target: Target,
        original: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        unseen: bool = False,
    ) -> Any:
        """Run an attention function in a range."""

    def ended(self, chain: chains.Chain) -> None:
        """Mark the end of a chain."""

    def fail(self) -> None:
        """Give up after an error of ours."""


_WATCHED: dict[Any, str] = {}
_PROBED: dict[Any, str] = {}
"""Names of torch functions, "" for those that do not matter. There are not many."""


class Watch(TorchFunctionMode):
    """Sees attention operators and chains."""

    ledger: Ledger | None = None

    def __init__(self, owner: Owner) -> None:
        super().__init__()
        self._owner = owner
        self._chains = chains.Chains(self.ledger)
        self._names = _PROBED if self.ledger is not None else _WATCHED

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = self._names.get(func)
        if name is None:
            name = self._names[func] = self._named(func)
        if not name or self._owner.inside():
            return func(*args, **kwargs)
        if name in OPERATORS:
            result = self._owner.call(OPERATORS[name], func, args, kwargs, unseen=True)
        else:
            result = func(*args, **kwargs)
        try:
            self._after(name, args, kwargs, result)
        except (ValueError, TypeError, LookupError, AttributeError, RuntimeError):
            # A form of call that was not foreseen: nothing is known of its result.
            pass
        except Exception:
            self._owner.fail()
        return result

    def clear(self) -> None:
        """Forget what a module has left unfinished."""
        self._chains.clear()

    def _named(self, func: Any) -> str:
        """Return the name of a function, "" for one that does not matter."""
        name = name_of(func)
        matters = name in chains.PRODUCTS or name in chains.SOFTMAX or name in chains.BETWEEN
        return name if matters or name in OPERATORS else ""

    def _after(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        chain = self._chains.observe(name, args, kwargs, result)
        if chain is not None:
            self._owner.ended(chain)


class Probe(Watch):
    """Follows tensors from the inputs of a model to its attention."""

    def __init__(self, owner: Owner, ledger: Ledger) -> None:
        self.ledger = ledger
        self._mine = ledger
        super().__init__(owner)

    def _named(self, func: Any) -> str:
        return name_of(func)

    def _after(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        try:
            follow(self._mine, name, args, kwargs, result)
        finally:
            super()._after(name, args, kwargs, result)


def name_of(func: Any) -> str:
    """Return the bare name of what a torch function mode is called with."""
    func = getattr(func, "overloadpacket", func)
    name: str = getattr(func, "__name__", "")
    if name == "__get__":
        name = getattr(getattr(func, "__self__", None), "__name__", "")
    return name


class Modes:
    """The modes of ours that are on, on one thread, outermost first."""

    def __init__(self) -> None:
        self.on: list[Watch] = []

    def push(self, mode: Watch) -> None:
        """Turn a mode on."""
        mode.__enter__()  # type: ignore[no-untyped-call] # torch leaves it untyped
        self.on.append(mode)

    def pop(self, mode: Watch) -> None:
        """Turn a mode off, wherever in torch's stack it is by now."""
        if mode in self.on:
            self.on.remove(mode)
            _take(lambda one: one is mode)

    def suspend(self) -> list[Any]:
        """Take all modes of ours out of torch's stack; give what `resume` needs."""
        return _take(lambda one: one in self.on) if self.on else []

    def resume(self, taken: list[Any]) -> None:
        """Put back what `suspend` took, on top."""
        for mode in taken:
            if mode in self.on:
                torch._C._push_on_torch_function_stack(mode)


def _take(which: Callable[[Any], bool]) -> list[Any]:
    """Take modes out of the stack of this thread, lowest first; the others stay in order."""
    stack = [
        torch._C._pop_torch_function_stack() for _ in range(torch._C._len_torch_function_stack())
    ]
    stack.reverse()
    taken = [mode for mode in stack if which(mode)]
    for mode in stack:
        if not which(mode):
            torch._C._push_on_torch_function_stack(mode)
    return taken
