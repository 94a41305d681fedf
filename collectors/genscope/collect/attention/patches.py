"""Replacing functions wherever they were imported to, and putting back exactly what was there."""

from __future__ import annotations

import functools
import sys
import sysconfig
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

Swap = Callable[[Any, bool], None]

_LARGEST = 1000
"""Registries of functions are small; larger containers are not looked through."""

_scanned: dict[str, tuple[int, int]] = {}
_found: dict[str, list[str]] = {}
_wanted: frozenset[int] = frozenset()
_loaded: dict[str, tuple[int, str]] = {}
_own: list[str] = []
_INSTALLED = tuple(
    {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)


class Place:
    """Somewhere that holds a function."""

    __slots__ = ("_get", "_set", "old")

    def __init__(self, old: Any, get: Callable[[], Any], put: Callable[[Any], None]) -> None:
        self.old = old
        self._get = get
        self._set = put

    def swap(self, expected: Any, new: Any) -> None:
        """Put `new` there, if `expected` still is what is there."""
        try:
            if self._get() is expected:
                self._set(new)
        except Exception:
            return


class Patches:
    """Functions that are replaced while `apply` holds."""

    def __init__(self) -> None:
        self._new: dict[int, tuple[Any, Any]] = {}
        self._places: list[tuple[Place, Any]] = []
        self._seen: set[tuple[int, Any]] = set()
        self._modules: dict[str, tuple[int, int]] = {}
        self.applied = False

    def replace(self, old: Any, new: Any) -> None:
        """Let `new` stand for `old`; `spread` finds where."""
        self._new[id(old)] = (old, new)

    def known(self, function: Any) -> bool:
        """Tell whether a function is one that is replaced, or stands for one."""
        return id(function) in self._new or any(new is function for _, new in self._new.values())

    def attribute(self, owner: type, name: str, new: Any) -> None:
        """Replace one attribute of a class."""
        self._add(_of_class(owner, name), new, (id(owner), name))

    def entry(self, holder: dict[Any, Any], key: Any, new: Any) -> None:
        """Replace one entry of a dictionary."""
        self._add(_of_dict(holder, key), new, (id(holder), key))

    def field(self, holder: Any, name: str, new: Any) -> None:
        """Replace one attribute of an object."""
        self._add(_of_object(holder, name), new, (id(holder), name))

    def spread(self) -> None:
        """Find what is to be replaced in all loaded modules."""
        wanted = frozenset(self._new)
        for name, module in _changed(wanted):
            holder = vars(module)
            self._modules[name] = (id(module), len(holder))
            for key in _found.get(name, ()):
                value = holder.get(key)
                if id(value) in wanted:
                    self.entry(holder, key, self._new[id(value)][1])
                elif not name.startswith("torch"):
                    self._inside(value)

    def search(self, root: torch.nn.Module) -> int:
        """Find what is to be replaced in the objects and classes of a model; tell how much is."""
        before = len(self._places)
        classes: set[type] = set()
        for module in root.modules():
            for key, value in list(vars(module).items()):
                if id(value) in self._new:
                    self.entry(vars(module), key, self._new[id(value)][1])
                elif key[:1] != "_" or type(value) in (dict, list):
                    self._inside(value, objects=True)
            classes.update(type(module).__mro__)
        for owner in classes:
            self._class(owner)
        return len(self._places) - before

    def apply(self) -> None:
        """Put the new functions in place. Does nothing where they are."""
        if not self.applied:
            self.applied = True
            for place, new in self._places:
                place.swap(place.old, new)

    def restore(self) -> None:
        """Put the old functions back. Does nothing where they are."""
        if self.applied:
            self.applied = False
            for place, new in reversed(self._places):
                place.swap(new, place.old)

    def sweep(self) -> None:
        """Put the old functions back where modules loaded meanwhile have imported new ones."""
        olds = {id(new): old for old, new in self._new.values()}
        wanted = frozenset(olds)
        for name, module in _worth_reading(remember=False):
            holder = getattr(module, "__dict__", None)
            if type(holder) is not dict or _scanned.get(name) == (id(module), len(holder)):
                continue
            if not wanted.isdisjoint(map(id, holder.values())):
                for key, value in list(holder.items()):
                    if id(value) in wanted:
                        holder[key] = olds[id(value)]

    def _add(self, place: Place, new: Any, key: tuple[int, Any]) -> None:
        if key in self._seen:
            return
        self._seen.add(key)
        self._places.append((place, new))
        if self.applied:
            place.swap(place.old, new)

    def _class(self, owner: type) -> None:
        if owner.__module__.partition(".")[0] in ("torch", "builtins", "abc"):
            return
        for key, value in list(vars(owner).items()):
            inner = value.__func__ if isinstance(value, staticmethod) else value
            if id(inner) in self._new:
                bare = inner is value
                if bare and isinstance(value, types.FunctionType):
                    continue  # A method: its first argument is the object.
                # A builtin does not bind to the object either.
                new = staticmethod(self._new[id(inner)][1])
                self._add(_of_class(owner, key), new, (id(owner), key))
            elif isinstance(inner, types.FunctionType):
                self._function(inner)

    def _function(self, function: types.FunctionType) -> None:
        for cell in function.__closure__ or ():
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            if id(value) in self._new:
                self._add(_of_cell(cell), self._new[id(value)][1], (id(cell), None))
        defaults = function.__defaults__ or ()
        if any(id(value) in self._new for value in defaults):
            new = tuple(self._new[id(v)][1] if id(v) in self._new else v for v in defaults)
            self._add(_of_object(function, "__defaults__"), new, (id(function), "defaults"))
        if function.__module__ not in sys.modules and len(function.__globals__) < _LARGEST:
            for key, value in list(function.__globals__.items()):
                if id(value) in self._new:
                    self.entry(function.__globals__, key, self._new[id(value)][1])

    def _inside(self, value: Any, objects: bool = False) -> None:
        kind = type(value)
        if kind is dict:
            if len(value) <= _LARGEST:
                for key, one in list(value.items()):
                    if id(one) in self._new:
                        self.entry(value, key, self._new[id(one)][1])
        elif kind is list:
            for place, one in enumerate(value[:_LARGEST]):
                if id(one) in self._new:
                    new = self._new[id(one)][1]
                    self._add(_of_list(value, place), new, (id(value), place))
        elif kind is types.FunctionType:
            self._function(value)
        elif kind is types.MethodType:
            self._function(value.__func__)
        elif isinstance(value, functools.partial) and id(value.func) in self._new:
            self._add(_of_partial(value), self._new[id(value.func)][1], (id(value), "func"))
        elif objects and kind.__module__.partition(".")[0] not in ("torch", "builtins"):
            for key, one in list(getattr(value, "__dict__", {}).items()):
                if id(one) in self._new:
                    self.entry(vars(value), key, self._new[id(one)][1])
                else:
                    self._inside(one)
            self._class(kind)


def _changed(wanted: frozenset[int]) -> Iterator[tuple[str, types.ModuleType]]:
    """Yield the modules that hold something wanted; those that are as before are not read again."""
    global _wanted
    if wanted != _wanted:
        _scanned.clear()
        _found.clear()
        _loaded.clear()
        _wanted = wanted
    for name, module in _worth_reading():
        holder = getattr(module, "__dict__", None)
        if type(holder) is not dict:
            continue
        state = (id(module), len(holder))
        if _scanned.get(name) != state:
            _scanned[name] = state
            keys = _keys(name, holder, wanted)
            if keys:
                _found[name] = keys
                if name not in _own:
                    _own.append(name)
            else:
                _found.pop(name, None)
        if name in _found:
            yield name, module


def _worth_reading(remember: bool = True) -> list[tuple[str, types.ModuleType]]:
    """Return all modules or, if none was loaded since the last time, those that may have changed.

    A notebook imports more as it goes, an installed module does not.
    """
    modules = list(sys.modules.items())
    state = (len(modules), modules[-1][0])
    if _loaded.get("state") == state:
        return [(name, sys.modules[name]) for name in _own if name in sys.modules]
    if not remember:
        return modules
    _loaded["state"] = state
    _own.clear()
    for name, module in modules:
        path = getattr(module, "__file__", None)
        installed = path is None or path.startswith(_INSTALLED)
        if not installed or name == "__main__" or name in _found:
            _own.append(name)
    return modules


def _keys(name: str, holder: dict[str, Any], wanted: frozenset[int]) -> list[str]:
    """Return the names in a module that are wanted, or registries that hold something wanted."""
    keys: list[str] = []
    direct = not wanted.isdisjoint(map(id, list(holder.values())))
    library = name.startswith(("torch", "numpy", "_")) and name != "__main__"
    if library and not direct:
        return keys
    for key, value in list(holder.items()):
        if id(value) in wanted or (not library and _holds(value, wanted)):
            keys.append(key)
    return keys


def _holds(value: Any, wanted: frozenset[int]) -> bool:
    kind = type(value)
    if kind is dict or kind is list:
        inner: Iterable[Any] = value.values() if kind is dict else value
        return len(value) <= _LARGEST and not wanted.isdisjoint(map(id, list(inner)))
    if kind is types.FunctionType:
        return bool(value.__closure__ or value.__defaults__) and _captures(value, wanted)
    return isinstance(value, functools.partial) and id(value.func) in wanted


def _captures(function: types.FunctionType, wanted: frozenset[int]) -> bool:
    if any(id(value) in wanted for value in function.__defaults__ or ()):
        return True
    for cell in function.__closure__ or ():
        try:
            if id(cell.cell_contents) in wanted:
                return True
        except ValueError:
            continue
    return False


def _of_dict(holder: dict[Any, Any], key: Any) -> Place:
    return Place(holder[key], lambda: holder[key], lambda new: holder.__setitem__(key, new))


def _of_list(holder: list[Any], at: int) -> Place:
    return Place(holder[at], lambda: holder[at], lambda new: holder.__setitem__(at, new))


def _of_object(holder: Any, name: str) -> Place:
    return Place(
        getattr(holder, name), lambda: getattr(holder, name), lambda new: setattr(holder, name, new)
    )


def _of_class(owner: type, name: str) -> Place:
    return Place(
        vars(owner)[name], lambda: vars(owner)[name], lambda new: setattr(owner, name, new)
    )


def _of_cell(cell: types.CellType) -> Place:
    return Place(
        cell.cell_contents,
        lambda: cell.cell_contents,
        lambda new: setattr(cell, "cell_contents", new),
    )


def _of_partial(holder: functools.partial[Any]) -> Place:
    def put(new: Any) -> None:
        state = holder.__reduce__()[2]
        holder.__setstate__((new, *state[1:]))  # type: ignore[attr-defined]

    return Place(holder.func, lambda: holder.func, put)
