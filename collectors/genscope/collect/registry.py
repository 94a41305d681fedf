"""Numbers for components, modules and attention sites, and the document made of them."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from genscope.schema import Component, Document, Module, Site, Workload


class Registry:
    """Everything of a recording that does not change from call to call. Safe between threads.

    Ids are the places in the document's tables. Asking twice with the same values gives the same
    id. `revision` grows with each change, so that a writer knows whether it has written the last.
    """

    def __init__(self, workload: Workload | None = None) -> None:
        self._lock = threading.Lock()
        self._components: list[Component] = []
        self._modules: list[Module] = []
        self._sites: list[Site] = []
        self._known: dict[Hashable, int] = {}
        self._facts: dict[str, Any] = {"workload": workload or Workload()}
        self.revision = 0

    def component(self, name: str, **facts: Any) -> int:
        """Return the id of the component called `name`; `facts` are fields of `Component`."""
        key = ("component", name)
        with self._lock:
            if key not in self._known:
                self._known[key] = len(self._components)
                self._components.append(Component(id=len(self._components), name=name, **facts))
                self.revision += 1
            return self._known[key]

    def module(self, component: int | None, path: str, class_name: str = "") -> int:
        """Return the id of the module at `path` of a component."""
        key = ("module", component, path)
        with self._lock:
            if key not in self._known:
                self._known[key] = len(self._modules)
                self._modules.append(
                    Module(
                        id=len(self._modules),
                        path=path,
                        class_name=class_name,
                        component=component,
                    )
                )
                self.revision += 1
            return self._known[key]

    def site(self, **fields: Any) -> int:
        """Return the id of the attention site with these `fields` of `Site`, all but the id."""
        key = ("site", *sorted((name, value) for name, value in fields.items() if name != "reason"))
        with self._lock:
            if key not in self._known:
                self._known[key] = len(self._sites)
                self._sites.append(Site(id=len(self._sites), **fields))
                self.revision += 1
            return self._known[key]

    def update(self, **facts: Any) -> None:
        """Set fields of the document, such as `peak_memory_bytes` or `libraries`."""
        with self._lock:
            if any(name not in self._facts or self._facts[name] != facts[name] for name in facts):
                self._facts.update(facts)
                self.revision += 1

    def describe(self, **fields: Any) -> None:
        """Fill fields of the workload that are not known yet; None changes nothing."""
        with self._lock:
            old: Workload = self._facts["workload"]
            new = {
                name: value
                for name, value in fields.items()
                if value is not None and getattr(old, name) is None
            }
            if new:
                self._facts["workload"] = replace(old, **new)
                self.revision += 1

    def document(self) -> Document:
        """Return everything known by now."""
        with self._lock:
            return Document(
                components=tuple(self._components),
                modules=tuple(self._modules),
                sites=tuple(self._sites),
                **self._facts,
            )
