"""Power laws through points: exponents of growth."""

from __future__ import annotations

from collections.abc import Sequence

from genscope.analysis.memory.results import GrowthFit
from genscope.analysis.powers import power


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
    if (found := power(used)) is not None:
        result.exponent, result.factor = found.exponent, found.factor
        result.largest_deviation = found.deviation
    return result
