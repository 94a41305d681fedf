"""The document in the metadata of whatever profile is being recorded."""

from __future__ import annotations

import time

import torch
from torch.autograd import profiler as autograd_profiler

from genscope.collect import workload
from genscope.collect.registry import Registry
from genscope.schema import METADATA_KEY, dumps

_BETWEEN_LOOKS_S = 0.5
"""Reading the memory statistics takes some 20 µs, so it is not done at every token."""


_records_here = torch._C._autograd._profiler_enabled
_add = torch._C._autograd._add_metadata_json


def is_profiling() -> bool:
    """Whether a profiler records, on this thread or on whichever it wants to."""
    return bool(getattr(autograd_profiler, "_is_profiler_enabled", False) or _records_here())


class Writer:
    """Writes the document into the running profile; 1 µs where nothing has changed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._revision = -1
        self._text = ""
        self._looked = float("-inf")
        self._peak = 0

    def write(self) -> None:
        """Write what is known by now. Without a profiler it would be lost, and nothing happens."""
        # Later would be too late: a profiler takes metadata only while it records, and does not
        # tell when it is about to stop.
        if not _records_here():
            return
        self._look_at_memory()
        if self._registry.revision != self._revision:
            revision = self._registry.revision
            self._text = dumps(self._registry.document())
            self._revision = revision
        _add(METADATA_KEY, self._text)

    def _look_at_memory(self) -> None:
        now = time.monotonic()
        if now - self._looked < _BETWEEN_LOOKS_S:
            return
        self._looked = now
        peak = workload.peak_memory()
        if peak is not None and peak > self._peak:
            self._peak = peak
            self._registry.update(peak_memory_bytes=peak)
