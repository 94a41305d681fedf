"""Power laws through points: exponents of growth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from genscope.analysis.memory.results import GrowthFit


def fit(of: str, unit: str, points: Sequence[tuple[float, float]]) -> GrowthFit:
    """Fit value = factor · size ** exponent to (size, value), least squares on the logarithms.

    Values of 0 are no points; below two sizes there is no exponent.
    """
    used = [(size, value) for size, value in points if size > 0 and value > 0]
    sizes = [size for size, _ in used]
    result = GrowthFit(
        of=of,
        from_size=min(sizes, default=0.0),
        to_size=max(sizes, default=0.0),
        unit=unit,
        points=len(used),
        exponent=None,
        factor=None,
        largest_deviation=None,
    )
    if len(set(sizes)) < 2:
        return result
    x, y = np.log(sizes), np.log([value for _, value in used])
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    offset = float(y.mean() - slope * x.mean())
    off = np.abs(np.expm1(y - (offset + slope * x)))
    result.exponent, result.factor = slope, math.exp(offset)
    result.largest_deviation = float(off.max())
    return result
