"""A trace as a native Perfetto trace; see the package for how it is laid out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from genscope.perfetto.again import Again
from genscope.perfetto.arguments import Arguments
from genscope.perfetto.columns import Interned, encoded
from genscope.perfetto.derived import Counter, Derived, Slices, derived
from genscope.perfetto.flows import Flows, flows_of
from genscope.perfetto.lanes import lanes
from genscope.perfetto.metadata import CATEGORY, NAME, TRACK, metadata
from genscope.perfetto.order import stream
from genscope.perfetto.output import scratch, whole
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
_EPOCH_NS = 10**18
"""Times above this (2001) are since the epoch."""
_LAST_RANK = 1 << 30


def export_perfetto(
    trace: Trace, path: str, *, limits: Limits | None = None, progress: Progress | None = None
) -> Exported:
    """Write `trace` to `path`, as gzip where that ends in .gz.

    The file that the trace was read from is read once more; `progress` is told of that as `load`
    tells it. Raises TraceError where it is not there any more or changed, OSError where the trace
    cannot be written.
    """
    found = derived(trace)
    with scratch(path) as texts, scratch(path) as arguments:
        export = _Export(trace, found, texts, arguments)
        export.read(limits, progress)
        with whole(path) as out:
            return export.write(out, path)


class _Export:
    def __init__(
        self, trace: Trace, found: Sequence[Derived], texts: IO[bytes], arguments: IO[bytes]
    ) -> None:
        self._trace = trace
        self._slices = [track for track in found if isinstance(track, Slices)]
        self._counters = [track for track in found if isinstance(track, Counter)]
        self._texts = texts
        self._annotations = arguments
        self._names = Texts(Tables.NAMES, texts)
        self._categories = Texts(Tables.CATEGORIES, texts)
        self._argument_names = Texts(Tables.ARGUMENTS, texts)
        self._values = Texts(Tables.TEXTS, texts)
        self._arguments = Arguments(self._argument_names, Values(self._values.add), arguments)
        self._layout = Layout()
        self._name_of_string = self._interned_names()
        self._first_instant = len(trace.events) + sum(len(one.start_ns) for one in self._slices)
        self._again = Again(
            trace, self._categories, self._names, self._arguments, self._first_instant
        )
        self._further_lanes = self._cut = 0

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

    def write(self, out: IO[bytes], path: str) -> Exported:
        """Lay everything out and write it."""
        records = self._records()
        earliest = records.earliest
        base_ns = self._trace.base_ns + earliest
        instant = records.slices + records.instants - 1
        origin_ns = self._again.origin_ns + earliest
        members = metadata(self._trace, base_ns, origin_ns, self._layout)
        self._arguments.add_members(instant, members)
        at, length = self._arguments.placed(records.slices + records.instants)
        for table in (self._names, self._categories, self._argument_names, self._values):
            table.flush()
        self._annotations.flush()
        out.write(first_packet(base_ns if base_ns > _EPOCH_NS else None))
        out.write(b"".join(self._layout.packets))
        self._texts.seek(0)
        shutil.copyfileobj(self._texts, out, 1 << 20)
        flows = flows_of(self._trace)
        for batch in self._batches(records, at, length, flows):
            out.write(pack(batch).data)
        return self._exported(path, flows)

    # Records --------------------------------------------------------------------------------

    def _records(self) -> Records:
        """Describe all tracks, and gather what is on them."""
        trace, again, layout = self._trace, self._again, self._layout
        events, points = trace.events, again.points
        memory = again.memory.counters(again.origin_ns)
        tracks = SourceTracks(layout, trace, points.lane, again.processes, again.threads)
        group = layout.group() if self._slices or self._counters or memory else 0
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
        at_ns = points.at_ns() - again.origin_ns
        gathered.add_instants(at_ns, first[place], points.name, points.category)
        counted = self._described_counters(tracks, group, memory)
        times = (events.start_ns, at_ns, *(at for _, at, _ in counted))
        earliest = min([int(at.min()) for at in times if len(at)], default=0)
        uuid = layout.of_derived(layout.add(name=TRACK, rank=_LAST_RANK))
        gathered.add_instants(
            np.array([earliest], dtype=np.int64),
            np.array([uuid], dtype=np.int64),
            [self._names[NAME]],
            [self._categories[CATEGORY]],
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

    def _described_counters(
        self, tracks: SourceTracks, group: int, memory: Sequence[Counter]
    ) -> list[tuple[int, Int64, npt.NDArray[Any]]]:
        """Uuid, times and values of each counter, of the source and derived."""
        layout, origin_ns = self._layout, self._again.origin_ns
        found = []
        for (process, title), series in self._again.counters.items():
            parent = tracks.process(process)
            uuid = layout.add(parent=parent, name=title, rank=_LAST_RANK, own=counter(""))
            found.append((uuid, series.times() - origin_ns, series.values()))
        for rank, one in enumerate([*self._counters, *memory], len(self._slices)):
            own = counter(one.unit)
            uuid = layout.of_derived(layout.add(parent=group, name=one.title, rank=rank, own=own))
            found.append((uuid, one.at_ns, one.value))
        return found

    # Packets --------------------------------------------------------------------------------

    def _batches(self, records: Records, at: Int64, length: Int32, flows: Flows) -> Iterator[Batch]:
        order = stream(records.start, records.end, records.slices)
        behind = records.slices + records.instants
        now = records.earliest
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

    def _exported(self, path: str, flows: Flows) -> Exported:
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
            instants=len(again.points.lane),
            counters={title: len(one.value) for (_, title), one in again.counters.items()},
            flows={"launch": flows.launches, "backward": flows.backwards},
            derived=shown,
            further_lanes=self._further_lanes,
            cut=self._cut,
            repaired=dict(again.repaired),
            left_out={what: count for what, count in again.left.items() if count},
        )
