"""Memory of devices, and whether a run fits."""

from __future__ import annotations

import re

from genscope.analysis.plan.results import PlanMemory
from genscope.trace.plan.document import Plan

CAPACITY_GB = (
    (r"V100", 32),
    (r"A100.*40GB", 40),
    (r"A100", 80),
    (r"H100 NVL", 94),
    (r"H100|H800", 80),
    (r"H200", 141),
    (r"B200", 180),
    (r"L40S", 48),
    (r"4090", 24),
    (r"5090", 32),
    (r"MI250X", 64),
    (r"MI300X", 192),
    (r"MI355X", 288),
)
"""Memory of devices by a pattern of their names, from the data sheets that `devices.toml` names;
the larger one where there are two."""


def capacity(device: str) -> int | None:
    """Bytes of memory of a device; None where it is not known."""
    for pattern, size in CAPACITY_GB:
        if re.search(pattern, device):
            return size * 10**9
    return None


def memory_of(plan: Plan) -> PlanMemory:
    """What a plan needs at once beside what its device has."""
    weights = sum(one.weight_bytes for one in plan.held)
    need = weights + plan.activation_bytes
    has = None if plan.on_cpu else capacity(plan.device)
    return PlanMemory(
        parameters=sum(one.parameters for one in plan.held),
        weight_bytes=weights,
        activation_bytes=plan.activation_bytes,
        need_bytes=need,
        device_bytes=has,
        fits=None if has is None else need <= has,
        advice=_advice(plan, need, has),
    )


def _advice(plan: Plan, need: int, has: int | None) -> str:
    if has is None or need <= has:
        return ""
    found = []
    largest = max((one.weight_bytes for one in plan.held), default=0)
    if largest + plan.activation_bytes <= has and len(plan.held) > 1:
        found.append("one component on the device at a time")
    if plan.dtype == "float32" and need / 2 <= has:
        found.append("bfloat16")
    elif need - sum(one.weight_bytes for one in plan.held) / 2 <= has:
        found.append("weights in 8 bits")
    enough = [size for _, size in CAPACITY_GB if size * 10**9 >= need]
    if enough:
        found.append(f"a device of {min(enough)} GB")
    found.append(f"{-(-need // has)} such devices")
    return "would fit: " + ", or ".join(found)
