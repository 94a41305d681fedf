"""The fundamental period of a sequence of attention calls.

A denoising step, or a pass over the layers, makes the same calls again and again. Recordings have
warm-up before it, a call more or less here and there, and other work in between, so periods are
weighed by what they explain: a period of p calls that describes n of them with e edits saves
n - p - 6 e. The largest saving wins, and none is named where nothing is saved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from genscope.trace.model import Int64

_EDIT = 6
"""What an edit weighs against calls explained."""

_LONGEST = 4096
_MOST_CALLS = 40_000
_CANDIDATES = 16
_LOOKAHEAD = 6
_MOST_SKIPPED = 8
"""Calls missing or too many in one place that are followed."""

_LEAST_COVERED = 0.5
_NEAR = 3
_MORE_EDITS = 1.5
_RIVAL = 0.8
"""A damaged pattern is no answer where another of no more than its length, or a few calls longer,
saves this part of what it saves with about as few edits."""
_NEARLY_ALL = 0.9
_FEW_EDITS = 0.6
_MOST_EDITS = 1.5
"""Edits a repeat beyond which nothing repeats."""


@dataclass(frozen=True, slots=True)
class Period:
    """The shortest repeating pattern: calls `start` to `end` are `length` calls again and again.

    `edits` are calls in there that are missing, too many or different.
    """

    length: int
    start: int
    end: int
    repeats: float
    edits: int

    @property
    def covered(self) -> int:
        """Number of calls that the pattern explains."""
        return self.end - self.start


def find_period(symbols: Int64) -> Period | None:
    """Return the fundamental period of a sequence of symbols, shape (c,); None where it has none.

    Of sequences longer than 40,000 calls the first 40,000 decide.
    """
    symbols = symbols[:_MOST_CALLS]
    if len(symbols) < 2:
        return None
    found: dict[int, Period] = {}
    most = 0
    for length in _candidates(symbols):
        # No longer pattern can save more than all calls but itself.
        if len(symbols) - length > most:
            _try(symbols, length, found)
            most = max(most, _saving(found[length]) if length in found else 0)
    if not found:
        return None
    best = _best(found)
    # Damage can make a pattern a call longer or shorter look best: its neighbours are tried too.
    for length in (*range(best.length - 2, best.length + 3), best.length // 2, best.length // 3):
        if 0 < length <= len(symbols) // 2:
            _try(symbols, length, found)
    best = _undivided(symbols, _best(found), found)
    if _saving(best) <= 0 or best.covered < max(2 * best.length, _LEAST_COVERED * len(symbols)):
        return None
    rivals = [
        _saving(one)
        for length, one in found.items()
        if best.length % length
        and length <= best.length + _NEAR
        and one.edits <= _MORE_EDITS * best.edits
    ]
    if best.edits and max(rivals, default=0) > _RIVAL * _saving(best):
        return None
    if best.edits >= _MOST_EDITS * best.repeats:
        return None
    return best


def _undivided(symbols: Int64, best: Period, found: dict[int, Period]) -> Period:
    """The shortest divisor that explains as much with few edits: damage inside a pattern hides it.

    A pattern that truly differs from a part of it needs an edit there in each of its repeats.
    """
    template = symbols[best.start : best.start + best.length]
    for length in range(1, best.length // 2 + 1):
        if best.length % length == 0:
            if np.array_equal(template, np.tile(template[:length], best.length // length)):
                return replace(best, length=length, repeats=best.covered / length)
            _try(symbols, length, found)
            one = found.get(length)
            if (
                one is not None
                and one.edits < _FEW_EDITS * one.covered / best.length
                and one.covered >= best.covered
            ):
                return one
    return best


def _try(symbols: Int64, length: int, found: dict[int, Period]) -> None:
    if length not in found:
        fitted = _fit(symbols, length)
        if fitted is not None:
            found[length] = fitted


def _best(found: dict[int, Period]) -> Period:
    return max(found.values(), key=lambda one: (_saving(one), -one.length))


def _candidates(symbols: Int64) -> list[int]:
    """Lags at which the sequence is most like itself, or repeats itself exactly; shortest first."""
    count = len(symbols)
    longest = min(count // 2, _LONGEST)
    alike = np.empty(longest, dtype=np.float64)
    repeated = np.zeros(longest, dtype=np.float64)
    for lag in range(1, longest + 1):
        same = symbols[lag:] == symbols[:-lag]
        alike[lag - 1] = np.count_nonzero(same) / (count - lag)
        if len(same) >= lag:
            total = np.concatenate([[0], np.cumsum(same)])
            whole = np.count_nonzero(total[lag:] - total[:-lag] == lag)
            repeated[lag - 1] = whole / (count - 2 * lag + 1)
    chosen: set[int] = set()
    for score in (alike, repeated):
        order = np.argsort(-score, kind="stable")[:_CANDIDATES]
        chosen.update(place + 1 for place in order.tolist() if score[place] >= 0.1)
    # A lag that a missing call hides is found through its multiples and their divisors.
    for lag in list(chosen):
        for divisor in range(2, 9):
            if lag % divisor == 0 and alike[lag // divisor - 1] >= 0.5 * alike[lag - 1]:
                chosen.add(lag // divisor)
    return sorted(chosen)


def _fit(symbols: Int64, length: int) -> Period | None:
    """Follow the pattern of `length` calls through the sequence, with edits."""
    best: Period | None = None
    for anchor in _anchors(symbols, length):
        found = _from(symbols, anchor, length)
        if best is None or _saving(found) > _saving(best):
            best = found
        if not found.edits and found.covered > _NEARLY_ALL * len(symbols):
            break
    if best is None or best.covered < 2 * length:
        return None
    return best


def _saving(period: Period) -> int:
    return period.covered - period.length - _EDIT * period.edits


def _from(symbols: Int64, anchor: int, length: int) -> Period:
    """Follow the calls at `anchor` as a pattern in both directions."""
    template = symbols[anchor : anchor + length]
    after, edits_after = _follow(symbols, template, anchor)
    before, edits_before = _follow(symbols[::-1], template[::-1], len(symbols) - anchor)
    start, end = len(symbols) - before, after
    return Period(length, start, end, (end - start) / length, edits_after + edits_before)


def _anchors(symbols: Int64, length: int) -> list[int]:
    """Starts of a few patterns that the calls after them repeat best."""
    same = symbols[length:] == symbols[:-length]
    if len(same) < length:
        return []
    total = np.concatenate([[0], np.cumsum(same)])
    runs = total[length:] - total[:-length]
    best = int(runs.max())
    places = np.flatnonzero(runs == best)
    if best < length and best < 0.6 * length:
        return []
    # Among equals some of the middle: warm-up lies before it.
    return sorted({int(places[int(len(places) * part)]) for part in (0.25, 0.5, 0.75)})


def _follow(symbols: Int64, template: Int64, start: int) -> tuple[int, int]:
    """Go on from `start` with the template; return where the best stretch ends, and its edits."""
    length = len(template)
    at, phase, edits = start, 0, 0
    score = best_score = 0
    best = (start, 0)
    twice = np.concatenate([template, template, template[:_LOOKAHEAD]])
    while at < len(symbols):
        if phase == 0 and np.array_equal(symbols[at : at + length], template):
            at += length
            score += length
        elif symbols[at] == template[phase]:
            at, phase = at + 1, (phase + 1) % length
            score += 1
        else:
            skip_data, skip_template = _resume(symbols, at, twice, phase, length)
            edits += max(skip_data, skip_template)
            score -= _EDIT * max(skip_data, skip_template)
            at, phase = at + skip_data, (phase + skip_template) % length
            if score < best_score - _EDIT * (length + 16):
                break
            continue
        if score > best_score:
            best_score, best = score, (at, edits)
    return best


def _resume(symbols: Int64, at: int, twice: Int64, phase: int, length: int) -> tuple[int, int]:
    """How many calls and how many places of the pattern to skip so that both agree again."""
    most = min(_MOST_SKIPPED, length)
    ahead = min(_LOOKAHEAD, max(2, length))
    options: list[tuple[int, int, int, int]] = []
    for weight in range(1, most + 1):
        for skip_data, skip_template in ((weight, weight), (0, weight), (weight, 0)):
            seen = symbols[at + skip_data : at + skip_data + ahead]
            place = (phase + skip_template) % length
            wanted = _ahead(twice, place, len(seen), length)
            agree = int(np.count_nonzero(seen == wanted)) if len(seen) else 0
            options.append((agree - 2 * weight, -weight, skip_data, skip_template))
    best = max(options)
    return best[2], best[3]


def _ahead(twice: Int64, place: int, count: int, length: int) -> Int64:
    if place + count <= len(twice):
        return twice[place : place + count]
    return twice[(place + np.arange(count)) % length]
