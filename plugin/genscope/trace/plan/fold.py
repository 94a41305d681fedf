"""The recording of a run with calls left out, to a plan: what was left out put in, loops found."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from genscope.trace.model import Kind, Trace
from genscope.trace.plan.document import COLUMNS, Body, Growing, Loop, Plan
from genscope.trace.plan.marks import LeftOut, parse

_NUMBER = re.compile(r"(\d{1,15})")
_LONGEST_PERIOD = 64
_LEFT_OUT = ("ProfilerStep#", "PythonDispatchMode")
"""Beginnings of the names of events that tell of the recording alone."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Form:
    """A row of events without the numbers in their texts."""

    depth: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    texts: npt.NDArray[np.int64]
    """Shape (events, 4): a place among the split texts' pieces, -1 for none."""


@dataclass(slots=True)
class _Item:
    form: int
    numbers: Numbers


@dataclass(slots=True)
class _Texts:
    """Texts split into what stays and the numbers between."""

    pieces: list[tuple[str, ...]] = field(default_factory=list)
    place: dict[tuple[str, ...], int] = field(default_factory=dict)

    def split(self, text: str) -> tuple[int, Numbers]:
        parts = _NUMBER.split(text)
        # 007 would not come back as it was.
        if any(len(one) > 1 and one[0] == "0" for one in parts[1::2]):
            parts = [text]
        key = tuple(parts[::2])
        if key not in self.place:
            self.place[key] = len(self.pieces)
            self.pieces.append(key)
        return self.place[key], np.array([int(one) for one in parts[1::2]], dtype=np.int64)


def fold(trace: Trace, plan: Plan) -> Plan:
    """Fill `plan` with the events of `trace`, which was recorded with `marks`.

    Raises ValueError where a call that was left out refers to none that was made.
    """
    recording = _Recording(trace)
    items = recording.items()
    _Writer(plan, recording).write(_loops(items))
    return plan


class _Recording:
    """Reads the events of a trace in the order in which they begin, cut at the marks."""

    def __init__(self, trace: Trace) -> None:
        self.forms: list[_Form] = []
        self.texts = _Texts()
        self._known: dict[bytes, int] = {}
        events = trace.events
        wanted = np.flatnonzero(events.is_kind(Kind.CPU_OP, Kind.ANNOTATION))
        if len(wanted):
            # The thread that ran it has nearly all of it.
            main = np.bincount(events.track[wanted]).argmax()
            wanted = wanted[events.track[wanted] == main]
        wanted = np.array(
            [row for row in wanted.tolist() if not trace.name_of(row).startswith(_LEFT_OUT)],
            dtype=np.int64,
        )
        order = np.lexsort((-events.dur_ns[wanted], events.start_ns[wanted]))
        self._rows = wanted[order]
        self._trace = trace
        self._depth = _depths(events.start_ns[self._rows], events.end_ns[self._rows])
        self._split = [self.texts.split(text) for text in trace.strings]
        self._columns = np.stack([getattr(events, name)[self._rows] for name in COLUMNS], axis=1)
        self._kind = events.kind[self._rows].astype(np.int64)
        self._piece = np.array([*(piece for piece, _ in self._split), -1], dtype=np.int64)

    def items(self) -> list[_Item]:
        """The events as items: what is between calls, and calls."""
        names = self._columns[:, 0]
        marks = {
            index: found
            for index in np.unique(names).tolist()
            if (found := parse(self._trace.strings[index])) is not None
        }
        items: list[_Item] = []
        calls: dict[int, _Item] = {}
        start = 0
        for place in np.flatnonzero(np.isin(names, list(marks))).tolist():
            if place > start:
                items.append(self._item(start, place, 0))
            depth = int(self._depth[place])
            behind = np.flatnonzero(self._depth[place + 1 :] <= depth)
            end = place + 1 + int(behind[0]) if len(behind) else len(self._depth)
            mark = marks[int(names[place])]
            if isinstance(mark, LeftOut):
                items.append(_told(calls, mark))
            else:
                calls[mark] = self._item(place + 1, end, 1)
                items.append(calls[mark])
            start = end
        if start < len(self._depth):
            items.append(self._item(start, len(self._depth), 0))
        return items

    def _item(self, start: int, end: int, less: int) -> _Item:
        depth = self._depth[start:end] - less
        texts = self._columns[start:end]
        form = _Form(depth, self._kind[start:end], self._piece[texts])
        key = form.depth.tobytes() + form.kind.tobytes() + form.texts.tobytes()
        if key not in self._known:
            self._known[key] = len(self.forms)
            self.forms.append(form)
        numbers = [self._split[one][1] for one in texts.reshape(-1).tolist() if one >= 0]
        joined = np.concatenate(numbers) if numbers else np.empty(0, dtype=np.int64)
        return _Item(self._known[key], joined)


def _depths(start: Numbers, end: Numbers) -> Numbers:
    depth = np.zeros(len(start), dtype=np.int64)
    open_: list[int] = []
    for place, (begin, close) in enumerate(zip(start.tolist(), end.tolist(), strict=True)):
        while open_ and open_[-1] <= begin and not (open_[-1] == begin == close):
            open_.pop()
        depth[place] = len(open_)
        open_.append(close)
    return depth


