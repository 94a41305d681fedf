"""`annotate`: what a model does, written into the profile that is being recorded.

While nothing is recorded, only the entry points of the components are watched (a microsecond a
call); all else is put in place when a call of a component finds a profiler running, and taken
away again at the first call that finds none. After the block, nothing is left.
"""

from __future__ import annotations

import inspect
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import ContextDecorator, suppress
from functools import wraps
from types import TracebackType
from typing import Any

from torch import nn

from genscope.collect import workload as workloads
from genscope.collect.calls import ComponentCalls, Watcher
from genscope.collect.compiling import Aside
from genscope.collect.components import Found, Part, find, is_pipeline, owner_of
from genscope.collect.context import Context
from genscope.collect.fuse import Fuse
from genscope.collect.hooks import (
    Component,
    Entries,
    Entry,
    method_calls,
    module_calls,
    own_method_calls,
)
from genscope.collect.metadata import Writer, is_profiling
from genscope.collect.patches import Patches
from genscope.collect.registry import Registry
from genscope.collect.steps import Steps
from genscope.schema import Workload

Model = Any
"""A module, a pipeline, or a list or mapping of these."""

_METHODS = (
    "forward",
    "encode",
    "decode",
    "get_text_features",
    "get_image_features",
    "sample",
)
"""Methods through which components are called past `nn.Module.__call__`."""

_MOST_STRANGERS = 64
"""How many models are looked for by themselves."""


def annotate(
    model_or_pipeline: Model = None,
    components: Mapping[str, nn.Module | str] | None = None,
    *,
    modules: bool = True,
    attention: bool = True,
    workload: Workload | Mapping[str, Any] | None = None,
) -> Annotation:
    """Return a context manager (or decorator) that annotates whatever profile is recorded in it.

    It may be entered before or after the profiler, and with any schedule. Results are the same
    with it and without.

    Args:
        model_or_pipeline: A module, a diffusers pipeline, or a list or mapping of these. None for
            whatever models are called.
        components: Names of components: modules, or attribute paths in the model. Those of a
            pipeline, and of known models, have names by themselves (`genscope.collect.components`).
        modules: Whether calls of modules within the components are recorded, too.
        attention: Whether calls of attention are recorded.
        workload: What the model and its calls do not tell about the run, or tell wrongly.

    Raises:
        TypeError: where there is neither a module nor a pipeline.
    """
    return Annotation(
        model_or_pipeline, components, modules=modules, attention=attention, workload=workload
    )


