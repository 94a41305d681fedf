"""What ops outside attention tell of phases: timesteps, drawn tokens, scores over a vocabulary.

A denoiser embeds its timestep as sines and cosines of one row a sample, put together and projected
right away; embeddings of positions have a row a token and are not. Masked tokens are all embedded
and all drawn again in each round. A language model ends in scores over its vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.operands import Cat, Linear, Marks
from genscope.analysis.chains import parse_dims
from genscope.trace.model import Int32, Int64, Kind, Trace

_DRAWS = ("aten::multinomial", "aten::argmax")
_LEAST_TOKENS = 4
"""Tokens a sample from which they are drawn all at once, not one after the other."""

_LOOK_AHEAD = 6
"""Marks behind a sine, or embeddings before a draw, that are looked at."""

_WIDTHS = 3
"""Widths that the embedding of a timestep has: its own, and those of two layers."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Stretches of time on one track each, by start; arrays of shape (r,)."""

    track: Int32
    start_ns: Int64
    end_ns: Int64
    key: Int64
    """Alike for rounds that began alike."""
    told_ns: Int64
    """When what the round began with was last projected; its start where it never was."""

    def around(self, calls: Calls, places: Int64) -> Int64:
        """Number of the round in which each call starts, shape (k,), -1 for none."""
        found = np.full(len(places), -1, dtype=np.int64)
        start_ns, track = calls.start_ns[places], calls.track[places]
        for one in np.unique(self.track).tolist():
            lane = np.flatnonzero(self.track == one)
            mine = np.flatnonzero(track == one)
            at = np.searchsorted(self.start_ns[lane], start_ns[mine], side="right") - 1
            hit = (at >= 0) & (start_ns[mine] < self.end_ns[lane[np.maximum(at, 0)]])
            found[mine[hit]] = lane[at[hit]]
        return found


def _rounds(found: list[tuple[int, int, int, int, int]]) -> Rounds:
    table = np.array(sorted(found), dtype=np.int64).reshape(-1, 5)
    return Rounds(table[:, 0].astype(np.int32), *table.T[1:])


def _rows_of(trace: Trace, names: tuple[str, ...]) -> Int64:
    """Rows of ops with sizes by their names, by start."""
    events = trace.events
    wanted = [at for at, text in enumerate(trace.strings) if text in names]
    rows = np.flatnonzero(
        (events.kind == Kind.CPU_OP) & np.isin(events.name, wanted) & (events.dims >= 0)
    )
    ordered: Int64 = rows[np.argsort(events.start_ns[rows], kind="stable")]
    return ordered


def timestep_rounds(trace: Trace, marks: Marks) -> Rounds:
    """Find the stretches from one timestep embedding to the next, the last to the end of all.

    A video model may embed the numbers of frames in the same way, for each sample and frame: what
    has the fewest rows is the timestep.
    """
    events = trace.events
    seen: list[tuple[int, int, int, int]] = []
    for row in _sines(trace).tolist():
        rows, half = parse_dims(trace.strings[int(events.dims[row])])[0]
        track, start = int(events.track[row]), int(events.start_ns[row])
        if _is_projected(marks, track, start, rows, half):
            seen.append((track, start, rows, half))
    least = min((rows for _, _, rows, _ in seen), default=0)
    starts = sorted(one for one in seen if one[2] == least)
    end = int(events.end_ns.max()) + 1 if len(events) else 0
    found = []
    for place, (track, start, rows, half) in enumerate(starts):
        after = starts[place + 1] if place + 1 < len(starts) else None
        last = after[1] if after is not None and after[0] == track else end
        found.append((track, start, last, half, _last_read(marks, track, start, last, rows, half)))
    return _rounds(found)


