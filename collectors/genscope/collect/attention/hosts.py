"""Where attention functions come from: loaded modules, and those that are loaded later."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from genscope.collect.attention.calls import KERNELS, TARGETS, Target
from genscope.collect.attention.patches import Patches


class Hosts:
    """Finds the functions of the table and has them replaced by what `standing` returns."""

    def __init__(
        self, patches: Patches, standing: Callable[[Target, Any], Callable[..., Any]]
    ) -> None:
        self._patches = patches
        self._standing = standing
        self._wanted = [
            (target, module, name)
            for target in TARGETS
            for module in target.modules
            for name in target.names
        ]
        self._unset: list[tuple[Target, str, str]] = []
        self._missing: tuple[str, ...] = ()
        self._loaded = -1
        """Modules that were loaded when the missing ones were last looked for."""

    def collect(self) -> None:
        """Replace what has been loaded by now, and keep the rest for later."""
        late, unset = [], []
        for target, module, name in (*self._wanted, *self._unset):
            loaded = sys.modules.get(module)
            original = getattr(loaded, name, self) if loaded is not None else None
            if loaded is None:
                late.append((target, module, name))
            elif original is None:
                unset.append((target, module, name))
            elif callable(original) and not self._patches.known(original):
                new = self._standing(target, original)
                self._patches.replace(original, new)
                self._patches.entry(vars(loaded), name, new)
        self._wanted, self._unset = late, unset
        self._missing = tuple({module for _, module, _ in late})

    def appeared(self) -> bool:
        """Tell whether a module that was missing has been loaded, or a function set."""
        loaded = sys.modules
        if len(loaded) != self._loaded:
            self._loaded = len(loaded)
            if not loaded.keys().isdisjoint(self._missing):
                return True
        return any(
            getattr(loaded.get(module), name, None) is not None for _, module, name in self._unset
        )

    def hub(self) -> None:
        """Replace kernels that diffusers has loaded from the hub."""
        module = sys.modules.get("diffusers.models.attention_dispatch")
        for config in getattr(module, "_HUB_KERNELS_REGISTRY", {}).values():
            function = getattr(config, "kernel_fn", None)
            target = KERNELS.get(str(getattr(config, "function_attr", "")))
            if function is not None and target is not None and not self._patches.known(function):
                self._patches.field(config, "kernel_fn", self._standing(target, function))
