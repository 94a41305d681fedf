"""Calls of models that were seen often enough to be told ahead are not made again.

An outermost call of a module whose arguments have the form and sizes of two earlier ones, which did
the same, does that once more. Where sizes grow evenly (a cache of keys, a text that gets longer),
three calls in a row tell the next ones, and some of those are made to see whether it holds: the
8th, the 16th, the 32nd, … Results of calls that are left out are made up, and their state is made
to have grown when it is needed next. Every call leaves a range in the profile that tells what
belongs there (`genscope.trace.plan.marks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from genscope.suite.meta.mode import MetaMode
from genscope.suite.meta.values import Shape, objects, rebuilt, set_numbers
from genscope.trace.plan.marks import LeftOut, made

_FIRST_LOOK = 8

_range: Any = torch._C._profiler._RecordFunctionFast


@dataclass(slots=True)
class _Ran:
    """A call that was made."""

    call: int
    at: int
    """Its place among the calls of its kind."""
    form: tuple[Any, ...]
    """Of its ops, its result and its state."""
    numbers: Any
    """Of arguments, state, result and ops, one array after the other."""
    given: int
    """How many numbers are those of the arguments, then of the state, then of the result."""
    state: int
    result_numbers: int
    is_pure: bool
    """Whether arguments and state were afterwards what they were before."""
    result: Any

    def part(self, numbers: Any, which: str) -> list[int]:
        """Take the numbers of the arguments, the state or the result out of an array like its."""
        first = {"given": 0, "state": self.given, "result": self.given + self.state}[which]
        count = {"given": self.given, "state": self.state, "result": self.result_numbers}[which]
        return [int(one) for one in numbers[first : first + count]]


@dataclass(slots=True)
class _Kind:
    """The calls of a module with arguments of one form."""

    module: nn.Module
    calls: int = 0
    alike: dict[tuple[int, ...], list[_Ran]] = field(default_factory=dict)
    """Calls by the numbers of their arguments and state, two at most of each."""
    recent: list[_Ran] = field(default_factory=list)
    """The last calls, if they followed each other."""
    line: tuple[_Ran, _Ran] | None = None
    """Two calls that tell those after them."""
    has_skipped: bool = False
    next_look: int = _FIRST_LOOK

    def at(self, place: int) -> Any:
        """Numbers of the call at this place, as `line` tells them; None where not whole."""
        assert self.line is not None
        first, last = self.line
        steps, rest = np.divmod(last.numbers - first.numbers, last.at - first.at)
        return None if rest.any() else first.numbers + steps * (place - first.at)


class Calls:
    """Counts the outermost calls of modules, and leaves out those that can be told ahead."""

    def __init__(self, mode: MetaMode, *, every_call: bool = False) -> None:
        self._every_call = every_call
        self.made = 0
        self.left_out = 0
        self._mode = mode
        self._kinds: dict[Any, _Kind] = {}
        self._is_open = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch calls in this block."""
        before = nn.Module.__call__
        calls = self

        def __call__(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
            if calls._is_open:
                return before(self, *args, **kwargs)
            calls._is_open = True
            try:
                return calls._call(before, self, args, kwargs)
            finally:
                calls._is_open = False

        nn.Module.__call__ = __call__  # type: ignore[method-assign]
        try:
            yield
        finally:
            nn.Module.__call__ = before  # type: ignore[method-assign]

    def _call(
        self, run: Callable[..., Any], module: nn.Module, args: tuple[Any, ...], kwargs: Any
    ) -> Any:
        given, kept = Shape(), list(objects((args, kwargs)))
        given.add((args, kwargs))
        state = _state(kept)
        key = (id(module), str(given.form), str(state.form))
        kind = self._kinds.setdefault(key, _Kind(module))
        place, kind.calls = kind.calls, kind.calls + 1
        if kind.line is not None:
            told = kind.at(place)
            last = kind.line[1]
            if told is None or last.part(told, "given") != given.numbers:
                kind.line = None
            elif place < kind.next_look and not self._every_call:
                return self._skip(kind, place, told)
            else:
                kind.next_look = 2 * place
            if kind.has_skipped and told is not None:
                with self._mode.unseen():
                    for one, numbers in _shares(kept, last.part(told, "state")):
                        set_numbers(one, numbers)
                state = _state(kept)
            kind.has_skipped = False
        alike = kind.alike.get((*given.numbers, *state.numbers), [])
        if len(alike) == 2 and not self._every_call:
            return self._skip_alike(alike[0])
        ran = self._make(run, module, args, kwargs, kept, given, state, place)
        self._learn(kind, ran, (*given.numbers, *state.numbers))
        return ran.result

    def _make(
        self,
        run: Callable[..., Any],
        module: nn.Module,
        args: tuple[Any, ...],
        kwargs: Any,
        kept: list[Any],
        given: Shape,
        state: Shape,
        place: int,
    ) -> _Ran:
        ops = Shape()

        def log(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            ops.form.append(name)
            ops.add((args, kwargs))

        call, self.made = self.made, self.made + 1
        self._mode.log = log
        try:
            with _range(made(call)):
                result = run(module, *args, **kwargs)
        finally:
            self._mode.log = None
        after, behind, gave = Shape(), _state(kept), Shape()
        after.add((args, kwargs))
        gave.add(result)
        same = after.form == given.form and after.numbers == given.numbers
        same = same and behind.form == state.form and behind.numbers == state.numbers
        parts = (given.numbers, state.numbers, gave.numbers, ops.numbers)
        return _Ran(
            call=call,
            at=place,
            form=(hash(str(ops.form)), str(gave.form)),
            numbers=np.array([one for part in parts for one in part], dtype=np.int64),
            given=len(given.numbers),
            state=len(state.numbers),
            result_numbers=len(gave.numbers),
            is_pure=same,
            result=result,
        )

    def _learn(self, kind: _Kind, ran: _Ran, key: tuple[int, ...]) -> None:
        if ran.is_pure:
            known = kind.alike.setdefault(key, [])
            if known and not _same(known[0], ran):
                known.clear()
            known.append(ran)
            return
        if kind.line is not None:
            told = kind.at(ran.at)
            first = kind.line[0]
            if told is None or first.form != ran.form or not np.array_equal(told, ran.numbers):
                kind.line = None
            else:
                kind.line = (first, ran)
                return
        if kind.recent and kind.recent[-1].at != ran.at - 1:
            kind.recent.clear()
        kind.recent = [*kind.recent[-2:], ran]
        if len(kind.recent) == 3 and _evenly(*kind.recent):
            kind.line = (kind.recent[1], kind.recent[2])
            kind.next_look = _FIRST_LOOK
            while kind.next_look <= ran.at:
                kind.next_look *= 2

    def _skip(self, kind: _Kind, place: int, told: Any) -> Any:
        assert kind.line is not None
        first, last = kind.line
        kind.has_skipped = True
        self.left_out += 1
        with _range(LeftOut(place, first.call, last.call, first.at, last.at).name):
            return rebuilt(last.result, last.part(told, "result"))

    def _skip_alike(self, ran: _Ran) -> Any:
        self.left_out += 1
        with _range(LeftOut(0, ran.call, ran.call, 0, 0).name):
            return ran.result


def _state(kept: list[Any]) -> Shape:
    found = Shape()
    for one in kept:
        found.add_object(one)
    return found


def _shares(kept: list[Any], numbers: list[int]) -> Iterator[tuple[Any, list[int]]]:
    """Give each object its part of the numbers."""
    start = 0
    for one in kept:
        count = len(_state([one]).numbers)
        yield one, numbers[start : start + count]
        start += count


def _same(one: _Ran, other: _Ran) -> bool:
    return one.form == other.form and np.array_equal(one.numbers, other.numbers)


def _evenly(first: _Ran, second: _Ran, third: _Ran) -> bool:
    if not first.form == second.form == third.form:
        return False
    if not first.numbers.shape == second.numbers.shape == third.numbers.shape:
        return False
    return np.array_equal(second.numbers - first.numbers, third.numbers - second.numbers)
