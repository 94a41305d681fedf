"""Ranges around the calls of known modules, and the functions that are put in place for them.

`nn.Module.__call__` is replaced as a whole rather than hooked module by module: this costs less
than two hooks, ends a range whatever is raised, leaves fast paths on that hooks switch off, and
puts nothing on a module that a copy or a pickle of it would take along.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from torch import nn

from genscope.collect.components import Part, clean, walk, wrapped
from genscope.collect.context import Context, Frame
from genscope.collect.fuse import Fuse
from genscope.collect.ranges import range_of
from genscope.collect.registry import Registry
from genscope.collect.steps import Counter
from genscope.schema import ModuleCall, module_name


class Component:
    """A component while it is annotated."""

    __slots__ = ("counter", "described", "id", "names", "part")

    def __init__(self, part: Part, number: int, counter: Counter) -> None:
        self.part = part
        self.id = number
        self.counter = counter
        self.names: dict[int | None, str] = {}
        """Names of its events by step."""
        self.described: set[str] = set()
        """The methods whose arguments have been looked at."""


class Entry:
    """A module whose calls get a range."""

    __slots__ = ("alive", "component", "is_root", "module", "name", "path")

    def __init__(self, component: Component, number: int, path: str, *, is_root: bool) -> None:
        self.component = component
        self.module = number
        self.path = path
        self.name = module_name(ModuleCall(module=number, path=path))
        self.is_root = is_root
        self.alive: Any = None

    def frame(self) -> Frame:
        """Return the frame of a call."""
        return Frame(self.component.id, self.module, self.path)


Outer = Callable[[Entry, str, Any, Any, Any, Any], Any]
"""Runs the calls that are more than a module's within a component that is open: it takes the
entry, the name of the method, the function, and owner, args and kwargs to call it with."""


class Entries:
    """The known modules. They are not kept alive: one that is gone takes its entry along."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._by_id: dict[int, Entry] = {}
        self.find = self._by_id.get

    def add_root(self, component: Component) -> None:
        """Add the component itself, and nothing within it."""
        module = component.part.module
        number = self._registry.module(component.id, "", type(module).__name__)
        inner: nn.Module | None = module
        while inner is not None:
            # What a wrapper wraps may also be called past it.
            self._add(inner, Entry(component, number, "", is_root=True))
            inner = wrapped(inner)

    def add_modules(self, component: Component, roots: Iterable[nn.Module]) -> None:
        """Add the modules of a component that have children, but what lies in other `roots`."""
        others = {id(root) for root in roots if root is not component.part.module}
        # A wrapper and what it wraps have one name; the outermost gets the range.
        seen = {""}
        for path, module in walk(component.part.module, others):
            name = clean(path)
            if name in seen or id(module) in self._by_id or not _has_children(module):
                continue
            seen.add(name)
            number = self._registry.module(component.id, name, type(module).__name__)
            self._add(module, Entry(component, number, name, is_root=False))

    def _add(self, module: nn.Module, entry: Entry) -> None:
        key = id(module)
        if key in self._by_id:
            return
        # Called before anything else can have this id.
        entry.alive = weakref.ref(module, lambda _: self._by_id.pop(key, None))
        self._by_id[key] = entry


def _has_children(module: nn.Module) -> bool:
    return bool(module._modules) and not isinstance(module, nn.ModuleList | nn.ModuleDict)


def module_calls(
    entries: Entries,
    context: Context,
    fuse: Fuse,
    outer: Outer,
    stranger: Callable[[nn.Module], Entry | None] | None = None,
) -> Callable[[Any], Any]:
    """Make what stands for `nn.Module.__call__`.

    `stranger` is asked about an outermost call of a module that is not known.
    """
    find = entries.find
    frame_of = Frame

    def make(original: Any) -> Any:
        @functools.wraps(original)
        def __call__(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
            entry = find(id(self))
            if entry is None:
                if stranger is not None and not context.frames:
                    entry = stranger(self)
                if entry is None:
                    return original(self, *args, **kwargs)
            frames = context.frames
            depth = len(frames)
            if entry.is_root or not depth:
                return outer(entry, "__call__", original, self, args, kwargs)
            opened: Any = None
            try:
                try:
                    opened = range_of(entry.name)
                    opened.__enter__()
                    frames.append(frame_of(entry.component.id, entry.module, entry.path))
                except Exception as error:
                    fuse.blow(error)
                return original(self, *args, **kwargs)
            finally:
                try:
                    if opened is not None:
                        opened.__exit__(None, None, None)
                    del frames[depth:]
                except Exception as error:
                    fuse.blow(error)

        return __call__

    return make


def method_calls(
    entries: Entries, context: Context, outer: Outer, name: str
) -> Callable[[Any], Any]:
    """Make what stands for a method through which components are called past `__call__`."""
    find = entries.find

    def make(original: Any) -> Any:
        @functools.wraps(original)
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            entry = find(id(self))
            if entry is None or not entry.is_root:
                return original(self, *args, **kwargs)
            frames = context.frames
            if frames and frames[-1].component == entry.component.id:
                return original(self, *args, **kwargs)
            return outer(entry, name, original, self, args, kwargs)

        return method

    return make


def own_method_calls(entry: Entry, context: Context, outer: Outer, name: str) -> Any:
    """The same for a method that stands on the object itself, and is not given it."""

    def make(original: Any) -> Any:
        @functools.wraps(original)
        def method(*args: Any, **kwargs: Any) -> Any:
            frames = context.frames
            if frames and frames[-1].component == entry.component.id:
                return original(*args, **kwargs)
            return outer(entry, name, _without_owner(original), None, args, kwargs)

        return method

    return make


def _without_owner(function: Any) -> Any:
    def call(_: Any, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call
