"""The columnar `Trace`: what every reader fills and every analysis reads.

One row a complete event (a slice with a start and a duration), held as numpy columns; text is
interned in `Trace.strings` and referred to by index. Times are int64 nanoseconds relative to the
first event of the trace; `Trace.base_ns` is the epoch nanosecond of that first event. Links are
row numbers, -1 where there is none.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from genscope.schema import Document
from genscope.trace.errors import TraceWarning

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]

NONE = -1


class Kind(enum.IntEnum):
    """What an event is, whatever its producer called the category."""

    OTHER = 0
    CPU_OP = 1
    ANNOTATION = 2
    PYTHON = 3
    RUNTIME = 4
    KERNEL = 5
    MEMCPY = 6
    MEMSET = 7
    DEVICE_ANNOTATION = 8
    OVERHEAD = 9
    TRACE = 10


DEVICE_KINDS = (Kind.KERNEL, Kind.MEMCPY, Kind.MEMSET)
"""The kinds that are work of a device."""


@dataclass(slots=True)
class Events:
    """The columns, each of shape (n,), one row a complete event, in file order.

    Columns that only some kinds carry hold -1 where the event had no such argument.
    """

    start_ns: Int64
    dur_ns: Int64
    kind: UInt8
    name: Int32
    """Index into `Trace.strings`."""
    track: Int32
    """Index into `Trace.tracks`."""
    correlation: Int64
    external_id: Int64
    sequence: Int64
    """The autograd sequence number of an op."""
    forward_thread: Int64
    """`Fwd thread id`: 0 on forward ops, above 0 on backward ones."""
    device: Int32
    """Device index of a device event."""
    dims: Int32
    """Index into `Trace.strings` of the JSON text of `Input Dims`."""
    types: Int32
    """Index into `Trace.strings` of the JSON text of `Input type`."""
    inputs: Int32
    """Index into `Trace.strings` of the JSON text of `Concrete Inputs`."""

    def __len__(self) -> int:
        return len(self.start_ns)

    @property
    def end_ns(self) -> Int64:
        """End of each event, shape (n,)."""
        return self.start_ns + self.dur_ns

    def is_kind(self, *kinds: Kind) -> Bool:
        """Mask of shape (n,) of the rows that are one of `kinds`."""
        table = np.zeros(256, dtype=np.bool_)
        table[list(kinds)] = True
        return table[self.kind]

    @property
    def is_device(self) -> Bool:
        """Mask of shape (n,) of the kernels, copies and sets of a device."""
        return self.is_kind(*DEVICE_KINDS)


@dataclass(slots=True)
class MemoryEvents:
    """Blocks that an allocator gave or took back: columns of shape (m,), in file order.

    -1 is unknown, but for `device`, where it is a CPU's own number too.
    """

    at_ns: Int64
    bytes: Int64
    """Size of the block, below 0 where it is freed."""
    address: Int64
    allocated: Int64
    """Bytes in use on the device after the event, as the allocator told."""
    reserved: Int64
    """Bytes that the allocator holds from the device, used or not."""
    device_type: Int32
    """As torch numbers kinds of devices: 0 is a CPU, 1 CUDA and ROCm."""
    device: Int32
    track: Int32
    """Index into `Trace.tracks`."""

    def __len__(self) -> int:
        return len(self.at_ns)

    @classmethod
    def none(cls) -> MemoryEvents:
        """No events."""
        wide, narrow = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
        return cls(wide, wide, wide, wide, wide, narrow, narrow, narrow)


@dataclass(slots=True)
class Links:
    """What was derived once from the events: columns of shape (n,) of row numbers, -1 for none."""

    parent: Int32
    """CPU op: the cpu_op directly around it on its thread."""
    launch: Int32
    """Device event: the runtime call that launched it."""
    op: Int32
    """Device event: the innermost cpu_op around its launch. CPU op: itself."""
    annotation: Int32
    """Device event and CPU op: the innermost user annotation around the launch (or the op).

    Ranges of our collectors are none: they tell where the work belongs, not what it is.
    """
    module: Int32
    """Device event and CPU op: the innermost module frame around the launch (or the op).

    Frames are the ranges of modules and components of our collectors; where a trace has no such
    range of a module, `nn.Module:` frames, if there are any.
    """
    module_parent: Int32
    """Module frame: the module frame around it."""
    forward_op: Int32
    """CPU op of a backward pass: the forward op it differentiates."""
    in_backward: Bool
    """CPU op: it runs inside the autograd engine's backward."""
    in_recompute: Bool
    """CPU op: a forward op that runs again inside backward (activation checkpointing)."""
    graph_launch: Bool
    """Device event: replayed by a CUDA or HIP graph launch."""


@dataclass(frozen=True, slots=True)
class Track:
    """A lane of the trace: a thread of a process or a stream of a device."""

    process: int | str
    thread: int | str
    process_name: str = ""
    thread_name: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A device as the trace describes it; `properties` are as recorded and untrusted."""

    index: int
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Trace:
    """One trace file in memory."""

    path: str
    size_bytes: int
    """Size of the file as stored."""
    text_bytes: int
    """Size of the JSON text."""
    events: Events
    links: Links
    strings: Sequence[str]
    tracks: Sequence[Track]
    devices: Sequence[Device]
    base_ns: int
    rank: int | None
    world_size: int | None
    metadata: Mapping[str, Any]
    """Top-level keys beside `traceEvents`, bounded in size; untrusted."""
    counts: Mapping[str, int]
    """Events in the file by `phase/category`, also of those that are no rows."""
    blocks: Int64
    """Shape (k, 2): text offset of each block and the number of rows before it."""
    warnings: Sequence[TraceWarning]
    memory: MemoryEvents = field(default_factory=MemoryEvents.none)
    """What the allocators said; empty unless recorded with `profile_memory=True`."""
    document: Document | None = None
    """What our collectors wrote beside the events; None where there is none, or none to use."""
    derived: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What analyses worked out and several of them need, by a name of theirs; never stored."""

    @property
    def has_device(self) -> bool:
        """Whether any device event is there."""
        return bool(self.events.is_device.any())

    def name_of(self, row: int) -> str:
        """Name of the event in `row`."""
        return self.strings[int(self.events.name[row])]
