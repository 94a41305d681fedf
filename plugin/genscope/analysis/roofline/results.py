"""The typed result of the roofline view: what JSON, the terminal and notebooks share.

`None` is unknown. Times are those of the lines whose FLOPs and bytes are both known.
"""

from __future__ import annotations

import msgspec

from genscope.analysis.results import SCHEMA_VERSION
from genscope.analysis.roofline.devices import DeviceRates
from genscope.analysis.selection import Selection
from genscope.trace.errors import TraceWarning


class RoofFigures(msgspec.Struct, kw_only=True):
    """A group of ops beside the device's rates.

    `intensity` is FLOPs over bytes moved. `roof_ns` is the time that its ops would take at those
    rates, each the longer of its arithmetic and its traffic; `efficiency` is that over `time_ns`,
    and `saving_ns` what is above it (never below 0 for an op). `roof_flops_per_s` is what the rates
    allow at this mix of ops. `bound` is what limits most of the time: compute or bandwidth, where
    the ops reach most of that rate; launch, where they are too short for it; transfer between host
    and device, which has no roof here; neither; None without rates. `covered` is the part of the
    group's whole time that `time_ns` is.
    """

    name: str
    calls: int
    launches: int
    time_ns: int
    covered: float
    flops: int
    moved_bytes: int
    intensity: float | None
    flops_per_s: float | None
    bytes_per_s: float | None
    roof_ns: int | None
    roof_flops_per_s: float | None
    efficiency: float | None
    saving_ns: int | None
    bound: str | None
    bound_ns: dict[str, int]
    """Part of `time_ns` by what limits it."""


class RoofOp(RoofFigures, kw_only=True):
    """All calls of one op with the same shapes and dtypes."""

    shapes: str | None
    """As recorded; of an attention call its sizes."""
    dtype: str | None
    category: str


class Capacity(msgspec.Struct, kw_only=True):
    """A component by the paper's intensity: FLOPs over the bytes of its parameters.

    `flops` and `intensity` are of all of its calls in the trace, as in the paper, where an image
    takes many of them.
    """

    component: str
    parameters: int | None
    parameter_bytes: int
    calls: int
    flops: int
    intensity: float
    intensity_per_call: float
    moved_intensity: float | None
    """FLOPs over bytes moved."""


class Roofline(msgspec.Struct, kw_only=True):
    """A trace on the roofline of its device (`--view roofline`)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "roofline"
    trace: str
    selection: Selection = Selection()
    base_ns: str
    rank: int | None
    basis: str
    basis_sum_ns: int
    device_name: str | None
    """As the trace has it."""
    device: DeviceRates | None
    """None where no rates are known: bounds and savings are then unknown too."""
    as_if: bool
    """`device` was named by whoever asked, and is not the one that the trace names."""
    devices: list[str]
    """Names of the devices whose rates are known."""
    ridge: float | None
    """FLOPs a byte at which the roof for 16-bit matrix work is reached."""
    high_share: float
    """Part of a rate from which on an op counts as bound by it."""
    launch_ns: int
    """Time for each device event below which an op that is not counts as bound by launches."""
    whole: RoofFigures
    categories: list[RoofFigures]
    components: list[RoofFigures]
    phases: list[RoofFigures]
    ops: list[RoofOp]
    """Largest saving first (most time first without rates): what to optimise next."""
    ops_total: int
    """Number of them; the list ends after the first thousands."""
    capacity: list[Capacity]
    """Components whose parameters were annotated."""
    sentence: str
    warnings: list[TraceWarning]
