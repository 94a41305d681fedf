"""What stands beside the events, as the arguments of one instant of a native trace."""

from __future__ import annotations

import msgspec

from genscope.perfetto.tracks import Layout
from genscope.trace.model import Trace

VERSION = 1
"""Version of the layout."""

TRACK = "Trace metadata"
NAME = "trace metadata"
CATEGORY = "genscope.metadata"
DOCUMENT = "genscope.export"


def metadata(trace: Trace, base_ns: int, origin_ns: int, layout: Layout) -> dict[str, bytes]:
    """JSON text of each argument; `base_ns` and `origin_ns` are the times at clock 0."""
    members = {name: msgspec.json.encode(value) for name, value in trace.metadata.items()}
    document = {
        "version": VERSION,
        "base_ns": str(base_ns),
        "origin_ns": str(origin_ns),
        "tracks": layout.listed,
        "derived": layout.derived,
    }
    return {**members, DOCUMENT: msgspec.json.encode(document)}
