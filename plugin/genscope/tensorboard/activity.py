"""Answering `is_active` at once, however long the logdir takes to look at."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Activity:
    """Asks a slow question aside and answers with the latest that is known.

    TensorBoard asks its plugins one after another while its page waits, so an answer takes no
    longer than `patience_s`; it stands for `keep_s` seconds, or ten times as long as it took.
    """

    def __init__(
        self,
        ask: Callable[[], bool],
        *,
        patience_s: float = 0.3,
        keep_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._patience_s = patience_s
        self._keep_s = keep_s
        self._clock = clock
        self._lock = threading.Lock()
        self._answer = False
        self._next_at: float | None = None
        self._asking: threading.Thread | None = None

    def __call__(self) -> bool:
        """Return the answer, False until there is one."""
        with self._lock:
            if self._asking is None and (self._next_at is None or self._clock() >= self._next_at):
                self._asking = threading.Thread(
                    target=self._run, name="genscope-activity", daemon=True
                )
                self._asking.start()
            asking = self._asking
        if asking is not None:
            asking.join(self._patience_s)
        return self._answer

    def _run(self) -> None:
        began = self._clock()
        try:
            self._answer = self._ask()
        except Exception:
            _log.exception("looking for traces failed")
        ended = self._clock()
        with self._lock:
            self._next_at = ended + max(self._keep_s, 10 * (ended - began))
            self._asking = None
