"""Unions and self time against counting instant by instant."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from genscope.analysis.intervals import self_segments, union_by_group
from genscope.trace.nest import Nest

Span = tuple[int, int, int]
"""Group or track, start and length."""

spans = st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 8))


def on_columns(listed: list[Span]) -> tuple[Any, Any, Any]:
    table = np.array(listed, dtype=np.int64).reshape(-1, 3)
    return table[:, 0].astype(np.int32), table[:, 1], table[:, 1] + table[:, 2]


def covered(intervals: list[tuple[int, int]]) -> int:
    return len({instant for start, end in intervals for instant in range(start, end)})


@settings(deadline=None, max_examples=200)
@given(st.lists(spans, max_size=14), st.sampled_from([0, 10**18, -(10**9)]), st.booleans())
def test_union_is_the_time_covered(listed: list[Span], offset: int, far: bool) -> None:
    if far:
        # So long a span that groups cannot be laid behind one another in 64 bits.
        listed = [*listed, (0, 0, 1), (1, 4 * 10**18 - max(offset, 0), 1)]
    group, start, end = on_columns(listed)
    found = union_by_group(group.astype(np.int64), start + offset, end + offset, 4)
    for number in range(4):
        inside = [(one, one + length) for lane, one, length in listed if lane == number]
        assert found[number] == covered(inside)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_self_segments_are_where_each_is_innermost(data: st.DataObject) -> None:
    listed: list[Span] = []
    for track in (0, 1):
        _nested(data, track, 0, 30, listed, 0)
    track_of, start, end = on_columns(listed)
    nest = Nest(np.arange(len(listed)), track_of, start, end)
    rows, outer = nest.parents()
    parent = np.full(len(listed), -1, dtype=np.int64)
    parent[rows] = outer
    position, begin, until = self_segments(
        np.arange(len(listed)), track_of.astype(np.int64), start, end, parent
    )
    own: dict[int, set[int]] = {row: set() for row in range(len(listed))}
    for row, one, other in zip(position.tolist(), begin.tolist(), until.tolist(), strict=True):
        own[row] |= set(range(one, other))
    for row, (track, one, length) in enumerate(listed):
        inside = {
            instant
            for other in np.flatnonzero(parent == row).tolist()
            for instant in range(listed[other][1], listed[other][1] + listed[other][2])
        }
        assert own[row] == set(range(one, one + length)) - inside, (track, row)


def _nested(
    data: st.DataObject,
    track: int,
    low: int,
    high: int,
    into: list[Span],
    depth: int,
) -> None:
    """Append intervals between two times, each with others properly inside."""
    at = low
    while at < high and depth < 4 and data.draw(st.booleans()):
        begin = data.draw(st.integers(at, high))
        end = data.draw(st.integers(begin, high))
        into.append((track, begin, end - begin))
        _nested(data, track, begin, end, into, depth + 1)
        at = end + data.draw(st.integers(0, 1))
