"""Views of attention calls, answered from the calls alone once a trace has been looked through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import msgspec

from genscope.analysis.attention import lend_calls
from genscope.analysis.attention.record import Record, record_of
from genscope.analysis.attention.sequence import WHOLE, Ordered, Stretch, ordered
from genscope.analysis.attention.space_time import space_time_of
from genscope.analysis.attention.view import attention_of, calls_window
from genscope.analysis.attention.where import Where
from genscope.analysis.windows import BEGINNING, Window
from genscope.tensorboard.memory import Memory
from genscope.tensorboard.views import Ask
from genscope.trace import Trace

MAX_RECORD_BYTES = 256 << 20
"""Calls kept in memory, at most: a hundred thousand take about 25 MB, and 4 bytes an event."""

MAX_ORDERED_BYTES = 32 << 20

Parts = Window | Stretch | None

_SEQUENCE = "sequence"

_VIEWS: Mapping[str, Callable[[Record, Where, Parts], msgspec.Struct]] = {
    "attention": lambda record, where, _: attention_of(record, where, with_calls=False),
    "calls": lambda record, where, part: calls_window(
        record, where, cast("Window", part or BEGINNING)
    ),
    "spatial-temporal": lambda record, where, _: space_time_of(record, where),
}
"""What computes each view from the calls, in little time."""

CALL_VIEWS = frozenset({*_VIEWS, _SEQUENCE})
"""By name, which is that of the route."""


class CallViews:
    """Keeps the calls of traces by key (None: they are not kept). Safe to use from threads."""

    def __init__(self) -> None:
        self._records: Memory[str, Record] = Memory(
            lambda record: record.size_bytes, MAX_RECORD_BYTES
        )
        self._ordered: Memory[tuple[str, Where], Ordered] = Memory(
            lambda found: found.places.nbytes, MAX_ORDERED_BYTES
        )

    def recent(self, key: str, ask: Ask) -> msgspec.Struct | None:
        """Answer from calls that are kept; None where there are none, or it would take long."""
        where = cast("Where", ask.selection)
        if ask.view == _SEQUENCE:
            found = self._ordered.get((key, where))
            return None if found is None else _drawn(found, ask)
        record = self._records.get(key) if ask.view in _VIEWS else None
        return None if record is None else _VIEWS[ask.view](record, where, ask.window)

    def answer(self, trace: Trace, key: str | None, ask: Ask) -> msgspec.Struct:
        """Answer from a trace, and keep its calls."""
        where = cast("Where", ask.selection)
        record = self._records.get(key) if key is not None else None
        if record is None:
            record = record_of(trace)
            if key is not None:
                self._records.put(key, record)
        if ask.view != _SEQUENCE:
            return _VIEWS[ask.view](record, where, ask.window)
        found = ordered(record, where)
        if key is not None:
            self._ordered.put((key, where), found)
        return _drawn(found, ask)

    def lend(self, trace: Trace, key: str | None) -> None:
        """Spare other views of a trace the search for calls that are kept."""
        record = self._records.get(key) if key is not None else None
        if record is not None:
            lend_calls(trace, record.calls)


def _drawn(found: Ordered, ask: Ask) -> msgspec.Struct:
    return found.drawn(cast("Stretch", ask.window or WHOLE))
