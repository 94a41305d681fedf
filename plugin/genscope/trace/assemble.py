"""What every reader does once its columns are full: link them, and say what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from genscope.trace.document import document_of
from genscope.trace.errors import TraceWarning
from genscope.trace.link import is_launch_name, link, rows_named
from genscope.trace.model import (
    Device,
    Events,
    Int32,
    Int64,
    Kind,
    MemoryEvents,
    Trace,
    Track,
)
from genscope.trace.plan.said import said_by
from genscope.trace.source import Source

MENDED: dict[str, str] = {
    "no_duration": "slices have no usable duration and count as 0",
    "negative_duration": "slices have a negative duration and count as 0",
    "overflowed_duration": "slices last longer than a week, an overflow, and count as 0",
    "unpaired": "begin or end events have no partner; open ones last to the end of the trace",
}
"""What is done to slices whose duration cannot be true, and how it is said."""


def assemble(
    source: Source,
    *,
    events: Events,
    strings: Sequence[str],
    tracks: Sequence[Track],
    flows: Int64,
    base_ns: int,
    metadata: Mapping[str, Any],
    counts: Mapping[str, int],
    blocks: Sequence[tuple[int, int]],
    memory: MemoryEvents | None = None,
) -> Trace:
    """Link `events`, whose times count from the first, and return the trace, without warnings."""
    rank, world_size = _distributed(metadata)
    return Trace(
        path=source.path,
        size_bytes=source.size if source.size is not None else source.stored_bytes,
        text_bytes=source.text_bytes,
        events=events,
        links=link(events, strings, flows, _processes(tracks)),
        strings=strings,
        tracks=tracks,
        devices=_devices(metadata),
        base_ns=base_ns,
        rank=rank,
        world_size=world_size,
        metadata=metadata,
        counts=counts,
        blocks=np.array(blocks, dtype=np.int64).reshape(-1, 2),
        warnings=(),
        memory=MemoryEvents.none() if memory is None else memory,
    )


def warn_of(
    trace: Trace,
    source: Source,
    *,
    truncated: bool,
    damage: Iterable[TraceWarning],
    unreadable: int,
    dropped: int,
    mended: Mapping[str, int],
) -> None:
    """Set the document and the warnings of `trace`; `damage` is what its format alone can have."""
    found = said_by(trace.metadata, len(trace.events))

    def warn(code: str, count: int, message: str) -> None:
        if count:
            found.append(TraceWarning(code=code, count=count, message=message))

    calls = np.flatnonzero(trace.events.kind == Kind.RUNTIME)
    launches = len(rows_named(trace.events, trace.strings, calls, is_launch_name))
    if not trace.has_device and (launches or (truncated and trace.devices)):
        seen = f"{launches:,} kernel launches" if launches else "a device"
        cause = "the file is cut off before it" if truncated else "the profiler recorded none"
        warn(
            "device_part_missing",
            max(launches, 1),
            f"Device part missing: the trace has {seen} but no device events; {cause}. "
            "This is not a CPU-only run, and its figures are CPU time only.",
        )
    if truncated:
        warn(
            "truncated",
            1,
            f"The file ends early, after {len(trace.events):,} whole slices; was the job killed "
            "while writing? What follows is missing from every figure.",
        )
    found.extend(source.warnings)
    found.extend(damage)
    warn(
        "unreadable_events",
        unreadable,
        f"Text in {unreadable:,} places could not be read as events and is missing.",
    )
    warn("no_start", dropped, f"{dropped:,} events have no usable start time and are missing.")
    for code, what in MENDED.items():
        warn(code, mended.get(code, 0), f"{mended.get(code, 0):,} {what}.")
    if not len(trace.events):
        warn("no_events", 1, "The trace holds no slices: was the profiler stopped at once?")
    trace.document, unreadable_document = document_of(trace.metadata)
    trace.warnings = [*found, *unreadable_document]


def _processes(tracks: Sequence[Track]) -> Int32:
    """Number of the process of each track."""
    numbers: dict[int | str, int] = {}
    found = [numbers.setdefault(track.process, len(numbers)) for track in tracks]
    return np.array(found, dtype=np.int32)


def _distributed(metadata: Mapping[str, Any]) -> tuple[int | None, int | None]:
    info = metadata.get("distributedInfo")
    if not isinstance(info, dict):
        return None, None
    rank, world = info.get("rank"), info.get("world_size")
    return rank if isinstance(rank, int) else None, world if isinstance(world, int) else None


def _devices(metadata: Mapping[str, Any]) -> list[Device]:
    listed = metadata.get("deviceProperties")
    devices = []
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("id"), int):
            devices.append(
                Device(index=entry["id"], name=str(entry.get("name") or ""), properties=entry)
            )
    return devices
