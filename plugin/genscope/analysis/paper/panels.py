"""The figures of the paper report: what was measured, by figure, and apart from it what is cited.

Units are in the names of fields; `None` is unknown. `run` is the label of a run, `role` baseline or
fused where the run belongs to a pair.
"""

from __future__ import annotations

import msgspec

from genscope.analysis.attention.frames import FramesSweep
from genscope.analysis.paper.claims import Published


class Recording(msgspec.Struct, kw_only=True):
    """What a figure lacks, and the command that would record it."""

    what: str
    command: str


class Panel(msgspec.Struct, kw_only=True):
    """A figure as far as its runs are there; `needs` has the rest."""

    needs: list[Recording]


class RoofPoint(msgspec.Struct, kw_only=True):
    """A run on the roofline (Figure 5).

    `intensity` is the paper's, FLOPs over the bytes of all parameters; `moved_intensity` is over
    the bytes that ops move. `placed` is the side of the ridge that the latter lies on, `bound` what
    limits most of the time: see `Roof`.
    """

    run: str
    model: str
    role: str | None
    flops: int
    parameter_bytes: int
    intensity: float | None
    moved_intensity: float | None
    flops_per_s: float | None
    placed: str | None
    bound: str | None
    bound_ns: dict[str, int]


class RoofPanel(Panel, kw_only=True):
    """Figure 5. The rates are those of the device for the runs' dtype; None where unknown."""

    points: list[RoofPoint]
    device: str | None
    peak_flops_per_s: float | None
    bandwidth_bytes_per_s: float | None
    ridge: float | None


class OperatorBar(msgspec.Struct, kw_only=True):
    """The time of one run by category (Figure 7).

    `shares` are of the baseline's time, so those of a fused run add up to less than 1 where it is
    faster. `group_norm_ns` is the part of Normalization.
    """

    run: str
    model: str
    role: str
    basis: str
    sum_ns: int
    of_baseline: float
    times_ns: dict[str, int]
    shares: dict[str, float]
    group_norm_ns: int


class OperatorPanel(Panel, kw_only=True):
    """Figure 7, the models in the paper's order, baseline before fused."""

    bars: list[OperatorBar]


class LengthSeries(msgspec.Struct, kw_only=True):
    """Sequence length over the calls of the component that generates (Figure 8).

    Cut to the fundamental period, or to as many of them as make about fifty calls; `lengths` are
    those of queries. Where keys grow, every round is there by its first call of self attention, and
    `lengths` are those of keys. Columns of equal length.
    """

    run: str
    model: str
    component: str | None
    shape: str | None
    """In the words of the claim: U-shaped cycles, constant, growing, varying."""
    calls: int
    """Of the component in the whole run."""
    period: int | None
    """Calls of the fundamental period; None where there is none."""
    grows: bool
    places: list[int]
    """Places among the component's calls."""
    lengths: list[int]
    kinds: list[str | None]
    axes: list[str | None]


class LengthPanel(Panel, kw_only=True):
    """Figure 8."""

    series: list[LengthSeries]


class SizeLengths(msgspec.Struct, kw_only=True):
    """Calls by query length at one image size (Figure 9). `shares` are of the UNet's calls."""

    run: str
    image_size: int
    lengths: list[int]
    calls: list[int]
    shares: list[float]


class SizePanel(Panel, kw_only=True):
    """Figure 9, of Stable Diffusion's UNet, the smallest image first."""

    sizes: list[SizeLengths]


class GrowthPoint(msgspec.Struct, kw_only=True):
    """Time of attention and of convolution at one image size (Figure 10)."""

    run: str
    role: str
    image_size: int
    attention_ns: int
    convolution_ns: int


class GrowthFit(msgspec.Struct, kw_only=True):
    """The power with which a category's time grows with the side of the image."""

    role: str
    category: str
    exponent: float


class GrowthPanel(Panel, kw_only=True):
    """Figure 10, of Stable Diffusion."""

    points: list[GrowthPoint]
    fits: list[GrowthFit]


class AxisBar(msgspec.Struct, kw_only=True):
    """Attention along one axis of one run of Make-A-Video (Figure 12).

    `time_share` and `flops_share` are of spatial and temporal attention together.
    """

    run: str
    role: str | None
    attention: str | None
    """The implementation that was asked for."""
    axis: str
    calls: int
    time_ns: int
    time_share: float
    flops: int
    flops_share: float


class AxisRatio(msgspec.Struct, kw_only=True):
    """The two ratios that Figure 12 is about, of one run; None where one side has nothing."""

    run: str
    role: str | None
    attention: str | None
    temporal_over_spatial_time: float | None
    spatial_over_temporal_flops: float | None


class AxisPanel(Panel, kw_only=True):
    """Figure 12, the baseline first."""

    bars: list[AxisBar]
    ratios: list[AxisRatio]


class FramesAtSize(msgspec.Struct, kw_only=True):
    """FLOPs of attention against the number of frames, at one image size."""

    image_size: int
    sweep: FramesSweep


class FramesPanel(Panel, kw_only=True):
    """Figure 14, of Make-A-Video; the smallest image first."""

    sizes: list[FramesAtSize]


class SpeedupCell(msgspec.Struct, kw_only=True):
    """End-to-end speedup of one model (Table II); `how` says what was measured."""

    model: str
    baseline: str
    fused: str
    speedup: float
    low: float | None
    """Least and greatest over the repeats, where there are any."""
    high: float | None
    how: str


class SpeedupPanel(Panel, kw_only=True):
    """Table II."""

    cells: list[SpeedupCell]


class PhaseCell(msgspec.Struct, kw_only=True):
    """The phases of the component that generates, with its calls in each (Table III)."""

    run: str
    model: str
    component: str | None
    phases: dict[str, int]


class PhasePanel(Panel, kw_only=True):
    """Table III."""

    cells: list[PhaseCell]


class SettingPanels(msgspec.Struct, kw_only=True):
    """What the runs of one setting show. Nothing in here is the paper's."""

    setting: int
    """Index into `settings` of the report; -1 where nothing was recorded at all."""
    roofline: RoofPanel
    operators: OperatorPanel
    lengths: LengthPanel
    sizes: SizePanel
    growth: GrowthPanel
    axes: AxisPanel
    frames: FramesPanel
    speedups: SpeedupPanel
    phases: PhasePanel


class CitedModel(msgspec.Struct, kw_only=True):
    """A column of the paper's Table I, as printed."""

    model: str
    parameters_b: float | None
    layers: float | None
    width: float | None
    resolutions: str | None


class Cited(msgspec.Struct, kw_only=True):
    """What the paper and others state. Nothing in here was measured."""

    quality: list[Published]
    """Figure 4."""
    taxonomy: list[CitedModel]
    """Table I."""
    speedups: dict[str, float]
    """Table II, by model."""
    phases: dict[str, str]
    """Table III, by model, in the words of the claim."""
    temporal_over_spatial_time: float | None
    """Figure 12."""
    spatial_over_temporal_flops: float | None


class About(msgspec.Struct, kw_only=True):
    """A figure or table of the paper: where it stands, what it shows, and the claims about it."""

    id: str
    """The field of `SettingPanels`; `quality` and `taxonomy` are apart."""
    ref: str
    title: str
    caption: str
    claims: list[str]


class PaperFigures(msgspec.Struct, kw_only=True):
    """All figures."""

    about: list[About]
    """In the paper's order."""
    cited: Cited
    measured: list[SettingPanels]
    """One for each setting, in their order."""
