"""Amdahl's law: what is predicted, and that the difference adds up to the nanosecond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genscope.analysis.speedup.amdahl import basis_parts, bottleneck, explain, shifts, wall_parts

CATEGORIES = ("Attention", "Convolution", "Linear", "Memory")
TIMES = st.dictionaries(st.sampled_from(CATEGORIES), st.integers(0, 10**15))


@given(TIMES, TIMES)
def test_the_law_and_the_sum_of_changes(before: dict[str, int], after: dict[str, int]) -> None:
    law = explain("sum", basis_parts(before), basis_parts(after))
    assert law.baseline_ns == sum(before.values()) and law.fused_ns == sum(after.values())
    assert sum(change.delta_ns for change in law.changes) == law.difference_ns
    assert law.fused_ns == law.predicted_ns + law.difference_ns
    share, gain = law.attention_share, law.module_speedup
    if gain is not None and law.predicted_speedup is not None:
        assert law.predicted_speedup == pytest.approx(1 / ((1 - share) + share / gain), rel=1e-6)
    if law.limit_speedup is not None:
        assert law.limit_speedup * law.limit_ns == pytest.approx(law.baseline_ns)
        if law.module_speedup is not None and law.predicted_speedup is not None:
            assert law.predicted_speedup <= law.limit_speedup * (1 + 1e-9)


@given(TIMES, TIMES, st.tuples(*[st.integers(0, 10**15)] * 4))
def test_wall_time_adds_up_with_what_is_idle_and_what_overlaps(
    before: dict[str, int], after: dict[str, int], clock: tuple[int, int, int, int]
) -> None:
    sums = sum(before.values()), sum(after.values())
    law = explain(
        "wall",
        wall_parts(before, sums[0], clock[0], clock[1]),
        wall_parts(after, sums[1], clock[2], clock[3]),
    )
    assert (law.baseline_ns, law.fused_ns) == (clock[1], clock[3])
    assert sum(change.delta_ns for change in law.changes) == law.difference_ns


def test_an_example_by_hand() -> None:
    """Half of 100 is attention, which gets 5 times as fast, while convolution takes 4 more."""
    law = explain(
        "sum",
        basis_parts({"Attention": 50, "Convolution": 50}),
        basis_parts({"Attention": 10, "Convolution": 54}),
    )
    assert (law.attention_share, law.module_speedup) == (0.5, 5)
    assert (law.predicted_ns, law.limit_ns, law.difference_ns) == (60, 50, 4)
    assert law.predicted_speedup == pytest.approx(100 / 60)
    assert law.limit_speedup == 2
    assert law.measured_speedup == pytest.approx(100 / 64)
    largest = bottleneck(
        shifts({"Attention": 50, "Convolution": 49}, {"Attention": 10, "Convolution": 54})
    )
    assert largest is not None
    assert (largest.before, largest.after) == ("Attention", "Convolution")


def test_without_attention_nothing_is_gained() -> None:
    law = explain("sum", basis_parts({"Linear": 7}), basis_parts({"Linear": 5}))
    assert (law.attention_share, law.module_speedup, law.predicted_speedup) == (0, None, 1)
    assert law.difference_ns == -2
