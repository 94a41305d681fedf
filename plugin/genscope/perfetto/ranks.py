"""The tracks of one rank of several: below one process, with ids that no other rank has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from genscope.perfetto.again import Labels, Lane
from genscope.perfetto.tracks import Layout, SourceTracks, device_processes
from genscope.perfetto.wire import Track as T
from genscope.perfetto.wire import message, number, text
from genscope.trace.model import Kind, Trace, Track

_STEP = 10**7
"""What is added to an id that is taken: more than any process id, and easy to take off again."""

_MOST_PID = 1 << 31


@dataclass(slots=True)
class Ids:
    """Ids that ranks have taken so far."""

    processes: set[int] = field(default_factory=set)
    """Of processes and devices: a track has either."""
    threads: set[int] = field(default_factory=set)
    _devices: set[int] = field(default_factory=set)

    def process(self, wanted: int) -> int:
        """Take an id, `wanted` if it is free."""
        return _take(wanted, self.processes)

    def thread(self, wanted: int) -> int:
        """Take an id of a thread."""
        return _take(wanted, self.threads)

    def devices(self, wanted: Sequence[int]) -> int:
        """Take the indices of devices and return what has to be added to them to be free."""
        shift = 0
        if self._devices and not self.processes.isdisjoint(wanted):
            shift = max(max(self._devices) + 1 - min(wanted), 0)
        while any(one + shift in self.processes for one in wanted):
            shift += 1
        shifted = [one + shift for one in wanted]
        self.processes.update(shifted)
        self._devices.update(shifted)
        return shift


def _take(wanted: int, taken: set[int]) -> int:
    found = wanted
    while found in taken:
        found += _STEP
        if wanted < _MOST_PID <= found:
            found = next(one for one in range(1, _MOST_PID) if one not in taken)
    taken.add(found)
    return found


def devices_of(trace: Trace) -> list[int]:
    """Indices of the devices that have events, and of processes that stand for devices."""
    used = np.unique(trace.events.device[trace.events.is_device])
    processes = (one for one in device_processes(trace) if isinstance(one, int))
    return sorted({*(int(one) for one in used if one >= 0), *processes})


class RankTracks(SourceTracks):
    """One process, that of most ops, holds everything of the rank.

    Its threads are threads of it; other processes, devices among them, are named tracks below it.
    """

    def __init__(
        self,
        layout: Layout,
        trace: Trace,
        further: Sequence[Lane],
        processes: Labels,
        threads: Labels,
        *,
        rank: int,
        ids: Ids,
        device_shift: int,
    ) -> None:
        """`ids` are those that earlier ranks have taken, devices of this one included."""
        super().__init__(layout, trace, further, processes, threads)
        self._rank_number = rank
        self._ids = ids
        self._device_shift = device_shift
        self._of_process: dict[int | str, int | str] = {}
        self._of_thread: dict[Lane, int | str] = {}
        self._main: int | str | None = None
        self._main = self._busiest()
        title = f"Rank {rank}"
        if self._main is None:
            self.root = layout.add(name=title, rank=rank)
            return
        name = processes.names.get(self._main, "")
        own = number(1, int(self._process(self._main)))
        own += text(6, f"{title}: {name}" if name else title)
        own = message(T.PROCESS, own) + number(T.PROCESS_ORDERING, 1)
        self.root = self._uuid_of[self._main] = layout.add(rank=rank, own=own)

    def named(self, track: Track) -> Track:
        """A track with ids of its own, and the rank in the name of its process."""
        lane = (track.process, track.thread)
        thread = self._of_thread.get(lane, track.thread)
        if lane not in self._of_thread and isinstance(thread, int) and track.process == self._main:
            thread = self._of_thread[lane] = self._ids.thread(thread)
        title = f"Rank {self._rank_number}"
        name = f"{title}: {track.process_name}" if track.process_name else title
        return Track(self._process(track.process), thread, name, track.thread_name)

    def _process(self, process: int | str) -> int | str:
        found = self._of_process.get(process)
        if found is None:
            if process in self._devices and isinstance(process, int):
                found = process + self._device_shift
            elif isinstance(process, int):
                found = self._ids.process(process)
            else:
                found = f"Rank {self._rank_number}: {process}"
            self._of_process[process] = found
        return found

    def _is_system(self, process: int | str) -> bool:
        return process == self._main

    def _busiest(self) -> int | None:
        """The process with most ops that has an id of an operating system."""
        events, tracks = self._trace.events, self._trace.tracks
        ops = np.bincount(events.track[events.kind == Kind.CPU_OP], minlength=len(tracks))
        count: dict[int, int] = {}
        for track, of_track in zip(tracks, ops.tolist(), strict=True):
            if super()._is_system(track.process) and isinstance(track.process, int):
                count[track.process] = count.get(track.process, 0) + of_track
        return max(count, key=lambda one: count[one], default=None)
