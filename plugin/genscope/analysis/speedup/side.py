"""One run as the speedup view needs it: a few sums and its attention calls, not its events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.view import time_of
from genscope.analysis.categories import CATEGORIES
from genscope.analysis.classify import ATTENTION, classify
from genscope.analysis.devices import device_names
from genscope.analysis.select import selected
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.speedup.results import RunSide
from genscope.analysis.steps import chosen_steps, step_warnings, window_ns
from genscope.analysis.tables import category_of_row
from genscope.analysis.work import DEVICE, Work, file_name, gather, wall, work_warnings
from genscope.schema import Document
from genscope.trace.errors import TraceWarning
from genscope.trace.model import NONE, Int64, Trace

UNFUSED = ("math", "eager")
"""Implementations that write the scores to memory: what a baseline computes attention with."""


@dataclass(frozen=True, slots=True)
class Side:
    """A run. `index`, `time_ns` and `attention_ns` have shape (c,), a value a call.

    `time_ns` is what the attention view gives a call; `attention_ns` the part of the category
    Attention that is in it, on the basis.
    """

    trace: str
    rank: int | None
    basis: str
    devices: list[str]
    lanes: int
    """Number of devices with work; 1 without a device."""
    wall_ns: int
    sum_ns: int
    busy_ns: int
    categories: dict[str, int]
    """Nanoseconds of every category that occurs."""
    calls: Calls
    index: Int64
    """Place of each call among all calls of the trace, as the attention view counts them."""
    time_ns: Int64
    attention_ns: Int64
    step_ns: Int64
    """Duration of each step, shape (s,)."""
    document: Document
    generated: bool
    """Kernels were generated: torch.compile."""
    graphs: bool
    """Kernels were replayed by a graph."""
    warnings: list[TraceWarning]

    @property
    def attention_sum_ns(self) -> int:
        """Time in the category Attention."""
        return self.categories.get(ATTENTION, 0)

    @property
    def unfused_share(self) -> float | None:
        """Part of the calls' time that was computed step by step; None without calls."""
        if not len(self.calls):
            return None
        unfused = np.zeros(len(self.calls), dtype=np.bool_)
        for name in UNFUSED:
            unfused |= self.calls.is_word("implementation", name)
        total = int(self.time_ns.sum())
        return int(self.time_ns[unfused].sum()) / total if total else float(unfused.mean())

    def result(self) -> RunSide:
        """The run as a part of a result."""
        return RunSide(
            trace=self.trace,
            devices=self.devices,
            attention=self.document.workload.attention,
            wall_ns=self.wall_ns,
            sum_ns=self.sum_ns,
            busy_ns=self.busy_ns,
            attention_ns=self.attention_sum_ns,
            calls=len(self.calls),
            implementations=self.counted("implementation"),
            dtypes=self.counted("dtype"),
            steps=len(self.step_ns),
        )

    def counted(self, column: str) -> dict[str, int]:
        """Calls by the words of a text column, the most frequent first."""
        numbers, counts = np.unique(self.calls.texts[column], return_counts=True)
        words = Counter(
            {
                self.calls.words.text(number) or "unknown": count
                for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
            }
        )
        return dict(words.most_common())


def side_of(
    trace: Trace, selection: Selection = EVERYTHING, *, capture: Trace | None = None
) -> Side:
    """Sum up a run, or the `selection` of it; `capture` as in `attention_calls`."""
    classes = classify(trace)
    calls = attention_calls(trace, capture=capture)
    work = selected(trace, gather(trace, classes), classes, selection)
    index = np.arange(len(calls), dtype=np.int64)
    if selection != EVERYTHING:
        index = np.unique(calls.of_event[work.rows]).astype(np.int64)
        index = index[index >= 0]
        calls = _taken(calls, index)
    category = category_of_row(work, classes)
    sums = np.zeros(len(CATEGORIES), dtype=np.int64)
    np.add.at(sums, category, work.time_ns)
    whole = work.figures(np.zeros(len(work.rows), dtype=np.int64), 1)
    start, end = window_ns(trace, selection, wall(trace))
    steps = chosen_steps(trace, selection)
    return Side(
        trace=file_name(trace),
        rank=trace.rank,
        basis=work.basis,
        devices=_devices(trace, work),
        lanes=work.lanes,
        wall_ns=end - start,
        sum_ns=int(work.time_ns.sum()),
        busy_ns=int(whole.busy_ns[0]),
        categories={
            name: int(value)
            for name, value in zip(CATEGORIES, sums.tolist(), strict=True)
            if value or name == ATTENTION
        },
        # The column of all events would keep as much in memory as the trace itself.
        calls=replace(calls, of_event=np.zeros(0, dtype=np.int32)),
        index=index,
        time_ns=time_of(calls),
        attention_ns=_in_calls(calls, work, category),
        step_ns=(steps.end_ns - steps.start_ns).astype(np.int64),
        document=trace.document or Document(),
        generated=any(text.startswith("triton_") for text in trace.strings),
        graphs=bool(trace.links.graph_launch.any()),
        warnings=[
            *trace.warnings,
            *step_warnings(trace, selection),
            *work_warnings(trace, work),
        ],
    )


def _taken(calls: Calls, kept: Int64) -> Calls:
    place = np.full(len(calls) + 1, NONE, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    return calls.taken(kept, place)


def _in_calls(calls: Calls, work: Work, category: Int64) -> Int64:
    """Time of the category Attention in each call."""
    of_call = calls.of_event[work.rows]
    inside = (of_call >= 0) & (category == CATEGORIES.index(ATTENTION))
    total = np.zeros(len(calls), dtype=np.int64)
    np.add.at(total, of_call[inside], work.time_ns[inside])
    return total


def _devices(trace: Trace, work: Work) -> list[str]:
    if work.basis != DEVICE:
        return ["CPU"]
    found = np.unique(trace.events.device[work.rows]).tolist()
    names = device_names(trace, found)
    return [names[index] or "unknown device" for index in found]