class Annotation(ContextDecorator):
    """The annotations of one model. Made by `annotate`.

    As a context manager it follows the profiler: it is at work while one records. What owns a
    profiler calls `attach` and `detach` around each window instead. What was learnt of the model
    is kept from window to window.
    """

    def __init__(
        self,
        model_or_pipeline: Model = None,
        components: Mapping[str, nn.Module | str] | None = None,
        *,
        modules: bool = True,
        attention: bool = True,
        workload: Workload | Mapping[str, Any] | None = None,
    ) -> None:
        self.registry = Registry(workloads.given(workload))
        self.context = Context()
        self.steps = Steps(before=lambda: self._guarded(self._look))
        self.fuse = Fuse(self._leave)
        self._modules = modules
        self._found: Found | None = None
        self._named = model_or_pipeline, components
        self._seeks = model_or_pipeline is None and not components
        self._sought = 0
        self._components: dict[int, Component] = {}
        self._strangers: dict[int, weakref.ref[nn.Module]] = {}
        self._entries = Entries(self.registry)
        self._lock = threading.RLock()
        self._follows = 0
        self._is_recording = False
        self._watching = Patches()
        self._recording = Patches()
        self._aside = Aside(self._step_aside, self._step_back)
        self._writer = Writer(self.registry)
        self._capture = _capture(self.registry, self.context) if attention else None
        self._calls = ComponentCalls(
            self.registry,
            self.context,
            self.fuse,
            self.steps,
            is_recording=self._look,
            watcher=self._capture,
            after=self.write,
        )
        if not self._seeks:
            self._found = find(*self._named)

    # As a context manager: following whatever profiler there is.

    def __enter__(self) -> Annotation:
        self._follows += 1
        self._guarded(self._watch)
        self._guarded(self._look)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        place: TracebackType | None,
    ) -> None:
        self._follows -= 1
        if not self._follows:
            if not self.fuse.blown:
                self._guarded(self.write)
            self._leave()

    # For what owns a profiler.

    def attach(self) -> None:
        """Put everything in place, whether a profiler runs or not. Never raises."""
        self._guarded(self._watch)
        self._guarded(self._record)

    def detach(self) -> None:
        """Take everything away. Never raises."""
        self._leave()

    def write(self) -> None:
        """Write the document into the profile that this thread records, if it records one."""
        self._writer.write()

    # Going in and out.

    def _guarded(self, action: Callable[[], object]) -> None:
        if not self.fuse.blown:
            try:
                action()
            except Exception as error:
                self.fuse.blow(error)
            except BaseException:
                # Ctrl-C: the block is not entered, so nobody else would clean up.
                self._leave()
                raise

    def _watch(self) -> None:
        with self._lock:
            if self._found is None:
                self._found = Found() if self._seeks else find(*self._named)
            self._found.drop_gone()
            for part in self._found.parts:
                self._add(part)
            for pipe in self._found.pipelines:
                self._watching.method(pipe, "__call__", self._pipeline_calls)
            if self._seeks:
                self._watching.attribute(nn.Module, "__call__", self._module_calls())
            self.steps.start()
            self._aside.watch()
            self._watching.install()

    def _record(self) -> None:
        with self._lock:
            if self._is_recording:
                return
            self._is_recording = True
            self._cover()
            if not self._seeks:
                self._recording.attribute(nn.Module, "__call__", self._module_calls())
            self._recording.install()
            if self._capture is not None:
                self._capture.install()

    def _cover(self) -> None:
        """Add the modules of all components, which may have changed since the last window."""
        self._describe()
        if self._modules:
            there = [one for one in self._components.values() if not one.part.is_gone]
            roots = [component.part.module for component in there]
            for component in there:
                self._entries.add_modules(component, roots)

    def _rest(self) -> None:
        with self._lock:
            if self._is_recording:
                self._is_recording = False
                if self._capture is not None:
                    self._capture.uninstall()
                self._recording.uninstall()

    def _leave(self) -> None:
        with self._lock:
            for action in (
                self._aside.stop,
                self._rest,
                self._recording.uninstall,
                self._watching.uninstall,
                self.steps.stop,
            ):
                with suppress(Exception):
                    action()

    def _look(self) -> bool:
        """Whether a call is to be recorded; follows a profiler that came or went."""
        if self._follows:
            now = is_profiling()
            if now != self._is_recording:
                self._record() if now else self._rest()
            if now:
                self._aside.watch()
        return self._is_recording

    def _step_aside(self) -> None:
        with self._lock:
            self._recording.uninstall()
            self._watching.uninstall()

    def _step_back(self) -> None:
        with self._lock:
            if not self.fuse.blown:
                self._watching.install()
                if self._is_recording:
                    self._recording.install()

    # What is known of the model.

    def _add(self, part: Part) -> Component:
        known = self._components.get(id(part.module))
        if known is not None and known.part.holds(part.module):
            return known
        number = self.registry.component(part.name, **self._facts(part))
        component = Component(part, number, self.steps.counter(part, self._watching))
        self._components[id(part.module)] = component
        self._entries.add_root(component)
        entry = self._entries.find(id(part.module))
        for name in _METHODS:
            if entry is not None and name in vars(part.module):
                make = own_method_calls(entry, self.context, self._calls, name)
            else:
                make = method_calls(self._entries, self.context, self._calls, name)
            self._watching.method(part.module, name, make)
        return component

    def _facts(self, part: Part) -> dict[str, Any]:
        parts = self._found.parts if self._found is not None else []
        return workloads.component_facts(part.module, [other.module for other in parts])

    def _module_calls(self) -> Callable[[Any], Any]:
        return module_calls(
            self._entries,
            self.context,
            self.fuse,
            self._calls,
            self._stranger if self._seeks else None,
        )

    def _stranger(self, module: nn.Module) -> Entry | None:
        """Find out to which model a module belongs that nobody named, and add that model."""
        known = self._strangers.get(id(module))
        is_known = known is not None and known() is module
        if self.fuse.blown or is_known or self._sought >= _MOST_STRANGERS:
            return None
        if self._follows and not is_profiling():
            return None
        try:
            with self._lock:
                self._sought += 1
                self._strangers[id(module)] = weakref.ref(module)
                owner = owner_of(module)
                if owner is module and not module._modules:
                    return None
                self._adopt(find(owner))
                return self._entries.find(id(module))
        except Exception as error:
            self.fuse.blow(error)
            return None

    def _adopt(self, found: Found) -> None:
        """Add a model that was found while others are known already."""
        known = self._found = self._found or Found()
        for part in found.parts:
            if known.part_of(part.module) is None:
                names = known.names()
                number, name = 1, part.name
                while part.name in names:
                    number += 1
                    part.name = f"{name}_{number}"
                known.parts.append(part)
        for pipe in found.pipelines:
            known.add_pipeline(pipe)
        self._watch()
        if self._is_recording:
            self._cover()

    def _describe(self) -> None:
        with suppress(Exception):
            self.registry.update(libraries=workloads.libraries())
            self.registry.describe(**workloads.of_found(self._found or Found()))

    def _pipeline_calls(self, original: Any) -> Any:
        """Make what stands for the `__call__` of a pipeline: its arguments tell the workload."""
        describe = self._describe_call
        if not inspect.isfunction(original):
            return original

        @wraps(original)
        def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
            describe(self, original, args, kwargs)
            return original(self, *args, **kwargs)

        return __call__

    def _describe_call(self, pipe: Any, call: Any, args: Any, kwargs: Any) -> None:
        known: Iterable[Any] = self._found.pipelines if self._found is not None else ()
        if not self.fuse.blown and is_pipeline(pipe) and any(pipe is one for one in known):
            self._guarded(self._look)
            with suppress(Exception):
                facts = workloads.of_pipeline_call(call, (pipe, *args), kwargs)
                self.registry.describe(**facts)


def _capture(registry: Registry, context: Context) -> Any:
    """What records attention."""
    from genscope.collect.attention import Capture

    capture: Watcher = Capture(registry, context)
    return capture
