"""Calls of models, seen from outside: the outermost `nn.Module` call, whatever the model."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from genscope.collect.compiling import Aside

_is_compiling: Callable[[], bool] = getattr(torch.compiler, "is_compiling", lambda: False)


class OutermostCalls:
    """Calls `before(module)` and `after(module)` around every outermost call of a module.

    `nn.Module.__call__` is replaced only while no call is open. Within a model nothing is slower,
    torch.compile sees nothing of it, and no hook is there that would switch a fast path off.
    Calls on other threads while one is open are not seen.
    """

    def __init__(
        self,
        before: Callable[[nn.Module], object] | None = None,
        after: Callable[[nn.Module], object] | None = None,
    ) -> None:
        self._before = before
        self._after = after
        self._lock = threading.Lock()
        self._below: Any = nn.Module.__call__
        self._is_in = False
        self._is_open = False
        self._wanted = False
        self._aside = Aside(self._take, self._put)
        watch = self

        def __call__(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
            if _is_compiling() or not watch._enter():
                return watch._below(self, *args, **kwargs)
            try:
                below = None if watch._take() else watch._below
                if watch._before is not None:
                    watch._before(self)
                # Looked up now: `before` may have put something there.
                return (below or nn.Module.__call__)(self, *args, **kwargs)
            finally:
                if watch._after is not None:
                    watch._after(self)
                watch._leave()

        self._call = __call__

    def install(self) -> None:
        """Begin to watch."""
        self._wanted = True
        self._aside.watch()
        self._put()

    def remove(self) -> None:
        """Leave; a call that is open ends unseen."""
        self._wanted = False
        self._aside.stop()
        self._take()

    def _enter(self) -> bool:
        with self._lock:
            if self._is_open or not self._wanted:
                return False
            self._is_open = True
        self._aside.watch()
        return True

    def _leave(self) -> None:
        self._is_open = False
        self._put()

    def _put(self) -> None:
        with self._lock:
            if self._wanted and not self._is_in and not self._is_open:
                self._below = nn.Module.__call__
                nn.Module.__call__ = self._call  # type: ignore[method-assign]
                self._is_in = True

    def _take(self) -> bool:
        """Go, if nobody else has come on top; else calls pass through."""
        with self._lock:
            if not self._is_in or nn.Module.__call__ is not self._call:
                return False
            nn.Module.__call__ = self._below  # type: ignore[method-assign]
            self._is_in = False
            return True
