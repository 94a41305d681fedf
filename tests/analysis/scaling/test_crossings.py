"""Where lines cross: measured between points, foretold beyond them, and when nothing is said."""

from __future__ import annotations

import pytest

from genscope.analysis.scaling.crossings import Crossing, foretold, measured
from genscope.analysis.scaling.laws import law

X = [1.0, 2.0, 4.0, 8.0]


def power(factor: float, exponent: float, values: list[float] = X) -> dict[float, float]:
    return {x: factor * x**exponent for x in values}


def ahead(first: dict[float, float], second: dict[float, float]) -> Crossing | None:
    laws = law(list(first.items())), law(list(second.items()))
    return foretold(X, first, second, laws)


def test_between_points() -> None:
    """x ** 3 and 9 · x meet at 3."""
    [found] = measured(X, power(1, 3), power(9, 1))
    assert found.value == pytest.approx(3)
    assert found.first_above
    assert found.between == (2, 4)
    [other] = measured(X, power(9, 1), power(1, 3))
    assert not other.first_above


def test_at_a_point_and_twice() -> None:
    """Meeting is not crossing; lines that touch and part again have not crossed."""
    [at] = measured(X, power(1, 2), power(4, 1))
    assert (at.value, at.between) == (4, (2, 8))
    flat = power(1, 0)
    assert measured(X, {1: 2, 2: 1, 4: 2, 8: 2}, flat) == []
    twice = measured(X, {1: 2, 2: 0.5, 4: 2, 8: 2}, flat)
    assert [(round(one.value, 3), one.first_above) for one in twice] == [
        (1.414, False),
        (2.828, True),
    ]


def test_no_line_across_a_point_that_is_missing() -> None:
    first = power(1, 3)
    del first[2]
    assert measured(X, first, power(9, 1)) == []


def test_foretold_within_four_times_the_range() -> None:
    """x ** 2 and 16 · x meet at 16, twice the largest; 64 · x would at 64, eight times it."""
    found = ahead(power(1, 2), power(16, 1))
    assert found is not None
    assert found.value == pytest.approx(16)
    assert found.low == pytest.approx(16)
    assert found.high == pytest.approx(16)
    assert found.between is None
    assert found.first_above
    assert ahead(power(1, 2), power(64, 1)) is None
    below = foretold(
        [4.0, 8.0, 16.0],
        power(1, 2, [4, 8, 16]),
        power(2, 1, [4, 8, 16]),
        (law([(x, x**2) for x in (4, 8, 16)]), law([(x, 2 * x) for x in (4, 8, 16)])),
    )
    assert below is not None
    assert below.value == pytest.approx(2)
    assert below.first_above


def test_not_foretold_on_weak_grounds() -> None:
    assert ahead(power(1, 2), power(3, 2)) is None  # parallel
    # The fits meet at 10, but over the last two points the lower line falls behind.
    bent = {1.0: 0.02, 2.0: 0.2, 4.0: 0.9, 8.0: 0.6}
    assert law(list(bent.items())).exponent > 1  # type: ignore[operator]
    assert ahead(bent, power(1, 0)) is None
    two = law([(4, 16), (8, 64)])
    assert foretold(X, power(1, 2), power(16, 1), (two, law([(x, 16 * x) for x in X]))) is None


def test_a_range_where_fit_and_last_points_differ() -> None:
    """A line that bends upwards is met sooner by its last points than by its fit."""
    found = ahead({1.0: 1, 2.0: 3, 4.0: 12, 8.0: 70}, power(20, 1))
    assert found is not None
    assert found.low is not None
    assert 8 < found.low < found.value == found.high
