"""Keeping out of what torch.compile and torch.jit.script do.

A replaced function is a global that compiled code guards on: it would be compiled in, and
recompiled without it. So whatever runs compiled, on any thread, runs with nothing replaced. The
place where dynamo starts and stops looking at frames tells when.
"""

from __future__ import annotations

import functools
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

from genscope.collect.attention.patches import Patches

_MODULE = "torch._dynamo.eval_frame"
_NAMES = ("_maybe_set_eval_frame", "set_eval_frame")
"""The function through which compiled callables are entered and left, newest first."""


class _Calls(threading.local):
    """The wrappers of dynamo that are open on a thread."""

    def __init__(self) -> None:
        self.stack: list[tuple[int, bool]] = []
        """Each wrapper, and whether it was called from compiled code."""
        self.inside = False


class Gate:
    """Calls `enter` before compiled code runs on a thread and `leave` after it."""

    def __init__(self, enter: Callable[[], None], leave: Callable[[], None]) -> None:
        self._enter = enter
        self._leave = leave
        self._patches = Patches()
        self._dynamo = False
        self._calls = _Calls()

    def install(self) -> None:
        """Watch for compiled code from now on."""
        import torch

        self._patches.apply()
        holder = vars(torch.jit)
        if callable(holder.get("script")):
            self._patches.entry(holder, "script", self._scripted(holder["script"]))
        self.look()

    def look(self) -> None:
        """Watch dynamo too, if it has been loaded by now. Cheap."""
        if not self._dynamo and _MODULE in sys.modules:
            self._dynamo = True
            holder = vars(sys.modules[_MODULE])
            for name in _NAMES:
                if callable(holder.get(name)):
                    self._patches.entry(holder, name, self._entry(holder[name]))
                    break

    def uninstall(self) -> None:
        """Stop watching."""
        self._patches.restore()

    def _entry(self, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        calls = self._calls

        def set_frame(callback: Any) -> Any:
            # Each wrapper of dynamo calls this twice, before and after what it wraps. With a
            # callback set, dynamo would look into any call that is made here afterwards.
            wrapper = sys._getframe(1)
            key = id(wrapper)
            if wrapper.f_code.co_name in ("__enter__", "__exit__"):
                key = id(wrapper.f_locals.get("self"))
            stack = calls.stack
            places = [place for place, (one, _) in enumerate(stack) if one == key]
            if places:
                inside = stack[places[-1]][1]
                del stack[places[-1] :]
            elif callback is None and not calls.inside:
                return original(callback)
            else:
                stack.append((key, calls.inside))
                inside = callback is not None or (calls.inside and not _of_user(wrapper))
            if inside == calls.inside:
                return original(callback)
            calls.inside = inside
            if inside:
                self._enter()
                return original(callback)
            prior = original(callback)
            self._leave()
            return prior

        return set_frame

    def _scripted(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def script(*args: Any, **kwargs: Any) -> Any:
            # It looks up names in the frame of its caller, which is one further away here.
            if len(args) < 3:
                kwargs["_frames_up"] = kwargs.get("_frames_up", 0) + 1
            self._enter()
            try:
                return original(*args, **kwargs)
            finally:
                self._leave()

        return script


def _of_user(wrapper: types.FrameType) -> bool:
    """Tell whether what is kept from being compiled is a user's, not a graph or part of torch."""
    function = wrapper.f_locals.get("fn")
    module = str(getattr(function, "__module__", None))
    return module.partition(".")[0] != "torch" and module in sys.modules
