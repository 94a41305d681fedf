"""The calls of a pair as lists that can be sorted by any of their columns, a window at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from genscope.analysis.speedup.match import Aligned, Columns
from genscope.analysis.speedup.results import AlignedCall, UnalignedCall
from genscope.analysis.speedup.rows import aligned_rows, notes_of, unaligned_rows
from genscope.analysis.speedup.side import Side
from genscope.analysis.windows import Window, first_of, order_of
from genscope.trace.model import NONE, Bool, Int64

BASELINE, FUSED = "baseline", "fused"

Values = tuple[npt.NDArray[Any], Bool]
"""A column to sort by, shape (k,), and where it is known."""

_SIZES = ("batch", "heads", "q_len", "kv_len", "head_dim")
_TEXTS = ("component", "kind", "axis", "phase")


class Listed(ABC):
    """Calls of a pair in their own order, `total` of them."""

    columns: tuple[str, ...]
    """What it can be sorted by: the fields of its rows."""

    def __init__(self, baseline: Side, fused: Side, aligned: Aligned) -> None:
        self._sides = (baseline, fused)
        self._aligned = aligned
        self._columns = Columns(baseline.calls, fused.calls)
        self.total = 0

    def window(self, window: Window, at_run: str) -> tuple[int, list[Any]]:
        """Return where a window begins, and its rows; see `Pair.window`."""
        order = self._order(window)
        place = self._place(window, at_run == FUSED)
        if place is not None:
            place = int(np.flatnonzero(order == place)[0])
        first = first_of(window, len(order), place)
        return first, self._rows(order[first : first + window.count])

    @abstractmethod
    def _values(self, name: str) -> Values: ...

    @abstractmethod
    def _rows(self, places: Int64) -> list[Any]: ...

    @abstractmethod
    def _of_run(self, fused: int) -> tuple[Int64, Int64]:
        """Index and start of the calls of one run; the index is -1 for those of the other."""

    def _order(self, window: Window) -> Int64:
        if window.sort is None:
            places = np.arange(self.total, dtype=np.int64)
            return places[::-1] if window.descending else places
        return order_of(*self._values(window.sort), descending=window.descending)

    def _place(self, window: Window, fused: int) -> int | None:
        """Place of the row that the window is to be around."""
        index, start = self._of_run(fused)
        if window.at is not None:
            found = np.flatnonzero(index == window.at)
            return int(found[0]) if len(found) else None
        own = np.flatnonzero(index != NONE)
        if window.at_ns is None or not len(own):
            return None
        return int(own[np.abs(start[own] - window.at_ns).argmin()])

    def _ranked(self, numbers: Int64) -> Values:
        """A column of words by their alphabetical order."""
        rank = np.zeros(len(self._columns.words) + 1, dtype=np.int64)
        rank[np.argsort(np.array(self._columns.words, dtype=object), kind="stable")] = np.arange(
            len(self._columns.words)
        )
        return rank[numbers], numbers != NONE


class AlignedList(Listed):
    """The calls that both runs make."""

    columns = AlignedCall.__struct_encode_fields__

    def __init__(self, baseline: Side, fused: Side, aligned: Aligned) -> None:
        super().__init__(baseline, fused, aligned)
        self.total = len(aligned.baseline)

    def _values(self, name: str) -> Values:
        places = (self._aligned.baseline, self._aligned.fused)
        if name in _SIZES:
            return _told(self._columns.together(name, *places))
        if name in _TEXTS:
            return self._ranked(self._columns.together(name, *places))
        if name == "pass":
            return _told(self._columns.passes()[0][places[0]])
        if name in ("layer", "step"):
            return _told(getattr(self._sides[0].calls, name)[places[0]])
        if name == "speedup":
            mine, theirs = (side.time_ns[at] for side, at in zip(self._sides, places, strict=True))
            known = (mine > 0) & (theirs > 0)
            return mine / np.where(known, theirs, 1), known
        if name == "note":
            notes = notes_of(self._columns, self._aligned)
            texts = [notes.get(at, "") for at in range(self.total)]
            return np.array(texts, dtype=str), np.isin(np.arange(self.total), [*notes])
        run, _, column = name.partition("_")
        fused = int(run == FUSED)
        if column == "implementation":
            return self._ranked(self._columns.text(column)[fused][places[fused]])
        return _told(_plain(self._sides[fused], column)[places[fused]])

    def _rows(self, places: Int64) -> list[AlignedCall]:
        shown = replace(
            self._aligned,
            baseline=self._aligned.baseline[places],
            fused=self._aligned.fused[places],
        )
        return aligned_rows(*self._sides, shown)

    def _of_run(self, fused: int) -> tuple[Int64, Int64]:
        side = self._sides[fused]
        places = (self._aligned.baseline, self._aligned.fused)[fused]
        return side.index[places], side.calls.start_ns[places]


class UnalignedList(Listed):
    """The calls that only one of the runs makes, the baseline's first."""

    columns = UnalignedCall.__struct_encode_fields__

    def __init__(self, baseline: Side, fused: Side, aligned: Aligned) -> None:
        super().__init__(baseline, fused, aligned)
        self._places = (aligned.only_baseline, aligned.only_fused)
        self._split = len(aligned.only_baseline)
        self.total = self._split + len(aligned.only_fused)

    def _values(self, name: str) -> Values:
        if name == "run":
            return _told((np.arange(self.total) >= self._split).astype(np.int64))
        if name == "reason":
            said = [*self._aligned.reasons_baseline, *self._aligned.reasons_fused]
            rank = {text: at for at, text in enumerate(sorted(set(said)))}
            return _told(np.array([rank[text] for text in said], dtype=np.int64))
        if name in _SIZES:
            return _told(self._joined(*self._columns.size(name)))
        if name in (*_TEXTS, "implementation"):
            return self._ranked(self._joined(*self._columns.text(name)))
        if name == "pass":
            return _told(self._joined(*(side.calls.pass_.astype(np.int64) for side in self._sides)))
        return _told(self._joined(*(_plain(side, name) for side in self._sides)))

    def _rows(self, places: Int64) -> list[UnalignedCall]:
        """Rows in the order of `places`, though they are made run by run."""
        mine = places[places < self._split]
        theirs = places[places >= self._split] - self._split
        aligned = self._aligned
        made = unaligned_rows(
            *self._sides,
            replace(
                aligned,
                only_baseline=aligned.only_baseline[mine],
                only_fused=aligned.only_fused[theirs],
                reasons_baseline=[aligned.reasons_baseline[at] for at in mine.tolist()],
                reasons_fused=[aligned.reasons_fused[at] for at in theirs.tolist()],
            ),
        )
        by_place = dict(zip([*mine.tolist(), *(theirs + self._split).tolist()], made, strict=True))
        return [by_place[place] for place in places.tolist()]

    def _of_run(self, fused: int) -> tuple[Int64, Int64]:
        none = np.full(len(self._places[1 - fused]), NONE, dtype=np.int64)
        own = self._places[fused]
        side = self._sides[fused]
        parts = [(side.index[own], side.calls.start_ns[own]), (none, none)]
        (index, start), (no_index, no_start) = parts
        if fused:
            return np.concatenate([no_index, index]), np.concatenate([no_start, start])
        return np.concatenate([index, no_index]), np.concatenate([start, no_start])

    def _joined(self, mine: Int64, theirs: Int64) -> Int64:
        return np.concatenate([mine[self._places[0]], theirs[self._places[1]]])


def _plain(side: Side, name: str) -> Int64:
    """A column of numbers of a run: index, start_ns; `ns` and `time_ns` are its times."""
    columns: dict[str, Int64] = {
        "index": side.index,
        "start_ns": side.calls.start_ns,
        "ns": side.time_ns,
        "time_ns": side.time_ns,
    }
    return columns[name]


def _told(values: Int64) -> Values:
    """A column of numbers, -1 where unknown."""
    return values, values != NONE
