from __future__ import annotations

import pytest

from genscope.analysis.compare import compare
from tests.cli.made import MS, operators

BASE = operators({"Linear": 190 * MS + 7, "Attention": 640 * MS + 1, "Softmax": 3})
FUSED = operators({"Attention": 95 * MS + 2, "Memory": 80 * MS, "Linear": 190 * MS + 7})
WITH_CONVOLUTION = operators({"Convolution": 5 * MS, "Communication": 9 * MS})


def test_a_run_against_itself_is_one_and_changes_nothing() -> None:
    base, same = compare([("a", BASE), ("b", BASE)]).runs
    assert same.relative == 1 and same.speedup == 1
    assert [row.delta_ns for row in same.categories] == [0, 0, 0]
    assert [row.speedup for row in same.categories] == [1, 1, 1]
    assert same.categories == base.categories
    assert sum(row.relative or 0 for row in same.categories) == pytest.approx(1)


def test_deltas_add_up_to_the_difference_of_the_runs() -> None:
    for run in compare([("a", BASE), ("b", FUSED), ("c", WITH_CONVOLUTION)]).runs:
        change = run.basis_sum_ns - BASE.basis_sum_ns
        assert sum(row.delta_ns for row in run.categories) == change


def test_categories_are_in_the_bases_order_then_in_that_of_the_others() -> None:
    comparison = compare([("a", BASE), ("b", FUSED), ("c", WITH_CONVOLUTION)])
    order = ["Attention", "Linear", "Softmax", "Memory", "Communication", "Convolution"]
    assert [[row.category for row in run.categories] for run in comparison.runs] == [order] * 3
    assert comparison.base == "a"
    assert [run.run for run in comparison.runs] == ["a", "b", "c"]


def test_a_category_that_a_run_lacks_is_zero_there() -> None:
    _, fused = compare([("a", BASE), ("b", FUSED)]).runs
    softmax = next(row for row in fused.categories if row.category == "Softmax")
    assert (softmax.sum_ns, softmax.share, softmax.relative) == (0, 0, 0)
    assert softmax.delta_ns == -3
    assert softmax.speedup is None


def test_segments_are_relative_to_the_base_and_speedups_are_the_bases_time_over_theirs() -> None:
    _, fused = compare([("a", BASE), ("b", FUSED)]).runs
    attention = fused.categories[0]
    assert attention.category == "Attention"
    assert attention.relative == (95 * MS + 2) / BASE.basis_sum_ns
    assert attention.speedup == (640 * MS + 1) / (95 * MS + 2)
    assert attention.share == (95 * MS + 2) / FUSED.basis_sum_ns
    assert fused.relative == FUSED.basis_sum_ns / BASE.basis_sum_ns
    assert fused.speedup == BASE.basis_sum_ns / FUSED.basis_sum_ns


def test_a_run_on_another_basis_is_shown_and_not_compared() -> None:
    cpu = operators({"Linear": 5 * MS}, basis="cpu_self", warnings=("No device.",))
    comparison = compare([("gpu", BASE), ("cpu", cpu), ("fused", FUSED)])
    _, other, fused = comparison.runs
    assert (other.relative, other.speedup) == (None, None)
    assert {row.relative for row in other.categories} == {None}
    assert {row.speedup for row in other.categories} == {None}
    assert other.basis_sum_ns == 5 * MS
    assert fused.relative is not None
    assert [(warning.code, warning.count) for warning in comparison.warnings] == [
        ("mixed_basis", 1)
    ]
    assert "cpu" in comparison.warnings[0].message
    assert [warning.message for warning in other.warnings] == ["No device."]


def test_a_base_without_time_is_said_and_divides_nothing() -> None:
    comparison = compare([("empty", operators({})), ("b", FUSED)])
    assert [run.relative for run in comparison.runs] == [None, None]
    assert [warning.code for warning in comparison.warnings] == ["empty_base"]


def test_one_run_is_its_own_base_and_none_is_an_error() -> None:
    assert compare([("a", BASE)]).runs[0].relative == 1
    with pytest.raises(ValueError, match="at least one run"):
        compare([])
