"""What is known of tensors while a model is watched. Holds none of them alive."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from genscope.collect.attention.atoms import (
    ELSEWHERE,
    PARAMETER,
    Atom,
    Atoms,
    Dims,
    atom,
    knowledge,
    resized,
)


class Known(NamedTuple):
    """What is known of a tensor."""

    dims: Dims
    origins: frozenset[str]
    """Sources of all that it was computed from."""


@dataclass
class Ledger:
    """Tensors and what is known of them."""

    def __post_init__(self) -> None:
        self._entries: dict[int, tuple[weakref.ref[torch.Tensor], Known]] = {}
        self.meanings: dict[str, str] = {}
        """What atoms of undetermined kind turned out to be: `?0 of sample` is frames."""
        self.embeddings = 0

    def find(self, tensor: torch.Tensor) -> Known | None:
        """Return what is known of `tensor`, None where nothing is."""
        entry = self._entries.get(id(tensor))
        return entry[1] if entry is not None and entry[0]() is tensor else None

    def of(self, tensor: torch.Tensor) -> Known:
        """Return what is known of `tensor`, or the little that can be said of any."""
        known = self.find(tensor)
        if known is None:
            source = PARAMETER if isinstance(tensor, torch.nn.Parameter) else ELSEWHERE
            dims = tuple((atom(size, source=source),) for size in tensor.shape)
            known = Known(dims, frozenset((source,)))
        return known

    def dims(self, tensor: torch.Tensor) -> Dims:
        """Return the dimensions of `tensor`."""
        return self.of(tensor).dims

    def put(self, tensor: torch.Tensor, known: Known) -> None:
        """Remember `known` of `tensor`, for as long as the tensor lives."""
        key = id(tensor)
        entries = self._entries

        def forget(reference: weakref.ref[torch.Tensor]) -> None:
            entry = entries.get(key)
            if entry is not None and entry[0] is reference:
                del entries[key]

        entries[key] = (weakref.ref(tensor, forget), known)

    def absorb(self, target: torch.Tensor, written: torch.Tensor) -> None:
        """Let `target`, into which `written` was copied, know what `written` knows."""
        old, new = self.of(target), self.of(written)
        dims = list(old.dims)
        for back in range(1, min(len(dims), len(new.dims)) + 1):
            if knowledge(new.dims[-back]) > knowledge(dims[-back]):
                dims[-back] = resized(new.dims[-back], target.shape[-back])
        self.put(target, Known(tuple(dims), old.origins | new.origins))

    def settle(self, channels: Atoms) -> None:
        """Learn from a convolution that `channels` are features, so that others are frames."""
        for one in channels:
            for kind in one.kinds:
                if kind.startswith("?") and kind not in self.meanings:
                    other = ("?1" if kind.startswith("?0") else "?0") + kind[2:]
                    self.meanings[kind] = "features"
                    self.meanings[other] = "frames"

    def kinds(self, one: Atom) -> frozenset[str]:
        """Return the kinds of an atom, with what has been learned since it was made."""
        return frozenset(
            self.meanings.get(kind, "frames" if kind.startswith("?0") else "features")
            if kind.startswith("?")
            else kind
            for kind in one.kinds
        )


def tensors(value: Any, depth: int = 2) -> Iterator[torch.Tensor]:
    """Yield the tensors among arguments or results, down to lists in lists."""
    if isinstance(value, torch.Tensor):
        yield value
    elif depth and isinstance(value, (list, tuple)):
        for one in value:
            yield from tensors(one, depth - 1)
    elif depth and isinstance(value, dict):
        for one in value.values():
            yield from tensors(one, depth - 1)
