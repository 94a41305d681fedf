"""The call of a component: its frame and range, what is learnt from it, and what follows it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import nn

from genscope.collect import workload
from genscope.collect.compiling import is_in_compiled, is_traced, is_watched
from genscope.collect.context import Context, Frame
from genscope.collect.fuse import Fuse
from genscope.collect.hooks import Component, Entry
from genscope.collect.ranges import Range, has_device, range_of
from genscope.collect.registry import Registry
from genscope.collect.steps import Steps
from genscope.schema import ComponentCall, component_name

_CALLS = ("__call__", "forward")
"""The methods that make a step, and a module's call."""


class Watcher(Protocol):
    """What is told of outermost calls: the capture of attention."""

    def enter_root(self, root: nn.Module, args: Any, kwargs: Any) -> object:
        """An outermost call of `root` begins."""

    def leave_root(self, root: nn.Module) -> object:
        """It has ended, whether it returned or raised."""


class _Open:
    """A call of a component while it runs."""

    __slots__ = ("is_outermost", "is_seen", "ranges", "root")

    def __init__(self) -> None:
        self.ranges: list[Range] = []
        self.root: nn.Module | None = None
        self.is_outermost = False
        self.is_seen = False


class ComponentCalls:
    """Runs calls of components, and of modules that are called while no component is open.

    The user's function is called with what it was given, and what it raises goes through; an
    error of ours blows the fuse.
    """

    def __init__(
        self,
        registry: Registry,
        context: Context,
        fuse: Fuse,
        steps: Steps,
        *,
        is_recording: Callable[[], bool],
        watcher: Watcher | None,
        after: Callable[[], object],
    ) -> None:
        self._registry = registry
        self._context = context
        self._fuse = fuse
        self._steps = steps
        self._is_recording = is_recording
        self._watcher = watcher
        self._after = after

    def __call__(
        self, entry: Entry, method: str, call: Any, owner: Any, args: Any, kwargs: Any, /
    ) -> Any:
        """Return `call(owner, *args, **kwargs)`, recorded if need be."""
        if self._fuse.blown or is_traced():
            return call(owner, *args, **kwargs)
        frames = self._context.frames
        depth = len(frames)
        opened = _Open()
        try:
            try:
                self._enter(opened, entry, method, args, kwargs)
            except Exception as error:
                self._fuse.blow(error)
            result = call(owner, *args, **kwargs)
            if opened.is_seen:
                self._describe_output(entry.component, method, result)
            return result
        finally:
            try:
                self._leave(opened)
            except Exception as error:
                self._fuse.blow(error)
            finally:
                del frames[depth:]

    def _enter(self, opened: _Open, entry: Entry, method: str, args: Any, kwargs: Any) -> None:
        component, frames = entry.component, self._context.frames
        if frames and frames[-1].component == component.id:
            return
        module = component.part.module
        step = None
        if entry.is_root and method in _CALLS:
            step = self._steps.at(component.counter, module, args, kwargs)
        if not self._is_recording():
            return
        outermost = not frames
        if not entry.is_root and torch._C._current_graph_task_id() != -1:
            # A checkpointed part of the model, run again in the backward pass.
            outermost = False
        else:
            called = entry.is_root and method in _CALLS
            frames.append(Frame(component.id, entry.module if called else None, ""))
            mirrored = has_device() and not is_watched()
            self._open(opened, self._name(component, step), mirrored=mirrored)
        if not entry.is_root:
            frames.append(entry.frame())
            self._open(opened, entry.name)
        if entry.is_root and method not in component.described:
            component.described.add(method)
            opened.is_seen = True
            self._describe_input(component, args, kwargs)
        opened.is_outermost = outermost
        if outermost and self._watcher is not None and not (is_in_compiled() or is_watched()):
            opened.root = module
            self._watcher.enter_root(module, args, kwargs)

    def _leave(self, opened: _Open) -> None:
        root, opened.root = opened.root, None
        try:
            if root is not None and self._watcher is not None:
                self._watcher.leave_root(root)
        finally:
            for one in reversed(opened.ranges):
                one.__exit__(None, None, None)
        if opened.is_outermost:
            self._after()

    def _open(self, opened: _Open, name: str, *, mirrored: bool = False) -> None:
        one = range_of(name, mirrored=mirrored)
        one.__enter__()
        opened.ranges.append(one)

    def _name(self, component: Component, step: int | None) -> str:
        name = component.names.get(step)
        if name is None:
            said = ComponentCall(component=component.id, name=component.part.name, step=step)
            name = component.names[step] = component_name(said)
        return name

    def _describe_input(self, component: Component, args: Any, kwargs: Any) -> None:
        # Whatever a model is called with, not understanding it is no reason to stop.
        with contextlib.suppress(Exception):
            self._registry.describe(**workload.of_input(component.part, args, kwargs))

    def _describe_output(self, component: Component, method: str, result: Any) -> None:
        with contextlib.suppress(Exception):
            self._registry.describe(**workload.of_output(component.part, method, result))
