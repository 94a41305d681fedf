"""One run as the scaling view needs it: what each part of it took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.phases import DECODE
from genscope.analysis.attention.where import FORWARD_PASSES, in_passes
from genscope.analysis.categories import CATEGORIES
from genscope.analysis.classify import ATTENTION, classify
from genscope.analysis.devices import device_names
from genscope.analysis.flops.attention import attention_flops, is_unfused, pairs_of
from genscope.analysis.flops.inputs import DTYPES, WIDTHS
from genscope.analysis.flops.lines import COUNTED, UNKNOWN, Lines, lines_of
from genscope.analysis.flops.view import notes
from genscope.analysis.modules import row_components
from genscope.analysis.scaling.results import (
    AXIS,
    CATEGORY,
    COMPONENT,
    KIND,
    PROFILER,
    TOTAL,
    Amount,
    Contribution,
    Lengths,
)
from genscope.analysis.select import selected
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.speedup.notes import PAIR_EXTRA
from genscope.analysis.steps import chosen_steps, step_warnings
from genscope.analysis.tables import category_of_row
from genscope.analysis.tree import frames_of, module_tree
from genscope.analysis.work import DEVICE, Work, file_name, gather, work_warnings
from genscope.schema import Workload
from genscope.trace.model import Bool, Int64, Trace

_NAMES_ALONE = (*PAIR_EXTRA, "task")
"""Keys of a workload's `extra` that name or time a recording, and say nothing of what was run."""

_WIDTH = {
    name: WIDTHS[written] for written, name in DTYPES.items() if not name.startswith("float8")
} | {"float8_e4m3fn": 1, "float8_e4m3fnuz": 1, "float8_e5m2": 1}
"""Bytes an element by dtype."""


def contribution(trace: Trace, selection: Selection = EVERYTHING) -> Contribution:
    """Sum up a run, or the `selection` of it."""
    calls = attention_calls(trace)
    whole = _Part(trace, calls, selection)
    steps = chosen_steps(trace, selection)
    inside = selection
    if len(steps) and not selection.has_steps:
        inside = msgspec.structs.replace(selection, first_step=0)
    amounts = list(whole.amounts())
    in_steps = amounts
    if inside != selection:
        in_steps = list(_Part(trace, calls, inside).amounts())
    workload = trace.document.workload if trace.document is not None else Workload()
    return Contribution(
        trace=file_name(trace),
        rank=trace.rank,
        basis=whole.work.basis,
        devices=_devices(trace, whole.work),
        model=workload.model,
        dtype=workload.dtype,
        image_size=workload.image_size,
        frames=workload.frames,
        batch=workload.batch,
        prompt_length=workload.prompt_length,
        steps=workload.steps,
        training=workload.training,
        attention=workload.attention,
        implementation=whole.implementation(),
        extra={name: value for name, value in workload.extra.items() if name not in _NAMES_ALONE},
        lengths=whole.lengths(),
        unfused_share=whole.unfused_share(),
        recorded_steps=len(steps),
        steps_are=_numbered(steps.names[0]) if len(steps) else None,
        amounts=amounts,
        step_amounts=in_steps if len(steps) else [],
        largest_score_bytes=int(whole.scores.max(initial=0)),
        unknown_score_calls=int((whole.forward & (whole.scores < 0)).sum()),
        peak_memory_bytes=trace.document.peak_memory_bytes if trace.document else None,
        warnings=[
            *trace.warnings,
            *step_warnings(trace, selection),
            *work_warnings(trace, whole.work),
            *notes(whole.lines),
        ],
    )


def _numbered(name: str) -> str:
    """Who numbers steps, by the name of one: `ProfilerStep#3`, `unet step 3`."""
    return PROFILER if name.startswith("ProfilerStep") else name.rsplit(" step ", 1)[0]


def _devices(trace: Trace, work: Work) -> list[str]:
    if work.basis != DEVICE:
        return ["CPU"]
    found = np.unique(trace.events.device[work.rows]).tolist()
    names = device_names(trace, found)
    return [names[index] or "unknown device" for index in found]


