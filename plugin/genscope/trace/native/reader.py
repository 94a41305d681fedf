"""A native trace to a `Trace`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from genscope.trace.assemble import assemble, warn_of
from genscope.trace.errors import TraceError, TraceWarning
from genscope.trace.model import NONE, Bool, Events, Int64, Kind, Trace, Track
from genscope.trace.native.events import Collected
from genscope.trace.native.export import BACKWARD_FLOW, FLOW_KINDS, Export
from genscope.trace.native.packets import Packets
from genscope.trace.native.rows import pair
from genscope.trace.source import Limits, Source

_MOST_NAMED = 5


def read(source: Source, limits: Limits) -> Trace:
    """Read a native trace. Raises TraceError where it holds not one packet."""
    found = Collected()
    packets = Packets(source, limits)
    offsets: list[tuple[int, int]] = []
    count = 0
    for block in packets:
        offsets.append((block.offset, found.rows))
        count += len(block.at)
        found.add(block)
    if not count:
        raise TraceError(
            f"{source.path}: is a native Perfetto trace that ends before its first packet"
        )
    exported = found.exported
    events = Events(**{name: column.finish() for name, column in found.columns.items()})
    _pair(events, found)
    added = found.tracks.lanes_of(exported.derived) if exported else set()
    keep = ~np.isin(events.track, list(added))
    used = np.unique(events.track[keep]).tolist()
    tracks, which = found.tracks.resolved(used, exported.tracks if exported else {})
    events.track = which[events.track].astype(np.int32)
    _default_devices(events, tracks)
    flows = _flows(events, found, exported, keep)
    if not keep.all():
        offsets = _kept_offsets(offsets, keep)
        events = Events(**{name: getattr(events, name)[keep] for name in Events.__slots__})
    start_ns = int(events.start_ns.min()) if len(events) else 0
    events.start_ns -= start_ns
    flows[:, 2] -= start_ns
    epoch = exported.base_ns if exported else found.clocks.epoch_offset
    trace = assemble(
        source,
        events=events,
        strings=found.strings,
        tracks=tracks,
        flows=flows,
        base_ns=epoch + start_ns,
        metadata=found.metadata,
        counts=found.counts(without=added),
        blocks=offsets,
    )
    warn_of(
        trace,
        source,
        truncated=packets.truncated or source.truncated,
        damage=_damage(found.passed_over, found.lost_packets),
        unreadable=packets.unreadable + found.unreadable,
        dropped=found.dropped,
        mended=found.mended,
    )
    return trace


def _pair(events: Events, found: Collected) -> None:
    """Give the slices that began their duration; what never ended lasts as long as the trace."""
    lane, time, row = found.marks.finish()
    opens = row >= 0
    partner = pair(lane, time, opens)
    closed = np.flatnonzero(partner >= 0)
    events.dur_ns[row[closed]] = time[partner[closed]] - time[closed]
    left = np.flatnonzero(opens & (partner < 0))
    if len(left):
        events.dur_ns[row[left]] = found.marks.last_ns - time[left]
    unpaired = len(left) + int((~opens).sum()) - len(closed)
    if unpaired:
        found.mended["unpaired"] += unpaired


def _kept_offsets(offsets: Sequence[tuple[int, int]], keep: Bool) -> list[tuple[int, int]]:
    before = np.r_[0, np.cumsum(keep)]
    return [(offset, int(before[row])) for offset, row in offsets]


def _default_devices(events: Events, tracks: Sequence[Track]) -> None:
    """Take the process of a device event for its device where it does not name one."""
    rows = np.flatnonzero(events.is_device & (events.device == NONE))
    if len(rows):
        processes = [
            track.process if isinstance(track.process, int) and 0 <= track.process < 2**31 else NONE
            for track in tracks
        ]
        events.device[rows] = np.array(processes, dtype=np.int32)[events.track[rows]]


def _flows(events: Events, found: Collected, exported: Export | None, keep: Bool) -> Int64:
    """Return the flows between ops as linking wants them: number, track, start, head or not."""
    flows: Int64 = np.concatenate([np.empty((0, 4), dtype=np.int64), *found.flows])
    rows = flows[:, 1]
    wanted = keep[rows] & (events.kind[rows] == Kind.CPU_OP)
    if exported is not None:
        wanted &= flows[:, 0] % FLOW_KINDS == BACKWARD_FLOW
    flows = flows[wanted]
    flows[:, 1] = events.track[flows[:, 1]]
    return flows


def _damage(passed_over: Mapping[str, int], lost: int) -> list[TraceWarning]:
    found = []
    if passed_over:
        count = sum(passed_over.values())
        most = sorted(passed_over.items(), key=lambda one: -one[1])[:_MOST_NAMED]
        kinds = ", ".join(f"{name} ({number:,})" for name, number in most)
        message = (
            f"{count:,} packets hold no track events and were passed over: {kinds}"
            f"{' and others' if len(passed_over) > _MOST_NAMED else ''}."
        )
        found.append(TraceWarning(code="passed_over", count=count, message=message))
    if lost:
        message = f"In {lost:,} places the recording lost packets, so slices are missing there."
        found.append(TraceWarning(code="packets_lost", count=lost, message=message))
    return found
