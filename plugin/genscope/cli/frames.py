"""Attention against the number of frames, over several runs, in words and tables."""

from __future__ import annotations

from genscope.analysis.attention.frames import FramesSweep
from genscope.cli.document import Column, Document, Limits, Row, Table
from genscope.cli.formatting import amount, duration, significant

_OF = {"flops": "FLOPs", "time_ns": "time"}


def document(result: FramesSweep, limits: Limits) -> Document:
    """Say how attention grows with the frames."""
    return Document(
        headline=result.sentence,
        facts=[("left out", f"{run.run}: {run.reason}") for run in result.left_out],
        tables=[_points(result), _fits(result)] if result.points else [],
        warnings=[warning.message for warning in result.warnings],
    )


def _points(result: FramesSweep) -> Table:
    return Table(
        title="Runs",
        columns=[
            Column("run", text=True),
            Column("attention", text=True),
            *(Column(title) for title in ("frames", "calls", "time", "FLOPs")),
        ],
        rows=[
            Row(
                [
                    point.run,
                    point.axis,
                    amount(point.frames),
                    str(point.calls),
                    duration(point.time_ns),
                    flops(point.flops),
                ]
            )
            for point in sorted(result.points, key=lambda point: (point.axis, point.frames))
        ],
        caption="FLOPs are those of the two products of each call: 2·b·h·q·kv·(d_qk + d_v).",
    )


def _fits(result: FramesSweep) -> Table:
    meets = {
        crossover.of: f"{significant(crossover.frames)} frames"
        + ("" if crossover.measured else ", predicted")
        for crossover in result.crossovers
    }
    return Table(
        title="Growth",
        columns=[
            Column("attention", text=True),
            Column("of", text=True),
            Column("power of frames"),
            Column("lines meet at", text=True),
        ],
        rows=[
            Row(
                [
                    fit.axis,
                    _OF[fit.of],
                    "–" if fit.exponent is None else f"{fit.exponent:.2f}",
                    meets.get(fit.of, "–"),
                ]
            )
            for fit in result.fits
        ],
        caption="A power law through the points of each line; it needs two numbers of frames.",
    )


def flops(value: float | None) -> str:
    """FLOPs, or FLOPs a second, in millions and more."""
    if value is None:
        return "–"
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if value >= size:
            return f"{significant(value / size)} {unit}"
    return significant(value)
