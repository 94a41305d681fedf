"""The tracks of a native trace: which there are, below what, by which name and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from genscope.perfetto.again import Labels, Lane
from genscope.perfetto.found import GROUP
from genscope.perfetto.wire import SEQUENCE, message, number, packet, text
from genscope.perfetto.wire import Packet as P
from genscope.perfetto.wire import Track as T
from genscope.trace.model import Int64, Kind, Trace
from genscope.trace.model import Track as Source

_MOST_PID = 1 << 31
_BYTES_UNIT = 3
_DEVICE_RANK = 5_000_000
"""Where recorders put devices among processes: below every one of them."""

NO_PROCESS, NO_THREAD = "(no process)", "(no thread)"

_NAME_CHARACTERS = 1000


@dataclass(slots=True)
class Layout:
    """Descriptors as they are made; uuids count from 1."""

    count: int = 0
    sequence: int = SEQUENCE
    """The sequence that packets are of from now on."""
    packets: list[bytes] = field(default_factory=list)
    listed: list[list[int | str]] = field(default_factory=list)
    """What the document says of the tracks of the source."""
    derived: list[int] = field(default_factory=list)

    def add(
        self, *, parent: int = 0, name: str = "", rank: int = 0, own: bytes = b"", uuid: int = 0
    ) -> int:
        """Describe a track and return its uuid, a new one unless it is given."""
        if not uuid:
            uuid = self.reserve()
        content = number(T.UUID, uuid)
        if parent:
            content += number(T.PARENT, parent)
        if name:
            content += text(T.NAME, name[:_NAME_CHARACTERS])
        content += number(T.ORDERING, T.EXPLICIT) + number(T.RANK, rank) + own
        self.packets.append(packet(message(P.TRACK, content), sequence=self.sequence))
        return uuid

    def reserve(self, count: int = 1) -> int:
        """Take `count` uuids in a row and return the first."""
        first = self.count + 1
        self.count += count
        return first

    def group(self, parent: int = 0) -> int:
        """The track that derived ones stand below."""
        return self.of_derived(self.add(parent=parent, name=GROUP, rank=-1))

    def of_derived(self, uuid: int) -> int:
        """Take note that a track is none of the source."""
        self.derived.append(uuid)
        return uuid


def counter(unit: str) -> bytes:
    """What makes a track one of a counter."""
    if unit == "bytes":
        return message(T.COUNTER, number(3, _BYTES_UNIT))
    return message(T.COUNTER, text(6, unit) if unit else b"")


class SourceTracks:
    """The processes and threads of the source, each thread with as many lanes as it needs."""

    def __init__(
        self,
        layout: Layout,
        trace: Trace,
        further: Sequence[Lane],
        processes: Labels,
        threads: Labels,
    ) -> None:
        """`further` are threads that may have no slices and so be none of `Trace.tracks`."""
        self.tracks: list[Source] = [*trace.tracks]
        self.place: dict[Lane, int] = {}
        """Place in `tracks` by process and thread."""
        for place, track in enumerate(trace.tracks):
            self.place[track.process, track.thread] = place
        for lane in dict.fromkeys(further):
            if lane not in self.place:
                self.place[lane] = len(self.tracks)
                name = processes.names.get(lane[0], "")
                self.tracks.append(Source(*lane, name, threads.names.get(lane, "")))
        self._layout = layout
        self._trace = trace
        self._processes = processes
        self._threads = threads
        self._devices = device_processes(trace)
        self._uuid_of: dict[int | str, int] = {}
        self.root = 0
        """The track that all others stand below, 0 for none."""

    def describe(self, lanes: Int64) -> Int64:
        """Describe all; `lanes` has the number of lanes of each, 0 for those that hold nothing.

        Returns the uuid of the first lane of each; those of the others follow it.
        """
        first = np.zeros(len(self.tracks), dtype=np.int64)
        order = sorted(np.flatnonzero(lanes).tolist(), key=self._order)
        for rank, place in enumerate(order):
            first[place] = self._thread(self.tracks[place], int(lanes[place]), rank)
        return first

    def process(self, process: int | str, name: str = "") -> int:
        """The uuid of a process, described where it has not been."""
        known = self._uuid_of.get(process)
        if known is not None:
            return known
        named = name or self._processes.names.get(process, "")
        label = self._processes.labels.get(process, "")
        rank = self._rank(process)
        if self._is_system(process):
            own = number(1, int(process)) + text(6, named or f"process {process}")
            own += text(8, label) if label else b""
            own = message(T.PROCESS, own) + number(T.PROCESS_ORDERING, 1)
            uuid = self._layout.add(rank=rank, own=own)
        else:
            title = self._title(process, named, label)
            uuid = self._layout.add(parent=self.root, name=title, rank=rank)
        self._uuid_of[process] = uuid
        return uuid

    def named(self, track: Source) -> Source:
        """A track with its ids and names as the result has them."""
        return track

    def _order(self, place: int) -> tuple[int, str, int, int]:
        track = self.tracks[place]
        rank = self._threads.order.get((track.process, track.thread), place)
        return self._rank(track.process), str(track.process), rank, place

    def _rank(self, process: int | str) -> int:
        usual = _DEVICE_RANK if process in self._devices else 0
        return self._processes.order.get(process, usual)

    def _is_system(self, process: int | str) -> bool:
        return isinstance(process, int) and 0 < process < _MOST_PID and process not in self._devices

    def _title(self, process: int | str, name: str, label: str) -> str:
        if process not in self._devices:
            return label or name or str(process) or NO_PROCESS
        device = next((one.name for one in self._trace.devices if one.index == process), "")
        title = label or f"GPU {process}"
        return f"{title} ({device})" if device else title

    def _thread(self, track: Source, lanes: int, rank: int) -> int:
        layout = self._layout
        parent = self.process(track.process, track.process_name)
        first = layout.reserve(lanes)
        shown = self.named(track)
        if self._is_system(track.process) and isinstance(shown.thread, int):
            name = track.thread_name or f"thread {shown.thread}"
            own = number(1, int(shown.process)) + number(2, shown.thread) + text(5, name)
            own = message(T.THREAD, own) + number(T.THREAD_ORDERING, 1)
            layout.add(parent=parent, rank=rank, own=own, uuid=first)
            parent = first
        else:
            usual = f"stream {track.thread}" if track.process in self._devices else track.thread
            name = track.thread_name.strip() or str(usual) or NO_THREAD
            layout.add(parent=parent, name=name, rank=rank, uuid=first)
        for lane in range(1, lanes):
            layout.add(parent=parent, name=name, rank=rank, uuid=first + lane)
        for lane in range(lanes):
            layout.listed.append(
                [
                    first + lane,
                    shown.process,
                    shown.thread,
                    shown.process_name,
                    shown.thread_name,
                ]
            )
        return first


def device_processes(trace: Trace) -> set[int | str]:
    """Processes that hold work of a device and nothing that a processor did."""
    events = trace.events
    device = np.unique(events.track[events.is_device | events.is_kind(Kind.DEVICE_ANNOTATION)])
    host = np.unique(events.track[events.is_kind(Kind.CPU_OP, Kind.RUNTIME, Kind.PYTHON)])
    found = {trace.tracks[place].process for place in device.tolist()}
    return found - {trace.tracks[place].process for place in host.tolist()}
