"""The annotations of a Collector: attached around windows, and lacking rather than in the way."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

import torch

from genscope.collect.registry import Registry
from genscope.schema import METADATA_KEY, Workload, dumps

_LOG = logging.getLogger("genscope")


class Annotations:
    """What `annotate` does to a model, switched on and off. Never raises."""

    def __init__(self, model: object, components: Any, workload: Any) -> None:
        self._model = model
        self._components = components
        self._workload = workload
        self._made: Any = None
        self._is_on = False
        self._is_broken = False

    def attach(self) -> None:
        """Annotate from now on."""
        if self._is_on or self._is_broken:
            return
        try:
            if self._made is None:
                from genscope.collect.annotate import annotate

                self._made = annotate(self._model, self._components, workload=self._workload)
            self._made.attach()
            self._is_on = True
        except Exception:
            self._is_broken = True
            _LOG.warning("the model cannot be annotated; it is recorded as it is", exc_info=True)

    def detach(self) -> None:
        """Leave nothing on the model."""
        if self._is_on:
            self._is_on = False
            self._made.detach()

    def describe(self, note: str = "") -> None:
        """Write the document into the trace that is being recorded, with `note` added to it."""
        with contextlib.suppress(Exception):
            registry: Registry | None = getattr(self._made, "registry", None)
            if registry is None:
                registry = Registry(
                    self._workload if isinstance(self._workload, Workload) else None
                )
            registry.update(notes=(note,) if note else ())
            torch._C._autograd._add_metadata_json(METADATA_KEY, dumps(registry.document()))
