"""Attention against the number of frames over several runs: how it grows, and where lines cross."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from genscope.analysis.attention.axes import SPATIAL, TEMPORAL
from genscope.analysis.attention.results import SpaceTime
from genscope.analysis.powers import power
from genscope.analysis.results import SCHEMA_VERSION
from genscope.trace.errors import TraceWarning

_NO_FRAMES = "nothing in it tells its number of frames"
_NEITHER = "its attention is neither spatial nor temporal"


class SweepPoint(msgspec.Struct, kw_only=True):
    """One run of a sweep, along one axis."""

    run: str
    frames: int
    basis: str
    axis: str
    time_ns: int
    flops: int
    calls: int


class SweepFit(msgspec.Struct, kw_only=True):
    """A power law through the points of one axis: value = factor · frames ** exponent.

    Least squares on the logarithms; `of` is flops or time_ns. None below two sizes.
    """

    axis: str
    of: str
    exponent: float | None
    factor: float | None


class Crossover(msgspec.Struct, kw_only=True):
    """The number of frames at which the fits of temporal and spatial attention meet.

    `measured` says whether it lies within the frames of the runs; beyond them it is predicted.
    """

    of: str
    frames: float
    measured: bool


class LeftOut(msgspec.Struct, kw_only=True):
    """A run that a sweep does not have, and why."""

    run: str
    reason: str


class FramesSweep(msgspec.Struct, kw_only=True):
    """Attention against the number of frames over several runs (the paper's Figure 14)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "frames"
    points: list[SweepPoint]
    fits: list[SweepFit]
    crossovers: list[Crossover]
    left_out: list[LeftOut]
    sentence: str
    warnings: list[TraceWarning]


def frames_sweep(runs: Sequence[tuple[str, SpaceTime]]) -> FramesSweep:
    """Set runs of one model with different numbers of frames side by side.

    Runs without a known number of frames, or without attention along either axis, are left out.
    """
    points: list[SweepPoint] = []
    left_out: list[LeftOut] = []
    for label, result in runs:
        rows = [row for row in result.axes if row.axis in (SPATIAL, TEMPORAL)]
        if result.frames is None or not rows:
            reason = _NO_FRAMES if result.frames is None else _NEITHER
            left_out.append(LeftOut(run=label, reason=reason))
            continue
        points += [
            SweepPoint(
                run=label,
                frames=result.frames,
                basis=result.basis,
                axis=row.axis,
                time_ns=row.time_ns,
                flops=row.flops,
                calls=row.calls,
            )
            for row in rows
        ]
    fits = [_fit(points, axis, of) for axis in (SPATIAL, TEMPORAL) for of in ("flops", "time_ns")]
    crossovers = [
        found for of in ("flops", "time_ns") if (found := _crossover(points, fits, of)) is not None
    ]
    return FramesSweep(
        points=points,
        fits=fits,
        crossovers=crossovers,
        left_out=left_out,
        sentence=_sentence(fits, crossovers),
        warnings=_warnings(points),
    )


def _warnings(points: Sequence[SweepPoint]) -> list[TraceWarning]:
    bases = {point.run: point.basis for point in points}
    if len(set(bases.values())) < 2:
        return []
    count = sum(basis == "cpu" for basis in bases.values())
    return [
        TraceWarning(
            code="mixed_basis",
            count=count,
            message=f"{count:,} of {len(bases):,} runs have no device: their times are of the CPU, "
            "so times do not compare; FLOPs do.",
        )
    ]


def _fit(points: Sequence[SweepPoint], axis: str, of: str) -> SweepFit:
    mine = [(p.frames, getattr(p, of)) for p in points if p.axis == axis and getattr(p, of) > 0]
    found = power(mine)
    return SweepFit(
        axis=axis, of=of, exponent=found and found.exponent, factor=found and found.factor
    )


def _crossover(points: Sequence[SweepPoint], fits: Sequence[SweepFit], of: str) -> Crossover | None:
    """Where factor_s · f ** e_s equals factor_t · f ** e_t."""
    by_axis = {fit.axis: fit for fit in fits if fit.of == of}
    spatial, temporal = by_axis[SPATIAL], by_axis[TEMPORAL]
    if spatial.exponent is None or temporal.exponent is None:
        return None
    if spatial.factor is None or temporal.factor is None:
        return None
    slope = temporal.exponent - spatial.exponent
    if abs(slope) < 1e-9:
        return None
    at = (math.log(spatial.factor) - math.log(temporal.factor)) / slope
    if abs(at) > 40:
        return None
    frames = math.exp(at)
    seen = [point.frames for point in points]
    return Crossover(of=of, frames=frames, measured=min(seen) <= frames <= max(seen))


def _sentence(fits: Sequence[SweepFit], crossovers: Sequence[Crossover]) -> str:
    exponents = {(fit.axis, fit.of): fit.exponent for fit in fits}
    spatial, temporal = exponents[SPATIAL, "flops"], exponents[TEMPORAL, "flops"]
    if spatial is None or temporal is None:
        return "Runs with at least two numbers of frames show how attention grows with them."
    text = (
        f"FLOPs grow with the frames to the power {spatial:.2f} in spatial and {temporal:.2f} in "
        "temporal attention"
    )
    for crossover in crossovers:
        if crossover.of == "flops":
            how = "" if crossover.measured else " (predicted)"
            text += f"; temporal overtakes at {crossover.frames:,.0f} frames{how}"
    return text + "."
