"""Merged intervals, coverage of bins and gaps against sets of instants."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from genscope.analysis import timeline

intervals = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)), max_size=12)


def columns(listed: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(listed, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 0] + table[:, 1]


def instants(listed: list[tuple[int, int]]) -> set[int]:
    return {instant for start, length in listed for instant in range(start, start + length)}


@settings(deadline=None)
@given(intervals)
def test_merged_intervals_are_disjoint_and_cover_the_same(listed: list[tuple[int, int]]) -> None:
    start, end = timeline.merge(*columns(listed))
    assert (start[1:] > end[:-1]).all()
    joined = [(int(one), int(other - one)) for one, other in zip(start, end, strict=True)]
    assert instants(joined) == instants(listed)


@settings(deadline=None)
@given(intervals, st.integers(1, 9), st.integers(0, 20))
def test_coverage_counts_the_instants_of_each_bin(
    listed: list[tuple[int, int]], width: int, first: int
) -> None:
    edges = np.arange(first, 80, width)
    found = timeline.coverage(*timeline.merge(*columns(listed)), edges)
    covered = instants(listed)
    for low, high, length in zip(edges[:-1], edges[1:], found, strict=True):
        assert length == len(covered & set(range(low, high)))


@settings(deadline=None)
@given(intervals, st.integers(0, 40), st.integers(0, 40))
def test_gaps_are_the_rest_of_the_window(
    listed: list[tuple[int, int]], first: int, length: int
) -> None:
    begin, until = timeline.gaps(*timeline.merge(*columns(listed)), first, first + length)
    free = [(int(one), int(other - one)) for one, other in zip(begin, until, strict=True)]
    assert instants(free) == set(range(first, first + length)) - instants(listed)
    assert all(gap > 0 for _, gap in free)
