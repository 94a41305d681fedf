"""What torch.profiler says of a run, for the tests of the suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from torch.profiler import ProfilerActivity, profile

from genscope.collect.switch import attention

CALL = "aten::scaled_dot_product_attention"
OPS = {
    "math": "aten::_scaled_dot_product_attention_math",
    "flash": "aten::_scaled_dot_product_flash_attention_for_cpu",
}
"""What runs within a call on a CPU."""


class Observed(NamedTuple):
    ops: Counter[str]
    calls: list[tuple[list[int], list[int]]]
    """Query and key shapes of each attention call, in order: (batch, heads, length, width)."""


def observe(name: str, run: Callable[[], Any]) -> Observed:
    with (
        attention(name),
        profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler,
    ):
        run()
    events = sorted(profiler.events(), key=lambda event: event.time_range.start)
    return Observed(
        ops=Counter(event.name for event in events if not event.is_user_annotation),
        calls=[tuple(event.input_shapes[:2]) for event in events if event.name == CALL],
    )
