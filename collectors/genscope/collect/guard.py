"""Keeps a recording small enough to be opened: a limit on its time and one on its events.

While torch records, it does not tell how many events there are. They are therefore estimated, from
the best that is known:

1. Events a second, as counted in a warm-up step or an earlier window, times the time.
2. Else, where models are called: EVENTS_PER_MODULE for every module of a called model (leaves too).
3. Else ASSUMED_RATE events a second, about what eager code launches at full speed.

A thread of its own keeps the time. It cannot stop a profiler, which belongs to the thread that
started it; so it asks the interpreter to run the stop on the main thread between two instructions
of whatever runs there. A recording of another thread is stopped at the next step or model call.
"""

from __future__ import annotations

import _thread
import ctypes
import logging
import queue
import threading
import time
from collections.abc import Callable

_LOG = logging.getLogger("genscope")

MAX_SECONDS = 60.0
MAX_EVENTS = 1_000_000
"""Half a gigabyte of JSON, 30 MB compressed; torch needs some 4 GB to put so many together."""

EVENTS_PER_MODULE = 12
"""Events of one call, on the CPU alone, divided by the modules of the model: 9 to 16 were seen."""
EVENTS_PER_MODULE_ON_DEVICE = 30
"""The same with launches and kernels."""
TIMES_WITH_BACKWARD = 4
"""Events of a training step divided by those of its forward pass."""
ASSUMED_RATE = 50_000
"""Events a second."""

_PATIENCE = 0.05
"""Seconds until the main thread is asked again."""


class Guard:
    """Calls `stop` with the reason when a recording has reached a limit, until it returns True."""

    def __init__(
        self,
        max_seconds: float | None,
        max_events: int | None,
        stop: Callable[[str], bool],
    ) -> None:
        self._max_seconds = max_seconds
        self._max_events = max_events
        self._stop = stop
        self._called = 0
        self._ended = threading.Event()
        self.rate: float | None = None
        """Events a second, once they have been counted."""

    def learn(self, events: int | None, seconds: float) -> None:
        """Take in how many events a finished recording had."""
        if events and seconds > 0:
            self.rate = events / seconds

    def start(self) -> None:
        """Begin to watch a recording that begins now."""
        self._called = 0
        self._ended = ended = threading.Event()
        if self._max_seconds is None and self._max_events is None:
            return
        from_main = threading.current_thread() is threading.main_thread()
        threading.Thread(
            target=self._watch, args=(ended, from_main), name="genscope-guard", daemon=True
        ).start()

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()

    def called(self, modules: int, on_device: bool, learns: bool) -> None:
        """Count a call of a model of so many modules."""
        each = EVENTS_PER_MODULE_ON_DEVICE if on_device else EVENTS_PER_MODULE
        self._called += modules * each * (TIMES_WITH_BACKWARD if learns else 1)

    def reached(self, seconds: float) -> str | None:
        """Return what limit a recording of so many seconds has reached, None for none."""
        if self._max_seconds is not None and seconds >= self._max_seconds:
            return f"after {seconds:.1f} s: the limit is {self._max_seconds:g} s (max_seconds)"
        if self._max_events is not None:
            events = self._estimate(seconds)
            if events >= self._max_events:
                return (
                    f"after {seconds:.1f} s and about {events:,.0f} events: "
                    f"the limit is {self._max_events:,} (max_events)"
                )
        return None

    def _estimate(self, seconds: float) -> float:
        if self.rate is not None:
            return self.rate * seconds
        return self._called or ASSUMED_RATE * seconds

    def _watch(self, ended: threading.Event, from_main: bool) -> None:
        began = time.monotonic()
        while not ended.wait(_PATIENCE):
            reason = self.reached(time.monotonic() - began)
            if reason is not None and from_main:
                on_main_thread(lambda reason=reason: ended.is_set() or self._stop(reason))  # type: ignore[misc]


_ASKED: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()


def _run_asked(_: object) -> int:
    """Run what was asked for; what it raises must not reach the interpreter from here."""
    try:
        while True:
            _ASKED.get_nowait()()
    except queue.Empty:
        return 0
    except KeyboardInterrupt:
        # It came while we were at it, and is for the code that was running: it has to come again
        # when we have returned.
        threading.Thread(target=_interrupt, daemon=True).start()
    except BaseException:
        _LOG.warning("stopping a recording failed", exc_info=True)
    return 0


def _interrupt() -> None:
    time.sleep(_PATIENCE)
    _thread.interrupt_main()


try:
    # Kept for ever: the interpreter may call it when everything else is gone.
    _PENDING = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(_run_asked)
    _ADD = ctypes.pythonapi.Py_AddPendingCall
except AttributeError:  # not CPython: limits are then kept at steps and calls alone
    _ADD = None  # type: ignore[assignment]


def on_main_thread(call: Callable[[], object]) -> None:
    """Have the main thread run `call` between two of its instructions, soon."""
    if _ADD is not None and _ASKED.empty():
        _ASKED.put(call)
        _ADD(_PENDING, None)
