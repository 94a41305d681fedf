"""Where one line overtakes another: between two points, or where two laws meet beyond them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genscope.analysis.scaling.laws import FEWEST, Law

FARTHEST = 4.0
"""Laws are followed so many times beyond the largest point and below the smallest."""

_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Crossing:
    """From `value` on the first of two lines (`first_above`), or else the second, is larger."""

    value: float
    first_above: bool
    between: tuple[float, float] | None
    """The neighbouring points, None for one that two laws foretell."""
    low: float | None = None
    """Of one that is foretold: the smaller of where the laws and the last points put it."""
    high: float | None = None


def measured(
    values: Sequence[float], first: Mapping[float, float], second: Mapping[float, float]
) -> list[Crossing]:
    """Crossings between neighbours of `values` (ascending) at which both lines are known.

    `first` and `second` are above 0. Between points the logarithms go straight.
    """
    found: list[Crossing] = []
    last: tuple[float, float] | None = None  # the latest point at which they differ
    touched: float | None = None  # where they met since
    for value in values:
        if value not in first or value not in second:
            last = touched = None
            continue
        gap = math.log(first[value] / second[value])
        if abs(gap) < _SAME:
            touched = value if touched is None else touched
            continue
        if last is not None and (gap > 0) != (last[1] > 0):
            at = touched
            if at is None:
                part = last[1] / (last[1] - gap)
                at = last[0] * (value / last[0]) ** part
            found.append(Crossing(at, gap > 0, (last[0], value)))
        last, touched = (value, gap), None
    return found


def foretold(
    values: Sequence[float],
    first: Mapping[float, float],
    second: Mapping[float, float],
    laws: tuple[Law, Law],
) -> Crossing | None:
    """Where two laws meet outside the range of `values`, at most FARTHEST beyond it.

    None where they rest on fewer than three points, where their exponents do not differ by more
    than their errors, where the nearest point has the two the other way round, or where the lines
    through the two nearest points do not meet there as well.
    """
    one, other = laws
    if min(one.points, other.points) < FEWEST or one.exponent is None or other.exponent is None:
        return None
    if one.factor is None or other.factor is None:
        return None
    steeper = one.exponent - other.exponent
    if abs(steeper) <= max((one.error or 0) + (other.error or 0), _SAME):
        return None
    at = _meet(steeper, math.log(one.factor / other.factor), values)
    if at is None:
        return None
    near, next_ = (values[-1], values[-2]) if at > values[-1] else (values[0], values[1])
    if any(value not in line for value in (near, next_) for line in (first, second)):
        return None
    gap, before = (math.log(first[value] / second[value]) for value in (near, next_))
    slope = (gap - before) / math.log(near / next_)
    again = _meet(slope, gap - slope * math.log(near), values)
    # Both ways of going on have to lead to the same side, and to the same one being the larger.
    if again is None or (again > near) != (at > near) or (slope > 0) != (steeper > 0):
        return None
    return Crossing(at, steeper > 0, None, min(at, again), max(at, again))


def _meet(slope: float, gap: float, values: Sequence[float]) -> float | None:
    """Where gap + slope · ln x is 0, if that is beyond the values and not too far."""
    if abs(slope) < _SAME:
        return None
    power = -gap / slope
    low, high = values[0], values[-1]
    if not math.log(low / FARTHEST) <= power <= math.log(high * FARTHEST):
        return None
    at = math.exp(power)
    return None if low <= at <= high or at < 1 else at
