"""The typed result of the FLOPs view: what JSON, the terminal and notebooks share.

`None` is unknown. FLOPs of an op are those of its definition (see `formula` and `source`), bytes
those of its operands and results, each moved once.
"""

from __future__ import annotations

import msgspec

from genscope.analysis.results import SCHEMA_VERSION
from genscope.analysis.selection import Selection
from genscope.trace.errors import TraceWarning


class FlopsFigures(msgspec.Struct, kw_only=True):
    """The work of a group of ops and its time.

    `matrix_flops` is the part of `flops` that matrix units do: products, convolutions, attention.
    `share` is of all FLOPs. `time_ns` is the time of ops whose FLOPs are known, and that of those
    alone gives `flops_per_s`; `timed_flops` are the FLOPs of ops that have any time in the trace
    (kernels may be missing). `intensity` is FLOPs over bytes of the ops of which both are known.
    """

    flops: int
    matrix_flops: int
    timed_flops: int
    moved_bytes: int
    share: float
    calls: int
    time_ns: int
    intensity: float | None
    flops_per_s: float | None


class FlopsGroup(FlopsFigures, kw_only=True):
    """A category, pass, component or phase. `unknown_ns` is its time without known FLOPs."""

    name: str
    unknown_ns: int


class FlopsOp(FlopsFigures, kw_only=True):
    """All calls of an op; `assumed` counts those whose figures rest on an assumption or estimate.

    `unit` is matrix, vector, or moves (no arithmetic).
    """

    op: str
    formula: str
    source: str
    unit: str
    assumed: int
    assumption: str | None


class UnknownOp(msgspec.Struct, kw_only=True):
    """An op, or a kernel that no op explains, whose work is not known. `share` is of all time.

    `missing` is flops, or bytes where only those are unknown.
    """

    name: str
    missing: str
    reason: str
    calls: int
    time_ns: int
    share: float


class Flops(msgspec.Struct, kw_only=True):
    """The floating-point operations of one trace (`--view flops`).

    `counter_flops` is what PyTorch's own counter would say of the same ops: no elementwise work,
    and all pairs of causal attention. `known_ns`, `unknown_ns` and `overhead_ns` (CPU time of ops
    that only call others) add up to `basis_sum_ns`.
    """

    schema_version: int = SCHEMA_VERSION
    view: str = "flops"
    trace: str
    selection: Selection = Selection()
    base_ns: str
    rank: int | None
    basis: str
    basis_sum_ns: int
    known_ns: int
    unknown_ns: int
    overhead_ns: int
    flops: int
    matrix_flops: int
    counter_flops: int
    moved_bytes: int
    moved_unknown_ns: int
    """Time of ops whose bytes are not known."""
    intensity: float | None
    flops_per_s: float | None
    categories: list[FlopsGroup]
    """Most FLOPs first; so are the lists below."""
    ops: list[FlopsOp]
    passes: list[FlopsGroup]
    components: list[FlopsGroup]
    phases: list[FlopsGroup]
    unknown: list[UnknownOp]
    """Most time first."""
    sentence: str
    warnings: list[TraceWarning]
