"""The typed results of the memory views.

Bytes are whole numbers; None is unknown, and a `reason` beside it says why. A **score matrix** (the
paper: similarity matrix) is what a query's products with all keys make: q_len × kv_len numbers a
head and sequence. A **step** is one run of the denoiser; elsewhere the whole trace is one.
In the **paper's convention** a number takes 2 bytes, and there is one head and one sequence.
"""

from __future__ import annotations

import msgspec

from genscope.analysis.results import SCHEMA_VERSION, ComponentInfo
from genscope.trace.errors import TraceWarning

BEFORE = "before the recording"
"""What is alive but was allocated before the profiler looked, in place of a category."""


class PaperParameters(msgspec.Struct, kw_only=True):
    """What the paper's formula takes, read from the trace."""

    positions: int
    """H_L · W_L: the largest spatial self-attention of the denoiser."""
    latent_side: int | None
    """H_L = W_L; None where the positions are no square."""
    depth: int
    """Stages of the UNet below the first that has attention."""
    d: float
    """By how much a side shrinks from one stage to the next."""
    text_tokens: int
    """Keys that are no positions: of cross attention, or behind the others; 0 without."""
    reason: str
    """Where they come from."""


class Stage(msgspec.Struct, kw_only=True):
    """Attention calls of one component, phase, kind, axis and shape.

    Fields in `_bytes` are sums over the calls of one step, unless their name says `call`. Decoding,
    whose keys grow from call to call, is one stage with a range of keys.
    """

    component: str | None
    phase: str | None
    kind: str | None
    axis: str | None
    dtype: str | None
    implementations: dict[str, int]
    """Calls in the trace by implementation; `unknown` where nothing tells."""
    fused: bool | None
    """Whether all calls run without writing a score matrix; None where some do or it is unknown."""
    denoiser: bool
    """Whether it is part of the figures of a step (`Similarity`)."""
    level: int | None
    """n of the paper's formula: 0 for the largest; None where that does not apply."""
    batch: int | None
    heads: int | None
    matrices: int | None
    """Score matrices of one call: batch · heads."""
    q_len: int
    kv_len: int
    """The largest, where keys grow."""
    kv_len_least: int
    calls: int
    """In the trace."""
    calls_per_step: int
    """In one step of the denoiser; all of the trace elsewhere."""

    paper_calls: int | None
    """Calls that the paper's formula counts: two a stage, one in the deepest."""
    paper_bytes: int | None
    """The stage's part of the paper's formula."""
    one_head_call_bytes: int
    """2 · q_len · kv_len, the largest call."""
    one_head_bytes: int
    """The calls that were made, in the paper's convention."""
    real_call_bytes: int | None
    """The largest call with its heads, batch and dtype; what a baseline would write at once."""
    real_bytes: int | None
    """The calls that were made, with their heads, batch and dtype."""

    recorded_calls: int
    """Calls of a step whose score matrix the trace shows: those that are not fused."""
    product_bytes: int | None
    """Recorded results of the first product; None where the trace shows none."""
    softmax_bytes: int | None
    """Recorded inputs of the softmax; None where the trace shows none."""
    recorded_dtype: str | None
    """dtype of the softmax's input."""
    measured_largest_bytes: int | None
    """Largest single block that was allocated inside one of the calls."""
    measured_call_peak_bytes: int | None
    """Most that a call held beyond what was there at its start; the largest over the calls."""
    measured_bytes: int | None
    """All that the calls allocated."""

    kept_bytes: int | None
    """What fused attention keeps in place of the matrices: a log-sum-exp, 4 bytes a query."""


class Similarity(msgspec.Struct, kw_only=True):
    """Score matrices of one step of the denoiser, by the paper's formula and as they are.

    All is None, with a `reason`, where the trace has no denoiser; the paper's fields also where
    its attention is not that of a UNet.
    """

    component: str | None
    steps: int
    """Runs of the denoiser in the trace."""
    steps_differ: bool
    """Whether not all runs make the same calls; the figures are then of the most common ones."""
    step_reason: str | None
    """What tells a run from the next."""
    other_components: list[str] = []
    """Further components that denoise, which are not part of it."""
    reason: str | None

    parameters: PaperParameters | None
    paper_reason: str | None
    """Why the formula does not apply."""
    paper_call_bytes: int | None
    """2·H_L·W_L·(H_L·W_L + text): one self and one cross attention at the largest resolution."""
    paper_bytes: int | None
    """2·[2·Σ_{n<depth} A_n·(A_n + text) + A_depth·(A_depth + text)], A_n = H_L·W_L / d^2n."""

    one_head_bytes: int | None
    """The calls that were made, in the paper's convention."""
    one_head_over_paper: float | None
    real_bytes: int | None
    real_over_paper: float | None
    largest_bytes: int | None
    """The largest single call, with its heads, batch and dtype."""
    recorded_bytes: int | None
    """Softmax inputs that the trace shows in one step; None where it shows none."""
    measured_bytes: int | None
    """Allocated inside the calls of one step."""
    sentence: str


