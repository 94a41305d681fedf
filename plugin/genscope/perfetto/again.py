"""The source read a second time, beside its `Trace`: what the columns do not keep of each event.

Arguments go to a file as they come, encoded; everything else is held as columns, in the order of
the rows of the trace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import msgspec
import numpy as np
from msgspec import UNSET, Raw, UnsetType

from genscope.perfetto.memory import MEMORY, Allocations, Series
from genscope.perfetto.spans import PHASES, Spans
from genscope.perfetto.texts import Texts
from genscope.trace.blocks import Blocks
from genscope.trace.columns import has_decimal_epochs
from genscope.trace.convert import lane, starts
from genscope.trace.decode import DECODE_ERRORS, AnyEvent, Event, ExactEvent, lenient
from genscope.trace.errors import TraceError
from genscope.trace.model import Int32, Int64, Trace
from genscope.trace.source import Limits, Progress, Source

Lane = tuple["int | str", "int | str"]
"""Process and thread."""


SPAN, INSTANT = 1 << 29, 1 << 30
"""From where on the arguments of asynchronous slices and of instants are numbered."""

_NOTHING = (Raw(b"{}"), Raw(b"null"))


class Whole(Event):
    """An event with the text of its arguments."""

    args: Raw | UnsetType = UNSET  # type: ignore[assignment] # read later, by category


class WholeExact(ExactEvent):
    """The same with the text of its start."""

    args: Raw | UnsetType = UNSET  # type: ignore[assignment]


_decode = msgspec.json.Decoder(list[Whole]).decode
_decode_exact = msgspec.json.Decoder(list[WholeExact]).decode
decode_whole = msgspec.json.Decoder(WholeExact).decode


class Decoder:
    """Decode the JSON array of a block, as the reader of traces does."""

    def __init__(self) -> None:
        self._exact = False

    def __call__(self, text: bytes) -> Sequence[AnyEvent]:
        """Return the events; raise one of DECODE_ERRORS where `text` does not decode."""
        if not self._exact:
            events = _decode(text)
            if not has_decimal_epochs(events, text):
                return events
            self._exact = True
        return _decode_exact(text)


def lenient_whole(text: bytes) -> WholeExact:
    """Decode one event whose fields may have any type. Raises one of DECODE_ERRORS."""
    event = lenient(text)
    raw = msgspec.json.decode(text, type=dict[str, Raw])
    fields = {name: getattr(event, name) for name in ExactEvent.__struct_fields__ if name != "args"}
    return WholeExact(**fields, args=raw.get("args", UNSET))


class TakesArguments(Protocol):
    """Where the arguments of events go, as JSON text."""

    def add(self, group: str | None, events: Sequence[int], texts: Sequence[Raw]) -> None:
        """Take those of `events`, of the category `group`."""


@dataclass(slots=True)
class Points:
    """Instants, in file order; one entry each."""

    parts: list[Int64] = field(default_factory=list)
    """Their times, an array for each block."""
    lane: list[Lane] = field(default_factory=list)
    name: list[int] = field(default_factory=list)
    category: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lane)

    def at_ns(self) -> Int64:
        """Their times, as the source counts them; shape (k,)."""
        return np.concatenate([np.zeros(0, dtype=np.int64), *self.parts])


@dataclass(slots=True)
class Labels:
    """What metadata events say of a process or thread."""

    names: dict[Any, str] = field(default_factory=dict)
    labels: dict[Any, str] = field(default_factory=dict)
    order: dict[Any, int] = field(default_factory=dict)


_LABELS: Mapping[str, tuple[str, str]] = {
    "process_name": ("names", "name"),
    "thread_name": ("names", "name"),
    "process_labels": ("labels", "labels"),
    "process_sort_index": ("order", "sort_index"),
    "thread_sort_index": ("order", "sort_index"),
}


class Again:
    """What the second reading finds. Times are nanoseconds as the source counts them."""

    def __init__(
        self,
        trace: Trace,
        categories: Texts,
        names: Texts,
        arguments: TakesArguments,
    ) -> None:
        """`arguments` gets those of slices by row, of others from `SPAN` and `INSTANT` on."""
        self.category: Int32 = np.zeros(len(trace.events), dtype=np.int32)
        """Interned category of each row, 0 for none."""
        self.points = Points()
        self.spans = Spans()
        self.counters: dict[tuple[int | str, str], Series] = {}
        """By process and name."""
        self.memory = Allocations()
        self.processes = Labels()
        self.threads = Labels()
        self.left: Counter[str] = Counter()
        """Events that are not exported, by phase; flows are found by linking instead."""
        self.repaired: Counter[str] = Counter()
        self.origin_ns = 0
        """Time of the first slice as the source counts it."""
        self._trace = trace
        self._categories = categories
        self._names = names
        self._arguments = arguments
        self._row = 0

    def read(self, limits: Limits | None = None, progress: Progress | None = None) -> None:
        """Read the source. Raises TraceError where it is not what the trace was read from."""
        limits = limits or Limits()
        source = Source(self._trace.path, limits=limits, progress=progress)
        try:
            blocks = Blocks(source, Decoder(), limits, one=decode_whole, lenient=lenient_whole)
            for _, events in blocks:
                self._block(cast("Sequence[Whole]", events))
            self.repaired = blocks.repairs
        finally:
            source.close()
        if self._row != len(self._trace.events):
            raise self._changed()

    def _changed(self) -> TraceError:
        return TraceError(f"{self._trace.path}: changed while it was read; try again")

    def _block(self, events: Sequence[Whole]) -> None:
        slices = [event for event in events if event.ph == "X"]
        if len(slices) < len(events):
            # The columns have what begins and ends before the whole slices of a block.
            self._slices([event for event in events if event.ph == "B"])
            self._others([event for event in events if event.ph not in ("X", "B", "E")])
        self._slices(slices)

    def _slices(self, slices: list[Whole]) -> None:
        if not slices:
            return
        start, known = starts(slices)
        if not known.all():
            slices = [event for event, ok in zip(slices, known.tolist(), strict=True) if ok]
            start = start[known]
        first, behind = self._row, self._row + len(slices)
        self._row = behind
        expected = self._trace.events.start_ns[first:behind]
        if first == 0 and len(slices) and len(expected):
            self.origin_ns = int(start[0] - expected[0])
        if len(expected) != len(slices) or not np.array_equal(start - self.origin_ns, expected):
            raise self._changed()
        categories = [event.cat for event in slices]
        distinct = dict.fromkeys(categories)
        numbers = {one: 0 if one is None else self._categories[one] for one in distinct}
        self.category[first:behind] = [numbers[one] for one in categories]
        groups: dict[str | None, tuple[list[int], list[Raw]]] = {one: ([], []) for one in numbers}
        for row, (category, event) in enumerate(zip(categories, slices, strict=True), first):
            if event.args is not UNSET:
                rows, texts = groups[category]
                rows.append(row)
                texts.append(event.args)
        for category, (rows, texts) in groups.items():
            self._arguments.add(category, rows, texts)

    # Other events ---------------------------------------------------------------------------

    def _others(self, events: list[Whole]) -> None:
        kinds: dict[str, list[Whole]] = {}
        for event in events:
            # Which of two at one instant is first decides what they pair with.
            phase = PHASES[0] if event.ph in PHASES else event.ph
            kinds.setdefault(phase, []).append(event)
        for phase, found in kinds.items():
            if phase in ("i", "I", "R"):
                self._instants(found)
            elif phase in PHASES:
                self._spans(found)
            elif phase == "C":
                self._counts(found)
            elif phase == "M":
                self._metadata(found)
            elif phase not in ("s", "t", "f"):
                self.left[phase] += len(found)

    def _timed(self, events: list[Whole]) -> tuple[list[Whole], Int64]:
        start, known = starts(events)
        self.left["without a start"] += int((~known).sum())
        kept = [event for event, ok in zip(events, known.tolist(), strict=True) if ok]
        return kept, start[known]

    def _instants(self, events: list[Whole]) -> None:
        events, at_ns = self._timed(events)
        points = self.points
        for event in events:
            if event.args is not UNSET:
                number = INSTANT + len(points)
                self._arguments.add(event.cat, [number], [event.args])
            points.lane.append((lane(event.pid), lane(event.tid)))
            points.name.append(self._names[event.name or ""])
            points.category.append(0 if event.cat is None else self._categories[event.cat])
        points.parts.append(at_ns)
        told = [place for place, event in enumerate(events) if event.name == MEMORY]
        self.memory.add([events[place].args for place in told], at_ns[told].tolist())

    def _spans(self, events: list[Whole]) -> None:
        events, at_ns = self._timed(events)
        spans = self.spans
        for event, at in zip(events, at_ns.tolist(), strict=True):
            begins = event.ph != PHASES[-1]
            if event.args is not UNSET and event.args not in _NOTHING:
                if begins:
                    self._arguments.add(event.cat, [SPAN + spans.count], [event.args])
                else:
                    self.left["arguments of e"] += 1
            # Ids of other forms are not read: then the name tells apart what overlaps.
            own = event.name if event.id is None else event.id
            key = (lane(event.pid), event.cat or "", own)
            name = self._names[event.name or ""] if begins else 0
            number = 0 if event.cat is None else self._categories[event.cat]
            spans.add(event.ph, at, key, name, number)

    def _counts(self, events: list[Whole]) -> None:
        events, at_ns = self._timed(events)
        for event, at in zip(events, at_ns.tolist(), strict=True):
            try:
                values = msgspec.json.decode(event.args, type=dict[str, Any])  # type: ignore[arg-type]
            except (*DECODE_ERRORS, TypeError):
                values = {}
            numbers = {
                name: value
                for name, value in values.items()
                if isinstance(value, int | float) and abs(value) < 1 << 63
            }
            if not numbers:
                self.left["C without a number"] += 1
            for name, value in numbers.items():
                title = event.name or ""
                if len(values) > 1:
                    title = f"{title} {name}"
                series = self.counters.setdefault((lane(event.pid), title), Series())
                series.at_ns.append(at)
                series.value.append(value)

    def _metadata(self, events: list[Whole]) -> None:
        for event in events:
            name = event.name or ""
            if name not in _LABELS or event.args is UNSET:
                continue
            table, member = _LABELS[name]
            try:
                value = msgspec.json.decode(event.args, type=dict[str, Any]).get(member)
            except DECODE_ERRORS:
                continue
            is_process = name.startswith("process")
            of = self.processes if is_process else self.threads
            key: Any = lane(event.pid)
            if not is_process:
                key = (key, lane(event.tid))
            if table == "order":
                if (rank := _whole(value)) is not None:
                    of.order[key] = rank
            elif value is not None:
                getattr(of, table)[key] = str(value)[:1000]


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and abs(value) < 1 << 31 else None
