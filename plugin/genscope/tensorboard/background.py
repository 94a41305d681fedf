"""Values that take longer to make than a request may: made aside, one at a time, and kept."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from genscope.tensorboard.files import one_line
from genscope.tensorboard.memory import Memory

_log = logging.getLogger(__name__)

WAIT_S = 0.05
"""How long a request waits: most values are made by then."""

RETRY_S = 30.0
"""How long it is remembered that a value could not be made."""

MAX_WAITING = 32
"""More values to be made than this, and the oldest are dropped: who wants one asks again."""


class NotMade(Exception):
    """A value could not be made; the log has why."""


class Background:
    """Makes values by key and keeps up to `max_bytes` of them. Safe to use from several threads.

    `size` tells how many bytes a value takes.
    """

    def __init__(
        self,
        size: Callable[[Any], int],
        max_bytes: int,
        *,
        wait_s: float = WAIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kept: Memory[Hashable, Any] = Memory(size, max_bytes)
        self._wait_s = wait_s
        self._clock = clock
        self._waiting: OrderedDict[Hashable, Callable[[], Any]] = OrderedDict()
        self._making: Hashable | None = None
        self._failed: dict[Hashable, tuple[str, float]] = {}
        self._is_running = False
        self._changed = threading.Condition()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any | None:
        """Return the value of `key`; None where it is still to be made, which is begun then.

        Raises NotMade, for a while, where it could not be made.
        """
        value = self._kept.get(key)
        if value is not None:
            return value
        with self._changed:
            self._raise_failure(key)
            if key != self._making and key not in self._waiting:
                self._waiting[key] = make
                while len(self._waiting) > MAX_WAITING:
                    self._waiting.popitem(last=False)
                self._start()
            self._changed.wait_for(lambda: not self._is_open(key), self._wait_s)
            self._raise_failure(key)
        return self._kept.get(key)

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the value of `key`, made at once if need be: for what another value needs."""
        value = self._kept.get(key)
        if value is None:
            value = make()
            self._kept.put(key, value)
        return value

    def _is_open(self, key: Hashable) -> bool:
        return key == self._making or key in self._waiting

    def _raise_failure(self, key: Hashable) -> None:
        failure = self._failed.get(key)
        if failure is None:
            return
        if self._clock() - failure[1] < RETRY_S:
            raise NotMade(failure[0])
        del self._failed[key]

    def _start(self) -> None:
        if not self._is_running:
            self._is_running = True
            threading.Thread(target=self._work, name="genscope-pairs", daemon=True).start()

    def _work(self) -> None:
        """Make what waits; ends when nothing does."""
        while True:
            with self._changed:
                if not self._waiting:
                    self._is_running = False
                    return
                key, make = self._waiting.popitem(last=False)
                self._making = key
            failure = ""
            try:
                self._kept.put(key, make())
            except Exception as error:
                _log.exception("a result of several runs failed")
                failure = f"{type(error).__name__}: {one_line(error)}"
            with self._changed:
                self._making = None
                if failure:
                    now = self._clock()
                    self._failed = {
                        one: known
                        for one, known in self._failed.items()
                        if now - known[1] < RETRY_S
                    }
                    self._failed[key] = (failure, now)
                self._changed.notify_all()
