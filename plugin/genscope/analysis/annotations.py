"""What our collectors wrote into a trace: their document, and their calls as columns.

Each distinct name is parsed once. Without a document the names alone tell components, modules and
lengths; ids then still tell calls of one module from those of another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from genscope.schema import (
    PREFIX,
    AttentionCall,
    Call,
    Component,
    ComponentCall,
    Document,
    Module,
    ModuleCall,
    Site,
    parse,
)
from genscope.trace.model import NONE, Bool, Int64, Kind, Trace

LONGEST = 1000
"""Characters of a name that are used; documents are untrusted."""


@dataclass(frozen=True, slots=True)
class ComponentCalls:
    """Calls of components by start; arrays of shape (c,)."""

    row: Int64
    component: Int64
    """Its id in the document."""
    step: Int64
    """-1 where the call tells none."""


@dataclass(frozen=True, slots=True)
class ModuleCalls:
    """Calls of modules by start; arrays of shape (m,)."""

    row: Int64
    module: Int64
    """Its id in the document."""


@dataclass(frozen=True, slots=True)
class AttentionCalls:
    """Attention calls by start; arrays of shape (a,), lengths in tokens, -1 where unknown."""

    row: Int64
    site: Int64
    """Its id in the document."""
    batch: Int64
    q_len: Int64
    kv_len: Int64
    q_tokens: Int64
    is_chain: Bool
    """The row is a mark behind the last op of an unfused chain, not a range around it."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """The annotations of one trace."""

    document: Document
    """Empty where the trace has none that can be used."""
    calls: Mapping[int, Call]
    """What a name tells, by its index in `Trace.strings`."""
    components: ComponentCalls
    modules: ModuleCalls
    attention: AttentionCalls
    component: Mapping[int, Component]
    """By id, as are the next two."""
    module: Mapping[int, Module]
    site: Mapping[int, Site]

    def component_name(self, call: ComponentCall) -> str:
        """Name of the component that is called."""
        known = self.component.get(call.component)
        return (known.name if known else call.name)[:LONGEST] or f"component {call.component}"

    def module_path(self, call: ModuleCall) -> str:
        """Qualified name of the module within its component, "" for the component itself."""
        known = self.module.get(call.module)
        return known.path if known and len(known.path) <= LONGEST else call.path

    def component_of(self, call: ModuleCall) -> str | None:
        """Name of the component that a module is in, None where it is not known."""
        module = self.module.get(call.module)
        if module is None or module.component is None:
            return None
        known = self.component.get(module.component)
        return known.name[:LONGEST] if known else None

    def class_name(self, call: Call) -> str | None:
        """Class of the module or component that is called, None where it is not known."""
        known: Component | Module | None = None
        if isinstance(call, ComponentCall):
            known = self.component.get(call.component)
        elif isinstance(call, ModuleCall):
            known = self.module.get(call.module)
        return (known.class_name[:LONGEST] or None) if known else None

    def label(self, call: Call) -> str:
        """What a call is of, in a few words."""
        if isinstance(call, ComponentCall):
            return self.component_name(call)
        if isinstance(call, ModuleCall):
            parts = (self.component_of(call), self.module_path(call))
            return "/".join(part for part in parts if part) or f"module {call.module}"
        return f"{call.kind} attention" if call.kind else "attention"


def annotations_of(trace: Trace) -> Annotations:
    """Read the annotations of a trace; all columns are empty where it has none."""
    document = trace.document or Document()
    rows, calls = parsed(trace)
    name = trace.events.name[rows]

    def rows_of(kind: type[Call]) -> Int64:
        wanted = [index for index, call in calls.items() if isinstance(call, kind)]
        found: Int64 = rows[np.isin(name, wanted)]
        return found

    component, module, attention = (
        rows_of(kind) for kind in (ComponentCall, ModuleCall, AttentionCall)
    )
    column = _Values(trace, calls)
    return Annotations(
        document=document,
        calls=calls,
        components=ComponentCalls(
            component, column.of(component, "component"), column.of(component, "step")
        ),
        modules=ModuleCalls(module, column.of(module, "module")),
        attention=AttentionCalls(
            row=attention,
            site=column.of(attention, "site"),
            batch=column.of(attention, "batch"),
            q_len=column.of(attention, "q_len"),
            kv_len=column.of(attention, "kv_len"),
            q_tokens=column.of(attention, "q_tokens"),
            is_chain=column.of(attention, "chain") > 0,
        ),
        component={one.id: one for one in document.components},
        module={one.id: one for one in document.modules},
        site={one.id: one for one in document.sites},
    )


def parsed(trace: Trace) -> tuple[Int64, dict[int, Call]]:
    """Rows of the annotated events by start, and what each of their distinct names tells."""
    events = trace.events
    rows = np.flatnonzero(events.kind == Kind.ANNOTATION)
    calls = {}
    for index in np.unique(events.name[rows]).tolist():
        text = trace.strings[index]
        call = parse(text) if text.startswith(PREFIX) else None
        if call is not None:
            calls[index] = call
    rows = rows[np.isin(events.name[rows], list(calls))]
    order: Int64 = rows[np.lexsort((rows, -events.end_ns[rows], events.start_ns[rows]))]
    return order, calls


class _Values:
    """Fields of calls as columns."""

    def __init__(self, trace: Trace, calls: Mapping[int, Call]) -> None:
        self._names = trace.events.name
        self._calls = calls
        self._strings = len(trace.strings)

    def of(self, rows: Int64, field: str) -> Int64:
        """Return a field of the calls in `rows`, -1 where it is None; shape (k,)."""
        table = np.full(self._strings, NONE, dtype=np.int64)
        for index in np.unique(self._names[rows]).tolist():
            value = getattr(self._calls[index], field)
            table[index] = NONE if value is None else value
        found: Int64 = table[self._names[rows]]
        return found
