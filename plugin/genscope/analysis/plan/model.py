"""How long an op takes: what the device's rates allow, over what measured runs reached of that.

The roof of an op is the longer of its FLOPs at the device's rate and its bytes at its bandwidth.
What measured runs of the same device took for ops of that size, in roofs, is what it takes: those
of the op itself where it ran at about that size, else of its category, else of all. Small ops are
many roofs long, which is what launching them takes. Without any run each takes its roof: a lower
bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from genscope.analysis.categories import CATEGORIES
from genscope.analysis.flops.count import Counted
from genscope.analysis.flops.lines import COUNTED, OVERHEAD, Lines, lines_of
from genscope.analysis.roofline.devices import DeviceRates
from genscope.trace.model import NONE, Int64, Trace

Floats = npt.NDArray[np.float64]

_FAR = 4.0
"""An op's own curve is asked for roofs up to this factor beyond those that were measured."""

_SHORTEST_NS = 0.01
"""Below this roof (no work that counts) all ops are alike."""


@dataclass(frozen=True, slots=True)
class Curve:
    """How many times their roofs ops took, by the size of the roof; arrays have shape (bins,).

    Between bins it is interpolated; smaller ops take as long as the smallest, larger ones reach as
    much as the largest.
    """

    log_roof: Floats
    log_ratio: Floats

    def ns(self, roof_ns: Floats) -> Floats:
        """Time of ops with these roofs."""
        roof = np.log2(np.maximum(roof_ns, _SHORTEST_NS))
        ratio = np.interp(roof, self.log_roof, self.log_ratio)
        found: Floats = np.exp2(np.maximum(roof, self.log_roof[0]) + ratio)
        return found

    def knows(self, roof_ns: Floats) -> npt.NDArray[np.bool_]:
        """Mask of the roofs that were measured, or nearly."""
        roof = np.log2(np.maximum(roof_ns, _SHORTEST_NS))
        more = np.log2(_FAR)
        mask: npt.NDArray[np.bool_] = (roof >= self.log_roof[0] - more) & (
            roof <= self.log_roof[-1] + more
        )
        return mask


@dataclass(slots=True)
class Model:
    """What tells times: curves of ops and categories, and of all; none of them for a bound."""

    rates: DeviceRates
    ops: dict[tuple[str, str], Curve] = field(default_factory=dict)
    categories: dict[str, Curve] = field(default_factory=dict)
    rest: Curve | None = None
    free_ns: dict[str, float] = field(default_factory=dict)
    """CPU time of ops that do no work of their own, by name."""
    free_rest_ns: float = 0.0
    runs: int = 0

    @property
    def assumed(self) -> str:
        """What times rest on, in words."""
        if not self.runs:
            return (
                "every op at the roof of the device's rates (efficiency 1, no time to launch it): "
                "a lower bound."
            )
        return (
            f"from its rates and what {self.runs} measured "
            f"{'run' if self.runs == 1 else 'runs'} reached of them."
        )

    def ns(self, op: str, category: str, roof_ns: Floats) -> Floats:
        """Time of ops of this name and category, by the nearest of what was measured."""
        found = roof_ns.astype(np.float64)
        left = np.ones(len(found), dtype=np.bool_)
        for curve in (self.ops.get((op, category)), self.categories.get(category)):
            if curve is not None:
                mine = left & curve.knows(roof_ns)
                found[mine] = curve.ns(roof_ns[mine])
                left &= ~mine
        last = self.categories.get(category) or self.rest
        if last is not None:
            found[left] = last.ns(roof_ns[left])
        return found


