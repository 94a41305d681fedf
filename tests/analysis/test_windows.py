"""Windows of lists, and the order that lists are sorted into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genscope.analysis.windows import Window, first_of, order_of, sorted_rows

VALUES = st.lists(st.none() | st.integers(-3, 5), max_size=30)


@dataclass
class Row:
    place: int
    value: int | None


@given(VALUES, st.booleans())
def test_unknown_values_are_last_in_both_directions(
    values: list[int | None], descending: bool
) -> None:
    known = [value is not None for value in values]
    column = np.array([value or 0 for value in values], dtype=np.int64)
    order = order_of(column, np.array(known, dtype=np.bool_), descending=descending).tolist()
    sign = -1 if descending else 1
    expected = sorted(
        range(len(values)), key=lambda at: (values[at] is None, sign * (values[at] or 0), at)
    )
    assert order == expected
    rows = [Row(at, value) for at, value in enumerate(values)]
    assert [row.place for row in sorted_rows(rows, "value", descending=descending)] == expected


@given(st.integers(0, 50), st.integers(1, 20), st.integers(0, 80))
def test_windows_stay_within_the_list(total: int, count: int, first: int) -> None:
    begin = first_of(Window(first=first, count=count), total)
    assert 0 <= begin <= max(total - count, 0)
    for place in range(total):
        begin = first_of(Window(count=count), total, place)
        assert begin <= place < begin + count
