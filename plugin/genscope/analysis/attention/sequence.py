"""Sequence length per attention call: its period or growth, its levels, and the calls to draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence as Seq
from dataclasses import dataclass

import msgspec
import numpy as np

from genscope.analysis.attention.columns import Calls, alike
from genscope.analysis.attention.growth import Growth, find_growth
from genscope.analysis.attention.period import Period, find_period
from genscope.analysis.attention.record import Record, record_of
from genscope.analysis.attention.results import (
    FoundGrowth,
    FoundPeriod,
    Level,
    Sequence,
    Series,
    SeriesGroup,
)
from genscope.analysis.attention.view import shape_warning, time_of
from genscope.analysis.attention.where import ALL_CALLS, Where
from genscope.trace.model import NONE, Int32, Int64, Trace

POINTS = 4000
"""Calls drawn at once, unless others are asked for."""

MAX_POINTS = 8000

_FEWEST_PARTS = 32
"""With more kinds of call than this, a sequence is drawn by its peaks and troughs."""

_LEVELS = 200
_MODULES = 20
_GROUP = ("component", "kind", "axis", "implementation")


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls of a sequence to draw: from place `first` to `last`, both inclusive."""

    first: int = 0
    last: int | None = None
    """None for the end."""
    points: int = POINTS


WHOLE = Stretch()


@dataclass(frozen=True, slots=True)
class Ordered:
    """A sequence of calls with all that is said of it; quick to draw any stretch of."""

    record: Record
    places: Int64
    """Places of its calls among all of the record."""
    result: Sequence
    """Without calls to draw."""

    def drawn(self, stretch: Stretch) -> Sequence:
        """Return the result with the calls of a stretch."""
        calls = self.record.calls
        drawn = series(calls, self.places, time_of(calls), stretch)
        return msgspec.structs.replace(self.result, series=drawn)


def sequence(trace: Trace, where: Where = ALL_CALLS, stretch: Stretch = WHOLE) -> Sequence:
    """Return the sequence lengths of a trace's attention calls that `where` takes.

    Period, growth and levels are of all of those, whatever stretch is drawn.
    """
    return ordered(record_of(trace), where).drawn(stretch)


def ordered(record: Record, where: Where = ALL_CALLS) -> Ordered:
    """Find what there is to say of the calls of a record that `where` takes, in their order."""
    calls = record.calls
    listed = record.places(where)
    known = listed[calls.has_shape[listed]]
    time = time_of(calls)
    q, kv = calls.sizes["q_len"][known], calls.sizes["kv_len"][known]
    main = _main(calls, known, time)
    own = known[main]
    period = find_period(_symbols(calls, own))
    growth = _growth(calls, own, main)
    component = calls.text("component", int(own[0])) if len(own) else None
    levels = _levels(calls, known, time)
    result = Sequence(
        trace=record.trace,
        base_ns=record.base_ns,
        rank=record.rank,
        basis=record.basis,
        selection=where,
        calls=len(known),
        without_shapes=len(listed) - len(known),
        time_ns=int(time[known].sum()),
        q_range=_range(q),
        kv_range=_range(kv[kv >= 0]),
        period=_found_period(period, calls.sizes["q_len"][own], main, component),
        growth=growth,
        levels=levels[:_LEVELS],
        levels_left=max(0, len(levels) - _LEVELS),
        series=series(calls, known[:0], time, WHOLE),
        sentence=_sentence(q, len(own), component, period, growth),
        warnings=[*record.warnings(where), *shape_warning(calls, listed)],
    )
    return Ordered(record, known, result)


def _main(calls: Calls, known: Int64, time: Int64) -> Int64:
    """Which of `known` are of the component that takes the most attention time; shape (m,)."""
    if not len(known):
        return known
    component = calls.texts["component"][known]
    names, group = np.unique(component, return_inverse=True)
    spent = np.zeros(len(names), dtype=np.int64)
    np.add.at(spent, group.reshape(-1), time[known])
    return np.flatnonzero(group.reshape(-1) == int(spent.argmax()))


def _symbols(calls: Calls, places: Int64) -> Int64:
    """A number a call by component, kind, axis and lengths; keys in a cache tell none apart."""
    q, kv = calls.sizes["q_len"][places], calls.sizes["kv_len"][places]
    cached = calls.is_word("kind", "self")[places] & (kv > q)
    words = [calls.texts[name][places] for name in ("component", "kind", "axis")]
    return alike([q, np.where(cached, NONE, kv), *words])[1]


def _growth(calls: Calls, own: Int64, main: Int64) -> FoundGrowth | None:
    """Growth of the calls at `own`, else of those of self attention: a prompt does not grow."""
    alone = np.flatnonzero(calls.is_word("kind", "self")[own])
    found = _grown(calls, own, main)
    return found or (_grown(calls, own[alone], main[alone]) if len(alone) < len(own) else None)


def _grown(calls: Calls, own: Int64, main: Int64) -> FoundGrowth | None:
    if not len(own):
        return None
    for name in ("q_len", "kv_len"):
        found: Growth | None = find_growth(calls.sizes[name][own])
        if found is not None and found.by > 0:
            return FoundGrowth(
                of=name,
                calls=found.length,
                by=found.by,
                first=int(main[found.start]),
                last=int(main[found.end - 1]),
                from_length=found.first,
                to_length=found.last,
            )
    return None


