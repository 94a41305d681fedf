"""Plans of several sizes: where the largest category changes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from genscope.analysis.plan.results import PlanResult, PlanSize


def size_of(option: str, value: int, result: PlanResult) -> PlanSize:
    """The row of a plan."""
    top = result.categories[0] if result.categories else None
    attention = next((one.share for one in result.categories if one.name == "Attention"), 0.0)
    return PlanSize(
        option=option,
        value=value,
        time_ns=result.latency_ns,
        largest=top.name if top is not None else "",
        share=top.share if top is not None else 0.0,
        attention_share=attention,
    )


def shift_of(sizes: Sequence[PlanSize]) -> str:
    """Say where the largest category changes, in the order of sizes."""
    ordered = sorted(sizes, key=lambda one: one.value)
    found = [
        f"{one.largest} to {other.largest} between {one.value} and {other.value}"
        for one, other in pairwise(ordered)
        if one.largest != other.largest
    ]
    if found:
        return f"The largest category changes from {', and from '.join(found)}."
    return f"{ordered[0].largest} is the largest category at all of these sizes." if ordered else ""
