"""Growth of lengths from round to round, as autoregressive decoding shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genscope.trace.model import Int64

_MOST_CALLS = 40_000
_LONGEST = 2048
"""Calls in a round."""

_SHARE = 0.9
"""Part of the calls that have to grow."""

_BETTER = 0.005
"""A longer round has to fit better by this."""

_LEAST_COVERED = 0.5


@dataclass(frozen=True, slots=True)
class Growth:
    """Lengths that grow by `by` with every round of `length` calls, from `first` to `last`.

    Calls `start` up to, but without, `end` grow.
    """

    length: int
    by: int
    start: int
    end: int
    first: int
    last: int


def find_growth(lengths: Int64) -> Growth | None:
    """Return how lengths, shape (c,), grow from round to round; None where they do not.

    A few calls at the start (a prompt) and at the end may differ. Of sequences longer than 40,000
    calls the first 40,000 decide.
    """
    lengths = lengths[:_MOST_CALLS]
    count = len(lengths)
    if count < 4 or lengths.min() == lengths.max():
        return None
    best: Growth | None = None
    best_share = 0.0
    for length in range(1, min(count // 3, _LONGEST) + 1):
        found, share = _grown(lengths, length)
        if found is not None and share > best_share + _BETTER:
            best, best_share = found, share
    return best


def _grown(lengths: Int64, length: int) -> tuple[Growth | None, float]:
    """Growth over rounds of `length` calls, and the part of the calls that follow it."""
    change = lengths[length:] - lengths[:-length]
    rising = change[change > 0]
    if not len(rising) or len(rising) < _SHARE * (len(change) - 2 * length):
        return None, 0.0
    values, counts = np.unique(rising, return_counts=True)
    by = int(values[np.argmax(counts)])
    hits = np.flatnonzero(change == by)
    span = int(hits[-1]) - int(hits[0]) + 1
    share = len(hits) / span
    if share < _SHARE or span + length < _LEAST_COVERED * len(lengths) or span < 2 * length:
        return None, 0.0
    start, end = int(hits[0]), int(hits[-1]) + length
    return Growth(length, by, start, end + 1, int(lengths[start]), int(lengths[end])), share
