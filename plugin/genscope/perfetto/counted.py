"""Counters of what GenScope finds in a trace: lengths, busy streams, achieved FLOP/s."""

from __future__ import annotations

import numpy as np

from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.intensity import attention_flops, products
from genscope.analysis.attention.where import FORWARD_PASSES, in_passes
from genscope.analysis.timeline import merge
from genscope.perfetto.found import Counter, Derived
from genscope.trace.model import NONE, Int64, Trace


def lengths(trace: Trace) -> list[Derived]:
    """Lengths of forward calls, from the start of each call to that of the next."""
    calls = attention_calls(trace)
    places = np.flatnonzero(in_passes(calls, FORWARD_PASSES) & calls.has_shape)
    start, _ = span_of(calls, places)
    order = np.argsort(start, kind="stable")
    places, start = places[order], start[order]
    query, key = calls.sizes["q_len"][places], calls.sizes["kv_len"][places]
    known = key >= 0
    return [
        Counter("Sequence length (queries)", "tokens", start, query),
        Counter("Sequence length (keys)", "tokens", start[known], key[known]),
    ]


def busy_streams(trace: Trace) -> list[Derived]:
    """How many streams have work running, over all devices."""
    events = trace.events
    rows = np.flatnonzero(events.is_device)
    starts, ends = [], []
    for track in np.unique(events.track[rows]).tolist():
        mine = rows[events.track[rows] == track]
        start, end = merge(events.start_ns[mine], events.end_ns[mine])
        lasting = end > start
        starts.append(start[lasting])
        ends.append(end[lasting])
    if not starts:
        return []
    start, end = np.concatenate(starts), np.concatenate(ends)
    ones = np.ones(len(start), dtype=np.int64)
    at_ns, value = running_sum(start, end, ones)
    return [Counter("Busy streams", "streams", at_ns, value)]


def achieved(trace: Trace) -> list[Derived]:
    """FLOP/s of the attention calls, products and convolutions that run, of known shapes.

    A call or product counts from its first device event to its last; without a device from the
    start of its op to the end.
    """
    calls = attention_calls(trace)
    flops = attention_flops(calls)
    places = np.flatnonzero(in_passes(calls, FORWARD_PASSES) & (flops > 0))
    start, end = span_of(calls, places)
    rows, of_product, _ = products(trace, calls)
    begin, stop = _device_span(trace, rows)
    start, end = np.r_[start, begin], np.r_[end, stop]
    work = np.r_[flops[places], of_product]
    lasting = end > start
    start, end, work = start[lasting], end[lasting], work[lasting]
    if not len(start):
        return []
    rate = np.rint(work / ((end - start) * 1e-9)).astype(np.int64)
    at_ns, value = running_sum(start, end, rate)
    return [Counter("Achieved FLOP/s", "FLOP/s", at_ns, value)]


def _device_span(trace: Trace, rows: Int64) -> tuple[Int64, Int64]:
    """First start and last end of the device events of ops; equal where there are none."""
    events, links = trace.events, trace.links
    if not trace.has_device:
        return events.start_ns[rows], events.end_ns[rows]
    place = np.full(len(events) + 1, NONE, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    device = np.flatnonzero(events.is_device)
    of_event = place[links.op[device]]
    # Work of an op inside one of `rows` belongs to that as well.
    at = links.op[device].astype(np.int64)
    while (up := np.flatnonzero((of_event == NONE) & (at >= 0))).size:
        at[up] = links.parent[at[up]]
        of_event[up] = place[at[up]]
    mine = of_event >= 0
    start = np.full(len(rows), np.iinfo(np.int64).max, dtype=np.int64)
    end = np.full(len(rows), NONE, dtype=np.int64)
    np.minimum.at(start, of_event[mine], events.start_ns[device[mine]])
    np.maximum.at(end, of_event[mine], events.end_ns[device[mine]])
    return np.where(end == NONE, 0, start), np.where(end == NONE, 0, end)


def running_sum(start: Int64, end: Int64, value: Int64) -> tuple[Int64, Int64]:
    """Sum of the values of all intervals that are open, from each point where it changes on."""
    time = np.concatenate([start, end])
    order = np.argsort(time, kind="stable")
    time = time[order]
    total = np.cumsum(np.concatenate([value, -value])[order])
    last = np.r_[time[1:] != time[:-1], True]
    time, total = time[last], total[last]
    changed = np.r_[True, total[1:] != total[:-1]]
    return time[changed], total[changed]


def span_of(calls: Calls, places: Int64) -> tuple[Int64, Int64]:
    """When calls ran: on the device, where they did anything there."""
    there = calls.device_start_ns[places] != NONE
    start = np.where(there, calls.device_start_ns[places], calls.start_ns[places])
    end = np.where(there, calls.device_end_ns[places], calls.end_ns[places])
    return start, end
