"""A comparison of runs with what their attention gained."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from genscope.analysis.results import Comparison
from genscope.analysis.speedup.results import Speedup
from genscope.analysis.speedup.side import Side
from genscope.analysis.speedup.view import between


class ComparedAttention(msgspec.Struct, kw_only=True):
    """The attention of a run beside the base's; the base is taken as the baseline."""

    run: str
    speedup: Speedup
    """Without single calls: the speedup view has them."""


class AttentionComparison(Comparison, kw_only=True):
    """`Comparison`, and for each other run what its attention gained over the base's."""

    attention: list[ComparedAttention]


def with_attention(
    comparison: Comparison, sides: Sequence[tuple[str, Side]]
) -> AttentionComparison:
    """Add the attention of the runs; those without attention calls, as the base, have none."""
    (_, base), *others = sides
    return AttentionComparison(
        **msgspec.structs.asdict(comparison),
        attention=[
            ComparedAttention(run=name, speedup=between(base, side, calls=False))
            for name, side in others
            if len(base.calls) and len(side.calls)
        ],
    )
