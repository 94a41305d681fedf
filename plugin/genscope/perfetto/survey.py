"""What has to be known of every rank before the first is written: who it is, and its clock."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Raw

from genscope.perfetto.again import Again
from genscope.perfetto.align import Clock
from genscope.perfetto.collectives import Collectives
from genscope.perfetto.section import EPOCH_NS
from genscope.perfetto.spans import PHASES
from genscope.perfetto.texts import Texts
from genscope.trace import load
from genscope.trace.errors import TraceError
from genscope.trace.model import Trace
from genscope.trace.naming import stem
from genscope.trace.source import Limits, Progress

_POINTS = ("i", "I", "R", "C", *PHASES)
"""Phases of what is no slice of a thread and has a time."""

_RANKS = (
    re.compile(r"rank[-_. ]?(\d+)", re.IGNORECASE),
    re.compile(r"worker[-_. ]?(\d+)", re.IGNORECASE),
    re.compile(r"[-_.](\d{1,4})\Z"),
)


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A rank without its events."""

    path: str
    rank: int
    world_size: int | None
    clock: Clock
    earliest_ns: int
    """Time of the earliest event of any kind, that of the first slice being 0."""
    correlation: int
    """The largest, as of `external_id`."""
    external_id: int


class _Nobody:
    """Takes arguments that nobody wants."""

    def add(self, group: str | None, events: Sequence[int], texts: Sequence[Raw]) -> None:
        """Drop them."""


def survey(path: str, limits: Limits | None = None, progress: Progress | None = None) -> Surveyed:
    """Read a rank and keep what merging it with others needs.

    Raises TraceError where the file cannot be used or neither tells its rank nor is named after it.
    """
    trace = load(path, limits=limits, progress=progress)
    rank = trace.rank if trace.rank is not None else _rank_of_name(path)
    if rank is None or rank < 0:
        raise TraceError(f"{path}: tells no rank; with the rank in its name it can be merged")
    collectives = Collectives(trace)
    earliest_ns = _earliest(trace, collectives, limits, progress)
    events = trace.events
    return Surveyed(
        path=path,
        rank=rank,
        world_size=trace.world_size,
        earliest_ns=earliest_ns,
        clock=Clock(trace.base_ns, trace.base_ns > EPOCH_NS, collectives.ends()),
        correlation=int(events.correlation.max(initial=0)),
        external_id=int(events.external_id.max(initial=0)),
    )


def _earliest(
    trace: Trace, collectives: Collectives, limits: Limits | None, progress: Progress | None
) -> int:
    """Give `collectives` their arguments on the way, if they want any."""
    phases = {name.partition("/")[0] for name in trace.counts}
    if not collectives.need_arguments and phases.isdisjoint(_POINTS):
        return 0
    categories, names = Texts(1, io.BytesIO()), Texts(2, io.BytesIO())
    wants = collectives if collectives.need_arguments else _Nobody()
    again = Again(trace, categories, names, wants)
    again.read(limits, progress)
    times = [
        again.points.at_ns(),
        again.spans.times(),
        *(one.times() for one in again.counters.values()),
    ]
    first = min((int(at.min()) for at in times if len(at)), default=again.origin_ns)
    return min(first - again.origin_ns, 0)


def _rank_of_name(path: str) -> int | None:
    name = stem(os.path.basename(path))
    for pattern in _RANKS:
        found = pattern.findall(name)
        if found and len(found[-1]) < 10:
            return int(found[-1])
    return None
