"""What an export has written."""

from __future__ import annotations

import msgspec


class Exported(msgspec.Struct, kw_only=True):
    """Counts of what stands in an exported file."""

    path: str
    format: str
    slices: int
    """Of the source."""
    asynchronous: int = 0
    """Slices of the source that belong to no thread."""
    unpaired: int = 0
    """Of these, begins without an end, and ends without a begin."""
    instants: int = 0
    counters: dict[str, int] = {}
    """Values of each counter of the source."""
    flows: dict[str, int] = {}
    """By kind: launch, backward."""
    derived: dict[str, int] = {}
    """Slices or values of each derived track."""
    further_lanes: int = 0
    """Tracks added for slices that intersect others of their own."""
    cut: int = 0
    """Slices that had to end early, since too many intersect."""
    repaired: dict[str, int] = {}
    """What was mended in the text of the source, by kind."""
    left_out: dict[str, int] = {}
    """Events of the source that are not exported, by phase."""
    starts_ns: int | None = None
    """Time of the trace's first slice as the exported file counts it."""
    source_starts_ns: int | None = None
    """The same as the source counts it."""


class MergedRank(msgspec.Struct, kw_only=True):
    """A rank in a merged file, and where its clock was laid."""

    rank: int
    slices: int
    flows: int
    exported: Exported
    clock: str
    """base, recorded, start or collectives: see `align`."""
    shift_ns: int
    """What was added to its times."""
    matched: int
    """Collectives that ranks laid before had as well."""
    before_ns: int | None
    """How far apart their ends were, at the median; `after_ns` with the shift."""
    after_ns: int | None


class Merged(msgspec.Struct, kw_only=True):
    """What merging has written."""

    path: str
    ranks: list[MergedRank]
    world_size: int | None
    missing: list[tuple[int, int]]
    """First and last of each gap in the ranks."""