def _last_read(marks: Marks, track: int, start: int, end: int, rows: int, half: int) -> int:
    """When the embedding that began a round, or what was made of it, was last projected."""
    low, high = np.searchsorted(marks.track, [track, track + 1])
    first, last = low + np.searchsorted(marks.start_ns[low:high], [start, end])
    widths, told = {2 * half}, start
    for at in range(int(first), int(last)):
        one = marks.told[int(marks.text[at])]
        if isinstance(one, Linear) and one.rows == rows and one.width in widths:
            told = int(marks.start_ns[at])
            # What is made of it is made at once: a layer or two.
            if len(widths) < _WIDTHS:
                widths.add(one.out)
    return told


def _sines(trace: Trace) -> Int64:
    """Rows of sines of (samples, width)."""
    rows = _rows_of(trace, ("aten::sin",))
    dims = trace.events.dims[rows]
    kept = [
        index
        for index in np.unique(dims).tolist()
        if [len(one) for one in parse_dims(trace.strings[index])[:1]] == [2]
    ]
    found: Int64 = rows[np.isin(dims, kept)]
    return found


def _is_projected(marks: Marks, track: int, start: int, rows: int, half: int) -> bool:
    """Whether the next marks put sine and cosine together and project them."""
    low, high = np.searchsorted(marks.track, [track, track + 1])
    at = int(low) + int(np.searchsorted(marks.start_ns[low:high], start))
    together = False
    for text in marks.text[at : min(at + _LOOK_AHEAD, int(high))].tolist():
        one = marks.told[text]
        if isinstance(one, Cat):
            together |= one.dim == 1 and one.pieces == ((rows, half), (rows, half))
        elif isinstance(one, Linear):
            return together and (one.rows, one.width) == (rows, 2 * half)
    return False


def drawing_rounds(trace: Trace) -> Rounds:
    """Find the stretches from an embedding of many tokens to where all of them are drawn."""
    events, strings = trace.events, trace.strings
    given: list[tuple[int, int, int, int]] = []
    for row in _rows_of(trace, ("aten::embedding",)).tolist():
        sizes = parse_dims(strings[int(events.dims[row])])
        if len(sizes) >= 2 and len(sizes[0]) == 2 and len(sizes[1]) >= 2:
            each = _product(sizes[1][1:])
            if each >= _LEAST_TOKENS:
                given.append((row, sizes[0][0], sizes[1][0], each))
    found = []
    starts = np.array([int(events.start_ns[row]) for row, _, _, _ in given], dtype=np.int64)
    before = 0
    for row in _rows_of(trace, _DRAWS).tolist() if given else []:
        sizes = parse_dims(strings[int(events.dims[row])])
        if not sizes or len(sizes[0]) < 2:
            continue
        drawn, choices = _product(sizes[0][:-1]), sizes[0][-1]
        start = int(events.start_ns[row])
        after = int(np.searchsorted(starts, start))
        for first, table, batch, each in given[max(before, after - _LOOK_AHEAD) : after]:
            # Guidance embeds each sample twice; tables hold a few marks beside what can be drawn.
            samples = drawn // each if drawn % each == 0 else 0
            if samples and batch in (samples, 2 * samples) and choices <= table <= 2 * choices:
                begin = int(events.start_ns[first])
                found.append((int(events.track[first]), begin, start, each, start))
                before = after
                break
    return _rounds(found)


def _product(sizes: tuple[int, ...]) -> int:
    product = 1
    for size in sizes:
        product *= size
    return product


def vocabularies(trace: Trace) -> dict[int, set[int]]:
    """Rows of the tables in which sequences are looked up, by the length of the sequences."""
    events = trace.events
    found: dict[int, set[int]] = {}
    for index in np.unique(events.dims[_rows_of(trace, ("aten::embedding",))]).tolist():
        sizes = parse_dims(trace.strings[index])
        if len(sizes) >= 2 and len(sizes[0]) == 2 and len(sizes[1]) == 2:
            found.setdefault(sizes[1][1], set()).add(sizes[0][0])
    return found


def scored(marks: Marks) -> set[int]:
    """How many scores a token each linear op of the trace gives."""
    return {one.out for one in marks.told if isinstance(one, Linear)}
