"""Track events as Chrome once wrote them: with a phase, and times of their own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from genscope.trace.model import NONE, Bool, Int64
from genscope.trace.native.fields import BEGIN, END, INSTANT, Event, Legacy
from genscope.trace.native.tracks import Tracks
from genscope.trace.native.wire import VARINT, Fields, split

_COMPLETE = ord("X")
_TYPES = {ord("B"): BEGIN, ord("E"): END, ord("I"): INSTANT, ord("i"): INSTANT}
_LONGEST_US = 7 * 86_400 * 10**6
_LATEST_US = 2**62 // 1000


class LegacyEvent(NamedTuple):
    """What a phase says: a type, or a duration, or another phase that is only counted."""

    type: int = 0
    duration_ns: int = NONE
    name_iid: int = 0
    thread: tuple[int, int] | None = None
    mended: str = ""
    other: str = ""


def legacy_event(text: bytes) -> LegacyEvent:
    """Read the part of an event that has its phase."""
    one = {number: v for number, wire, v, _ in split(text, 0, len(text)) if wire == VARINT}
    thread = None
    if Legacy.PID in one and Legacy.TID in one:
        thread = (one[Legacy.PID] & 0x7FFF_FFFF, one[Legacy.TID] & 0x7FFF_FFFF)
    found = LegacyEvent(name_iid=one.get(Legacy.NAME_IID, 0), thread=thread)
    phase = one.get(Legacy.PHASE, 0)
    if phase == _COMPLETE:
        length = one.get(Legacy.DURATION_US, 0)
        if length <= _LONGEST_US:
            return found._replace(duration_ns=length * 1000)
        code = "negative" if length >> 63 else "overflowed"
        return found._replace(duration_ns=0, mended=f"{code}_duration")
    if phase in _TYPES:
        return found._replace(type=_TYPES[phase])
    if phase:
        return found._replace(other=chr(phase) if 32 < phase < 127 else "?")
    return found


def old_times(found: Fields, sequence: Int64, tracks: Tracks, time: Int64, known: Bool) -> None:
    """Fill in times that stand in the events themselves, in microseconds, where none is known.

    Relative ones count from the one before on their sequence. `sequence`, `time` and `known` have
    an entry an event.
    """
    absolute = found.of(Event.ABSOLUTE_US, VARINT)
    relative = found.of(Event.DELTA_US, VARINT)
    if not len(absolute.owner) and not len(relative.owner):
        return
    owners = np.concatenate([absolute.owner, relative.owner])
    values = np.concatenate([absolute.value, relative.value]).view(np.int64)
    is_relative = np.arange(len(owners)) >= len(absolute.owner)
    for place in np.argsort(owners, kind="stable").tolist():
        owner, value = int(owners[place]), int(values[place])
        if known[owner] or abs(value) > _LATEST_US:
            continue
        writer = int(sequence[owner])
        if is_relative[place]:
            value += tracks.reference_us(writer)
            tracks.advance_us(writer, value)
        if abs(value) < _LATEST_US:
            time[owner], known[owner] = value * 1000, True
