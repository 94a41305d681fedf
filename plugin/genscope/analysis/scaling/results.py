"""The typed results of the scaling view: what JSON, the terminal, the plugin and notebooks share.

`Contribution` is one run, small enough to be cached; `Scaling` is what several of them make. Units
are in the names of fields; None is unknown.
"""

from __future__ import annotations

import msgspec

from genscope.analysis.results import SCHEMA_VERSION
from genscope.trace.errors import TraceWarning

BASELINE, FUSED = "baseline", "fused"

TOTAL, CATEGORY, COMPONENT, KIND, AXIS = "total", "category", "component", "kind", "axis"
"""What an `Amount`, a `Fit` and a `Crossover` are of: their `group`. The total's name is `all`."""

TIME, FLOPS, MOVED = "time_ns", "flops", "moved_bytes"
SCORES, WRITTEN, LARGEST = "score_bytes", "written_score_bytes", "largest_score_bytes"
PEAK = "peak_memory_bytes"
METRICS = (TIME, FLOPS, MOVED, SCORES, WRITTEN, LARGEST, PEAK)
"""What can grow: the `metric` of a `Fit`, and the name of the field that it was fitted to. The last
two are figures of a run, not of a part of it."""


PROFILER = "profiler"


class Amount(msgspec.Struct, kw_only=True):
    """What one part of a run took.

    `group` is total, category, component, kind or axis. Categories add up to the total; kinds and
    axes are parts of the category Attention, of one component where `component` names it, else of
    the whole run.
    """

    group: str
    name: str
    component: str | None = None
    time_ns: int
    """On the basis of the operators view: device time added up, or CPU self time."""
    flops: int
    """Of the ops whose FLOPs are known; of kinds and axes those of the two products alone."""
    unknown_ns: int
    """Part of the time whose FLOPs are not known; it adds nothing to `flops`."""
    moved_bytes: int | None
    """Operands and results, each moved once; None for kinds and axes."""
    score_bytes: int
    """Score matrices of the forward attention calls, b·h·q·kv of the call's dtype, added up,
    whether they are written to memory or not."""
    written_score_bytes: int
    """The part of `score_bytes` of calls that compute attention step by step."""
    calls: int
    """Ops whose FLOPs are known; of kinds and axes attention calls."""


class Lengths(msgspec.Struct, kw_only=True):
    """What the attention of a run tells of its workload: used where annotations do not.

    `structure` is alike for runs of one model: the number of forward attention calls, products and
    convolutions, and the heads that occur.
    """

    length: int | None
    """Query length of the forward self attention calls that take the most FLOPs together; of those
    that do not decode, if any."""
    batch: int | None
    """Batch of those calls, the largest."""
    structure: str
    decodes: bool
    """Whether any call decodes: then steps are tokens."""


class Contribution(msgspec.Struct, kw_only=True):
    """One run as the scaling view needs it, without its events; None is what nothing tells."""

    schema_version: int = SCHEMA_VERSION
    view: str = "scaling-run"
    trace: str
    rank: int | None
    basis: str
    devices: list[str]
    model: str | None
    dtype: str | None
    image_size: tuple[int, int] | None
    """Height and width in pixels."""
    frames: int | None
    batch: int | None
    prompt_length: int | None
    steps: int | None
    """Denoising steps or tokens of the workload."""
    training: bool | None
    attention: str | None
    """The implementation that was asked for."""
    implementation: str | None
    """The one that takes most of the attention time."""
    extra: dict[str, str | int | float | bool]
    """What else the workload says, without what names the recording alone."""
    lengths: Lengths
    unfused_share: float | None
    """Part of attention time that is computed step by step; None without attention."""
    recorded_steps: int
    """Steps that can be told apart in the recording; 0 for none."""
    steps_are: str | None
    """Who numbers them: `profiler`, else the component whose steps they are."""
    amounts: list[Amount]
    """Of the whole run."""
    step_amounts: list[Amount]
    """Of the work inside steps, all of them added up; empty without steps."""
    largest_score_bytes: int
    unknown_score_calls: int
    """Forward attention calls whose score matrix nothing tells the size of."""
    peak_memory_bytes: int | None
    """Highest memory allocated on the device while recording, as the annotations say."""
    warnings: list[TraceWarning]


class Point(msgspec.Struct, kw_only=True):
    """One run of a sweep."""

    run: str
    value: float
    """Of the swept parameter."""
    label: str
    """The same as people write it: `512 x 768`, `16`."""
    implementation: str | None
    steps: int | None
    """Recorded steps that the figures were divided by; None where they are of the whole run."""
    unknown_share: float
    """Part of the time whose FLOPs are not known."""
    amounts: list[Amount]
    largest_score_bytes: int
    peak_memory_bytes: int | None


