"""What GenScope finds in a trace, as tracks to be drawn beside it: slices and counters as columns.

`TRACKS` is the list of them; both writers go through it and know none by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from genscope.analysis.annotations import annotations_of
from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.columns import SIZES, Calls
from genscope.analysis.attention.rounds import rounds_of, stretches_of
from genscope.analysis.attention.serving import serving_steps
from genscope.analysis.attention.where import FORWARD_PASSES, in_passes
from genscope.analysis.categories import CATEGORIES
from genscope.analysis.classify import BACKWARD, FORWARD, PASSES, classify
from genscope.analysis.modules import components
from genscope.analysis.steps import steps_of
from genscope.analysis.tables import category_of_row
from genscope.analysis.tree import module_tree
from genscope.analysis.work import CPU_SELF, gather
from genscope.perfetto.counted import achieved, busy_streams, lengths, span_of
from genscope.perfetto.found import Column, Derived, Flags, Slices, Words, words_of
from genscope.trace.model import NONE, Int64, Trace


def derived(trace: Trace) -> list[Derived]:
    """All derived tracks of a trace that have anything on them, in the order to show them."""
    before = set(trace.derived)
    found = [track for make in TRACKS for track in make(trace)]
    # What the analyses keep for each other is as large as the trace.
    for name in set(trace.derived) - before:
        del trace.derived[name]
    return [
        track
        for track in found
        if len(track.start_ns if isinstance(track, Slices) else track.at_ns)
    ]


# Slices -----------------------------------------------------------------------------------------


def _steps(trace: Trace) -> list[Derived]:
    steps = steps_of(trace)
    return [
        Slices(
            title="Steps",
            category="genscope.step",
            start_ns=steps.start_ns,
            end_ns=steps.end_ns,
            name=words_of(steps.names),
            args={"step": np.arange(len(steps), dtype=np.int64)},
        )
    ]


def _phases(trace: Trace) -> list[Derived]:
    """Stretches of rounds in one phase, else a serving engine's steps, else those of the calls."""
    calls = attention_calls(trace)
    rounds = rounds_of(trace, calls)
    stretches = stretches_of(rounds, np.ones(len(rounds.units), dtype=np.bool_))
    known = [one for one in stretches if one.phase is not None]
    if known:
        start = np.array([one.start_ns for one in known], dtype=np.int64)
        args: dict[str, Column] = {
            "component": words_of([one.component for one in known]),
            "rounds": np.array([one.rounds for one in known], dtype=np.int64),
            "reason": words_of([one.reason for one in known]),
        }
        length = np.array([one.dur_ns for one in known], dtype=np.int64)
        names = words_of([one.phase for one in known])
        return [Slices("Phases", "genscope.phase", start, start + length, names, args)]
    served = serving_steps(trace)
    if served:
        rows = np.array([step.row for step in served], dtype=np.int64)
        names = words_of([step.phase for step in served])
        args = {
            "prefills": np.array([step.prefills for step in served], dtype=np.int64),
            "decodes": np.array([step.decodes for step in served], dtype=np.int64),
            "reason": words_of([step.reason for step in served]),
        }
        begin, end = trace.events.start_ns[rows], trace.events.end_ns[rows]
        return [Slices("Phases", "genscope.phase", begin, end, names, args)]
    return [_phases_of_calls(calls)]


def _phases_of_calls(calls: Calls) -> Slices:
    """Stretches of neighbouring calls in one phase of one component."""
    places = np.flatnonzero(in_passes(calls, FORWARD_PASSES) & (calls.texts["phase"] >= 0))
    start, end = span_of(calls, places)
    order = np.argsort(start, kind="stable")
    places, start, end = places[order], start[order], end[order]
    phase, component = calls.texts["phase"][places], calls.texts["component"][places]
    changes = np.ones(len(places), dtype=np.bool_)
    changes[1:] = (np.diff(phase) != 0) | (np.diff(component) != 0)
    first = np.flatnonzero(changes)
    reached = np.maximum.accumulate(end) if len(end) else end
    last = np.r_[first[1:], len(places)] - 1 if len(first) else first
    stop = reached[last]
    if len(stop) > 1:
        stop[:-1] = np.minimum(stop[:-1], start[first[1:]])
    return Slices(
        title="Phases",
        category="genscope.phase",
        start_ns=start[first],
        end_ns=np.maximum(stop, start[first]),
        name=_text(calls, "phase", places[first]),
        args={
            "component": _text(calls, "component", places[first]),
            "calls": last - first + 1,
            "reason": _text(calls, "phase_reason", places[first]),
        },
    )


def _components(trace: Trace) -> list[Derived]:
    annotated = annotations_of(trace)
    rows = annotated.components.row
    names = [annotated.calls[int(index)] for index in trace.events.name[rows]]
    return [
        Slices(
            title="Components",
            category="genscope.component",
            start_ns=trace.events.start_ns[rows],
            end_ns=trace.events.end_ns[rows],
            name=words_of([annotated.label(call) for call in names]),
            args={
                "step": annotated.components.step,
                "class": words_of([annotated.class_name(call) for call in names]),
            },
        )
    ]


