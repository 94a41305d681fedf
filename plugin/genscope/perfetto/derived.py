"""What GenScope finds in a trace, as tracks to be drawn beside it: slices and counters as columns.

`TRACKS` is the list of them; both writers go through it and know none by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from genscope.analysis.annotations import annotations_of
from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.columns import SIZES, Calls
from genscope.analysis.attention.intensity import attention_flops, products
from genscope.analysis.attention.rounds import rounds_of, stretches_of
from genscope.analysis.attention.serving import serving_steps
from genscope.analysis.attention.where import FORWARD_PASSES, in_passes
from genscope.analysis.categories import CATEGORIES
from genscope.analysis.classify import BACKWARD, PASSES, classify
from genscope.analysis.modules import components
from genscope.analysis.steps import steps_of
from genscope.analysis.tables import category_of_row
from genscope.analysis.timeline import merge
from genscope.analysis.tree import module_tree
from genscope.analysis.work import gather
from genscope.trace.model import NONE, Int64, Trace

Numbers: TypeAlias = "npt.NDArray[np.int64] | npt.NDArray[np.float64]"

GROUP = "GenScope"
"""Name of what the tracks stand below."""


@dataclass(frozen=True, slots=True)
class Words:
    """A column of text: a place in `listed` for each row, -1 for none."""

    of_row: Int64
    listed: Sequence[str]


@dataclass(frozen=True, slots=True)
class Flags:
    """A column of yes and no: 1, 0, or -1 for unknown."""

    of_row: Int64


Column: TypeAlias = "Int64 | Words | Flags"
"""An argument of each slice; a number of -1 is unknown and left out."""


@dataclass(frozen=True, slots=True)
class Slices:
    """A derived track of slices; arrays have shape (k,), times are those of the trace."""

    title: str
    category: str
    start_ns: Int64
    end_ns: Int64
    name: Words
    args: dict[str, Column] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counter:
    """A derived counter: its value from each point in time on, of shape (k,)."""

    title: str
    unit: str
    at_ns: Int64
    value: Numbers


Derived: TypeAlias = "Slices | Counter"


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


def words_of(texts: Sequence[str | None]) -> Words:
    """A column of the distinct ones of `texts`."""
    numbers: dict[str, int] = {}
    of_row = [NONE if text is None else numbers.setdefault(text, len(numbers)) for text in texts]
    return Words(np.array(of_row, dtype=np.int64), list(numbers))


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
    start, end = _span(calls, places)
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
    start, end = _span(calls, places)
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


def _span(calls: Calls, places: Int64) -> tuple[Int64, Int64]:
    """When calls ran: on the device, where they did anything there."""
    there = calls.device_start_ns[places] != NONE
    start = np.where(there, calls.device_start_ns[places], calls.start_ns[places])
    end = np.where(there, calls.device_end_ns[places], calls.end_ns[places])
    return start, end


def _categories(trace: Trace) -> list[Derived]:
    """The time that the operators' breakdown adds up, stretch by stretch."""
    classes = classify(trace)
    work = gather(trace, classes)
    category = category_of_row(work, classes)
    rows = work.stretch_row
    op = np.where(work.op >= 0, trace.events.name[work.op], NONE)[rows]
    return [
        Slices(
            title="Operator categories",
            category="genscope.category",
            start_ns=work.stretch_start,
            end_ns=work.stretch_end,
            name=Words(category[rows], CATEGORIES),
            args={
                "pass": Words(classes.pass_[work.rows[rows]].astype(np.int64), PASSES),
                "op": Words(op.astype(np.int64), trace.strings),
                "unlinked": Flags(work.unlinked[rows].astype(np.int64)),
            },
        )
    ]


# Counters ---------------------------------------------------------------------------------------


def _lengths(trace: Trace) -> list[Derived]:
    """Lengths of forward calls, from the start of each call to that of the next."""
    calls = attention_calls(trace)
    places = np.flatnonzero(in_passes(calls, FORWARD_PASSES) & calls.has_shape)
    start, _ = _span(calls, places)
    order = np.argsort(start, kind="stable")
    places, start = places[order], start[order]
    query, key = calls.sizes["q_len"][places], calls.sizes["kv_len"][places]
    known = key >= 0
    return [
        Counter("Sequence length (queries)", "tokens", start, query),
        Counter("Sequence length (keys)", "tokens", start[known], key[known]),
    ]


def _busy_streams(trace: Trace) -> list[Derived]:
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


def _achieved(trace: Trace) -> list[Derived]:
    """FLOP/s of the attention calls and matrix products that run, where their shapes are known.

    A call or product counts from its first device event to its last; without a device from the
    start of its op to the end.
    """
    calls = attention_calls(trace)
    flops = attention_flops(calls)
    places = np.flatnonzero(in_passes(calls, FORWARD_PASSES) & (flops > 0))
    start, end = _span(calls, places)
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


TRACKS: tuple[Callable[[Trace], list[Derived]], ...] = (
    _steps,
    _phases,
    _components,
    _modules,
    _attention,
    _categories,
    _lengths,
    _busy_streams,
    _achieved,
)
