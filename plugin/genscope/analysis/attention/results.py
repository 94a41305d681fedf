"""The typed result of the attention view: what JSON, the terminal and notebooks share.

Units are in the names of fields; start times are relative to the first event of the trace; `None`
is unknown.
"""

from __future__ import annotations

import msgspec

from genscope.analysis.attention.where import Where
from genscope.analysis.results import SCHEMA_VERSION
from genscope.trace.errors import TraceWarning


class AttentionCall(msgspec.Struct, kw_only=True):
    """One attention call.

    `device_ns` is the sum over the call's kernels (of all of a chain, if unfused), None without a
    device; `cpu_ns` the inclusive time of its outermost op, or of the ops of the chain;
    `layout_ns` the copies of q, k and v inside the call, which count as Memory. `heads` are query
    heads; `q_len` and `kv_len` the longest of a batch of variable lengths, `q_tokens` all of its
    queries. `causal` is the flag that the op received; `mask` is none, causal, tensor or window.
    `forward_index` is the index of the forward call that a backward call differentiates. `reason`
    says where figures come from that the op's own shapes do not give, or why they are missing.
    `flops` and `moved_bytes` are those of `genscope.analysis.flops`, `flops_per_s` is over
    `device_ns`, or over `cpu_ns` without a device; `intensity` is FLOPs over bytes moved.
    """

    index: int
    pass_: str = msgspec.field(name="pass")
    forward_index: int | None
    start_ns: int
    device_start_ns: int | None
    """Where its first kernel starts, which is where the timeline shows it."""
    device_ns: int | None
    cpu_ns: int
    layout_ns: int | None
    flops: int | None
    moved_bytes: int | None
    flops_per_s: float | None
    intensity: float | None
    batch: int | None
    heads: int | None
    kv_heads: int | None
    q_len: int | None
    kv_len: int | None
    q_tokens: int | None
    head_dim: int | None
    v_head_dim: int | None
    dtype: str | None
    causal: bool | None
    mask: str | None
    kind: str | None
    axis: str | None
    implementation: str | None
    phase: str | None
    component: str | None
    module: str | None
    layer: int | None
    step: int | None
    reason: str | None


class AttentionGroup(msgspec.Struct, kw_only=True):
    """Calls that are alike in everything but place and time.

    `time_ns` adds `device_ns`, or `cpu_ns` where there is no device; `share` is of the time of all
    calls listed.
    """

    pass_: str = msgspec.field(name="pass")
    component: str | None
    kind: str | None
    axis: str | None
    implementation: str | None
    phase: str | None
    batch: int | None
    heads: int | None
    kv_heads: int | None
    q_len: int | None
    kv_len: int | None
    head_dim: int | None
    causal: bool | None
    dtype: str | None
    calls: int
    time_ns: int
    share: float
    first_index: int


