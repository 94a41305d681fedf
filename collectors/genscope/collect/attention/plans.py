"""What is known of the attention of each model. Kept for as long as the model lives."""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import torch

from genscope.collect.attention.verdict import Fact

Spot = tuple[int, str, int]
"""Component (relative to the outermost one), path of the module, number of the call within."""

_PROBES = 8
"""Ways of calling a model that are looked into at most."""


@dataclass
class Plan:
    """The attention of a model, as long as it uses the same implementations."""

    signatures: set[tuple[Any, ...]] = field(default_factory=set)
    """Ways of calling it that have been looked into."""
    facts: dict[Spot, tuple[Fact, ...]] = field(default_factory=dict)
    """One for each call of the module in a call of the model, or one alone if all are alike."""
    last: dict[tuple[int, str], int] = field(default_factory=dict)
    """The last call in each module."""
    owners: set[str] = field(default_factory=set)
    """Paths of modules whose attention no replaced function sees."""
    bare: bool | None = None
    """Whether its objects hold none of the replaced functions; None before they were searched."""

    def unknown(self, signature: tuple[Any, ...]) -> bool:
        """Tell whether to look into a call like this."""
        return signature not in self.signatures and len(self.signatures) < _PROBES

    def learn(self, signature: tuple[Any, ...], found: dict[Spot, list[Fact]]) -> None:
        """Keep what was found in a call; what was only guessed replaces nothing."""
        self.signatures.add(signature)
        for spot, facts in found.items():
            if spot in self.facts and any(one.reason.startswith("by ") for one in facts):
                continue
            self.last[spot[:2]] = max(spot[2], self.last.get(spot[:2], 0))
            alike = all(one == facts[0] for one in facts)
            self.facts[spot] = (facts[0],) if alike else tuple(facts)

    def repeated(self) -> frozenset[tuple[int, str]]:
        """Return the modules whose calls differ from each other."""
        return frozenset(spot[:2] for spot, facts in self.facts.items() if len(facts) > 1)


_plans: weakref.WeakKeyDictionary[torch.nn.Module, dict[Hashable, Plan]] = (
    weakref.WeakKeyDictionary()
)


def plan_of(root: torch.nn.Module, fingerprint: Hashable) -> Plan:
    """Return the plan of a model that calls attention as its fingerprint tells."""
    plans = _plans.get(root)
    if plans is None:
        plans = _plans.setdefault(root, {})
    return plans.setdefault(fingerprint, Plan())


def plans_of(root: torch.nn.Module) -> list[Plan]:
    """Return all plans of a model."""
    return list(_plans.get(root, {}).values())


class Fingerprint:
    """Which implementations of attention a model is set to use."""

    def __init__(self, root: torch.nn.Module) -> None:
        self._sample: weakref.ref[torch.nn.Module] = weakref.ref(root)
        processors: set[str] = set()
        for module in root.modules():
            processor = vars(module).get("processor")
            if processor is not None:
                self._sample = weakref.ref(module)
                processors.add(_kind(module))
        self._quick = self._glance(root)
        self.value: Hashable = (self._quick[0], frozenset(processors))

    def stale(self, root: torch.nn.Module) -> bool:
        """Tell whether it has changed, from a glance at one place."""
        return self._glance(root) != self._quick

    def _glance(self, root: torch.nn.Module) -> tuple[Any, Any]:
        asked = getattr(vars(root).get("config"), "_attn_implementation", None)
        sample = self._sample()
        return str(asked), _kind(sample) if sample is not None else ""


def _kind(module: torch.nn.Module) -> str:
    kind = type(vars(module).get("processor"))
    return f"{kind.__module__}.{kind.__qualname__}"


def find(root: torch.nn.Module, path: str) -> torch.nn.Module | None:
    """Return the module at a path that leaves out wrappers."""
    for name, module in root.named_modules():
        if plain(name) == path:
            found: torch.nn.Module = module
            return found
    return None


def plain(name: str) -> str:
    """Return a qualified name without what wrappers add."""
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


_WRAPPERS = frozenset(("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"))
