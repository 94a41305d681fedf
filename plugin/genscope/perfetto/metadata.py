"""What stands beside the events, as the arguments of one instant of a native trace."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from genscope.perfetto.tracks import Layout
from genscope.trace.model import Trace

VERSION = 1
"""Version of the layout."""

DOCUMENT = "genscope.export"


@dataclass(frozen=True, slots=True)
class Note:
    """Where the instant is, and what it is called."""

    track: str
    name: str
    category: str


ALONE = Note("Trace metadata", "trace metadata", "genscope.metadata")
"""Of the file."""

OF_RANK = Note("Trace metadata", "metadata of the rank", "genscope.rank")
"""Of one trace of several in a file."""


def members_of(trace: Trace) -> dict[str, bytes]:
    """JSON text of what stands beside the events of a trace, by name."""
    return {name: msgspec.json.encode(value) for name, value in trace.metadata.items()}


def document(base_ns: int, origin_ns: int, layout: Layout) -> dict[str, bytes]:
    """What the export says of itself; `base_ns` and `origin_ns` are the times at clock 0."""
    found = {
        "version": VERSION,
        "base_ns": str(base_ns),
        "origin_ns": str(origin_ns),
        "tracks": layout.listed,
        "derived": layout.derived,
    }
    return {DOCUMENT: msgspec.json.encode(found)}