class Fit(msgspec.Struct, kw_only=True):
    """A power law through the points of a line: value = factor · parameter ** exponent.

    Least squares on the logarithms. `exponent`, its standard error and the quality are None below
    three distinct values of the parameter; of two, `slope` is the power that leads from the one to
    the other, which says nothing about a third.
    """

    group: str
    name: str
    component: str | None
    metric: str
    points: int
    """Distinct values of the parameter at which the figure is known and above 0."""
    runs: int
    exponent: float | None
    error: float | None
    """Standard error of the exponent."""
    slope: float | None
    factor: float | None
    """Of the law, or of the line through two points."""
    r2: float | None
    """Share of the variance of the logarithms that the law explains; None for a flat line."""
    deviation: float | None
    """Largest distance of a point from the law, as a part of the law's value."""
    share: float | None
    """Part of the run's total at the largest value; None where the metric has no total."""
    reason: str | None
    """Why there is no exponent, or why runs are missing from it."""


class Growth(msgspec.Struct, kw_only=True):
    """Which category grows fastest in one metric, of those that matter (2 % of a point or more).

    `clear` says whether the exponents differ by more than their standard errors together;
    `faster` sets Attention against Convolution in the same way and is None where either has no
    exponent, `neither` where they do not differ clearly.
    """

    metric: str
    fastest: str | None
    exponent: float | None
    second: str | None
    second_exponent: float | None
    clear: bool
    attention_exponent: float | None
    convolution_exponent: float | None
    faster: str | None


class Crossover(msgspec.Struct, kw_only=True):
    """Where `upper` overtakes `lower` as the parameter grows: from there on it is the larger.

    `measured`: between two neighbouring points, `between`, by a straight line in the logarithms.
    Else it is where the two fits meet beyond the points, at most four times beyond, and only where
    the lines through the last two points meet there as well: `value` is of the fits, `low` and
    `high` are the smaller and the larger of both. Lines that bend can meet outside of these.
    """

    group: str
    component: str | None
    metric: str
    upper: str
    lower: str
    value: float
    label: str
    """The same as people write it, with its unit."""
    measured: bool
    between: tuple[float, float] | None
    low: float | None
    """None for a measured one; so are `high` and the exponents."""
    high: float | None
    upper_exponent: float | None
    """Of the fits that an extrapolated one comes from."""
    lower_exponent: float | None
    points: int
    """Points that it rests on: two, or the fewer of those of the two fits."""


class Line(msgspec.Struct, kw_only=True):
    """Runs of one sweep that compute attention alike; `attention` is the implementation."""

    role: str
    """baseline or fused."""
    attention: str | None
    reason: str
    """Why it has this role."""
    points: list[Point]
    """Smallest value first."""
    fits: list[Fit]
    growth: list[Growth]
    crossovers: list[Crossover]


class Change(msgspec.Struct, kw_only=True):
    """How the growth of one metric changes from a baseline line to a fused one.

    `before` and `after` are `Growth.faster`, `fastest_*` the category that grows fastest.
    """

    metric: str
    baseline: int
    """Place of the line in `Sweep.lines`."""
    fused: int
    before: str | None
    after: str | None
    fastest_before: str | None
    fastest_after: str | None
    attention_before: float | None
    attention_after: float | None
    convolution_before: float | None
    convolution_after: float | None


class Sweep(msgspec.Struct, kw_only=True):
    """Runs of one model that differ in one parameter.

    `parameter` is image_size (the side in pixels; of an oblong image the root of its area),
    frames, batch, prompt, tokens, steps, or length (of the self attention that takes the
    most FLOPs).
    """

    name: str
    """The model, the parameter, and the value of every other parameter that is swept elsewhere."""
    model: str | None
    parameter: str
    unit: str
    """Behind a value: px, frames, in the batch, prompt tokens, tokens, steps."""
    found_by: str
    """Where the parameter is known from, in words."""
    fixed: dict[str, str]
    """What the runs have in common."""
    basis: str
    devices: list[str]
    values: list[float]
    """Distinct, ascending."""
    per_step: bool
    """Figures are of one step, of the work inside steps: the runs have different numbers."""
    lines: list[Line]
    """Baselines first."""
    changes: list[Change]
    sentence: str
    warnings: list[TraceWarning]


class LeftOut(msgspec.Struct, kw_only=True):
    """A run that no sweep has, and why."""

    run: str
    reason: str


class Scaling(msgspec.Struct, kw_only=True):
    """How time, FLOPs and memory grow over several runs (`--view scaling`; Figures 10 and 14)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "scaling"
    by: str | None
    """The parameter that was asked for; None for whatever differs."""
    sweeps: list[Sweep]
    """Most values first."""
    left_out: list[LeftOut]
    sentence: str
    warnings: list[TraceWarning]
