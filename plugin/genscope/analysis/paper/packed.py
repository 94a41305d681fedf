"""What a run contributes as plain data and back: kept when its trace is not."""

from __future__ import annotations

import msgspec

from genscope.analysis.attention.results import SpaceTime
from genscope.analysis.paper.figures import Figures, NotOfTheSuite, Roof, calls_of, figures
from genscope.analysis.speedup.packed import PackedSide, unpack
from genscope.analysis.speedup.packed import pack as pack_side
from genscope.trace.model import Trace


class PackedFigures(msgspec.Struct, kw_only=True):
    """A run of the suite. Its calls are in `side` already."""

    model: str
    scale: str
    is_usual: bool
    hardware: str
    dtype: str | None
    image_size: int | None
    frames: int | None
    steps: int | None
    shares: dict[str, float]
    time_ns: dict[str, int]
    main: str | None
    space_time: SpaceTime
    roof: Roof
    side: PackedSide


class Contribution(msgspec.Struct, kw_only=True):
    """What one trace has for the report: a run of the suite, or why it is none."""

    figures: PackedFigures | None = None
    reason: str | None = None


def contribution(trace: Trace) -> Contribution:
    """Sum up a trace if it is of the suite."""
    try:
        return Contribution(figures=pack(figures("", trace)))
    except NotOfTheSuite as error:
        return Contribution(reason=str(error))


def pack(found: Figures) -> PackedFigures:
    """Return a run as what JSON can hold, without its label; `unpacked` gives it back."""
    return PackedFigures(
        model=found.model,
        scale=found.scale,
        is_usual=found.is_usual,
        hardware=found.hardware,
        dtype=found.dtype,
        image_size=found.image_size,
        frames=found.frames,
        steps=found.steps,
        shares=dict(found.shares),
        time_ns=dict(found.time_ns),
        main=found.main,
        space_time=found.space_time,
        roof=found.roof,
        side=pack_side(found.side),
    )


def unpacked(label: str, packed: PackedFigures) -> Figures:
    """Return the run that `pack` was given. Raises ValueError for columns that are none."""
    side = unpack(packed.side)
    return Figures(
        label=label,
        model=packed.model,
        scale=packed.scale,
        is_usual=packed.is_usual,
        hardware=packed.hardware,
        dtype=packed.dtype,
        image_size=packed.image_size,
        frames=packed.frames,
        steps=packed.steps,
        side=side,
        shares=packed.shares,
        time_ns=packed.time_ns,
        calls=calls_of(side.calls),
        main=packed.main,
        space_time=packed.space_time,
        roof=packed.roof,
    )
