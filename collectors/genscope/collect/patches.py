"""Functions put in the place of others, and taken away again exactly.

They stand on classes and find out by themselves which objects they are meant for. An attribute on
an object would travel with it: into copies, where it would still call the original, and pickles.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

Maker = Callable[[Any], Any]
"""Takes what stands in a place and returns what is to stand there."""

_MISSING = object()


class _Place:
    """An attribute of a class, or of one object that has it in its own dictionary."""

    def __init__(self, owner: Any, name: str, make: Maker) -> None:
        self.owner = owner
        self.name = name
        self._make = make
        self._original: Any = _MISSING
        self._ours: Any = None

    def put(self) -> None:
        now = vars(self.owner).get(self.name, _MISSING)
        if now is _MISSING or (self._ours is not None and now is self._ours):
            return
        if now is not self._original:
            self._original, self._ours = now, self._make(now)
        _assign(self.owner, self.name, self._ours)

    def take(self) -> None:
        # What somebody else put here meanwhile stays; ours within it passes calls through.
        if self._ours is not None and vars(self.owner).get(self.name) is self._ours:
            _assign(self.owner, self.name, self._original)


class Patches:
    """A set of places. Safe between threads; `install` and `uninstall` may come in any order."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._places: dict[tuple[int, str], _Place] = {}

    def method(self, target: Any, name: str, make: Maker) -> None:
        """Replace the method `name` of an object on the class that defines it.

        Where the object has an attribute of its own in the method's place, that is replaced.
        What is no plain function is left alone.
        """
        if name in getattr(target, "__dict__", {}):
            self.attribute(target, name, make)
            return
        for owner in type(target).__mro__:
            if name in vars(owner):
                if isinstance(vars(owner)[name], FunctionType):
                    self.attribute(owner, name, make)
                return

    def attribute(self, owner: Any, name: str, make: Maker) -> None:
        """Replace an attribute in the dictionary of `owner`. The first `make` for it counts."""
        with self._lock:
            self._places.setdefault((id(owner), name), _Place(owner, name, make))

    def install(self) -> None:
        """Put all functions into their places."""
        with self._lock:
            for place in self._places.values():
                place.put()

    def uninstall(self) -> None:
        """Put back what was there."""
        with self._lock:
            for place in reversed(self._places.values()):
                place.take()


def _assign(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, type):
        setattr(owner, name, value)
    else:
        # Past __setattr__: modules and configurations have their own ideas of it.
        vars(owner)[name] = value
