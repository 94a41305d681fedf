"""What the report needs of one recorded run: small enough to be kept when the trace is not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from genscope.analysis.attention.results import SpaceTime
from genscope.analysis.attention.space_time import space_time
from genscope.analysis.attention.view import attention
from genscope.analysis.flops.lines import lines_of
from genscope.analysis.operators import breakdown
from genscope.analysis.results import Operators
from genscope.analysis.roofline.capacity import capacities
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


@dataclass(frozen=True, slots=True)
class Figures:
    """One run."""

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
    intensity: float | None
    """FLOPs of the whole run over the bytes of all parameters; None where these are unknown."""

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
    side = side_of(trace)
    workload = side.document.workload
    model, scale = workload.model, workload.extra.get(SCALE)
    if not model or not isinstance(scale, str) or SUITE not in workload.extra:
        raise NotOfTheSuite("its annotations name no model of the suite")
    task = str(workload.extra.get(TASK, ""))
    operators = breakdown(trace)
    calls = [
        Call(call.component, call.kind, call.axis, call.batch, call.q_len, call.kv_len, call.phase)
        for call in attention(trace).calls
        if call.q_len is not None and call.kv_len is not None
    ]
    time_ns = _times(operators)
    total = max(1, operators.basis_sum_ns)
    return Figures(
        label=label,
        model=model,
        scale=scale,
        is_usual=not any(_SWEPT.fullmatch(part) for part in task.split("-")),
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
        intensity=_intensity(trace),
    )


def _intensity(trace: Trace) -> float | None:
    """As the paper counts it, over all components; a part of another one counts with that."""
    parts = capacities(lines_of(trace))
    size = sum(part.parameter_bytes for part in parts)
    return sum(part.flops for part in parts) / size if size else None


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
