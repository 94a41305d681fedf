"""What torch.profiler says of a run, for the tests of the suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from torch.nn.attention import sdpa_kernel
from torch.profiler import ProfilerActivity, profile

from genscope.suite.record import ATTENTION

CALL = "aten::scaled_dot_product_attention"


class Observed(NamedTuple):
    ops: Counter[str]
    calls: list[tuple[list[int], list[int]]]
    """Query and key shapes of each attention call, in order: (batch, heads, length, width)."""
    ranges: list[str]


def observe(attention: str, run: Callable[[], Any]) -> Observed:
    with (
        sdpa_kernel(ATTENTION[attention].backend),
        profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler,
    ):
        run()
    events = sorted(profiler.events(), key=lambda event: event.time_range.start)
    return Observed(
        ops=Counter(event.name for event in events if not event.is_user_annotation),
        calls=[tuple(event.input_shapes[:2]) for event in events if event.name == CALL],
        ranges=[event.name for event in events if event.is_user_annotation],
    )
