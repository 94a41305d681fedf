"""The typed results of the operator views: what JSON, the terminal and notebooks share.

Units are in the names of fields; start times are relative to the first event of the trace;
`None` is unknown. Sums count every event, busy counts overlapping time once.
"""

from __future__ import annotations

import msgspec

from genscope.analysis.selection import Selection
from genscope.trace.errors import TraceWarning

SCHEMA_VERSION = 1


class Figures(msgspec.Struct, kw_only=True):
    """Time and counts of a group of events.

    `sum_ns` adds the durations (on basis `cpu_self`, the self times); `busy_ns` is their union,
    per device and added over devices (per machine on `cpu_self`); `unlinked_ns` is the part of
    `sum_ns` whose device events have no launch in the trace; `share` is of `basis_sum_ns`.
    `launches` counts device events, `host_launches` the distinct runtime calls behind them,
    `calls` the distinct cpu ops that the time belongs to.
    """

    sum_ns: int
    busy_ns: int
    unlinked_ns: int
    share: float
    launches: int
    host_launches: int
    calls: int


class Row(Figures, kw_only=True):
    """A row of a drill-down. `level` is category, op or kernel; `rule` says what decided it."""

    name: str
    level: str
    rule: str | None = None
    children: list[Row] = []


class CategoryRow(Figures, kw_only=True):
    """A category; its children are sub-categories (level category) or ops, those kernels."""

    category: str
    children: list[Row]


class PassRow(Figures, kw_only=True):
    """A pass: forward, backward, recompute or optimizer.

    `unknown` holds device events that a graph replayed or whose launch is not in the trace.
    """

    pass_: str = msgspec.field(name="pass")
    categories: dict[str, int]
    """sum_ns by category."""


class ModuleRow(Figures, kw_only=True):
    """A component, or a module by its path; the figures include everything inside it."""

    path: str
    name: str
    depth: int
    self_ns: int
    """Part of `sum_ns` that no module inside it has."""
    categories: dict[str, int]
    """sum_ns by category."""


class DeviceInfo(msgspec.Struct, kw_only=True):
    """A device that ran something in the trace."""

    index: int
    name: str
    sum_ns: int
    busy_ns: int


class Operators(msgspec.Struct, kw_only=True):
    """Where the time of one trace went (`--view operators`)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "operators"
    trace: str
    """File name of the trace."""
    selection: Selection = Selection()
    """The part of the trace that the figures are of."""
    base_ns: str
    rank: int | None
    basis: str
    """`device` where any device event is, else `cpu_self`."""
    basis_sum_ns: int
    device_sum_ns: int
    device_busy_ns: int
    wall_ns: int
    unlinked_ns: int
    devices: list[DeviceInfo]
    categories: list[CategoryRow]
    passes: list[PassRow]
    components: list[ModuleRow]
    modules: list[ModuleRow]
    warnings: list[TraceWarning]


class CategoryBar(msgspec.Struct, kw_only=True):
    """One category of one run beside the base run."""

    category: str
    sum_ns: int
    unlinked_ns: int
    share: float
    relative: float | None
    """sum_ns over the base run's basis_sum_ns: the height of the bar's segment in Figure 7."""
    delta_ns: int | None
    """sum_ns less the base run's; None where the bases differ."""
    speedup: float | None
    """The base run's sum_ns over this one's; None where either is 0."""


class RunBar(msgspec.Struct, kw_only=True):
    """One run of a comparison."""

    run: str
    basis: str
    basis_sum_ns: int
    relative: float | None
    """basis_sum_ns over the base run's."""
    speedup: float | None
    device_sum_ns: int
    device_busy_ns: int
    wall_ns: int
    unlinked_ns: int
    categories: list[CategoryBar]
    warnings: list[TraceWarning]


class Comparison(msgspec.Struct, kw_only=True):
    """Several runs, each bar normalised to the first (the paper's Figure 7)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "compare"
    base: str
    runs: list[RunBar]
    warnings: list[TraceWarning]


class Step(msgspec.Struct, kw_only=True):
    """A profiler step (`ProfilerStep#n`); `index` counts from 0 in order of time."""

    index: int
    name: str
    start_ns: int
    dur_ns: int


class Strip(msgspec.Struct, kw_only=True):
    """The timeline by category: equal bins from `start_ns` on.

    `busy_ns` has a row a category of `categories` and a column a bin: the union of the category's
    time in that bin, added over devices. `device_busy_ns`, a value a bin, is the union of all.
    Both are at most `bin_ns` times the number of devices.
    """

    start_ns: int
    bin_ns: int
    bins: int
    categories: list[str]
    busy_ns: list[list[int]]
    device_busy_ns: list[int]


class Activity(msgspec.Struct, kw_only=True):
    """What the CPU did during a gap: an event and how much of the gap it covers.

    `kind` is runtime, op, annotation, module or python.
    """

    name: str
    kind: str
    overlap_ns: int


class Gap(msgspec.Struct, kw_only=True):
    """A stretch in which a device had nothing to do.

    `before` and `after` are the device events around it. `cause` is launch (the CPU had not
    launched the next kernel yet), sync (the CPU waited for the device before it went on), data
    (it was loading data), queue (the next kernel was launched, but did not start) or unknown;
    `reason` says it in words.
    """

    device: int
    start_ns: int
    dur_ns: int
    before: str
    after: str
    cause: str
    reason: str
    cpu: list[Activity]


class Waiting(msgspec.Struct, kw_only=True):
    """Idle time of the devices by cause (see Gap)."""

    cause: str
    gaps: int
    sum_ns: int
    share: float
    """Of wall time, added over devices."""


class DeviceUse(msgspec.Struct, kw_only=True):
    """How a device spent the wall time; busy and idle add up to it."""

    index: int
    name: str
    sum_ns: int
    busy_ns: int
    idle_ns: int
    busy_share: float
    streams: int


class Overview(msgspec.Struct, kw_only=True):
    """Where the time of one trace goes and what limits it (`--view overview`)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "overview"
    trace: str
    selection: Selection = Selection()
    base_ns: str
    rank: int | None
    world_size: int | None
    basis: str
    wall_ns: int
    basis_sum_ns: int
    unlinked_ns: int
    devices: list[DeviceUse]
    categories: dict[str, int]
    """sum_ns by category, largest first."""
    steps: list[Step]
    strip: Strip
    waiting: list[Waiting]
    """Idle time by cause, largest first; empty without a device."""
    gaps: list[Gap]
    """The largest gaps, largest first."""
    limit: str
    """What limits the run: compute, communication, copy, one of the causes of a Gap, or cpu."""
    sentence: str
    """The same in words, with its figures."""
    warnings: list[TraceWarning]
