"""A trace file to a `Trace`: a Kineto or Chrome trace here, others by `native` and `plan`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from genscope.trace.assemble import assemble, warn_of
from genscope.trace.blocks import Blocks
from genscope.trace.columns import Columns, EventDecoder
from genscope.trace.errors import TraceError, TraceWarning
from genscope.trace.model import Trace
from genscope.trace.native.packets import is_native
from genscope.trace.native.reader import read as read_native
from genscope.trace.plan.reader import is_plan
from genscope.trace.plan.reader import read as read_plan
from genscope.trace.source import Limits, Progress, Source

_EPOCH_NS = 10**18
"""Times above this (2001) are since the epoch, whatever `baseTimeNanoseconds` says."""

_HEAD_BYTES = 4096

_REPAIRS: dict[str, str] = {
    "utf8": "byte sequences that are no UTF-8 were replaced",
    "control": "raw control characters in strings were replaced by spaces",
    "escape": "backslashes that escape nothing were taken literally",
    "number": "NaN or Infinity values were read as unknown",
    "quote": "names with unescaped quotes were mended",
}


def load(
    path: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> Trace:
    """Read a trace from a path or an fsspec URL: JSON or a native Perfetto trace, plain or gzip.

    Which of them it is, the content tells. `progress` is called with the bytes read of the stored
    file and its size (None where unknown). Damage is repaired where it stands, counted, and
    reported in `Trace.warnings`.

    Raises TraceError, a single line, where the file cannot be used.
    """
    limits = limits or Limits()
    source = Source(path, limits=limits, progress=progress)
    try:
        head = source.peek(_HEAD_BYTES)
        if is_native(head):
            return read_native(source, limits)
        if is_plan(head):
            return read_plan(source, limits)
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
    memory = columns.memory.finish()
    memory.at_ns -= start_ns
    trace = assemble(
        source,
        events=events,
        strings=columns.strings,
        tracks=columns.tracks(),
        flows=flows,
        base_ns=_base(blocks.metadata, start_ns),
        metadata=blocks.metadata,
        counts={
            f"{phase}/{category or ''}": count
            for (phase, category), count in columns.counts.items()
        },
        blocks=offsets,
        memory=memory,
    )
    repaired = [
        TraceWarning(
            code=f"repaired_{kind}",
            count=blocks.repairs[kind],
            message=f"{blocks.repairs[kind]:,} {what}.",
        )
        for kind, what in _REPAIRS.items()
        if blocks.repairs[kind]
    ]
    warn_of(
        trace,
        source,
        truncated=blocks.truncated or source.truncated,
        damage=[*blocks.warnings, *repaired, *_lost(columns.memory.dropped)],
        unreadable=blocks.unreadable,
        dropped=columns.dropped,
        mended=columns.mended,
    )
    return trace


def _lost(memory_events: int) -> list[TraceWarning]:
    if not memory_events:
        return []
    return [
        TraceWarning(
            code="memory_events",
            count=memory_events,
            message=f"{memory_events:,} allocations have no usable time or size and are missing.",
        )
    ]


def _base(metadata: Mapping[str, Any], start_ns: int) -> int:
    base = metadata.get("baseTimeNanoseconds")
    if start_ns < _EPOCH_NS and isinstance(base, int | str):
        try:
            return int(base) + start_ns
        except ValueError:
            return start_ns
    return start_ns
