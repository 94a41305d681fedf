"""What the report needs of one recorded run: small enough to be kept when the trace is not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.results import SpaceTime
from genscope.analysis.attention.space_time import space_time
from genscope.analysis.attention.where import FORWARD_PASSES, in_passes
from genscope.analysis.operators import breakdown
from genscope.analysis.results import Operators
from genscope.analysis.roofline.view import roofline
from genscope.analysis.speedup.side import Side, side_of
from genscope.trace.model import Trace

SUITE, SCALE, TASK = "suite", "scale", "task"
"""Keys of a workload's `extra` that the suite's recorder writes: that the run is of the suite, its
scale, and its task: the scale, with what differs from the usual task (`tiny-64px`)."""

_SWEPT = re.compile(r"\d+(px|frames|steps|tokens|prompt)")

GROUP_NORM = "GroupNorm"


@dataclass(frozen=True, slots=True)
class Call:
    """An attention call, as far as the claims are about it."""

    component: str | None
    kind: str | None
    axis: str | None
    batch: int | None
    q_len: int
    kv_len: int
    phase: str | None


class Roof(msgspec.Struct, kw_only=True):
    """Where a run stands beside the rates of its device, None where these are not known.

    `bound` is what limits most of the time, and `bound_ns` how much of it, as the roofline has it.
    """

    flops: int
    parameter_bytes: int
    """Of all components; 0 where these are not annotated."""
    moved_intensity: float | None
    """FLOPs over bytes moved."""
    flops_per_s: float | None
    bound: str | None
    bound_ns: dict[str, int]
    device: str | None
    peak_flops_per_s: float | None
    """For matrix work in the run's dtype."""
    bandwidth_bytes_per_s: float | None

    @property
    def intensity(self) -> float | None:
        """The paper's: FLOPs over the bytes of all parameters."""
        return self.flops / self.parameter_bytes if self.parameter_bytes else None

    @property
    def ridge(self) -> float | None:
        """FLOPs a byte at which the device's two rates meet."""
        if self.peak_flops_per_s is None or not self.bandwidth_bytes_per_s:
            return None
        return self.peak_flops_per_s / self.bandwidth_bytes_per_s

    @property
    def placed(self) -> str | None:
        """The side of the ridge that it lies on by the bytes it moves: compute or bandwidth."""
        if self.ridge is None or self.moved_intensity is None:
            return None
        return "compute" if self.moved_intensity >= self.ridge else "bandwidth"


@dataclass(frozen=True, slots=True)
class Figures:
    """One run. `packed` has it as plain data, for a cache."""

    label: str
    model: str
    """Name in the suite."""
    scale: str
    is_usual: bool
    """Whether its task is the usual one of its scale, and no point of a sweep."""
    hardware: str
    dtype: str | None
    image_size: int | None
    frames: int | None
    steps: int | None
    side: Side
    shares: Mapping[str, float]
    """Share of the time by category, and of `GROUP_NORM`."""
    time_ns: Mapping[str, int]
    """The same in nanoseconds."""
    calls: list[Call]
    """Forward calls whose lengths are known, in order."""
    main: str | None
    """Component with the most attention calls."""
    space_time: SpaceTime
    roof: Roof

    @property
    def intensity(self) -> float | None:
        """FLOPs of the whole run over the bytes of all parameters; None where unknown."""
        return self.roof.intensity

    @property
    def setting(self) -> tuple[str, str, str | None]:
        """What runs must have in common to be compared: scale, hardware, dtype."""
        return self.scale, self.hardware, self.dtype


class NotOfTheSuite(Exception):
    """A trace that does not say which model of the suite it is of."""


def figures(label: str, trace: Trace) -> Figures:
    """Sum up one run.

    Raises:
        NotOfTheSuite: where its annotations do not name the model and its scale.
    """
    workload = trace.document.workload if trace.document is not None else None
    scale = workload.extra.get(SCALE) if workload is not None else None
    if (
        workload is None
        or not workload.model
        or not isinstance(scale, str)
        or SUITE not in workload.extra
    ):
        raise NotOfTheSuite("its annotations name no model of the suite")
    side = side_of(trace)
    operators = breakdown(trace)
    calls = calls_of(side.calls)
    time_ns = _times(operators)
    total = max(1, operators.basis_sum_ns)
    return Figures(
        label=label,
        model=workload.model,
        scale=scale,
        is_usual=is_usual(str(workload.extra.get(TASK, ""))),
        hardware=_hardware(side, workload.device),
        dtype=workload.dtype,
        image_size=workload.image_size[0] if workload.image_size else None,
        frames=workload.frames,
        steps=workload.steps,
        side=side,
        shares={name: ns / total for name, ns in time_ns.items()},
        time_ns=time_ns,
        calls=calls,
        main=_most_called(calls),
        space_time=space_time(trace),
        roof=_roof(trace, workload.dtype),
    )


def is_usual(task: str) -> bool:
    """Whether a task's name is that of the usual task of a scale, and no point of a sweep."""
    return not any(_SWEPT.fullmatch(part) for part in task.split("-"))


def calls_of(calls: Calls) -> list[Call]:
    """Return the forward calls whose lengths are known, in order."""
    q, kv, batch = (calls.sizes[name] for name in ("q_len", "kv_len", "batch"))
    places = np.flatnonzero(in_passes(calls, FORWARD_PASSES) & (q >= 0) & (kv >= 0)).tolist()
    return [
        Call(
            calls.text("component", at),
            calls.text("kind", at),
            calls.text("axis", at),
            int(batch[at]) if batch[at] >= 0 else None,
            int(q[at]),
            int(kv[at]),
            calls.text("phase", at),
        )
        for at in places
    ]


def _roof(trace: Trace, dtype: str | None) -> Roof:
    """As the paper counts it, over all components; a part of another one counts with that."""
    found = roofline(trace)
    rates = found.device
    return Roof(
        flops=sum(part.flops for part in found.capacity),
        parameter_bytes=sum(part.parameter_bytes for part in found.capacity),
        moved_intensity=found.whole.intensity,
        flops_per_s=found.whole.flops_per_s,
        bound=found.whole.bound,
        bound_ns=found.whole.bound_ns,
        device=rates.name if rates is not None else None,
        peak_flops_per_s=rates.matrix_rate(dtype) if rates is not None else None,
        bandwidth_bytes_per_s=rates.bandwidth if rates is not None else None,
    )


def _times(operators: Operators) -> dict[str, int]:
    times = {row.category: row.sum_ns for row in operators.categories}
    for row in operators.categories:
        for child in row.children:
            if child.level == "category":
                times[child.name] = child.sum_ns
    return times


def _most_called(calls: list[Call]) -> str | None:
    names = [call.component for call in calls]
    return max(set(names), key=names.count) if names else None


def _hardware(side: Side, device: str | None) -> str:
    if side.devices:
        return " + ".join(sorted(set(side.devices)))
    return "CPU" if device in (None, "cpu") else str(device)
