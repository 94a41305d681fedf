"""The ranks of a run as one native trace: a packet sequence and a process for each.

All are read once to be surveyed (see `survey`), then once more, one after the other, to be
written; the columns of one rank at a time are in memory.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import IO, Any

import msgspec
import numpy as np

from genscope.perfetto.align import Laid, align
from genscope.perfetto.arguments import Arguments, Shifts
from genscope.perfetto.metadata import ALONE, OF_RANK, document
from genscope.perfetto.output import scratch, whole
from genscope.perfetto.packing import Batch, pack
from genscope.perfetto.ranks import Ids, RankTracks, devices_of
from genscope.perfetto.results import Merged, MergedRank
from genscope.perfetto.section import LAST_RANK, Place, Section, epoch_of
from genscope.perfetto.survey import Surveyed, survey
from genscope.perfetto.texts import Texts, Values
from genscope.perfetto.tracks import Layout
from genscope.perfetto.wire import Event, first_packet
from genscope.perfetto.wire import Interned as Tables
from genscope.trace import load
from genscope.trace.errors import TraceError
from genscope.trace.model import Trace
from genscope.trace.source import Limits, Progress

Telling = Callable[[str], "Progress | None"]
"""Gives what to tell of reading a file, by its path."""

_LARGEST = 1 << 62
_OF_RUN = ("backend", "world_size", "nccl_version")
"""Members of `distributedInfo` that are the same for all ranks."""


def merge_perfetto(
    paths: Sequence[str], out: str, *, limits: Limits | None = None, telling: Telling | None = None
) -> Merged:
    """Write the ranks in `paths` as one native trace to `out`, as gzip where that ends in .gz.

    Raises TraceError where a file cannot be used, changes meanwhile, tells no rank, or tells the
    rank of another; OSError where the trace cannot be written.
    """
    tell: Telling = telling or (lambda _: None)
    ranks = sorted((survey(path, limits, tell(path)) for path in paths), key=lambda one: one.rank)
    _check(ranks)
    laid = align([one.clock for one in ranks])
    with whole(out) as file:
        merge = _Merge(ranks, laid, file, out)
        for place, one in enumerate(ranks):
            merge.write(place, limits, tell(one.path))
        merge.finish()
    return merge.merged()


def _check(ranks: Sequence[Surveyed]) -> None:
    if not ranks:
        raise TraceError("there is no trace to merge")
    for one, other in pairwise(ranks):
        if one.rank == other.rank:
            raise TraceError(f"{one.path}, {other.path}: both are of rank {one.rank}")


class _Merge:
    def __init__(
        self, ranks: Sequence[Surveyed], laid: Sequence[Laid], file: IO[bytes], path: str
    ) -> None:
        self._ranks = ranks
        self._laid = laid
        self._file = file
        self._path = path
        self._ids = Ids()
        self._layout = Layout()
        self._flows = 0
        self._done: list[MergedRank] = []
        self._devices: list[Mapping[str, Any]] = []
        self._members: dict[str, Any] = {}
        self._base_ns = min(
            one.clock.base_ns + own.shift_ns + one.earliest_ns
            for one, own in zip(ranks, laid, strict=True)
        )
        most = (max(one.correlation for one in ranks), max(one.external_id for one in ranks))
        self._steps = [_step(one, len(ranks)) for one in most]

    def write(self, number: int, limits: Limits | None, progress: Progress | None) -> None:
        """Write a rank. Raises TraceError where its file changed since it was surveyed."""
        one, laid, layout = self._ranks[number], self._laid[number], self._layout
        trace = load(one.path, limits=limits, progress=progress)
        if trace.base_ns != one.clock.base_ns:
            raise TraceError(f"{one.path}: changed while it was read; try again")
        layout.sequence = number + 1
        shift = self._ids.devices(devices_of(trace))
        tracks = partial(RankTracks, rank=one.rank, ids=self._ids, device_shift=shift)
        place = Place(
            layout=layout,
            zero_ns=self._base_ns - trace.base_ns - laid.shift_ns,
            shift_ns=laid.shift_ns,
            first_flow=self._flows + 1,
            shifts=self._shifts(number, shift),
            tracks=tracks,
            note=OF_RANK,
        )
        with scratch(self._path) as texts, scratch(self._path) as arguments:
            section = Section(trace, place, texts, arguments)
            section.read(limits, None)
            self._flows += section.write(self._file)
        used = set(devices_of(trace))
        self._devices += [
            {**device.properties, "id": device.index + shift}
            for device in trace.devices
            if device.index in used
        ]
        self._take_members(trace)
        done = section.exported(one.path)
        self._done.append(
            MergedRank(
                rank=one.rank,
                slices=done.slices,
                flows=sum(done.flows.values()),
                exported=done,
                clock=laid.by,
                shift_ns=laid.shift_ns,
                matched=laid.matched,
                before_ns=laid.before_ns,
                after_ns=laid.after_ns,
            )
        )

    def _shifts(self, number: int, device: int) -> Shifts:
        correlation, external = (step * number for step in self._steps)
        shifts = {
            "correlation": (1, correlation),
            "External id": (1, external),
            "external id": (1, external),
            "device": (0, device),
        }
        return {name: (least, by) for name, (least, by) in shifts.items() if by}

    def _take_members(self, trace: Trace) -> None:
        """What the first rank has beside its events stands for all, but what tells the rank."""
        if self._members:
            return
        info = trace.metadata.get("distributedInfo")
        self._members = {
            name: value
            for name, value in trace.metadata.items()
            if name not in ("traceName", "trace_id", "distributedInfo", "baseTimeNanoseconds")
        }
        if isinstance(info, dict):
            shared = {name: info[name] for name in _OF_RUN if name in info}
            self._members["distributedInfo"] = shared

    def finish(self) -> None:
        """Write what stands beside the events of all, in a sequence of its own."""
        layout = self._layout
        layout.sequence = len(self._ranks) + 1
        track = layout.of_derived(layout.add(name=ALONE.track, rank=LAST_RANK))
        members = {**self._members, "deviceProperties": self._devices}
        encoded = {name: msgspec.json.encode(value) for name, value in members.items()}
        encoded |= document(self._base_ns, self._base_ns, layout)
        texts, arguments = io.BytesIO(), io.BytesIO()
        tables = [
            Texts(table, texts, layout.sequence)
            for table in (Tables.NAMES, Tables.CATEGORIES, Tables.ARGUMENTS, Tables.TEXTS)
        ]
        names, categories, argument_names, values = tables
        notes = Arguments(argument_names, Values(values.add), arguments)
        notes.add_members(0, encoded)
        batch = _instant(track, names[ALONE.name], categories[ALONE.category], arguments)
        for one in tables:
            one.flush()
        self._file.write(first_packet(epoch_of(self._base_ns), layout.sequence))
        self._file.write(b"".join(layout.packets))
        self._file.write(texts.getvalue())
        self._file.write(pack(batch, layout.sequence).data)

    def merged(self) -> Merged:
        """What was written."""
        worlds = [one.world_size for one in self._ranks if one.world_size is not None]
        world = max(worlds, default=None)
        there = [one.rank for one in self._ranks]
        missing = [] if world is None else _missing(there, world)
        return Merged(path=self._path, ranks=self._done, world_size=world, missing=missing)


def _step(largest: int, count: int) -> int:
    """What the ids of a rank are beyond those of the one before: easy to take off again."""
    return int(min(10 ** len(str(largest)), _LARGEST // count))


def _missing(there: Sequence[int], world: int) -> list[tuple[int, int]]:
    """First and last of each gap in the ranks from 0 to `world`."""
    edges = [-1, *(one for one in there if one < world), world]
    return [(one + 1, other - 1) for one, other in pairwise(edges) if other - one > 1]


def _instant(track: int, name: int, category: int, arguments: io.BytesIO) -> Batch:
    """One instant at clock 0 with all of `arguments`."""

    def unsigned(value: int) -> Any:
        return np.array([value], dtype=np.uint64)

    none = np.zeros(0, dtype=np.int64)
    data = np.frombuffer(arguments.getvalue(), dtype=np.uint8)
    return Batch(
        delta_ns=unsigned(0),
        type=np.array([Event.INSTANT], dtype=np.uint8),
        track=unsigned(track),
        name=unsigned(name),
        category=unsigned(category),
        annotations=data,
        length=np.array([len(data)], dtype=np.int64),
        flow_row=none,
        flow=none.view(np.uint64),
        flow_ends=none.astype(np.bool_),
        value=unsigned(0),
        is_double=np.zeros(1, dtype=np.bool_),
    )
