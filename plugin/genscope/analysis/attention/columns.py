"""The attention calls of a trace as columns: one row a call, no object a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from genscope.trace.model import NONE, Bool, Int32, Int64

Int8 = npt.NDArray[np.int8]

SIZES = (
    "batch",
    "heads",
    "kv_heads",
    "q_len",
    "kv_len",
    "q_tokens",
    "head_dim",
    "v_head_dim",
)
"""Columns of lengths and counts, -1 where unknown."""

TEXTS = (
    "dtype",
    "mask",
    "kind",
    "axis",
    "implementation",
    "phase",
    "component",
    "module",
    "reason",
    "phase_reason",
)
"""Columns of words, as places in a `Words`, -1 where unknown."""


_PLAIN = (
    "start_ns",
    "end_ns",
    "device_start_ns",
    "device_end_ns",
    "device_ns",
    "cpu_ns",
    "layout_ns",
    "row",
    "track",
    "pass_",
    "chain",
    "causal",
    "layer",
    "step",
)


class Words:
    """Distinct texts by number, so that a column of text is a column of numbers."""

    def __init__(self) -> None:
        self.listed: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str | None) -> int:
        """Return the number of a text, new or known; -1 for None."""
        if text is None:
            return NONE
        if text not in self._numbers:
            self._numbers[text] = len(self.listed)
            self.listed.append(text)
        return self._numbers[text]

    def find(self, text: str) -> int:
        """Return the number of a text; -2, which no column holds, where it does not occur."""
        return self._numbers.get(text, -2)

    def text(self, number: int) -> str | None:
        """Return the text of a number; None for -1."""
        return self.listed[number] if number >= 0 else None


@dataclass(slots=True)
class Calls:
    """Attention calls in order of their start; arrays have shape (c,).

    Times are nanoseconds from the trace's first event. `device_ns` and `layout_ns` are -1 where
    the trace has no device.
    """

    start_ns: Int64
    end_ns: Int64
    device_start_ns: Int64
    """Start of the call's first device event, -1 where it has none."""
    device_end_ns: Int64
    device_ns: Int64
    cpu_ns: Int64
    layout_ns: Int64
    row: Int64
    """Row of the trace: the outermost op, the first product of a chain, or a device event."""
    track: Int32
    pass_: npt.NDArray[np.uint8]
    """Index into `genscope.analysis.classify.PASSES`."""
    forward: Int64
    """Place of the forward call that a backward call differentiates, -1 where unknown."""
    chain: Bool
    """Unfused: a chain of product, softmax, product."""
    causal: Int8
    """1, 0, or -1 where unknown."""
    layer: Int32
    step: Int64
    sizes: dict[str, Int64]
    """The columns of SIZES."""
    texts: dict[str, Int32]
    """The columns of TEXTS."""
    words: Words
    of_event: Int32
    """Shape (n,), a row an event of the trace: the call that it is part of, or -1."""
    notes: list[tuple[str, int, str]] = field(default_factory=list)
    """Warnings: code, count, message."""

    def __len__(self) -> int:
        return len(self.start_ns)

    def taken(self, kept: Int64, place: Int64) -> Calls:
        """Return the calls `kept`, shape (k,), in that order.

        `place` has shape (c + 1,): the new place of each call, -1 for those left out and, last,
        for none.
        """
        changed = {name: getattr(self, name)[kept] for name in _PLAIN}
        return replace(
            self,
            **changed,
            forward=place[self.forward[kept]],
            sizes={name: column[kept] for name, column in self.sizes.items()},
            texts={name: column[kept] for name, column in self.texts.items()},
            of_event=place[self.of_event].astype(np.int32),
        )

    def text(self, name: str, place: int) -> str | None:
        """Return the word of a call in the column `name`."""
        return self.words.text(int(self.texts[name][place]))

    def is_word(self, name: str, word: str) -> Bool:
        """Mask of shape (c,) of the calls whose column `name` says `word`."""
        mask: Bool = self.texts[name] == self.words.find(word)
        return mask

    @property
    def has_shape(self) -> Bool:
        """Mask of shape (c,) of the calls whose query length is known."""
        mask: Bool = self.sizes["q_len"] >= 0
        return mask


def alike(columns: Sequence[npt.NDArray[np.integer[Any]]]) -> tuple[Int64, Int64]:
    """Group rows that are equal in every column; each column has shape (k,).

    Returns the first row of each group, shape (g,), and the group of each row, shape (k,). Groups
    are numbered in the order of their values.
    """
    key = np.zeros(len(columns[0]), dtype=np.int64)
    size = 1
    for column in columns:
        values, number = np.unique(column, return_inverse=True)
        if size * len(values) >= 2**62:
            known, key = np.unique(key, return_inverse=True)
            key, size = key.reshape(-1), len(known)
        key = key * max(len(values), 1) + number.reshape(-1)
        size *= max(len(values), 1)
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    return first.astype(np.int64), group.reshape(-1).astype(np.int64)
