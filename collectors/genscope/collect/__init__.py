"""Annotating what a model does, and recording it. Needs torch alone, and loads what is asked for.

Everything here leaves results as they are, and leaves nothing behind.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genscope.collect.annotate import annotate
    from genscope.collect.collector import Collector
    from genscope.collect.pair import collect_pair
    from genscope.collect.switch import attention

__all__ = ["Collector", "annotate", "attention", "collect_pair"]

_HOMES = {
    "Collector": "collector",
    "annotate": "annotate",
    "attention": "switch",
    "collect_pair": "pair",
}
"""The module that has each name."""


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


class _Package(ModuleType):
    """Keeps the names of functions for them, where there are modules of the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        # So does the import system, once it has loaded a module of the package.
        if name not in _HOMES or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
