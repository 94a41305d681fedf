"""Values kept in memory, those used last, up to a size."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """At most `max_bytes` of values, but always the last one. Safe to use from several threads.

    `size` tells how many bytes a value takes.
    """

    def __init__(self, size: Callable[[V], int], max_bytes: int) -> None:
        self._size = size
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """Return what is kept under `key`."""
        with self._lock:
            value = self._kept.get(key)
            if value is not None:
                self._kept.move_to_end(key)
            return value

    def drop(self, key: K) -> None:
        """Let go of what is kept under `key`, if anything is."""
        with self._lock:
            if key in self._kept:
                self._bytes -= self._size(self._kept.pop(key))

    def put(self, key: K, value: V) -> None:
        """Keep `value`, and let go of what was used longest ago."""
        with self._lock:
            if key in self._kept:
                self._bytes -= self._size(self._kept.pop(key))
            self._bytes += self._size(value)
            self._kept[key] = value
            while self._bytes > self._max_bytes and len(self._kept) > 1:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= self._size(gone)
