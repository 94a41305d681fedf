"""Power laws through points: least squares on the logarithms, and how well they fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST = 3
"""Distinct points that a law is fitted to; two lie on any line."""

_FLAT = 1e-12
"""Variance of logarithms below which a line is flat but for rounding."""


@dataclass(frozen=True, slots=True)
class Law:
    """value = factor · x ** exponent, as `results.Fit` has it."""

    points: int
    runs: int
    exponent: float | None = None
    error: float | None = None
    slope: float | None = None
    factor: float | None = None
    r2: float | None = None
    deviation: float | None = None
    reason: str | None = None


def law(points: Sequence[tuple[float, float | None]]) -> Law:
    """Fit a law to pairs of a parameter (above 0) and a value; those without logarithm are left."""
    usable = [(x, y) for x, y in points if y is not None and y > 0]
    lost = len(points) - len(usable)
    missing = f"0 or unknown in {lost} of {len(points)} runs" if lost else None
    values = sorted({x for x, _ in usable})
    if len(values) < 2:
        what = "at one point only" if values else "at no point"
        return Law(len(values), len(usable), reason=missing or f"known {what}")
    x = np.log([one for one, _ in usable])
    y = np.log([float(one) for _, one in usable])
    if len(values) < FEWEST:
        low, high = (float(y[x == math.log(value)].mean()) for value in values)
        slope = (high - low) / math.log(values[1] / values[0])
        return Law(
            len(values),
            len(usable),
            slope=slope,
            factor=math.exp(low - slope * math.log(values[0])),
            reason=", ".join(filter(None, ["two points give a slope, not a law", missing])),
        )
    spread = float(((x - x.mean()) ** 2).sum())
    exponent = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
    shift = float(y.mean()) - exponent * float(x.mean())
    off = y - (shift + exponent * x)
    left, total = float((off**2).sum()), float(((y - y.mean()) ** 2).sum())
    return Law(
        len(values),
        len(usable),
        exponent=exponent,
        error=math.sqrt(left / (len(usable) - 2) / spread),
        factor=math.exp(shift),
        r2=1 - left / total if total > _FLAT * len(usable) else None,
        deviation=float(np.abs(np.expm1(off)).max()),
        reason=missing,
    )
