"""What an export of ours says of itself, beside its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genscope.trace.model import Track

CATEGORY = "genscope.metadata"
"""Category of the instant whose arguments are the metadata of the trace."""

KEY = "genscope.export"

LAUNCH_FLOW, BACKWARD_FLOW = 1, 2
"""What the number of a flow leaves over, divided by `FLOW_KINDS`."""

FLOW_KINDS = 4

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Export:
    """The lane of each track by its uuid, what exporting added, and the epoch of time 0."""

    base_ns: int
    tracks: Mapping[int, Track] = field(default_factory=dict)
    derived: frozenset[int] = frozenset()


def export_of(found: Any) -> Export | None:
    """Read what exporting wrote; None where it makes no sense."""
    if not isinstance(found, dict) or found.get("version") != 1:
        return None
    try:
        base_ns = int(found.get("base_ns", 0))
        tracks = dict(_track(entry) for entry in found.get("tracks", ()))
        derived = frozenset(int(uuid) for uuid in found.get("derived", ()))
    except (TypeError, ValueError, OverflowError):
        return None
    if not -(2**62) < base_ns < 2**62:
        return None
    return Export(base_ns, tracks, derived)


def _track(entry: Any) -> tuple[int, Track]:
    uuid, process, thread, process_name, thread_name = entry
    for one in (process, thread):
        if not isinstance(one, int | str):
            raise TypeError("a process or thread that is neither a number nor a text")
    names = (str(name or "")[:_LONGEST] for name in (process_name, thread_name))
    return int(uuid), Track(process, thread, *names)