class GrowthPoint(msgspec.Struct, kw_only=True):
    """A size, and the score matrices of one step there, in the paper's convention."""

    image_size_px: int | None
    """None where the trace does not tell how pixels become positions."""
    latent_side: float
    """Square root of the positions."""
    self_bytes: int
    """Of all but cross attention."""
    cross_bytes: int
    bytes: int
    paper_bytes: int | None
    real_bytes: int | None
    """With heads, batch and dtype."""
    recorded: bool
    """Whether it is the size of the trace itself."""


class GrowthFit(msgspec.Struct, kw_only=True):
    """A power law, value = factor · side ** exponent: least squares on the logarithms."""

    of: str
    """bytes, self_bytes (where there is cross attention as well), paper_bytes, real_bytes; of a
    sweep also recorded_bytes and peak_bytes."""
    from_size: float
    to_size: float
    """Smallest and largest size: pixels, or sides of the latent where those are not known."""
    unit: str
    """px or latent"""
    points: int
    exponent: float | None
    """None below two sizes."""
    factor: float | None
    largest_deviation: float | None
    """By how much the worst point is off the line, as a share of the line."""


class Growth(msgspec.Struct, kw_only=True):
    """How the matrices of one step grow with the image, computed from the calls of one trace."""

    points: list[GrowthPoint]
    """Smallest size first."""
    fits: list[GrowthFit]
    reason: str | None
    """Why there is none."""
    sentence: str


class FusedTotals(msgspec.Struct, kw_only=True):
    """Score matrices of some calls of the whole trace, and what fused attention keeps of them.

    `traffic_bytes` counts four passes over each matrix: the product writes it, the softmax reads
    and writes it, the second product reads it; scale and mask as ops of their own come on top.
    """

    calls: int
    calls_unknown: int
    """Calls without lengths, heads or dtype, which no figure has."""
    matrix_bytes: int
    traffic_bytes: int
    kept_bytes: int
    largest_bytes: int
    """The largest single call: what lies in memory at once."""
    largest_kept_bytes: int
    """What fused attention keeps of that call."""


class Fused(msgspec.Struct, kw_only=True):
    """What fused attention avoids, over the forward calls of the trace."""

    fused: FusedTotals
    """Calls that are fused: none of these matrices was written."""
    unfused: FusedTotals
    """Calls that are not: what was written, and what would be kept instead."""
    other_calls: int
    """Calls of which nothing tells whether they write their matrices."""
    sentence: str


class KvCache(msgspec.Struct, kw_only=True):
    """Keys and values that decoding keeps, from the lengths and heads of its calls."""

    component: str | None
    layers: int
    """Calls a token."""
    batch: int
    kv_heads: int
    head_dim: int
    v_head_dim: int
    dtype: str
    bytes_per_token: int
    """Of all layers and sequences."""
    from_length: int
    to_length: int
    from_bytes: int
    to_bytes: int


class CategoryBytes(msgspec.Struct, kw_only=True):
    """What is alive of one category: that of the op around each allocation.

    `category` is also `before the recording`, and `Unlinked` where no op is around it.
    """

    category: str
    bytes: int
    blocks: int | None
    """None for what was there before."""
    share: float


class Block(msgspec.Struct, kw_only=True):
    """A block that is alive at the peak."""

    bytes: int
    category: str
    op: str | None
    """The op that allocated it, or for which it was allocated."""
    component: str | None
    module: str | None
    allocated_ns: int
    freed_ns: int | None
    """None where it outlives the recording."""


class StepMemory(msgspec.Struct, kw_only=True):
    """Memory of a device in a step of the profiler, or of the denoiser."""

    index: int
    name: str
    start_ns: int
    end_ns: int
    peak_bytes: int
    peak_ns: int
    end_bytes: int
    allocated_bytes: int
    """Sum of all allocations in it."""
    categories: list[CategoryBytes]
    """Alive at the step's peak, largest first; adds up to `peak_bytes`."""


