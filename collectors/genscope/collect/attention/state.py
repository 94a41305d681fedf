"""What each thread, and each recording of a model, remembers of attention."""

from __future__ import annotations

import threading
import weakref
from typing import Any

import torch

from genscope.collect.attention.modes import Modes, Watch
from genscope.collect.attention.plans import Fingerprint, Plan, plan_of
from genscope.collect.attention.probe import Finding
from genscope.schema import AttentionCall, attention_name

_MOST = 4096
"""How many names are kept; while a cache of keys grows, each call of a site has another one."""


class Pattern:
    """The name of the calls of a site, whatever their lengths."""

    __slots__ = ("_merged", "_share", "_text")

    def __init__(self, site: int, kind: str | None, share: int, merged: int, chain: bool) -> None:
        self._share = share  # Heads that are packed into the place of one query.
        self._merged = merged  # Heads that stand in the batch.
        numbers = (900000001, 900000002, 900000003)
        text = attention_name(AttentionCall(site, kind, *numbers, chain=chain))
        for place, number in enumerate(numbers):
            text = text.replace(str(number), f"{{{place}}}")
        self._text = text

    def name(self, batch: int | None, q_len: int | None, kv_len: int | None) -> str | None:
        """Return the name of a call with these lengths, None for one of another kind."""
        if batch is None or q_len is None or kv_len is None:
            return None
        if self._share > 1 or self._merged > 1:
            if q_len % self._share or batch % self._merged:
                return None
            q_len //= self._share
            batch //= self._merged
        return self._text.format(batch, q_len, kv_len)


class Names(dict[Any, str]):
    """Names of calls by all that they depend on."""

    def __init__(self) -> None:
        super().__init__()
        self.patterns: dict[Any, Pattern] = {}

    def keep(self, key: Any, name: str) -> None:
        """Remember a name."""
        if len(self) < _MOST:
            self[key] = name

    def lengthened(self, key: Any) -> str | None:
        """Return the name of a call of SDPA with lengths that were not seen before, if known."""
        pattern = self.patterns.get(pattern_of(key)) if len(key[3]) == 4 else None
        if pattern is None:
            return None
        query, keys = key[3], key[4]
        return pattern.name(query[0], query[2], keys[2])


def pattern_of(key: Any) -> Any:
    """Return what a call of SDPA of four dimensions is but for its lengths."""
    component, path, number, query, keys, value, *rest = key
    return (component, path, number, query[1], keys[1], query[3], value[-1], *rest)


NONE = Names()
"""Stays empty: what is looked up while calls have to take the long way."""


class Live:
    """The plan of a model, and the names of its calls in this recording."""

    def __init__(self, root: torch.nn.Module) -> None:
        self.root = weakref.ref(root)
        self.fingerprint = Fingerprint(root)
        self.plan: Plan = plan_of(root, self.fingerprint.value)
        self.names = Names()
        self.repeated = self.plan.repeated()


class Local(threading.local):
    """The state of a thread."""

    def __init__(self) -> None:
        self.names: Names = NONE
        self.live: Live | None = None
        self.finding: Finding | None = None
        self.signature: tuple[Any, ...] = ()
        self.root: torch.nn.Module | None = None
        self.base: int | None = None
        self.mode: Watch | None = None
        self.modes = Modes()
        self.depth = 0
        self.nested = 0
        self.compiled = False
        self.taken: list[Any] = []
        self.visits: dict[tuple[int, str], int] = {}
        self.watch: Watch | None = None
        """Kept for the next module that has to be watched."""
