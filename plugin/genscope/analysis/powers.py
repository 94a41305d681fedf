"""Power laws through points, by least squares on the logarithms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Power(NamedTuple):
    """value = factor · x ** exponent."""

    exponent: float
    factor: float
    deviation: float
    """Largest distance of a point from the line, as a part of the line's value."""
    left: float
    """Sum of the squared residuals of the logarithms."""
    total: float
    """Sum of the squares of the logarithms of the values, from their mean."""
    spread: float
    """Sum of the squares of the logarithms of x, from their mean."""


def power(points: Sequence[tuple[float, float]]) -> Power | None:
    """Fit a power law to pairs of x and value, all above 0; None below two distinct x."""
    if len({x for x, _ in points}) < 2:
        return None
    x, y = np.log(np.array(points, dtype=np.float64)).T
    spread = float(((x - x.mean()) ** 2).sum())
    exponent = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
    shift = float(y.mean()) - exponent * float(x.mean())
    off = y - (shift + exponent * x)
    return Power(
        exponent=exponent,
        factor=math.exp(shift),
        deviation=float(np.abs(np.expm1(off)).max()),
        left=float((off**2).sum()),
        total=float(((y - y.mean()) ** 2).sum()),
        spread=spread,
    )
