"""One trace as one packet sequence of a native trace."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from genscope.perfetto.again import INSTANT, SPAN, Again
from genscope.perfetto.arguments import Arguments, Shifts
from genscope.perfetto.columns import Interned, encoded
from genscope.perfetto.derived import derived
from genscope.perfetto.flows import Flows, flows_of
from genscope.perfetto.found import Counter, Slices
from genscope.perfetto.lanes import lanes
from genscope.perfetto.metadata import ALONE, Note, document, members_of
from genscope.perfetto.order import stream
from genscope.perfetto.packing import Batch, pack
from genscope.perfetto.pieces import read_pieces
from genscope.perfetto.ragged import spread, unsigned
from genscope.perfetto.records import Gathered, Records
from genscope.perfetto.results import Exported
from genscope.perfetto.texts import Texts, Values
from genscope.perfetto.tracks import Layout, SourceTracks, counter
from genscope.perfetto.wire import Event, first_packet
from genscope.perfetto.wire import Interned as Tables
from genscope.trace.model import Int32, Int64, Trace
from genscope.trace.source import Limits, Progress

_BATCH = 1 << 15
EPOCH_NS = 10**18
"""Times above this (2001) are since the epoch."""
LAST_RANK = 1 << 30
ASYNC = "asynchronous"


@dataclass(slots=True)
class Place:
    """Where a trace stands in a file; as it is, in one of its own."""

    layout: Layout = field(default_factory=Layout)
    """The tracks, and the sequence to write."""
    zero_ns: int | None = None
    """Time of the trace at clock 0, None for that of its earliest event."""
    shift_ns: int = 0
    """What its clock is behind."""
    first_flow: int = 1
    shifts: Shifts = field(default_factory=dict)
    """Of ids among its arguments."""
    tracks: Callable[..., SourceTracks] = SourceTracks
    note: Note = ALONE


def epoch_of(base_ns: int) -> int | None:
    """The time `base_ns` if it can be one since the epoch."""
    return base_ns if base_ns > EPOCH_NS else None


class Section:
    """The packets of one trace."""

    def __init__(self, trace: Trace, place: Place, texts: IO[bytes], arguments: IO[bytes]) -> None:
        """`texts` and `arguments` are files that are written, and read, meanwhile."""
        found = derived(trace)
        layout = place.layout
        self._trace = trace
        self._place = place
        self._slices = [track for track in found if isinstance(track, Slices)]
        self._counters = [track for track in found if isinstance(track, Counter)]
        self._texts = texts
        self._annotations = arguments
        self._names = Texts(Tables.NAMES, texts, layout.sequence)
        self._categories = Texts(Tables.CATEGORIES, texts, layout.sequence)
        self._argument_names = Texts(Tables.ARGUMENTS, texts, layout.sequence)
        self._values = Texts(Tables.TEXTS, texts, layout.sequence)
        values = Values(self._values.add)
        self._arguments = Arguments(self._argument_names, values, arguments, place.shifts)
        self._layout = layout
        self._name_of_string = self._interned_names()
        self._again = Again(trace, self._categories, self._names, self._arguments)
        self._further_lanes = self._cut = self._zero_ns = 0
        self._flows: dict[str, int] = {}

    def _interned_names(self) -> Int32:
        """Number of each string that is a name; the most frequent get the shortest."""
        used, counts = np.unique(self._trace.events.name, return_counts=True)
        table = np.zeros(len(self._trace.strings), dtype=np.int32)
        for index in used[np.argsort(-counts, kind="stable")].tolist():
            table[index] = self._names[self._trace.strings[index]]
        return table

    def read(self, limits: Limits | None, progress: Progress | None) -> None:
        """Read the source again."""
        self._again.read(limits, progress)
        self._derived_arguments()

    def _derived_arguments(self) -> None:
        interned = Interned(self._values)
        first = len(self._trace.events)
        for track in self._slices:
            rows = np.arange(first, first + len(track.start_ns))
            self._arguments.put(rows, *encoded(track, self._argument_names, interned))
            first += len(rows)

    def write(self, out: IO[bytes]) -> int:
        """Lay everything out and write it; return how many flows there are."""
        place, layout = self._place, self._layout
        records = self._records()
        zero_ns = records.earliest if place.zero_ns is None else place.zero_ns
        self._zero_ns = zero_ns
        base_ns = self._trace.base_ns + place.shift_ns + zero_ns
        members = members_of(self._trace)
        if place.note is ALONE:
            members |= document(base_ns, self._again.origin_ns + zero_ns, layout)
        self._arguments.add_members(INSTANT + records.instants - 1, members)
        spans = self._again.spans.count
        at, length = self._arguments.placed(
            (0, records.slices - spans), (SPAN, spans), (INSTANT, records.instants)
        )
        for table in (self._names, self._categories, self._argument_names, self._values):
            table.flush()
        self._annotations.flush()
        out.write(first_packet(epoch_of(base_ns), layout.sequence))
        out.write(b"".join(layout.packets))
        layout.packets.clear()
        self._texts.seek(0)
        shutil.copyfileobj(self._texts, out, 1 << 20)
        flows = flows_of(self._trace, place.first_flow)
        self._flows = {"launch": flows.launches, "backward": flows.backwards}
        for batch in self._batches(records, at, length, flows, zero_ns):
            out.write(pack(batch, layout.sequence).data)
        return flows.launches + flows.backwards

    # Records --------------------------------------------------------------------------------

    def _records(self) -> Records:
        """Describe all tracks, and gather what is on them."""
        trace, again, layout = self._trace, self._again, self._layout
        events, points = trace.events, again.points
        memory = again.memory.counters(again.origin_ns)
        tracks = self._place.tracks(layout, trace, points.lane, again.processes, again.threads)
        group = layout.group(tracks.root) if self._slices or self._counters or memory else 0
        gathered = Gathered()
        lane, end, self._cut = lanes(events.track, events.start_ns, events.end_ns)
        needed = np.zeros(len(tracks.tracks), dtype=np.int64)
        np.maximum.at(needed, events.track, lane.astype(np.int64) + 1)
        place = np.array([tracks.place[one] for one in points.lane], dtype=np.int64)
        needed[place] = np.maximum(needed[place], 1)
        self._further_lanes = int(np.maximum(needed - 1, 0).sum())
        first = tracks.describe(needed)
        gathered.add_slices(
            events.start_ns,
            end,
            first[events.track] + lane,
            self._name_of_string[events.name],
            again.category,
        )
        for rank, slices in enumerate(self._slices):
            self._add_derived(gathered, slices, group, rank)
        started = self._add_spans(gathered, tracks)
        at_ns = points.at_ns() - again.origin_ns
        gathered.add_instants(at_ns, first[place], points.name, points.category)
        counted = self._described_counters(tracks, group, memory)
        times = (events.start_ns, started, at_ns, *(at for _, at, _ in counted))
        earliest = min([int(at.min()) for at in times if len(at)], default=0)
        note = self._place.note
        uuid = layout.of_derived(layout.add(parent=tracks.root, name=note.track, rank=LAST_RANK))
        gathered.add_instants(
            np.array([earliest], dtype=np.int64),
            np.array([uuid], dtype=np.int64),
            [self._names[note.name]],
            [self._categories[note.category]],
        )
        for number, at, value in counted:
            gathered.add_counter(at, number, value)
        return gathered.finish()

    def _add_derived(self, gathered: Gathered, slices: Slices, group: int, rank: int) -> None:
        layout, count = self._layout, len(slices.start_ns)
        lane, end, _ = lanes(np.zeros(count, dtype=np.int32), slices.start_ns, slices.end_ns)
        uuids = [
            layout.of_derived(layout.add(parent=group, name=slices.title, rank=rank))
            for _ in range(int(lane.max()) + 1)
        ]
        numbers = np.array([self._names[text] for text in slices.name.listed] + [0])
        category = np.full(count, self._categories[slices.category], dtype=np.int32)
        gathered.add_slices(
            slices.start_ns,
            end,
            np.array(uuids, dtype=np.int64)[lane],
            numbers[slices.name.of_row],
            category,
        )

    def _add_spans(self, gathered: Gathered, tracks: SourceTracks) -> Int64:
        """Add the asynchronous slices of the source; return their starts."""
        origin_ns = self._again.origin_ns
        last_ns = int(self._trace.events.end_ns.max(initial=0)) + origin_ns
        laid = self._again.spans.laid(last_ns)
        start, end = laid.start_ns - origin_ns, laid.end_ns - origin_ns
        lane, end, cut = lanes(laid.group, start, end)
        self._cut += cut
        track = np.zeros(len(laid), dtype=np.int64)
        for number, (process, category) in enumerate(laid.groups):
            mine = np.flatnonzero(laid.group == number)
            parent = tracks.process(process)
            uuids = [
                self._layout.of_derived(
                    self._layout.add(parent=parent, name=category or ASYNC, rank=LAST_RANK - 1)
                )
                for _ in range(int(lane[mine].max()) + 1)
            ]
            track[mine] = np.array(uuids, dtype=np.int64)[lane[mine]]
        gathered.add_slices(start, end, track, laid.name, laid.category)
        return start

    def _described_counters(
        self, tracks: SourceTracks, group: int, memory: Sequence[Counter]
    ) -> list[tuple[int, Int64, npt.NDArray[Any]]]:
        """Uuid, times and values of each counter, of the source and derived."""
        layout, origin_ns = self._layout, self._again.origin_ns
        found = []
        for (process, title), series in self._again.counters.items():
            parent = tracks.process(process)
            uuid = layout.add(parent=parent, name=title, rank=LAST_RANK, own=counter(""))
            found.append((uuid, series.times() - origin_ns, series.values()))
        for rank, one in enumerate([*self._counters, *memory], len(self._slices)):
            own = counter(one.unit)
            uuid = layout.of_derived(layout.add(parent=group, name=one.title, rank=rank, own=own))
            found.append((uuid, one.at_ns, one.value))
        return found

    # Packets --------------------------------------------------------------------------------

    def _batches(
        self, records: Records, at: Int64, length: Int32, flows: Flows, now: int
    ) -> Iterator[Batch]:
        order = stream(records.start, records.end, records.slices)
        behind = records.slices + records.instants
        for first in range(0, len(order), _BATCH):
            part = order[first : first + _BATCH]
            ends = part < 0
            rows = np.where(ends, ~part, part)
            time = np.where(ends, records.end[rows], records.start[rows])
            kind = np.full(len(part), Event.BEGIN, dtype=np.uint8)
            kind[rows >= records.slices] = Event.INSTANT
            kind[rows >= behind] = Event.COUNTS
            kind[ends] = Event.END
            with_text = (kind == Event.BEGIN) | (kind == Event.INSTANT)
            sizes = np.zeros(len(part), dtype=np.int64)
            sizes[with_text] = length[rows[with_text]]
            begins = np.zeros(len(part), dtype=np.int64)
            begins[with_text] = at[rows[with_text]]
            low = np.searchsorted(flows.row, rows, side="left")
            count = np.searchsorted(flows.row, rows, side="right") - low
            count[kind != Event.BEGIN] = 0
            mine = spread(low, count)
            value = np.zeros(len(part), dtype=np.uint64)
            double = np.zeros(len(part), dtype=np.bool_)
            counts = kind == Event.COUNTS
            value[counts] = records.value[rows[counts] - behind]
            double[counts] = records.is_double[rows[counts] - behind]
            yield Batch(
                delta_ns=unsigned(np.diff(time, prepend=now)),
                type=kind,
                track=unsigned(records.track[rows]),
                name=unsigned(records.name[rows]),
                category=unsigned(records.category[rows]),
                annotations=read_pieces(self._annotations, begins, sizes),
                length=sizes,
                flow_row=np.repeat(np.arange(len(part)), count),
                flow=flows.number[mine],
                flow_ends=flows.is_last[mine],
                value=value,
                is_double=double,
            )
            now = int(time[-1])

    def exported(self, path: str) -> Exported:
        """What was written."""
        again = self._again
        shown = {one.title: len(one.start_ns) for one in self._slices}
        shown |= {
            one.title: len(one.at_ns)
            for one in [*self._counters, *again.memory.counters(again.origin_ns)]
        }
        return Exported(
            path=path,
            format="perfetto",
            slices=len(self._trace.events),
            asynchronous=again.spans.count,
            unpaired=again.spans.alone,
            instants=len(again.points.lane),
            counters={title: len(one.value) for (_, title), one in again.counters.items()},
            flows=self._flows,
            derived=shown,
            further_lanes=self._further_lanes,
            cut=self._cut,
            repaired=dict(again.repaired),
            left_out={what: count for what, count in again.left.items() if count},
            starts_ns=-self._zero_ns,
            source_starts_ns=again.origin_ns,
        )
