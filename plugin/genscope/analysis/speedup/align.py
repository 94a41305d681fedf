"""Two sequences of calls side by side: which call of the one is which of the other.

Long sequences are first cut at stretches that both have (anchors); between those stands little,
which is aligned exactly. Everything looks from the end to the front: what a recording has too much
is warm-up, and that comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from genscope.trace.model import Bool, Int64

Level = tuple[Int64, Int64]
"""Symbols of both sequences, shapes (n,) and (m,); calls of equal symbols are alike."""

MayBe = Callable[[Int64, Int64], Bool]
"""Places in both sequences, shapes that broadcast, to whether they may be the same call."""

_WINDOW = 8
"""Calls in a row that both must have for an anchor."""
_CELLS = 1_000_000
"""Pairs of calls that are compared one by one."""
_NEAR = 64
_LOOK_FACTOR = 16
_WILD_SCORE = 2

Region = tuple[int, int, int, int]
"""First place and the one behind the last, of both sequences."""


def align(count: int, other: int, levels: Sequence[Level], may_be: MayBe) -> tuple[Int64, Int64]:
    """Return places in both sequences, ascending, of the calls that are the same; shape (k,) each.

    `levels` go from strict to loose; calls that are alike at a strict level are preferred. Calls
    that are alike at none can still be the same where `may_be` says so and their neighbours agree.
    """
    back = [(mine[::-1], theirs[::-1]) for mine, theirs in levels]

    def back_may_be(mine: Int64, theirs: Int64) -> Bool:
        return may_be(count - 1 - mine, other - 1 - theirs)

    firsts: list[Int64] = []
    seconds: list[Int64] = []
    todo: list[tuple[Region, int]] = [((0, count, 0, other), 0)]
    while todo:
        region, level = todo.pop()
        start, end, first, behind = region
        if start == end or first == behind:
            continue
        if (end - start) * (behind - first) <= _CELLS:
            mine, theirs = _exactly(region, back, back_may_be)
        elif level < len(back):
            runs = _anchors(back[level][0][start:end], back[level][1][first:behind])
            todo += [(rest, level + 1) for rest in _between(region, runs)]
            mine = _spread([(start + at, length) for at, _, length in runs])
            theirs = _spread([(first + at, length) for _, at, length in runs])
        else:
            mine, theirs = _straight(region, back_may_be)
        firsts.append(count - 1 - mine)
        seconds.append(other - 1 - theirs)
    if not firsts:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    found = np.concatenate(firsts)
    order = np.argsort(found)
    return found[order], np.concatenate(seconds)[order]


def _spread(runs: list[tuple[int, int]]) -> Int64:
    """Places of runs, given by start and length."""
    if not runs:
        return np.zeros(0, dtype=np.int64)
    return np.concatenate([np.arange(at, at + length, dtype=np.int64) for at, length in runs])


def _between(region: Region, runs: list[tuple[int, int, int]]) -> list[Region]:
    """What is left of a region before, between and behind its anchors."""
    start, end, first, behind = region
    rest = []
    at, other = start, first
    for place, other_place, length in runs:
        rest.append((at, start + place, other, first + other_place))
        at, other = start + place + length, first + other_place + length
    rest.append((at, end, other, behind))
    return rest


def _anchors(mine: Int64, theirs: Int64) -> list[tuple[int, int, int]]:
    """Stretches that both have, in order: places in both and a length."""
    windows, other_windows = _windows(mine), _windows(theirs)
    found: list[tuple[int, int, int]] = []
    at = other = 0
    while at < len(mine) and other < len(theirs):
        skip = _resume(windows[at:], other_windows[other:], mine[at:], theirs[other:])
        if skip is None:
            break
        at, other = at + skip[0], other + skip[1]
        length = _common(mine[at:], theirs[other:])
        if length:
            found.append((at, other, length))
        at, other = at + max(length, 1), other + max(length, 1)
    return found


def _windows(symbols: Int64) -> npt.NDArray[np.uint64]:
    """A hash of each call and those behind it; the end of the sequence counts as a symbol."""
    padded = np.concatenate([symbols, np.full(_WINDOW, -1)]).astype(np.uint64)
    mixed = (padded + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(31)
    total = np.zeros(len(symbols), dtype=np.uint64)
    for place in range(_WINDOW):
        total = total * np.uint64(0x94D049BB133111EB) + mixed[place : place + len(symbols)]
    return total


def _resume(
    windows: npt.NDArray[np.uint64],
    other_windows: npt.NDArray[np.uint64],
    mine: Int64,
    theirs: Int64,
) -> tuple[int, int] | None:
    """How much of both to pass over so that both go on alike."""
    near = windows[:_NEAR, None] == other_windows[None, :_NEAR]
    if near.any():
        return _nearest(near, mine[:_NEAR], theirs[:_NEAR])
    look = _NEAR
    while look < max(len(mine), len(theirs)):
        look *= _LOOK_FACTOR
        values, first = np.unique(windows[:look], return_index=True)
        other_values, second = np.unique(other_windows[:look], return_index=True)
        _, place, other_place = np.intersect1d(
            values, other_values, assume_unique=True, return_indices=True
        )
        if len(place):
            best = int((first[place] + second[other_place]).argmin())
            return int(first[place[best]]), int(second[other_place[best]])
    return None


def _nearest(near: Bool, mine: Int64, theirs: Int64) -> tuple[int, int]:
    """Of the places at which both go on alike, one before which the fewest calls are alone.

    Counting what is passed over instead would, in work that repeats itself, slip by a whole step.
    """
    for at, other in ((0, 0), (1, 0), (0, 1)):
        if near[at : at + 1, other : other + 1].any():
            return at, other
    common = np.zeros((len(mine) + 1, len(theirs) + 1), dtype=np.int64)
    for at in range(len(mine)):
        same = np.where(theirs == mine[at], common[at, :-1] + 1, 0)
        common[at + 1, 1:] = np.maximum.accumulate(np.maximum(same, common[at, 1:]))
    places = np.argwhere(near)
    passed = places.sum(axis=1)
    alone = passed - 2 * common[places[:, 0], places[:, 1]]
    best = places[int(np.lexsort((passed, alone))[0])]
    return int(best[0]), int(best[1])


def _common(mine: Int64, theirs: Int64) -> int:
    """Length of the stretch at the start that both have."""
    most = min(len(mine), len(theirs))
    at, step = 0, 64
    while at < most:
        end = min(at + step, most)
        differ = mine[at:end] != theirs[at:end]
        if differ.any():
            return at + int(differ.argmax())
        at, step = end, 4 * step
    return most


def _exactly(region: Region, levels: Sequence[Level], may_be: MayBe) -> tuple[Int64, Int64]:
    """The alignment of most, and most alike, calls, by dynamic programming."""
    start, end, first, behind = region
    rows, columns = end - start, behind - first
    mine = np.arange(start, end, dtype=np.int64)
    theirs = np.arange(first, behind, dtype=np.int64)
    wild = may_be(mine[:, None], theirs[None, :])
    score = np.where(wild, _WILD_SCORE, 0).astype(np.int32)
    for symbols, other in levels:
        score += wild & (symbols[start:end, None] == other[None, first:behind])
    best = np.zeros((rows + 1, columns + 1), dtype=np.int32)
    for row in range(rows - 1, -1, -1):
        here = np.where(score[row] > 0, best[row + 1, 1:] + score[row], best[row + 1, :-1])
        here = np.maximum(here, best[row + 1, :-1])
        best[row, :-1] = np.maximum.accumulate(here[::-1])[::-1]
    found: list[tuple[int, int]] = []
    at = other_at = 0
    while at < rows and other_at < columns:
        value = int(score[at, other_at])
        if value and best[at, other_at] == best[at + 1, other_at + 1] + value:
            found.append((at, other_at))
            at, other_at = at + 1, other_at + 1
        elif best[at, other_at] == best[at + 1, other_at]:
            at += 1
        else:
            other_at += 1
    pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0] + start, pairs[:, 1] + first


def _straight(region: Region, may_be: MayBe) -> tuple[Int64, Int64]:
    """One by one, where both have as many calls; nothing where they do not."""
    start, end, first, behind = region
    if end - start != behind - first:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    mine = np.arange(start, end, dtype=np.int64)
    theirs = np.arange(first, behind, dtype=np.int64)
    same = may_be(mine, theirs)
    return mine[same], theirs[same]
