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


class Worked(Figures, kw_only=True):
    """A group of events with the work behind it, as in `genscope.analysis.flops.results`.

    None where it is not known, for kernels, and where nobody had it counted, which takes longer
    than adding up the time: `genscope.analysis.flops.joined` does.
    """

    flops: int | None = None
    moved_bytes: int | None = None
    flops_per_s: float | None = None
    intensity: float | None = None
    """FLOPs over bytes moved."""


class Row(Worked, kw_only=True):
    """A row of a drill-down. `level` is category, op or kernel; `rule` says what decided it."""

    name: str
    level: str
    rule: str | None = None
    children: list[Row] = []


class CategoryRow(Worked, kw_only=True):
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
    class_name: str | None = None
    """Where it was annotated."""
    depth: int
    self_ns: int
    """Part of `sum_ns` that no module inside it has."""
    categories: dict[str, int]
    """sum_ns by category."""


class DeviceInfo(msgspec.Struct, kw_only=True):
    """A device that ran something in the trace; `name` is empty where the trace has none."""

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


class Difference(msgspec.Struct, kw_only=True):
    """A row of the drill-down (see Row) beside the base run's of the same names.

    What one of the runs lacks is 0 there: differences add up to that of the row around them.
    """

    name: str
    level: str
    base_sum_ns: int
    sum_ns: int
    delta_ns: int
    """sum_ns less the base's."""
    speedup: float | None
    """The base's sum_ns over this one's; None where either is 0."""
    base_calls: int
    calls: int
    base_launches: int
    launches: int
    children: list[Difference] = []


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
    differences: list[Difference] = []
    """Categories, ops and kernels beside the base run's, largest change first.

    Empty for the base run, and for a run on another basis than it.
    """
    warnings: list[TraceWarning]


class Comparison(msgspec.Struct, kw_only=True):
    """Several runs, each bar normalised to the first (the paper's Figure 7)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "compare"
    base: str
    runs: list[RunBar]
    warnings: list[TraceWarning]


class Step(msgspec.Struct, kw_only=True):
    """A step; `index` counts from 0 in order of time.

    A profiler step (`ProfilerStep#n`), or one that the annotated calls of a component count
    (`unet step 3`), up to the next of them.
    """

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


class Timeline(msgspec.Struct, kw_only=True):
    """The strip of a stretch of time that was asked for, in finer bins."""

    schema_version: int = SCHEMA_VERSION
    view: str = "timeline"
    trace: str
    selection: Selection = Selection()
    strip: Strip


class Activity(msgspec.Struct, kw_only=True):
    """What the CPU did during a gap: an event and how much of the gap was spent in it.

    Without what is inside that event and recorded as well. `kind` is runtime, op, annotation,
    module or python; other for the events that are not listed one by one; none for the time in
    which nothing was recorded.
    """

    name: str
    kind: str
    overlap_ns: int


class Gap(msgspec.Struct, kw_only=True):
    """A stretch in which a device had nothing to do.

    `before` and `after` are the device events around it. `cause` is launch (the CPU had not
    launched the next kernel yet), sync (the CPU waited for the device before it went on), data
    (it was loading data), queue (the next kernel was launched, but did not start) or unknown;
    `reason` says it in words. `cpu` is what the thread did that launched `after` (at the end of
    the recording, the one that launched most): its parts add up to `dur_ns`.
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
    """How a device spent the wall time; busy and idle add up to it. `name` as in DeviceInfo."""

    index: int
    name: str
    sum_ns: int
    busy_ns: int
    idle_ns: int
    busy_share: float
    streams: int


class Workload(msgspec.Struct, kw_only=True):
    """What was run, as its annotations tell. Two runs of one workload differ in `attention`."""

    model: str | None
    device: str | None
    dtype: str | None
    image_size: tuple[int, int] | None
    """Height and width in pixels."""
    frames: int | None
    batch: int | None
    prompt_length: int | None
    """Tokens."""
    steps: int | None
    attention: str | None
    """The implementation that was asked for."""
    training: bool | None
    extra: dict[str, str | int | float | bool]


class ComponentInfo(msgspec.Struct, kw_only=True):
    """A component that was annotated; `calls` counts its calls in the trace."""

    name: str
    class_name: str | None
    parameters: int | None
    parameter_bytes: int | None
    dtype: str | None
    device: str | None
    calls: int


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
    workload: Workload | None = None
    """None where the trace has no annotations that tell it, as below."""
    components: list[ComponentInfo] = []
    peak_memory_bytes: int | None = None
    """Highest memory allocated on the device while recording."""
    libraries: dict[str, str] = {}
    """Their versions."""
    notes: list[str] = []
    """What the collector says about the recording."""
    warnings: list[TraceWarning]
