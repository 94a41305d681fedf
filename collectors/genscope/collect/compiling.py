"""Stepping aside while torch.compile traces, so that it compiles what it would without us."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Any

import torch

_PACKAGE = "genscope.collect"
_callback = getattr(torch._C._dynamo.eval_frame, "get_eval_frame_callback", None)


def is_in_compiled() -> bool:
    """Whether what runs on this thread is, or was called by, code that torch.compile looks at."""
    return _callback is not None and _callback() not in (None, False)


def is_traced() -> bool:
    """Whether torch.jit or torch.fx writes down what this thread does."""
    fx = sys.modules.get("torch.fx._symbolic_trace")
    return torch._C._get_tracing_state() is not None or bool(
        getattr(fx, "_is_fx_tracing_flag", False)
    )


def is_watched() -> bool:
    """Whether a dispatch mode sees each op of this thread; ours would be among them.

    A mode that has `admits_probe` does not mind.
    """
    modes = range(torch._C._len_torch_dispatch_stack())
    at = torch._C._get_dispatch_stack_at
    return any(not getattr(at(place), "admits_probe", False) for place in modes)


class Aside:
    """Calls `leave` when a compilation starts and `enter` when it has ended.

    With this, nothing of ours is in a graph or in its guards: no graph break and no recompilation
    comes of recording. Only if torch.compile is imported for the first time while we are in place
    is it told after its first call of a component.
    """

    _is_ruled = False
    _lock = threading.Lock()

    def __init__(self, leave: Callable[[], object], enter: Callable[[], object]) -> None:
        self._leave = leave
        self._enter = enter
        self._handler: Any = None

    def watch(self) -> bool:
        """Begin to watch, if there is something to watch. Returns whether it has begun now."""
        if self._handler is not None or "torch._dynamo" not in sys.modules:
            return False
        handler = getattr(sys.modules.get("torch._dynamo.callback"), "callback_handler", None)
        if handler is None:
            return False
        self._rule()
        handler.register_start_callback(self._started)
        handler.register_end_callback(self._ended)
        self._handler = handler
        return True

    def stop(self) -> None:
        """Stop to watch."""
        handler, self._handler = self._handler, None
        if handler is not None:
            # torch._dynamo.reset takes all callbacks away.
            with contextlib.suppress(ValueError):
                handler.remove_start_callback(self._started)
            with contextlib.suppress(ValueError):
                handler.remove_end_callback(self._ended)

    @classmethod
    def _rule(cls) -> None:
        """Have dynamo pass over our functions where code that it has left calls them, as torch's.

        The rule stays: it is about our files and nobody else's.
        """
        with cls._lock, contextlib.suppress(Exception):
            if not cls._is_ruled:
                cls._is_ruled = True
                sys.modules["torch._dynamo.trace_rules"].add(_PACKAGE)

    def _started(self, *_: object) -> None:
        with contextlib.suppress(Exception):
            self._leave()

    def _ended(self, *_: object) -> None:
        with contextlib.suppress(Exception):
            if self._handler is not None:
                self._enter()
