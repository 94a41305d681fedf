"""Asynchronous events of the source (phases b, n and e): slices that belong to no thread.

What has one process, category and id nests; an end closes what began last.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from genscope.trace.model import Bool, Int32, Int64

BEGIN, POINT, END = "b", "n", "e"
PHASES = (BEGIN, POINT, END)

Group = tuple["int | str", str]
"""Process and category: what is drawn on one track."""


@dataclass(frozen=True, slots=True)
class Laid:
    """Slices in the order in which they were numbered; arrays have shape (k,)."""

    groups: list[Group]
    group: Int32
    """Index into `groups`."""
    start_ns: Int64
    end_ns: Int64
    name: Int32
    """Interned, as `category`."""
    category: Int32

    def __len__(self) -> int:
        return len(self.start_ns)


@dataclass(slots=True)
class Spans:
    """The events in file order; times as the source counts them."""

    count: int = 0
    """Slices so far: a number for each begin and point."""
    alone: int = 0
    """Begins without an end, which last as long as the trace, and ends without a begin."""
    _at: list[int] = field(default_factory=list)
    _key: list[tuple[int | str, str, object]] = field(default_factory=list)
    _number: list[int] = field(default_factory=list)
    """Of the slice, -1 for an end."""
    _is_point: list[bool] = field(default_factory=list)
    _name: list[int] = field(default_factory=list)
    _category: list[int] = field(default_factory=list)

    def add(
        self, phase: str, at_ns: int, key: tuple[int | str, str, object], name: int, category: int
    ) -> None:
        """Take an event; `key` is its process, category and id."""
        self._at.append(at_ns)
        self._key.append(key)
        self._is_point.append(phase == POINT)
        if phase == END:
            self._number.append(-1)
            return
        self._number.append(self.count)
        self._name.append(name)
        self._category.append(category)
        self.count += 1

    def times(self) -> Int64:
        """When each event was, shape (n,)."""
        return np.array(self._at, dtype=np.int64)

    def laid(self, last_ns: int) -> Laid:
        """Pair begins with ends; `last_ns` is when what has none ends."""
        at = self.times()
        start = np.zeros(self.count, dtype=np.int64)
        end = np.zeros(self.count, dtype=np.int64)
        group = np.zeros(self.count, dtype=np.int32)
        ended: Bool = np.zeros(self.count, dtype=np.bool_)
        groups: dict[Group, int] = {}
        open_: dict[tuple[int | str, str, object], list[int]] = {}
        self.alone = 0
        for place in np.argsort(at, kind="stable").tolist():
            key, number, now = self._key[place], self._number[place], self._at[place]
            stack = open_.setdefault(key, [])
            if number < 0:
                if not stack:
                    self.alone += 1
                    continue
                number = stack.pop()
                end[number], ended[number] = now, True
                continue
            start[number] = end[number] = now
            group[number] = groups.setdefault(key[:2], len(groups))
            if self._is_point[place]:
                ended[number] = True
            else:
                stack.append(number)
        self.alone += int((~ended).sum())
        end[~ended] = np.maximum(start[~ended], last_ns)
        name = np.array(self._name, dtype=np.int32)
        category = np.array(self._category, dtype=np.int32)
        return Laid(list(groups), group, start, end, name, category)
