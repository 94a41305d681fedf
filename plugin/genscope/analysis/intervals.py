"""Unions of intervals, for many groups at once."""

from __future__ import annotations

import numpy as np

from genscope.trace.model import Int64


def union_by_group(group: Int64, start: Int64, end: Int64, groups: int) -> Int64:
    """Return the length of the union of the intervals of each group, shape (groups,).

    `group`, `start` and `end` have shape (n,); groups are numbered from 0. Same unit out as in.
    """
    total = np.zeros(groups, dtype=np.int64)
    if not len(group):
        return total
    order = np.lexsort((start, group))
    group, start, end = group[order], start[order], end[order]
    low = int(start.min())
    span = int(end.max()) - low + 1
    number = np.cumsum(np.r_[0, (group[1:] != group[:-1]).astype(np.int64)])
    if span * (int(number[-1]) + 1) < 2**62:
        # One running maximum serves all groups when each is shifted behind the one before it.
        shift = number * span - low
        reached = np.maximum.accumulate(end + shift)
        before = np.r_[start[0] + shift[0], reached[:-1]]
        new = (end + shift) - np.maximum(start + shift, before)
        np.add.at(total, group, np.maximum(new, 0))
        return total
    edges = np.flatnonzero(np.r_[True, number[1:] != number[:-1], True])
    for first, behind in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        reached = np.maximum.accumulate(end[first:behind])
        before = np.r_[start[first], reached[:-1]]
        new = end[first:behind] - np.maximum(start[first:behind], before)
        total[group[first]] = int(np.maximum(new, 0).sum())
    return total


def self_segments(
    rows: Int64, track: Int64, start: Int64, end: Int64, parent: Int64
) -> tuple[Int64, Int64, Int64]:
    """Cut properly nested intervals into the stretches in which each is the innermost.

    All inputs have shape (k,); `parent` holds positions into them, -1 for none. Returns the
    position, start and end of each stretch. The stretches of an interval add up to its length
    less that of its direct children.
    """
    count = len(rows)
    position = np.arange(count, dtype=np.int64)
    time = np.concatenate([start, end])
    lane = np.concatenate([track, track])
    who = np.concatenate([position, position])
    ends = np.repeat(np.array([0, 1]), count)
    length = np.concatenate([start - end, end - start])
    # At one instant: what ended goes first, inner before outer; then outer starts before inner,
    # and of equal ones the earlier is the outer. An interval of no length ends after it started.
    empty = np.concatenate([start == end, start == end])
    rank = np.where(empty, 2 + ends, np.where(ends == 1, 0, 1))
    turn = np.concatenate([position, -position])
    order = np.lexsort((turn, length, rank, time, lane))
    active = np.where(ends[order] == 1, parent[who[order]], who[order])
    begin = time[order]
    same = lane[order][1:] == lane[order][:-1]
    until = np.r_[begin[1:], begin[-1:]] if count else begin
    keep = np.r_[same, False] if count else np.zeros(0, dtype=np.bool_)
    keep &= (active >= 0) & (until > begin)
    return active[keep], begin[keep], until[keep]
