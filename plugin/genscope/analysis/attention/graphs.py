"""Shapes for attention that a CUDA or HIP graph replays, from the capture that recorded it.

Under replay no op runs on the CPU, so nothing tells the shapes. Where the capture ran inside the
recording, its ops are there with their shapes and without device time; where it ran before, a
second trace that has it can be given. Both are matched in order.
"""

from __future__ import annotations

import numpy as np

from genscope.analysis.attention.columns import SIZES, TEXTS, Calls
from genscope.trace.model import NONE, Bool, Int64, Trace

CAPTURED_HERE = "replayed by a graph; shapes from its capture in this trace"
CAPTURED_THERE = "replayed by a graph; shapes from the capture trace"


def match_captures(trace: Trace, calls: Calls, capture: Calls | None = None) -> Calls:
    """Return the calls with shapes filled in for graph replays, as far as a capture tells.

    `capture` are the calls of another trace that ran the same work without a graph, or recorded
    its capture. Without it, calls of this trace that launched nothing are taken as the capture of
    the replays, and are replaced by them.
    """
    replays = np.flatnonzero(trace.links.graph_launch[calls.row] & ~calls.has_shape)
    if not len(replays):
        return calls
    if capture is not None:
        templates = np.flatnonzero(capture.has_shape & (capture.pass_ == 0))
        _fill(calls, replays, capture, templates, CAPTURED_THERE)
        return calls
    idle = calls.has_shape & (calls.device_start_ns == NONE) & trace.has_device
    templates = np.flatnonzero(idle)
    if _fill(calls, replays, calls, templates, CAPTURED_HERE):
        return _without(calls, idle)
    return calls


def _fill(calls: Calls, replays: Int64, source: Calls, templates: Int64, reason: str) -> bool:
    """Copy shapes from templates to replays in order; whether they matched."""
    count = len(templates)
    if not count or len(replays) % count:
        return False
    wanted = np.tile(templates, len(replays) // count)
    mine = [calls.text("implementation", int(one)) for one in replays]
    theirs = [source.text("implementation", int(one)) for one in wanted]
    agree = [a == b or "other" in (a, b) for a, b in zip(mine, theirs, strict=True)]
    if not all(agree):
        return False
    for name in SIZES:
        calls.sizes[name][replays] = source.sizes[name][wanted]
    for name in TEXTS:
        if name == "reason":
            calls.texts[name][replays] = calls.words.number(reason)
            continue
        for place, one in zip(replays.tolist(), wanted.tolist(), strict=True):
            text = source.text(name, one)
            if text is not None and text != "other":
                calls.texts[name][place] = calls.words.number(text)
    calls.causal[replays] = source.causal[wanted]
    calls.chain[replays] = source.chain[wanted]
    return True


def _without(calls: Calls, dropped: Bool) -> Calls:
    """The calls without those that were only the capture of others."""
    kept = np.flatnonzero(~dropped)
    place = np.full(len(calls) + 1, NONE, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    return calls.taken(kept, place)