class _Part:
    """A part of a trace: its time, its counted work and its attention calls; c is all calls."""

    def __init__(self, trace: Trace, calls: Calls, selection: Selection) -> None:
        classes = classify(trace)
        self.trace, self.calls = trace, calls
        self.work = selected(trace, gather(trace, classes), classes, selection)
        self.lines: Lines = lines_of(trace, selection)
        self.category = category_of_row(self.work, classes)
        self.inside = np.ones(len(calls), dtype=np.bool_)
        """Calls of this part, shape (c,); so are the columns below."""
        of_call = calls.of_event[self.work.rows]
        if not selection.is_everything:
            self.inside[:] = False
            self.inside[of_call[of_call >= 0]] = True
        self.forward = self.inside & in_passes(calls, FORWARD_PASSES)
        self.time_ns = np.zeros(len(calls), dtype=np.int64)
        attends = (of_call >= 0) & (self.category == CATEGORIES.index(ATTENTION))
        np.add.at(self.time_ns, of_call[attends], self.work.time_ns[attends])
        self.scores = np.where(self.forward, score_bytes(calls), 0)
        """Bytes of each call's score matrices, -1 where unknown, 0 outside the forward pass."""

    # The run ------------------------------------------------------------------------------------

    def lengths(self) -> Lengths:
        calls = self.calls
        mine = self.forward & calls.has_shape
        own = mine & calls.is_word("kind", "self")
        places = np.flatnonzero(own if own.any() else mine)
        # A text encoder's length stays; that of what generates takes more work.
        once = places[~calls.is_word("phase", DECODE)[places]]
        places = once if len(once) else places
        length = batch = None
        if len(places):
            found, group = np.unique(calls.sizes["q_len"][places], return_inverse=True)
            work = np.zeros(len(found), dtype=np.int64)
            np.add.at(work, group, np.maximum(attention_flops(calls)[places], 0))
            length = int(found[work.argmax()])
            most = int(calls.sizes["batch"][places[group == work.argmax()]].max())
            batch = most if most >= 0 else None
        heads = np.unique(
            np.stack([calls.sizes[name][mine] for name in ("heads", "head_dim")]), axis=1
        )
        names, group = self.lines.groups(CATEGORY)
        counts = [
            f"{int((self.lines.is_matrix & (group == names.index(name))).sum())} of {name}"
            for name in ("Linear", "Convolution")
        ]
        said = ", ".join(f"{h} x {d}" for h, d in heads.T.tolist()[:20])
        return Lengths(
            length=length,
            batch=batch,
            structure=f"{int(self.forward.sum())} attention calls ({said}), {', '.join(counts)}",
            decodes=bool((mine & calls.is_word("phase", DECODE)).any()),
        )

    def unfused_share(self) -> float | None:
        if not self.inside.any():
            return None
        unfused = is_unfused(self.calls) & self.inside
        total = int(self.time_ns[self.inside].sum())
        if not total:
            return float(unfused.sum() / self.inside.sum())
        return int(self.time_ns[unfused].sum()) / total

    def implementation(self) -> str | None:
        column = np.where(self.inside, self.calls.texts["implementation"], -1)
        found = np.unique(column[column >= 0])
        spent = [int(self.time_ns[column == number].sum()) for number in found.tolist()]
        return self.calls.words.text(int(found[int(np.argmax(spent))])) if spent else None

    # What each part took ------------------------------------------------------------------------

    def amounts(self) -> Iterator[Amount]:
        zero = np.zeros(len(self.work.rows), dtype=np.int64)
        yield from self._of_work(TOTAL, ["all"], zero, np.zeros_like(self.lines.rows), None)
        _, group = self.lines.groups(CATEGORY)
        attention = np.full(len(self.calls), CATEGORIES.index(ATTENTION))
        yield from self._of_work(CATEGORY, list(CATEGORIES), self.category, group, attention)
        yield from self._components()
        yield from self._of_calls(KIND)
        yield from self._of_calls(AXIS)

    def _components(self) -> Iterator[Amount]:
        trace, work = self.trace, self.work
        tree = module_tree(trace, frames_of(trace, work.rows, work.op))
        names, group = row_components(trace, work, tree)
        of_lines, line_group = self.lines.groups(COMPONENT)
        if not names:
            return
        every = list(dict.fromkeys([*names, *of_lines]))
        of_call = np.array([-1, *(every.index(name) if name in every else -1 for name in self._w)])
        yield from self._of_work(
            COMPONENT,
            every,
            np.array([every.index(name) for name in names])[group],
            np.array([every.index(name) for name in of_lines] or [0])[line_group]
            if of_lines
            else np.full(len(line_group), -1),
            of_call[self.calls.texts[COMPONENT] + 1],
        )

    @property
    def _w(self) -> Sequence[str]:
        return self.calls.words.listed

    def _of_work(
        self, group: str, names: list[str], of_row: Int64, of_line: Int64, of_call: Int64 | None
    ) -> Iterator[Amount]:
        """Add up work, lines and calls; each is numbered by its place in `names`."""
        lines, count = self.lines, len(names)
        if of_call is None:
            of_call = np.zeros(len(self.calls), dtype=np.int64)

        def add(values: Int64, of: Int64, mask: Bool) -> list[int]:
            taken = mask & (of >= 0)
            sums = np.zeros(count, dtype=np.int64)
            np.add.at(sums, of[taken], values[taken])
            return [int(one) for one in sums]

        known = lines.kind == COUNTED
        ones = np.ones(len(lines.rows), dtype=np.int64)
        columns: dict[str, list[int]] = {
            "time_ns": add(self.work.time_ns, of_row, np.ones(len(of_row), dtype=np.bool_)),
            "flops": add(lines.flops, of_line, known),
            "unknown_ns": add(lines.time_ns, of_line, lines.kind == UNKNOWN),
            "moved_bytes": add(lines.moved, of_line, lines.has_moved),
            "calls": add(ones, of_line, known),
            "score_bytes": add(self.scores, of_call, self.scores > 0),
            "written_score_bytes": add(
                self.scores, of_call, (self.scores > 0) & is_unfused(self.calls)
            ),
        }
        for place, name in enumerate(names):
            fields: dict[str, Any] = {key: column[place] for key, column in columns.items()}
            if group == TOTAL or any(fields.values()):
                yield Amount(group=group, name=name, **fields)

    def _of_calls(self, group: str) -> Iterator[Amount]:
        """Attention calls by a word, of the whole run and of each component that has some."""
        calls = self.calls
        parts = np.unique(calls.texts[COMPONENT][self.inside]).tolist()
        flops = attention_flops(calls)
        unfused = is_unfused(calls)
        for part in [None, *(part for part in parts if part >= 0 and len(parts) > 1)]:
            mine = self.inside.copy()
            if part is not None:
                mine &= calls.texts[COMPONENT] == part
            for word in np.unique(calls.texts[group][mine]).tolist():
                if word < 0:
                    continue
                these = mine & (calls.texts[group] == word)
                scored = these & (self.scores > 0)
                yield Amount(
                    group=group,
                    name=calls.words.listed[word],
                    component=None if part is None else calls.words.listed[part],
                    time_ns=int(self.time_ns[these].sum()),
                    flops=int(flops[these & (flops >= 0)].sum()),
                    unknown_ns=int(self.time_ns[these & (flops < 0)].sum()),
                    moved_bytes=None,
                    score_bytes=int(self.scores[scored].sum()),
                    written_score_bytes=int(self.scores[scored & unfused].sum()),
                    calls=int(these.sum()),
                )


def score_bytes(calls: Calls) -> Int64:
    """Bytes of the score matrices of each call, b·h·q·kv of its dtype; shape (c,), -1 if unknown.

    Of a batch of variable lengths an upper bound, as its pairs are (`pairs_of`).
    """
    width = np.zeros(len(calls), dtype=np.int64)
    for name, size in _WIDTH.items():
        width[calls.is_word("dtype", name)] = size
    known = width > 0
    for name in ("batch", "heads", "q_len", "kv_len"):
        known &= calls.sizes[name] >= 0
    pairs = pairs_of(calls, np.zeros(len(calls), dtype=np.bool_))
    return np.where(known, calls.sizes["heads"] * pairs * width, -1)
