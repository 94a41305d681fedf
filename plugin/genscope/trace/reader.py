"""A Kineto or Chrome trace file to a `Trace`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genscope.trace.blocks import Blocks
from genscope.trace.columns import Columns, EventDecoder
from genscope.trace.document import document_of
from genscope.trace.errors import TraceError, TraceWarning
from genscope.trace.link import is_launch_name, link, rows_named
from genscope.trace.model import Device, Int32, Kind, Trace, Track
from genscope.trace.source import Limits, Progress, Source

_EPOCH_NS = 10**18
"""Times above this (2001) are since the epoch, whatever `baseTimeNanoseconds` says."""

_REPAIRS: dict[str, str] = {
    "utf8": "byte sequences that are no UTF-8 were replaced",
    "control": "raw control characters in strings were replaced by spaces",
    "escape": "backslashes that escape nothing were taken literally",
    "number": "NaN or Infinity values were read as unknown",
    "quote": "names with unescaped quotes were mended",
}
_MENDED: dict[str, str] = {
    "no_duration": "slices have no usable duration and count as 0",
    "negative_duration": "slices have a negative duration and count as 0",
    "overflowed_duration": "slices last longer than a week, an overflow, and count as 0",
    "unpaired": "begin or end events have no partner; open ones last to the end of the trace",
}


def load(
    path: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> Trace:
    """Read a trace, plain or gzip JSON, from a path or an fsspec URL.

    `progress` is called with the bytes read of the stored file and its size (None where
    unknown). Damage is repaired where it stands, counted, and reported in `Trace.warnings`.

    Raises TraceError, a single line, where the file cannot be used.
    """
    limits = limits or Limits()
    source = Source(path, limits=limits, progress=progress)
    try:
        return _read(source, limits)
    finally:
        source.close()


def _read(source: Source, limits: Limits) -> Trace:
    columns = Columns()
    blocks = Blocks(source, EventDecoder(), limits)
    offsets: list[tuple[int, int]] = []
    for offset, block in blocks:
        if block:
            offsets.append((offset, columns.rows))
            columns.add(block)
    if blocks.bare_list and not any(phase for phase, _ in columns.counts):
        raise TraceError(
            f"{source.path}: is a JSON list, but not of trace events (none has a `ph`)"
        )
    events = columns.finish()
    start_ns = int(events.start_ns.min()) if len(events) else 0
    events.start_ns -= start_ns
    flows = np.concatenate(columns.flows) if columns.flows else np.empty((0, 4), dtype=np.int64)
    flows[:, 2] -= start_ns
    tracks = columns.tracks()
    links = link(events, columns.strings, flows, _processes(tracks))
    rank, world_size = _distributed(blocks.metadata)
    trace = Trace(
        path=source.path,
        size_bytes=source.size if source.size is not None else source.stored_bytes,
        text_bytes=source.text_bytes,
        events=events,
        links=links,
        strings=columns.strings,
        tracks=tracks,
        devices=_devices(blocks.metadata),
        base_ns=_base(blocks.metadata, start_ns),
        rank=rank,
        world_size=world_size,
        metadata=blocks.metadata,
        counts={
            f"{phase}/{category or ''}": count
            for (phase, category), count in columns.counts.items()
        },
        blocks=np.array(offsets, dtype=np.int64).reshape(-1, 2),
        warnings=(),
    )
    trace.document, unreadable = document_of(trace.metadata)
    trace.warnings = [*_warnings(trace, source, blocks, columns), *unreadable]
    return trace


def _processes(tracks: Sequence[Track]) -> Int32:
    """Number of the process of each track."""
    numbers: dict[int | str, int] = {}
    found = [numbers.setdefault(track.process, len(numbers)) for track in tracks]
    return np.array(found, dtype=np.int32)


def _base(metadata: Mapping[str, Any], start_ns: int) -> int:
    base = metadata.get("baseTimeNanoseconds")
    if start_ns < _EPOCH_NS and isinstance(base, int | str):
        try:
            return int(base) + start_ns
        except ValueError:
            return start_ns
    return start_ns


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


def _warnings(trace: Trace, source: Source, blocks: Blocks, columns: Columns) -> list[TraceWarning]:
    found: list[TraceWarning] = []

    def warn(code: str, count: int, message: str) -> None:
        if count:
            found.append(TraceWarning(code=code, count=count, message=message))

    truncated = blocks.truncated or source.truncated
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
    found.extend(blocks.warnings)
    for kind, what in _REPAIRS.items():
        warn(f"repaired_{kind}", blocks.repairs[kind], f"{blocks.repairs[kind]:,} {what}.")
    warn(
        "unreadable_events",
        blocks.unreadable,
        f"Text in {blocks.unreadable:,} places could not be read as events and is missing.",
    )
    warn(
        "no_start",
        columns.dropped,
        f"{columns.dropped:,} events have no usable start time and are missing.",
    )
    for code, what in _MENDED.items():
        warn(code, columns.mended[code], f"{columns.mended[code]:,} {what}.")
    if not len(trace.events):
        warn("no_events", 1, "The trace holds no slices: was the profiler stopped at once?")
    return found
