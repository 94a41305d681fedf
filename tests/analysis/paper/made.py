"""Runs as measures see them, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

from genscope.analysis.paper.figures import Call, Figures
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
        "intensity": None,
        **values,
    }
    return Figures(model=model, calls=list(calls), side=cast(Any, side), **given)


def in_roles(*runs: tuple[Figures, str]) -> Runs:
    """Runs whose roles are given instead of told from their traces."""
    made = Runs([one for one, _ in runs])
    made.role = {one.label: role for one, role in runs}
    return made