class MemorySeries(msgspec.Struct, kw_only=True):
    """Bytes over time as columns of equal length; each value holds until the next time.

    Where a trace has more changes than fit, the highest moment of each stretch is drawn.
    """

    at_ns: list[int]
    allocated_bytes: list[int]
    reserved_bytes: list[int | None]
    categories: dict[str, list[int]]
    """By category, largest at the peak first; they add up to `allocated_bytes`."""
    changes: int
    """Allocations and frees in the trace."""


class DeviceMemory(msgspec.Struct, kw_only=True):
    """What the allocator of one device said while recording."""

    device: str
    """cpu, or a kind of device and its number, such as cuda:0."""
    name: str
    """As the trace describes it; empty where it does not."""
    whole: bool
    """Whether totals include what was allocated before: on a GPU the allocator knows it, on the
    CPU the profiler counts from its start."""
    allocations: int
    frees: int
    allocated_bytes: int
    """Sum of all allocations."""
    start_bytes: int
    """Before the first event."""
    end_bytes: int
    peak_bytes: int
    """Highest total that the allocator told."""
    peak_ns: int
    peak_step: str | None
    reserved_peak_bytes: int | None
    """Highest total that the allocator held from the device, used or not."""
    capacity_bytes: int | None
    """Memory of the device, where the trace tells it."""
    unknown_frees: int
    unknown_freed_bytes: int
    """Freed blocks whose allocation is not in the recording."""
    unfreed_blocks: int
    """Blocks that are alive at the end."""
    disagreements: int
    """Events whose total is not the total before plus their own bytes; the total is believed."""
    at_peak: list[CategoryBytes]
    """Largest first; adds up to `peak_bytes`."""
    components_at_peak: dict[str, int]
    """Bytes of recorded blocks by component, largest first; empty where none is known."""
    largest_blocks: list[Block]
    """Of those alive at the peak, the twenty largest."""
    steps: list[StepMemory]
    """The first two hundred."""
    steps_left: int
    series: MemorySeries


class Measured(msgspec.Struct, kw_only=True):
    """What was allocated while recording, by device; empty, with a `reason`, where unknown."""

    devices: list[DeviceMemory]
    """The largest peak first."""
    events: int
    reason: str | None
    """Why there is none, and which option of a recording would fill it."""


class Declared(msgspec.Struct, kw_only=True):
    """What the collector wrote down of the run: parameters, and the peak as the device saw it."""

    components: list[ComponentInfo]
    parameter_bytes: int | None
    """Of all components."""
    peak_memory_bytes: int | None
    beyond_parameters_bytes: int | None
    """Peak less parameters: activations, caches and what the allocator adds."""


class Memory(msgspec.Struct, kw_only=True):
    """Memory of one trace (`--view memory`)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "memory"
    trace: str
    base_ns: str
    rank: int | None
    model: str | None
    image_size_px: int | None
    """Square root of height times width, as annotated."""
    similarity: Similarity
    stages: list[Stage]
    """The denoiser's first, then by the size of their matrices; at most two hundred."""
    stages_left: int
    growth: Growth
    fused: Fused
    kv_cache: KvCache | None
    kv_cache_reason: str | None
    measured: Measured
    declared: Declared | None
    """None where nothing was annotated."""
    sentence: str
    warnings: list[TraceWarning]


class SweepPoint(msgspec.Struct, kw_only=True):
    """One trace of a sweep over image sizes; bytes are of one step."""

    run: str
    image_size_px: int | None
    latent_side: float
    text_tokens: int
    self_bytes: int
    cross_bytes: int
    bytes: int
    paper_bytes: int | None
    real_bytes: int | None
    recorded_bytes: int | None
    peak_bytes: int | None
    """Highest allocated bytes of the recording, of the device with most; else as annotated."""


class LeftOut(msgspec.Struct, kw_only=True):
    """A trace that a sweep does not have, and why."""

    run: str
    reason: str


class MemoryGrowth(msgspec.Struct, kw_only=True):
    """Score matrices and peak memory over traces of several sizes (`--view memory-growth`)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "memory-growth"
    points: list[SweepPoint]
    """Smallest size first."""
    fits: list[GrowthFit]
    left_out: list[LeftOut]
    sentence: str
    warnings: list[TraceWarning]
