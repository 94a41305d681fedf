"""Windows of long lists: sorted by a column, and a part of that at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from genscope.trace.model import Bool, Int64

T = TypeVar("T")

COUNT = 200
"""Rows of a window, unless others are asked for."""

MAX_COUNT = 2000


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a list: `count` rows from place `first` of it, once it is sorted.

    `sort` is a column, None for the list's own order. `at` moves `first` so that the row with this
    index is in the middle; `at_ns` does so for the row that starts nearest to that time. What is
    not in the list moves nothing.
    """

    first: int = 0
    count: int = COUNT
    sort: str | None = None
    descending: bool = False
    at: int | None = None
    at_ns: int | None = None


BEGINNING = Window()


def first_of(window: Window, total: int, place: int | None = None) -> int:
    """Where the window begins in a list of `total` rows; `place` is that of the row wanted."""
    first = window.first if place is None else place - window.count // 2
    return max(0, min(first, total - window.count))


def order_of(values: npt.NDArray[Any], known: Bool, *, descending: bool = False) -> Int64:
    """Places of a column, shape (k,), sorted by its values; what is not known goes last.

    Equal values stay in the order in which they came, in either direction.
    """
    places = np.flatnonzero(known)
    _, rank = np.unique(values[places], return_inverse=True)
    rank = rank.reshape(-1)
    order = places[np.argsort(-rank if descending else rank, kind="stable")]
    return np.concatenate([order, np.flatnonzero(~known)]).astype(np.int64)


def sorted_rows(rows: Sequence[T], column: str, *, descending: bool = False) -> list[T]:
    """Rows sorted by an attribute of theirs, None last, equal ones in the order they came in."""
    known = [row for row in rows if getattr(row, column) is not None]
    known.sort(key=lambda row: getattr(row, column), reverse=descending)
    return known + [row for row in rows if getattr(row, column) is None]
