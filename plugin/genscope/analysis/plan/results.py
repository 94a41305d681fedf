"""The typed result of a plan: what `genscope plan` says."""

from __future__ import annotations

import msgspec

from genscope.analysis.results import SCHEMA_VERSION
from genscope.trace.errors import TraceWarning


class PlanGroup(msgspec.Struct, kw_only=True):
    """Predicted time and work of a component, phase or category; `share` is of all time."""

    name: str
    time_ns: int
    share: float
    flops: int
    moved_bytes: int


class PlanMemory(msgspec.Struct, kw_only=True):
    """What a run needs at once, and whether the device has it. None is unknown."""

    parameters: int
    weight_bytes: int
    activation_bytes: int
    """Most bytes of results that lived at once, caches of keys included, without fragmentation and
    what kernels need inside."""
    need_bytes: int
    device_bytes: int | None
    fits: bool | None
    advice: str


class PlanSpeedup(msgspec.Struct, kw_only=True):
    """What fused attention is expected to gain."""

    baseline: str
    baseline_ns: int
    fused: str
    fused_ns: int
    speedup: float


class PlanSize(msgspec.Struct, kw_only=True):
    """A plan of another size."""

    option: str
    value: int
    time_ns: int
    largest: str
    share: float
    attention_share: float


class PlanResult(msgspec.Struct, kw_only=True):
    """A predicted run (`genscope plan`). Every figure is predicted."""

    schema_version: int = SCHEMA_VERSION
    view: str = "plan"
    model: str
    device: str
    dtype: str
    attention: str
    assumed: str
    events: int
    """Ops and ranges of the run."""
    latency_ns: int
    flops: int
    counter_flops: int
    """As PyTorch's counter counts."""
    moved_bytes: int
    categories: list[PlanGroup]
    """Most time first; so are the lists below."""
    components: list[PlanGroup]
    phases: list[PlanGroup]
    memory: PlanMemory
    first_token_ns: int | None
    token_ns: int | None
    tokens_per_s: float | None
    images_per_s: float | None
    """Whole runs a second, where a run makes an image or a video."""
    speedup: PlanSpeedup | None = None
    sizes: list[PlanSize] = []
    shift: str = ""
    """Between which sizes the largest category changes, in words."""
    written: list[str] = []
    sentence: str
    warnings: list[TraceWarning]