def _found_period(
    period: Period | None, q: Int64, main: Int64, component: str | None
) -> FoundPeriod | None:
    if period is None:
        return None
    return FoundPeriod(
        component=component,
        length=period.length,
        first=int(main[period.start]),
        last=int(main[period.end - 1]),
        repeats=period.repeats,
        edits=period.edits,
        lengths=q[period.start : period.start + period.length].tolist(),
    )


def _range(lengths: Int64) -> list[int] | None:
    return [int(lengths.min()), int(lengths.max())] if len(lengths) else None


def _levels(calls: Calls, places: Int64, time: Int64) -> list[Level]:
    """Calls by query length, the longest first."""
    q = calls.sizes["q_len"][places]
    total = max(int(time[places].sum()), 1)
    lengths, group = np.unique(q, return_inverse=True)
    order = np.argsort(group.reshape(-1), kind="stable")
    bounds = np.searchsorted(group.reshape(-1)[order], np.arange(len(lengths) + 1))
    levels = []
    for number in range(len(lengths) - 1, -1, -1):
        inside = places[order[bounds[number] : bounds[number + 1]]]
        kv = calls.sizes["kv_len"][inside]
        modules = list(
            dict.fromkeys(
                calls.words.text(at) or ""
                for at in np.unique(calls.texts["module"][inside]).tolist()
                if at >= 0
            )
        )
        spent = int(time[inside].sum())
        kinds = Counter(calls.texts["kind"][inside].tolist())
        levels.append(
            Level(
                q_len=int(lengths[number]),
                kv_lens=[int(kv.min()), int(kv.max())],
                calls=len(inside),
                time_ns=spent,
                share=spent / total,
                kinds={calls.words.text(kind) or "unknown": count for kind, count in kinds.items()},
                modules=modules[:_MODULES],
                modules_left=max(0, len(modules) - _MODULES),
            )
        )
    return levels


def series(calls: Calls, places: Int64, time: Int64, stretch: Stretch) -> Series:
    """Take the calls to draw of those at `places`, shape (k,)."""
    first = min(max(stretch.first, 0), max(len(places) - 1, 0))
    last = len(places) - 1 if stretch.last is None else min(stretch.last, len(places) - 1)
    part = places[first : last + 1]
    words = [calls.texts[name][part] for name in _GROUP]
    drawn = _drawn(calls.sizes["q_len"][part], calls.sizes["kv_len"][part], words, stretch.points)
    shown = part[drawn]
    keys = np.stack([calls.texts[name][shown] for name in _GROUP], axis=1)
    distinct, group = np.unique(keys, axis=0, return_inverse=True)
    word = calls.words.text
    return Series(
        first=first,
        last=max(last, first - 1),
        total=len(places),
        each=len(part) / max(len(shown), 1),
        place=(first + drawn).tolist(),
        index=shown.tolist(),
        start_ns=calls.start_ns[shown].tolist(),
        q_len=calls.sizes["q_len"][shown].tolist(),
        kv_len=calls.sizes["kv_len"][shown].tolist(),
        time_ns=time[shown].tolist(),
        group=group.reshape(-1).tolist(),
        groups=[
            SeriesGroup(**dict(zip(_GROUP, (word(at) for at in row), strict=True)))
            for row in distinct.tolist()
        ],
    )


def _drawn(q: Int64, kv: Int64, words: Seq[Int32], points: int) -> Int64:
    """Which of a stretch of calls to draw; sorted, and no more than `points`, at least 4.

    Where few kinds of call are there, by lengths and words, the first of each kind in each part of
    the stretch, so that no level and no kind vanishes. Where there are many, what is shortest and
    longest in each part, so that every peak and trough is there.
    """
    count = len(q)
    if count <= points:
        return np.arange(count, dtype=np.int64)
    first, symbol = alike([q, kv, *words])
    distinct = len(first)
    parts = points // distinct
    if parts >= max(points // _FEWEST_PARTS, 1):
        part = np.arange(count, dtype=np.int64) * parts // count
        _, taken = np.unique(part * distinct + symbol, return_index=True)
        return np.sort(taken).astype(np.int64)
    edges = np.linspace(0, count, max(points // 4, 1) + 1).astype(np.int64)
    peaks = [
        low + at
        for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        if high > low
        for column in (q[low:high], kv[low:high])
        for at in (int(column.argmin()), int(column.argmax()))
    ]
    return np.unique(np.array(peaks, dtype=np.int64))


def _sentence(
    q: Int64, own: int, component: str | None, period: Period | None, growth: FoundGrowth | None
) -> str:
    if not len(q):
        return "No attention call with known lengths."
    low, high = int(q.min()), int(q.max())
    span = f"{high:,}" if low == high else f"{low:,} to {high:,}"
    head = f"{len(q):,} attention calls of {span} queries"
    of = f" of {component}" if component and own < len(q) else ""
    if growth is not None:
        what = "keys" if growth.of == "kv_len" else "sequences"
        return (
            f"{head}: {what}{of} grow by {growth.by:,} every {growth.calls:,} calls, from "
            f"{growth.from_length:,} to {growth.to_length:,}."
        )
    if period is None:
        return f"{head}: those{of} have no period." if of else f"{head}, with no period."
    if period.length == 1:
        part = "all" if period.covered == own else f"{period.covered:,} in a row"
        return f"{head}: those{of} are alike." if of else f"{head}, {part} alike."
    return f"{head}: a pattern of {period.length:,} calls{of}, {period.repeats:.4g} times."
