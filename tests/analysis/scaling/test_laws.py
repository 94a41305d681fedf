"""Power laws: what is fitted, how well, and what two points are worth."""

from __future__ import annotations

import pytest

from genscope.analysis.scaling.laws import law


def test_an_exact_law() -> None:
    found = law([(x, 3 * x**2.5) for x in (64, 128, 256, 512)])
    assert found.exponent == pytest.approx(2.5)
    assert found.factor == pytest.approx(3)
    assert found.error == pytest.approx(0, abs=1e-12)
    assert found.r2 == pytest.approx(1)
    assert found.deviation == pytest.approx(0, abs=1e-9)
    assert (found.points, found.slope, found.reason) == (4, None, None)


def test_least_squares_and_its_errors() -> None:
    """Against the same by hand: y = 1, 2, 8 at x = 1, 2, 4 in logarithms of base 2."""
    found = law([(1, 1), (2, 2), (4, 8)])
    assert found.exponent == pytest.approx(1.5)
    # Off by 1/6, -1/3, 1/6: squares add up to 1/6, over one degree of freedom and a spread of 2.
    assert found.error == pytest.approx((1 / 12) ** 0.5)
    assert found.r2 == pytest.approx(1 - (1 / 6) / (14 / 3))
    assert found.deviation == pytest.approx(1 - 2 ** (-1 / 3))


def test_two_points_give_a_slope() -> None:
    found = law([(2, 4), (2, 4), (4, 32)])
    assert found.exponent is found.error is found.r2 is None
    assert found.slope == pytest.approx(3)
    assert found.factor == pytest.approx(0.5)
    assert found.points == 2
    assert found.reason == "two points give a slope, not a law"


def test_what_has_no_logarithm_is_left_out() -> None:
    found = law([(1, 0), (2, 4), (4, 16), (8, 64), (16, None)])
    assert found.exponent == pytest.approx(2)
    assert (found.points, found.runs) == (3, 3)
    assert found.reason == "0 or unknown in 2 of 5 runs"
    assert law([(1, 0), (2, 0)]).reason == "0 or unknown in 2 of 2 runs"
    assert law([]).exponent is None


def test_a_flat_line_has_no_variance_to_explain() -> None:
    found = law([(1, 7), (2, 7), (4, 7)])
    assert found.exponent == pytest.approx(0, abs=1e-12)
    assert found.r2 is None
