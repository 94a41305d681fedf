"""Runs as measures see them, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

from genscope.analysis.attention.results import AxisRow, SpaceTime
from genscope.analysis.attention.where import ALL_CALLS
from genscope.analysis.paper.figures import Call, Figures, Roof
from genscope.analysis.paper.runs import Runs
from genscope.schema import Workload

# Self attention of one step of Stable Diffusion's UNet at 512 pixels.
STABLE_DIFFUSION = [
    *[4096] * 2, *[1024] * 2, *[256] * 2, 64, *[256] * 3, *[1024] * 3, *[4096] * 3
]  # fmt: skip


def self_and_text(lengths: Sequence[int], text: int = 77) -> list[Call]:
    return [
        call
        for q in lengths
        for call in (
            Call("unet", "self", "spatial", 2, q, q, "denoise"),
            Call("unet", "cross", "spatial", 2, q, text, "denoise"),
        )
    ]


def roof(flops: int = 0, **values: Any) -> Roof:
    """What a run did, with parameters of one byte; on no known device unless `values` name one."""
    given: dict[str, Any] = {
        "parameter_bytes": 1,
        "moved_intensity": None,
        "flops_per_s": None,
        "bound": None,
        "bound_ns": {},
        "device": None,
        "peak_flops_per_s": None,
        "bandwidth_bytes_per_s": None,
        **values,
    }
    return Roof(flops=flops, **given)


def space_time(frames: int, spatial: tuple[int, int], temporal: tuple[int, int]) -> SpaceTime:
    """A video's attention; time in nanoseconds and FLOPs along each axis."""

    def row(axis: str, values: tuple[int, int]) -> AxisRow:
        return AxisRow(
            axis=axis,
            calls=1,
            time_ns=values[0],
            share=0.5,
            flops=values[1],
            flops_per_s=None,
            q_range=[1, 1],
            batch_range=[1, 1],
            in_batch="",
        )

    return SpaceTime(
        trace="",
        base_ns="0",
        rank=None,
        basis="cpu",
        selection=ALL_CALLS,
        frames=frames,
        axes=[row("spatial", spatial), row("temporal", temporal)],
        layers=[],
        temporal_over_spatial_time=temporal[0] / spatial[0],
        spatial_over_temporal_flops=spatial[1] / temporal[1],
        sentence="",
        warnings=[],
    )


def run(model: str, calls: Sequence[Call] = (), **values: Any) -> Figures:
    """One run; `label` defaults to the model's name, `attention` to none asked for."""
    workload = Workload(model=model, attention=values.pop("attention", None))
    side = SimpleNamespace(
        document=SimpleNamespace(workload=workload), rank=None, unfused_share=None
    )
    given: dict[str, Any] = {
        "label": model,
        "scale": "tiny",
        "is_usual": True,
        "hardware": "CPU",
        "dtype": "float32",
        "image_size": None,
        "frames": None,
        "steps": 1,
        "shares": {},
        "time_ns": {},
        "main": calls[0].component if calls else None,
        "space_time": None,
        "roof": roof(),
        **values,
    }
    return Figures(model=model, calls=list(calls), side=cast(Any, side), **given)


def in_roles(*runs: tuple[Figures, str]) -> Runs:
    """Runs whose roles are given instead of told from their traces."""
    made = Runs([one for one, _ in runs])
    made.role = {one.label: role for one, role in runs}
    return made
