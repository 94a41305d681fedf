"""The arguments of derived slices, which are columns already, as encoded debug annotations."""

from __future__ import annotations

import numpy as np

from genscope.perfetto.arguments import joined
from genscope.perfetto.found import Column, Flags, Slices, Words
from genscope.perfetto.packing import INTEGER, TEXT, TRUTH
from genscope.perfetto.ragged import UInt64, unsigned
from genscope.perfetto.texts import Texts, guarded
from genscope.trace.model import Int64, UInt8


class Interned:
    """Words of derived columns, by list, as numbers of a table."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._known: dict[str, int] = {}

    def numbers(self, words: Words) -> Int64:
        """The number of each row's word, 0 for none; shape (k,)."""
        table = np.zeros(len(words.listed) + 1, dtype=np.int64)
        for place in np.unique(words.of_row[words.of_row >= 0]).tolist():
            text = words.listed[place]
            if text not in self._known:
                self._known[text] = self._texts.add(guarded(text))
            table[place] = self._known[text]
        found: Int64 = table[words.of_row]
        return found


def encoded(slices: Slices, names: Texts, texts: Interned) -> tuple[UInt8, Int64]:
    """Encode the arguments of all slices of a track: all bytes, and the length of each slice's."""
    count, width = len(slices.start_ns), len(slices.args)
    kind = np.zeros((count, width), dtype=np.uint8)
    bits = np.zeros((count, width), dtype=np.uint64)
    there = np.zeros((count, width), dtype=np.bool_)
    for place, column in enumerate(slices.args.values()):
        what, values, known = _cells(column, texts)
        kind[:, place] = what
        bits[:, place] = values
        there[:, place] = known
    numbers = np.array([names[name] for name in slices.args], dtype=np.uint64)
    rows = np.repeat(np.arange(count), there.sum(axis=1))
    whose = np.broadcast_to(numbers, there.shape)[there]
    return joined(whose, kind[there], bits[there], rows, count)


def _cells(
    column: Column, texts: Interned
) -> tuple[int, UInt64, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    if isinstance(column, Words):
        return TEXT, unsigned(texts.numbers(column)), column.of_row >= 0
    if isinstance(column, Flags):
        return TRUTH, unsigned(column.of_row), column.of_row >= 0
    return INTEGER, unsigned(column), column >= 0