def _told(calls: dict[int, _Item], mark: LeftOut) -> _Item:
    first, last = calls.get(mark.call), calls.get(mark.other)
    if first is None or last is None:
        raise ValueError("a call that was left out refers to one that is not there")
    if mark.call == mark.other:
        return first
    if first.form != last.form:
        raise ValueError("two calls that should tell the next do not do the same")
    steps, rest = np.divmod(last.numbers - first.numbers, mark.other_at - mark.call_at)
    if rest.any():
        raise ValueError("the sizes of a call that was left out are no whole numbers")
    return _Item(first.form, first.numbers + steps * (mark.at - mark.call_at))


def _loops(items: list[_Item]) -> list[tuple[int, list[_Item], list[Numbers]]]:
    """Rounds, the items of the first, and by how much each grows in a round."""
    forms = [one.form for one in items]
    found = []
    start = 0
    while start < len(items):
        best, period = 1, 1
        for length in range(1, min(_LONGEST_PERIOD, (len(items) - start) // 2) + 1):
            if forms[start + length] != forms[start]:
                continue
            rounds = _rounds(items, forms, start, length)
            if rounds > 1 and rounds * length > best * period:
                best, period = rounds, length
        first = items[start : start + period]
        steps = [
            (items[start + period + place].numbers - one.numbers)
            if best > 1
            else np.zeros_like(one.numbers)
            for place, one in enumerate(first)
        ]
        found.append((best, first, steps))
        start += best * period
    return found


def _rounds(items: list[_Item], forms: list[int], start: int, length: int) -> int:
    """How often the items from `start` on go on evenly."""
    steps: list[Numbers] = []
    rounds, place = 1, start + length
    while place + length <= len(items):
        if forms[place : place + length] != forms[start : start + length]:
            break
        grown = [
            items[place + one].numbers - items[place - length + one].numbers
            for one in range(length)
        ]
        if steps and not all(map(np.array_equal, steps, grown)):
            break
        steps = steps or grown
        rounds += 1
        place += length
    # Two that differ may be anything.
    return 1 if rounds == 2 and any(one.any() for one in steps) else rounds


class _Writer:
    """Writes loops into a plan; texts and bodies that are equal stand there once."""

    def __init__(self, plan: Plan, recording: _Recording) -> None:
        self._plan = plan
        self._forms = recording.forms
        self._pieces = recording.texts.pieces
        self._texts: dict[str, int] = {}
        self._bodies: dict[Any, int] = {}

    def write(self, loops: list[tuple[int, list[_Item], list[Numbers]]]) -> None:
        made: list[list[int]] = []
        growing: list[list[list[list[Any]]]] = []
        for count, items, steps in loops:
            found = [self._columns(item, step) for item, step in zip(items, steps, strict=True)]
            growing.append(found)
            made.append([count])
        # How many texts there are is known only now.
        self._plan.texts = list(self._texts)
        for (count, items, _), found in zip(loops, growing, strict=True):
            seen: dict[Any, int] = {}
            bodies = [
                self._body(item, columns, seen) for item, columns in zip(items, found, strict=True)
            ]
            self._plan.loops.append(Loop(count=count, bodies=bodies))

    def _columns(self, item: _Item, steps: Numbers) -> list[list[Any]]:
        """Texts by column: a place, or the parts of a text that grows."""
        form = self._forms[item.form]
        columns: list[list[Any]] = [[], [], [], []]
        at = 0
        numbers, grown = item.numbers.tolist(), steps.tolist()
        for row in form.texts.tolist():
            for column, piece in zip(columns, row, strict=True):
                if piece < 0:
                    column.append(-1)
                    continue
                pieces = self._pieces[piece]
                more = len(pieces) - 1
                first, step = numbers[at : at + more], grown[at : at + more]
                at += more
                if any(step):
                    column.append((pieces, tuple(first), tuple(step)))
                else:
                    text = "".join(
                        part + number
                        for part, number in zip(pieces, [*map(str, first), ""], strict=True)
                    )
                    column.append(self._texts.setdefault(text, len(self._texts)))
        return columns

    def _body(self, item: _Item, columns: list[list[Any]], seen: dict[Any, int]) -> int:
        """The place of a body; `seen` are the growing texts of its loop."""
        plan = self._plan
        for column in columns:
            for place, one in enumerate(column):
                if isinstance(one, tuple):
                    if one not in seen:
                        seen[one] = len(plan.texts) + len(plan.growing)
                        pieces, first, step = one
                        plan.growing.append(
                            Growing(pieces=list(pieces), first=list(first), step=list(step))
                        )
                    column[place] = seen[one]
        key = (item.form, *(tuple(column) for column in columns))
        if key not in self._bodies:
            form = self._forms[item.form]
            self._bodies[key] = len(plan.bodies)
            plan.bodies.append(
                Body(
                    depth=form.depth.tolist(),
                    kind=form.kind.tolist(),
                    **dict(zip(COLUMNS, columns, strict=True)),
                )
            )
        return self._bodies[key]