def _modules(trace: Trace) -> list[Derived]:
    """Every frame of a module; components are around those that are annotated."""
    links, events = trace.links, trace.events
    inner = links.module[links.module >= 0]
    frames = np.unique(np.r_[inner, links.module_parent[links.module_parent >= 0]]).astype(np.int64)
    frames = frames[~np.isin(frames, annotations_of(trace).components.row)]
    tree = module_tree(trace, frames)
    names, number = components(trace, frames, tree)
    paths = [tree.path(one) for one in range(len(tree.names))]
    return [
        Slices(
            title="Modules",
            category="genscope.module",
            start_ns=events.start_ns[frames],
            end_ns=events.end_ns[frames],
            name=Words(tree.of_row, tree.names),
            args={
                "path": Words(tree.of_row, paths),
                "class": _renumbered(tree.of_row, tree.classes),
                "component": Words(number, names),
            },
        )
    ]


def _renumbered(of_row: Int64, texts: Sequence[str | None]) -> Words:
    """A column of the texts at `of_row`, -1 or None for none."""
    words = words_of([*texts, None])
    return Words(words.of_row[of_row], words.listed)


def _attention(trace: Trace) -> list[Derived]:
    calls = attention_calls(trace)
    places = np.arange(len(calls), dtype=np.int64)
    start, end = span_of(calls, places)
    kinds, axes = calls.texts["kind"], calls.texts["axis"]
    backward = calls.pass_ == BACKWARD
    table, which = np.unique(np.stack([kinds, axes, backward], axis=1), axis=0, return_inverse=True)
    names = [
        " ".join(
            word
            for word in (
                calls.words.text(kind),
                calls.words.text(axis),
                "attention",
                "(backward)" if is_backward else None,
            )
            if word
        )
        for kind, axis, is_backward in table.tolist()
    ]
    args: dict[str, Column] = {"index": places}
    args.update({name: calls.sizes[name] for name in SIZES})
    for name in ("phase", "kind", "axis", "implementation", "component", "module", "dtype", "mask"):
        args[name] = _text(calls, name, places)
    args["causal"] = Flags(calls.causal.astype(np.int64))
    args["layer"] = calls.layer.astype(np.int64)
    args["step"] = calls.step
    args["pass"] = Words(calls.pass_.astype(np.int64), PASSES)
    args["device_ns"] = calls.device_ns
    args["cpu_ns"] = calls.cpu_ns
    args["layout_ns"] = calls.layout_ns
    args["reason"] = _text(calls, "reason", places)
    return [
        Slices(
            title="Attention",
            category="genscope.attention",
            start_ns=start,
            end_ns=end,
            name=Words(which.reshape(-1).astype(np.int64), names),
            args=args,
        )
    ]


def _text(calls: Calls, name: str, places: Int64) -> Words:
    return Words(calls.texts[name][places].astype(np.int64), calls.words.listed)


def _categories(trace: Trace) -> list[Derived]:
    """The time that the operators' breakdown adds up, stretch by stretch.

    Of device events each is one. Of CPU ops, neighbours on a thread are one as long as category
    and pass are the same; `op` is theirs if they have one in common. There can be more of these
    than of anything in the source, so what most have is left out: that the pass is forward, and
    that they are linked.
    """
    classes = classify(trace)
    work = gather(trace, classes)
    rows = work.rows[work.stretch_row]
    op = np.where(work.op >= 0, trace.events.name[work.op], NONE)[work.stretch_row].astype(np.int64)
    category = category_of_row(work, classes)[work.stretch_row]
    pass_ = classes.pass_[rows].astype(np.int64)
    start, end = work.stretch_start, work.stretch_end
    unlinked = work.unlinked[work.stretch_row]
    if work.basis == CPU_SELF:
        track = trace.events.track[rows]
        order = np.lexsort((start, track))
        starts, ends = start[order], end[order]
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = starts[1:] != ends[:-1]
        for same in (track, category, pass_):
            new[1:] |= same[order[1:]] != same[order[:-1]]
        first = np.flatnonzero(new)
        behind = np.r_[first[1:], len(order)][: len(first)]
        differs = np.r_[0, np.cumsum(np.diff(op[order]) != 0)]
        one_op = differs[behind - 1] == differs[first]
        start, end = starts[first], ends[behind - 1]
        kept = order[first]
        op = np.where(one_op, op[kept], NONE)
        category, pass_, unlinked = category[kept], pass_[kept], unlinked[kept]
    return [
        Slices(
            title="Operator categories",
            category="genscope.category",
            start_ns=start,
            end_ns=end,
            name=Words(category, CATEGORIES),
            args={
                "pass": Words(np.where(pass_ == FORWARD, NONE, pass_), PASSES),
                "op": Words(op, trace.strings),
                "unlinked": Flags(np.where(unlinked, 1, NONE)),
            },
        )
    ]


TRACKS: tuple[Callable[[Trace], list[Derived]], ...] = (
    _steps,
    _phases,
    _components,
    _modules,
    _attention,
    _categories,
    lengths,
    busy_streams,
    achieved,
)
