"""Memory of devices, and whether a run fits."""

from __future__ import annotations

from genscope.analysis.plan.results import PlanMemory
from genscope.analysis.roofline.devices import DeviceRates, known_devices
from genscope.trace.plan.document import Plan


def memory_of(plan: Plan, rates: DeviceRates) -> PlanMemory:
    """What a plan needs at once beside what its device has."""
    weights = sum(one.weight_bytes for one in plan.held)
    need = weights + plan.activation_bytes
    has = None if plan.on_cpu or rates.memory is None else int(rates.memory)
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
    enough = [one.memory for one in known_devices() if one.memory and one.memory >= need]
    if enough:
        found.append(f"a device of {min(enough) / 1e9:g} GB")
    found.append(f"{-(-need // has)} such devices")
    return "would fit: " + ", or ".join(found)
