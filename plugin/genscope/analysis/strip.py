"""The timeline by category: merged once, then counted into equal bins of any stretch of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genscope.analysis import timeline
from genscope.analysis.categories import CATEGORIES
from genscope.analysis.classify import classify
from genscope.analysis.results import Strip, Timeline
from genscope.analysis.select import selected
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.tables import category_of_row
from genscope.analysis.work import Work, file_name, gather
from genscope.trace.model import Bool, Int64, Trace

BINS = 640
"""Bins of a stretch that was asked for: the page asks for more than it shows, to move in."""

Merged = tuple[Int64, Int64]
"""Starts and ends of sorted, disjoint stretches of time, each of shape (m,)."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """When each category was at work, a list over devices of `Merged`; `whole` is the union."""

    categories: list[str]
    by_category: list[list[Merged]]
    whole: list[Merged]

    @property
    def size_bytes(self) -> int:
        """Memory that the columns take."""
        every = [*self.whole, *(lane for lanes in self.by_category for lane in lanes)]
        return sum(start.nbytes + end.nbytes for start, end in every)

    def strip(self, window: tuple[int, int], bins: int) -> Strip:
        """Count what lies from `window[0]` to `window[1]` (ns) into at most `bins` bins.

        Bins are whole nanoseconds long and of equal length, so the last may go beyond the end.
        """
        span = max(window[1] - window[0], 1)
        bin_ns = -(-span // bins)
        bins = -(-span // bin_ns)
        edges = window[0] + bin_ns * np.arange(bins + 1, dtype=np.int64)

        def covered(lanes: list[Merged]) -> list[int]:
            total = np.zeros(bins, dtype=np.int64)
            for start, end in lanes:
                total += timeline.coverage(start, end, edges)
            counts: list[int] = total.tolist()
            return counts

        return Strip(
            start_ns=window[0],
            bin_ns=bin_ns,
            bins=bins,
            categories=self.categories,
            busy_ns=[covered(lanes) for lanes in self.by_category],
            device_busy_ns=covered(self.whole),
        )


def lanes_of(work: Work, category: Int64, order: list[int]) -> Lanes:
    """Merge the stretches of `work` by `category`, shape (k,); `order` has those to be listed."""
    of_stretch = category[work.stretch_row]

    def merged(mask: Bool) -> list[Merged]:
        every = [mask & (work.stretch_lane == lane) for lane in range(work.lanes)]
        return [timeline.merge(work.stretch_start[m], work.stretch_end[m]) for m in every]

    return Lanes(
        categories=[CATEGORIES[number] for number in order],
        by_category=[merged(of_stretch == number) for number in order],
        whole=merged(np.ones(len(of_stretch), dtype=np.bool_)),
    )


@dataclass(frozen=True, slots=True)
class Zoom:
    """The timeline of a part of a trace, ready for any stretch of time; knows no trace any more."""

    trace: str
    selection: Selection
    lanes: Lanes

    def timeline(self, span: tuple[int, int]) -> Timeline:
        """Count the stretch from `span[0]` to `span[1]`, in nanoseconds of the trace."""
        return Timeline(
            trace=self.trace, selection=self.selection, strip=self.lanes.strip(span, BINS)
        )


def zoom(trace: Trace, selection: Selection = EVERYTHING) -> Zoom:
    """Prepare the timeline of the selected work."""
    classes = classify(trace)
    work = selected(trace, gather(trace, classes), classes, selection)
    category = category_of_row(work, classes)
    present, place = np.unique(category, return_inverse=True)
    sums = np.zeros(len(present), dtype=np.int64)
    np.add.at(sums, place, work.time_ns)
    order: list[int] = present[np.argsort(-sums, kind="stable")].tolist()
    return Zoom(file_name(trace), selection, lanes_of(work, category, order))
