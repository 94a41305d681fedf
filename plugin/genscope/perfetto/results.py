"""What an export has written."""

from __future__ import annotations

import msgspec


class Exported(msgspec.Struct, kw_only=True):
    """Counts of what stands in an exported file."""

    path: str
    format: str
    slices: int
    """Of the source."""
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
