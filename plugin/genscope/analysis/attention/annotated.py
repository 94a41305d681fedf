"""What the collectors' annotations tell of attention calls; it goes before what ops tell.

The annotation was written where the call was made, so it knows what the op does not: the true
heads of packed queries, where keys come from, and what was moved into the batch.
"""

from __future__ import annotations

import numpy as np

from genscope.analysis.annotations import Annotations, annotations_of
from genscope.analysis.attention.columns import Calls
from genscope.analysis.steps import steps_of
from genscope.schema import Site
from genscope.trace.model import NONE, Int64, Trace
from genscope.trace.nest import Nest

ANNOTATED = "annotation"

_SITE_SIZES = ("heads", "kv_heads", "head_dim", "v_head_dim")
_SITE_TEXTS = ("kind", "axis", "mask", "dtype")
_CALL_SIZES = ("batch", "q_len", "kv_len", "q_tokens")


def apply_annotations(trace: Trace, calls: Calls) -> None:
    """Fill in what annotations tell of each call, and the step it belongs to."""
    if not len(calls):
        return
    annotated = annotations_of(trace)
    at = _annotation_of(trace, calls, annotated)
    known = np.flatnonzero(at >= 0)
    if len(known):
        _lengths(calls, annotated, known, at[known])
        _sites(calls, annotated, known, annotated.attention.site[at[known]])
    calls.step = _steps(trace, calls, annotated)


def _annotation_of(trace: Trace, calls: Calls, annotated: Annotations) -> Int64:
    """Place of each call's annotation among the annotated calls, -1 for none; shape (c,)."""
    events = trace.events
    marks = annotated.attention
    found = np.full(len(calls), NONE, dtype=np.int64)
    place = np.full(len(events), NONE, dtype=np.int64)
    place[marks.row] = np.arange(len(marks.row))
    ranges = marks.row[~marks.is_chain]
    if len(ranges):
        nest = Nest(ranges, events.track, events.start_ns, events.end_ns)
        around = nest.enclosing(calls.track, events.start_ns[calls.row])
        found[around >= 0] = place[around[around >= 0]]
    behind = marks.row[marks.is_chain]
    for track in np.unique(events.track[behind]).tolist():
        lane = behind[events.track[behind] == track]
        # A native op has a mark too, where nothing could be put around it.
        chains = np.flatnonzero((calls.track == track) & (found == NONE))
        if not len(chains):
            continue
        chains = chains[np.argsort(calls.end_ns[chains], kind="stable")]
        # The mark stands between the last product of its chain and that of the next.
        first = np.searchsorted(events.start_ns[lane], events.start_ns[calls.row[chains]])
        ends = calls.end_ns[chains]
        following = np.append(ends[1:], np.iinfo(np.int64).max)
        inside = first < len(lane)
        at = lane[np.minimum(first, len(lane) - 1)]
        hit = inside & (events.start_ns[at] < following)
        found[chains[hit]] = place[at[hit]]
    return found


def _lengths(calls: Calls, annotated: Annotations, known: Int64, at: Int64) -> None:
    for name in _CALL_SIZES:
        value = getattr(annotated.attention, name)[at]
        told = value >= 0
        calls.sizes[name][known[told]] = value[told]
    q_len, batch, tokens = (calls.sizes[name] for name in ("q_len", "batch", "q_tokens"))
    untold = known[annotated.attention.q_tokens[at] < 0]
    whole = untold[(q_len[untold] >= 0) & (batch[untold] >= 0)]
    tokens[whole] = q_len[whole] * batch[whole]


def _sites(calls: Calls, annotated: Annotations, known: Int64, site_ids: Int64) -> None:
    for number in np.unique(site_ids).tolist():
        site = annotated.site.get(number)
        rows = known[site_ids == number]
        if site is not None:
            _site(calls, annotated, rows, site)


def _site(calls: Calls, annotated: Annotations, rows: Int64, site: Site) -> None:
    for name in _SITE_SIZES:
        value = getattr(site, name)
        if value is not None:
            calls.sizes[name][rows] = value
    for name in _SITE_TEXTS:
        value = getattr(site, name)
        if value is None:
            continue
        told = rows
        if name == "mask" and value == "tensor":
            # Which tensor, the ops of a chain may have told.
            told = rows[~calls.is_word("mask", "causal")[rows]]
        calls.texts[name][told] = calls.words.number(value)
    if site.causal is not None:
        # A chain and the native ops take no such flag, whatever they mask.
        flagged = rows[~calls.chain[rows] & ~calls.is_word("implementation", "native")[rows]]
        calls.causal[flagged] = int(site.causal)
    reason = f"{ANNOTATED}: {site.reason}" if site.reason else ANNOTATED
    calls.texts["reason"][rows] = calls.words.number(reason)
    component = annotated.component.get(site.component) if site.component is not None else None
    if component is not None:
        calls.texts["component"][rows] = calls.words.number(component.name)
    module = annotated.module.get(site.module) if site.module is not None else None
    if module is not None and module.path:
        calls.texts["module"][rows] = calls.words.number(module.path)


def _steps(trace: Trace, calls: Calls, annotated: Annotations) -> Int64:
    """Step of each call: its component's, else the profiler's; -1 where neither tells."""
    events = trace.events
    start = events.start_ns[calls.row]
    found = np.full(len(calls), NONE, dtype=np.int64)
    steps = steps_of(trace)
    if len(steps):
        place = np.searchsorted(steps.start_ns, start, side="right") - 1
        inside = steps.around(start)
        found[inside] = place[inside]
    stepped = annotated.components.step >= 0
    if stepped.any():
        rows = annotated.components.row[stepped]
        step_of = np.full(len(events), NONE, dtype=np.int64)
        step_of[rows] = annotated.components.step[stepped]
        nest = Nest(rows, events.track, events.start_ns, events.end_ns)
        around = nest.enclosing(calls.track, start)
        found[around >= 0] = step_of[around[around >= 0]]
    return found