class Attention(msgspec.Struct, kw_only=True):
    """The attention calls of one trace (`--view attention`)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "attention"
    trace: str
    base_ns: str
    rank: int | None
    basis: str
    """`device` where any device event is, else `cpu` (inclusive time of ops)."""
    selection: Where
    passes: list[str]
    """The passes whose calls are listed."""
    category_ns: int
    """Time of the category Attention in the whole trace, on the basis of the operator view."""
    time_ns: int
    """Sum over the calls listed."""
    without_shapes: int
    """Calls listed whose lengths nothing tells."""
    calls_total: int
    """Number of calls listed, also where `calls` is left to windows."""
    groups: list[AttentionGroup]
    """Largest time first."""
    calls: list[AttentionCall]
    """In order of start."""
    warnings: list[TraceWarning]


class CallsWindow(msgspec.Struct, kw_only=True):
    """A part of the list of calls: from place `first` of `total`, sorted by the column `sort`.

    Calls without a value go last in either direction, equal ones are in order of start. `at` is
    the index of the call that was looked for, None where the list does not have it.
    """

    schema_version: int = SCHEMA_VERSION
    view: str = "calls"
    total: int
    first: int
    sort: str
    descending: bool
    at: int | None
    calls: list[AttentionCall]


class PhaseRow(msgspec.Struct, kw_only=True):
    """What one phase took; `phase` is None for time that nothing tells the phase of.

    `sum_ns` adds device events (CPU self time without a device), `busy_ns` is their union,
    `attention_ns` the part of it in the category Attention. `tokens` adds the query tokens of one
    layer over the rounds; `rounds` counts runs of the model in it. `intensity` is FLOPs over bytes
    moved, of attention calls, products and convolutions of known shapes: `intensity_share` of the
    phase's time.
    """

    phase: str | None
    sum_ns: int
    busy_ns: int
    share: float
    device_busy_share: float | None
    """Part of the time of the phase's stretches in which a device works on it, the mean over the
    devices; None without a device, and where nothing tells its stretches."""
    attention_ns: int
    attention_share: float
    calls: int
    rounds: int
    tokens: int | None
    intensity: float | None
    intensity_share: float
    reasons: dict[str, int]
    """Why calls are of this phase, and how many of them."""


class Stretch(msgspec.Struct, kw_only=True):
    """A stretch of the timeline in one phase: neighbouring rounds of one component.

    On a trace with a device it lies where the device works on the rounds, from the start of their
    first device work to the end of the last, also where the CPU launched that long before; rounds
    that put nothing on the device, and all without one, lie where the CPU ran them.
    """

    phase: str | None
    component: str | None
    start_ns: int
    dur_ns: int
    rounds: int
    reason: str | None


class Pace(msgspec.Struct, kw_only=True):
    """How fast a component's rounds follow each other in one phase: tokens, denoising steps."""

    component: str | None
    phase: str
    rounds: int
    total_ns: int
    """From the start of the first round to the end of the last, where stretches have them."""
    median_ns: int
    """From a round's start to that of the next, of their device work where there is any; the last
    until it ends."""


class ServedStep(msgspec.Struct, kw_only=True):
    """A step of a serving engine as it annotates it: sequences and tokens of each phase.

    It lies where the CPU ran it. None is what the annotation does not tell.
    """

    name: str
    start_ns: int
    dur_ns: int
    phase: str
    prefills: int | None
    decodes: int | None
    prefill_tokens: int | None
    decode_tokens: int | None