def roofs_ns(table: Counted, rates: DeviceRates) -> Floats:
    """What the rates allow for each row of a table of work, shape (k,), in ns; 0 where unknown."""
    compute = np.zeros(len(table))
    is_matrix = table.is_matrix
    flops = np.maximum(table.flops, 0).astype(np.float64)
    for number in np.unique(table.dtype).tolist():
        text = table.words.text(int(number)) if number != NONE else None
        mine = table.dtype == number
        matrix = rates.matrix_rate(text) or rates.matrix_rate("float32") or rates.peak
        vector = rates.vector_rate(text) or matrix
        compute[mine & is_matrix] = flops[mine & is_matrix] / matrix * 1e9
        compute[mine & ~is_matrix] = flops[mine & ~is_matrix] / vector * 1e9
    memory = np.maximum(table.moved, 0) / rates.bandwidth * 1e9
    found: Floats = np.maximum(compute, memory)
    return found


class Fits:
    """Collects measured traces of one device, none of which it keeps."""

    def __init__(self, rates: DeviceRates) -> None:
        self._rates = rates
        self._points: dict[tuple[str, str], list[tuple[float, float]]] = {}
        self._free: dict[str, list[float]] = {}
        self._runs = 0

    def add(self, trace: Trace) -> None:
        """Add a trace."""
        lines = lines_of(trace)
        _add_work(lines, self._rates, self._points)
        _add_free(lines, self._free)
        self._runs += 1

    def model(self) -> Model:
        """What was fitted."""
        model = Model(rates=self._rates, runs=self._runs)
        by_category: dict[str, list[tuple[float, float]]] = {}
        for (op, category), points in self._points.items():
            by_category.setdefault(category, []).extend(points)
            model.ops[op, category] = _curve(points)
        for category, points in by_category.items():
            model.categories[category] = _curve(points)
        if by_category:
            model.rest = _curve([one for points in by_category.values() for one in points])
        model.free_ns = {name: float(np.median(times)) for name, times in self._free.items()}
        every = [one for times in self._free.values() for one in times]
        model.free_rest_ns = float(np.median(every)) if every else 0.0
        return model


def fitted(traces: Sequence[Trace], rates: DeviceRates) -> Model:
    """Fit a model to measured traces of one device."""
    fits = Fits(rates)
    for trace in traces:
        fits.add(trace)
    return fits.model()


def _add_work(
    lines: Lines, rates: DeviceRates, by_op: dict[tuple[str, str], list[tuple[float, float]]]
) -> None:
    table = lines.counted
    _, category = lines.groups("category")
    roofs = roofs_ns(table, rates)
    taken = np.flatnonzero((lines.kind == COUNTED) & (lines.item >= 0) & (lines.time_ns > 0))
    for place in taken.tolist():
        name = lines.trace.name_of(int(lines.rows[place]))
        key = name, CATEGORIES[int(category[place])]
        point = float(roofs[lines.item[place]]), float(lines.time_ns[place])
        by_op.setdefault(key, []).append(point)


def _add_free(lines: Lines, free: dict[str, list[float]]) -> None:
    for place in np.flatnonzero(lines.kind == OVERHEAD).tolist():
        name = lines.trace.name_of(int(lines.rows[place]))
        free.setdefault(name, []).append(float(lines.time_ns[place]))


def _curve(points: list[tuple[float, float]]) -> Curve:
    """Put measured ops into bins, each twice the roof of the one before."""
    table = np.array(points)
    roof = np.log2(np.maximum(table[:, 0], _SHORTEST_NS))
    number = np.floor(roof).astype(np.int64)
    bins = np.unique(number)
    centres = [float(roof[number == one].mean()) for one in bins]
    # Sums, since it is sums that shall come out right.
    middle = [
        float(np.log2(table[number == one, 1].sum() / np.exp2(roof[number == one]).sum()))
        for one in bins
    ]
    return Curve(np.array(centres), np.array(middle))


def free_times(trace: Trace, rows: Int64, model: Model) -> Floats:
    """CPU time of ops that do no work of their own."""
    found = [model.free_ns.get(trace.name_of(row), model.free_rest_ns) for row in rows.tolist()]
    return np.array(found, dtype=np.float64)
