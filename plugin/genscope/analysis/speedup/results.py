"""The typed results of the speedup view: what JSON, the terminal and notebooks share.

Units are in the names of fields; start times are relative to the first event of their trace;
`None` is unknown. A speedup is the baseline's time over the fused run's: above 1, fused is faster.
"""

from __future__ import annotations

import msgspec

from genscope.analysis.results import SCHEMA_VERSION
from genscope.trace.errors import TraceWarning

MEASURED, PREDICTED = "measured", "predicted"


class RunSide(msgspec.Struct, kw_only=True):
    """One of the two runs.

    `sum_ns` adds what the basis counts, `busy_ns` is its union, added over devices; `attention_ns`
    is the part of `sum_ns` in the category Attention. `implementations` and `dtypes` count calls.
    """

    trace: str
    devices: list[str]
    attention: str | None
    """The implementation that its annotations ask for."""
    wall_ns: int
    sum_ns: int
    busy_ns: int
    attention_ns: int
    calls: int
    implementations: dict[str, int]
    dtypes: dict[str, int]
    steps: int


class Measure(msgspec.Struct, kw_only=True):
    """How long both took from end to end, in one way of measuring.

    `name` is unprofiled (wall time without profiler, of the whole call, as `collect_pair` notes
    it), wall (of the recording), busy, sum (as in RunSide) or step (median step). `low` and `high`
    are the least and the greatest speedup of single repeats, where there are any.
    """

    name: str
    baseline_ns: int
    fused_ns: int
    speedup: float | None
    low: float | None = None
    high: float | None = None


class ModuleSpeedup(msgspec.Struct, kw_only=True):
    """How much faster attention is.

    `scope` is category (all time of the category Attention) or aligned (the calls that both runs
    have, each with its kernels, or with the inclusive time of its ops where there is no device).
    """

    scope: str
    calls: int | None
    baseline_ns: int
    fused_ns: int
    speedup: float | None


class Change(msgspec.Struct, kw_only=True):
    """Time outside attention in both runs. `kind` is category, idle or overlap.

    Idle is wall time in which nothing of the basis ran. Overlap is what ran while something else
    did and so takes no wall time: it counts below 0.
    """

    name: str
    kind: str
    baseline_ns: int
    fused_ns: int
    delta_ns: int


class Amdahl(msgspec.Struct, kw_only=True):
    """What attention alone explains of a speedup, and what else changed.

    With `attention_share` f and `module_speedup` s, Amdahl's law predicts 1 / ((1 - f) + f / s),
    and 1 / (1 - f) at most, where attention costs nothing. `difference_ns` is the time measured
    less the time predicted; the `delta_ns` of `changes` add up to it exactly.
    """

    measure: str
    """sum (see RunSide), or wall: wall time, times the number of devices."""
    baseline_ns: int
    fused_ns: int
    attention_baseline_ns: int
    attention_fused_ns: int
    attention_share: float
    module_speedup: float | None
    predicted_ns: int
    predicted_speedup: float | None
    limit_ns: int
    limit_speedup: float | None
    measured_speedup: float | None
    difference_ns: int
    changes: list[Change]
    """Largest change first."""


class CategoryShift(msgspec.Struct, kw_only=True):
    """A category in both runs; each share is of its own run."""

    category: str
    baseline_ns: int
    fused_ns: int
    delta_ns: int
    baseline_share: float
    fused_share: float
    speedup: float | None


class Bottleneck(msgspec.Struct, kw_only=True):
    """The largest category before and after."""

    before: str
    before_share: float
    after: str
    after_share: float


class GroupSpeedup(msgspec.Struct, kw_only=True):
    """Aligned calls that are alike. `by` is component, kind, axis, phase, pass or shape.

    `speedup` is of the sums; `median_speedup`, `low` and `high` are of the speedups of single
    calls.
    """

    by: str
    name: str | None
    calls: int
    baseline_ns: int
    fused_ns: int
    speedup: float | None
    baseline_median_ns: int
    fused_median_ns: int
    median_speedup: float | None
    low: float | None
    high: float | None


class ShapeSpeedup(GroupSpeedup, kw_only=True):
    """Aligned calls of one shape; `name` says it in words."""

    pass_: str = msgspec.field(name="pass")
    kind: str | None
    axis: str | None
    batch: int | None
    heads: int | None
    kv_heads: int | None
    q_len: int | None
    kv_len: int | None
    head_dim: int | None
    v_head_dim: int | None
    dtype: str | None
    """The baseline's."""
    causal: bool | None
    mask: str | None
    baseline_implementation: str | None
    fused_implementation: str | None


class AlignedCall(msgspec.Struct, kw_only=True):
    """A call that both runs make; `*_index` are those of the attention view of each.

    Lengths are the baseline's, or the fused run's where the baseline does not tell them. `note`
    says what else differs between the two.
    """

    baseline_index: int
    fused_index: int
    pass_: str = msgspec.field(name="pass")
    component: str | None
    kind: str | None
    axis: str | None
    phase: str | None
    layer: int | None
    step: int | None
    batch: int | None
    heads: int | None
    q_len: int | None
    kv_len: int | None
    head_dim: int | None
    baseline_implementation: str | None
    fused_implementation: str | None
    baseline_start_ns: int
    fused_start_ns: int
    baseline_ns: int
    fused_ns: int
    speedup: float | None
    note: str | None


