"""Rows that are alike, against whole rows sorted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genscope.analysis.speedup.alike import alike


@given(st.lists(st.tuples(*[st.integers(-1, 2)] * 3), max_size=60))
def test_groups_are_those_of_equal_rows_in_their_order(rows: list[tuple[int, ...]]) -> None:
    columns = [np.array([row[at] for row in rows], dtype=np.int64) for at in range(3)]
    groups = [group.tolist() for group in alike(columns)]
    assert [rows[group[0]] for group in groups] == sorted(set(rows))
    for group in groups:
        assert group == [at for at, row in enumerate(rows) if row == rows[group[0]]]
