"""Power laws through points: least squares on the logarithms, and how well they fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from genscope.analysis.powers import power

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
    found = power(usable)
    if found is None or len(values) < FEWEST:
        # Means of the logarithms at two points lie on the line that fits best.
        return Law(
            len(values),
            len(usable),
            slope=found and found.exponent,
            factor=found and found.factor,
            reason=", ".join(filter(None, ["two points give a slope, not a law", missing])),
        )
    return Law(
        len(values),
        len(usable),
        exponent=found.exponent,
        error=math.sqrt(found.left / (len(usable) - 2) / found.spread),
        factor=found.factor,
        r2=1 - found.left / found.total if found.total > _FLAT * len(usable) else None,
        deviation=found.deviation,
        reason=missing,
    )