class UnalignedCall(msgspec.Struct, kw_only=True):
    """A call that only one of the runs makes; `run` is baseline or fused."""

    run: str
    index: int
    pass_: str = msgspec.field(name="pass")
    component: str | None
    kind: str | None
    axis: str | None
    batch: int | None
    heads: int | None
    q_len: int | None
    kv_len: int | None
    implementation: str | None
    start_ns: int
    time_ns: int
    reason: str


class Speedup(msgspec.Struct, kw_only=True):
    """What fused attention gains over a baseline (`--view speedup --against BASELINE`)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "speedup"
    mode: str = MEASURED
    baseline: RunSide
    fused: RunSide
    roles: str
    """Why the one is the baseline."""
    basis: str | None
    """device or cpu_self; None where the two differ: then only wall times are compared."""
    sentence: str
    end_to_end: list[Measure]
    module: list[ModuleSpeedup]
    amdahl: list[Amdahl]
    bottleneck: Bottleneck | None
    categories: list[CategoryShift]
    groups: list[GroupSpeedup]
    shapes: list[ShapeSpeedup]
    aligned: int
    unaligned_baseline: int
    unaligned_fused: int
    unaligned_reasons: dict[str, int]
    """Reasons, and of how many calls each."""
    calls: list[AlignedCall] = []
    unaligned: list[UnalignedCall] = []
    warnings: list[TraceWarning]


class Timing(msgspec.Struct, kw_only=True):
    """One implementation on one shape: median and range of `repeats` runs."""

    implementation: str
    median_ns: int
    low_ns: int
    high_ns: int
    repeats: int


class Skipped(msgspec.Struct, kw_only=True):
    """An implementation that was not measured on a shape, and why."""

    implementation: str
    reason: str


class Shape(msgspec.Struct, kw_only=True, frozen=True):
    """What the time of an attention call depends on. `mask` is none, causal or tensor."""

    batch: int
    heads: int
    kv_heads: int
    q_len: int
    kv_len: int
    head_dim: int
    v_head_dim: int
    dtype: str
    causal: bool
    mask: str


class TableRow(msgspec.Struct, kw_only=True):
    """A shape with its times. `calls` counts those of the trace that it was measured for."""

    shape: Shape
    calls: int
    timings: list[Timing]
    skipped: list[Skipped] = []


class Table(msgspec.Struct, kw_only=True):
    """Times of attention by shape and implementation on one device (`genscope replay`)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "replay"
    source: str
    """replay (measured with random tensors), or pair (calls of two recorded runs)."""
    trace: str
    """The trace, or the two, that the shapes are from."""
    device: str
    """cpu, cuda; for a pair device or cpu."""
    device_name: str
    torch: str | None
    rows: list[TableRow]
    warnings: list[TraceWarning] = []


class PredictedShape(msgspec.Struct, kw_only=True):
    """Calls of one shape; `reason` says why nothing is predicted for them."""

    shape: Shape | None
    name: str
    pass_: str = msgspec.field(name="pass")
    implementation: str | None
    calls: int
    time_ns: int
    """In the category Attention, as recorded."""
    speedups: dict[str, float]
    """By implementation, over the one that was recorded."""
    reason: str | None = None


class PredictedRun(msgspec.Struct, kw_only=True):
    """What the run would take with another implementation of attention: predicted, not measured.

    Calls for which the table has no figure count as they are; `covered_share` is the part of the
    attention time for which it has.
    """

    implementation: str
    attention_ns: int
    total_ns: int
    speedup: float | None
    module_speedup: float | None
    covered_share: float
    calls: int


class Prediction(msgspec.Struct, kw_only=True):
    """What another implementation would gain in one run (`--view speedup` without a baseline)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "speedup"
    mode: str = PREDICTED
    run: RunSide
    basis: str
    source: str | None
    """What the figures were measured on: device, and replay or pair."""
    sentence: str
    attention_share: float
    limit_speedup: float | None
    """If attention cost nothing."""
    predicted: list[PredictedRun]
    """Fastest first."""
    shapes: list[PredictedShape]
    warnings: list[TraceWarning]


class RunInfo(msgspec.Struct, kw_only=True, frozen=True):
    """What pairing looks at: a label, what was run, and how attention was computed.

    `workload` is JSON text of the workload without `attention` and what differs between the two of
    a pair, "" without annotations. `unfused_share` is the part of attention time that was computed
    step by step, None without attention.
    """

    label: str
    workload: str
    attention: str | None
    rank: int | None
    unfused_share: float | None


class RunPair(msgspec.Struct, kw_only=True):
    """Two runs of one workload, by their labels."""

    baseline: str
    fused: str
    reason: str


class Pairing(msgspec.Struct, kw_only=True):
    """Which runs belong together; `alone` has the others, each with the reason."""

    pairs: list[RunPair]
    alone: dict[str, str]
