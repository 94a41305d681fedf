"""What goes into a call of a model and comes out of it, as a form and the numbers in it.

Two values of one form differ in their numbers alone: sizes of tensors, and whole numbers. Numbers
that grow evenly from call to call can be told ahead, and a value be made of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

_DEEPEST = 8

Form = tuple[Any, ...]


class Shape:
    """The form and the numbers of values that were added, in order."""

    def __init__(self) -> None:
        self.form: list[Any] = []
        self.numbers: list[int] = []

    def add(self, value: Any) -> None:
        """Add a value of plain kinds; objects count by their class alone."""
        if isinstance(value, torch.Tensor):
            self.form.append(("tensor", value.dtype, value.dim(), value.is_meta))
            self.numbers.extend(value.shape)
        elif isinstance(value, bool) or value is None or isinstance(value, str | bytes):
            self.form.append(value)
        elif isinstance(value, int):
            self.form.append("int")
            self.numbers.append(value)
        elif isinstance(value, float):
            # A time or a scale: no shape depends on it.
            self.form.append("float")
        elif isinstance(value, list | tuple):
            self.form.append((type(value), len(value)))
            for one in value:
                self.add(one)
        elif isinstance(value, dict):
            self.form.append((type(value), tuple(map(str, value))))
            for one in value.values():
                self.add(one)
        else:
            self.form.append(type(value))

    def add_object(self, value: Any) -> None:
        """Add what an object has in it."""
        for _, _, one in _slots(value, set(), 0):
            self.add(one)


def objects(value: Any) -> Iterator[Any]:
    """Yield the objects among arguments that may keep something from call to call."""
    if isinstance(value, list | tuple):
        for one in value:
            yield from objects(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from objects(one)
    elif not _is_plain(value) and not isinstance(value, nn.Module) and hasattr(value, "__dict__"):
        yield value


def set_numbers(value: Any, numbers: list[int]) -> None:
    """Give an object the sizes and whole numbers that `Shape.add_object` would find in it."""
    rest = iter(numbers)
    for owner, key, one in list(_slots(value, set(), 0)):
        if isinstance(one, torch.Tensor):
            shape = [next(rest) for _ in range(one.dim())]
            if list(one.shape) != shape:
                _put(owner, key, one.new_empty(shape))
        elif isinstance(one, int) and not isinstance(one, bool):
            number = next(rest)
            if number != one:
                _put(owner, key, number)


def rebuilt(value: Any, numbers: list[int]) -> Any:
    """Return a value like this one, with other numbers."""
    return _rebuilt(value, iter(numbers))


def _rebuilt(value: Any, rest: Iterator[int]) -> Any:
    if isinstance(value, torch.Tensor):
        shape = [next(rest) for _ in range(value.dim())]
        return value if list(value.shape) == shape else value.new_empty(shape)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return next(rest)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_rebuilt(one, rest) for one in value))
    if isinstance(value, list | tuple):
        return type(value)(_rebuilt(one, rest) for one in value)
    if isinstance(value, dict):
        made = {key: _rebuilt(one, rest) for key, one in value.items()}
        return made if type(value) is dict else type(value)(**made)
    return value


def _slots(value: Any, seen: set[int], depth: int) -> Iterator[tuple[Any, Any, Any]]:
    """Yield tensors and numbers in an object as owner, key and value."""
    if id(value) in seen or depth > _DEEPEST:
        return
    seen.add(id(value))
    if isinstance(value, dict):
        items: Any = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    elif hasattr(value, "__dict__"):
        items = vars(value).items()
    else:
        return
    for key, one in items:
        if isinstance(one, torch.Tensor) or (isinstance(one, int) and not isinstance(one, bool)):
            yield value, key, one
        elif isinstance(one, dict | list) or not (
            _is_plain(one) or isinstance(one, nn.Module | type)
        ):
            yield from _slots(one, seen, depth + 1)


def _put(owner: Any, key: Any, value: Any) -> None:
    if isinstance(owner, dict | list):
        owner[key] = value
    else:
        setattr(owner, key, value)


def _is_plain(value: Any) -> bool:
    kinds = (torch.Tensor, bool, int, float, str, bytes, list, tuple, dict, type(None))
    return isinstance(value, (*kinds, torch.dtype, torch.device))