class Phases(msgspec.Struct, kw_only=True):
    """What each phase of one trace took (`--view phases`)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "phases"
    trace: str
    base_ns: str
    rank: int | None
    basis: str
    basis_sum_ns: int
    wall_ns: int
    selection: Where
    training: bool
    """Whether the trace is of training, or of an evaluation by a loss: they have no phases."""
    phases: list[PhaseRow]
    """In the order in which they begin; they add up to `basis_sum_ns`."""
    stretches: list[Stretch]
    """In order of start; where there are too many, small neighbours are put together, under what
    takes most of their time."""
    each: float
    """How many stretches of the trace stand behind one of `stretches`, on average."""
    time_to_first_token_ns: int | None
    """From where the CPU calls the first prompt's round to the end of the last work of its prefill,
    on the device where there is one."""
    time_per_token_ns: int | None
    """Median time between the starts of rounds that decode, on the device where there is one."""
    paces: list[Pace]
    served: list[ServedStep]
    sentence: str
    warnings: list[TraceWarning]


class FoundPeriod(msgspec.Struct, kw_only=True):
    """The fundamental period: calls `first` to `last` of the sequence repeat `length` of them.

    It is of the component that takes the most attention time; calls of others between do not
    count. `edits` are calls in there that are missing, too many or different; `lengths` are the
    query lengths of one period.
    """

    component: str | None
    length: int
    first: int
    last: int
    repeats: float
    edits: int
    lengths: list[int]


class FoundGrowth(msgspec.Struct, kw_only=True):
    """Lengths that grow with every round of `calls` calls, as in autoregressive decoding.

    Where only self attention grows, its calls alone count, also in `calls`.

    `of` is q_len or kv_len.
    """

    of: str
    calls: int
    by: int
    first: int
    last: int
    from_length: int
    to_length: int


class Level(msgspec.Struct, kw_only=True):
    """Calls of one query length: how many, how long they take, and where they come from."""

    q_len: int
    kv_lens: list[int]
    """Smallest and largest."""
    calls: int
    time_ns: int
    share: float
    """Of the time of all calls of the sequence."""
    kinds: dict[str, int]
    modules: list[str]
    """The modules that call at this length, the first twenty."""
    modules_left: int
    """Modules beyond those."""


class Series(msgspec.Struct, kw_only=True):
    """Calls in order, as columns of equal length: every one, or some to stand for the rest.

    Where a stretch of the sequence has more calls than fit, the first of each kind stands for its
    like in each part of it; where too many kinds of call are there (lengths and groups), the
    shortest and the longest stand for all. `each` is how many calls stand behind one, on average.
    """

    first: int
    last: int
    total: int
    each: float
    place: list[int]
    """Place in the sequence, from `first` to `last`."""
    index: list[int]
    """Place among all calls of the trace: `Attention.calls[].index`."""
    start_ns: list[int]
    q_len: list[int]
    kv_len: list[int]
    time_ns: list[int]
    group: list[int]
    """Index into `groups`."""
    groups: list[SeriesGroup]


class SeriesGroup(msgspec.Struct, kw_only=True, frozen=True):
    """What tells calls of a series apart by colour and shape."""

    component: str | None
    kind: str | None
    axis: str | None
    implementation: str | None


class Sequence(msgspec.Struct, kw_only=True):
    """Sequence length per attention call of one trace (`--view sequence`)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "sequence"
    trace: str
    base_ns: str
    rank: int | None
    basis: str
    selection: Where
    calls: int
    """Calls with known lengths that pass the filters; of the forward pass unless they name one."""
    without_shapes: int
    time_ns: int
    q_range: list[int] | None
    """Shortest and longest."""
    kv_range: list[int] | None
    period: FoundPeriod | None
    growth: FoundGrowth | None
    levels: list[Level]
    """By query length, the longest first."""
    levels_left: int
    series: Series
    sentence: str
    warnings: list[TraceWarning]


class AxisRow(msgspec.Struct, kw_only=True):
    """Attention along one axis: spatial, temporal, spatiotemporal or sequence.

    `flops` are those of its two products, 2·b·h·q·kv·(d_qk + d_v), over the calls whose lengths
    are known, of causal ones without the keys that a query does not see; `flops_per_s` is over the
    time of those calls. `in_batch` says what was moved into the batch.
    """

    axis: str
    calls: int
    time_ns: int
    share: float
    """Of all attention listed."""
    flops: int
    flops_per_s: float | None
    q_range: list[int]
    batch_range: list[int]
    in_batch: str
    causal_calls: int = 0
    """Calls whose FLOPs count only the keys that a causal mask leaves; the others count all."""
    causal_unknown: int = 0
    """Calls that count all keys because nothing tells whether they are causal."""


class AxisLayer(msgspec.Struct, kw_only=True):
    """Attention along one axis in one module."""

    component: str | None
    module: str | None
    layer: int | None
    axis: str
    calls: int
    time_ns: int
    flops: int
    q_len: int
    batch: int | None


class SpaceTime(msgspec.Struct, kw_only=True):
    """Spatial against temporal attention of one trace (`--view spatial-temporal`)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "spatial-temporal"
    trace: str
    base_ns: str
    rank: int | None
    basis: str
    selection: Where
    frames: int | None
    """Frames of the video as the model sees them; None where nothing tells."""
    axes: list[AxisRow]
    """Largest time first."""
    layers: list[AxisLayer]
    temporal_over_spatial_time: float | None
    spatial_over_temporal_flops: float | None
    sentence: str
    warnings: list[TraceWarning]
