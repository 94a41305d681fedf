"""The registry: every op whose work is counted, its formula and the source of that.

`ROWS` reads as a table, a family a module; attention calls are counted by `attention`, since their
sizes come from more than their own inputs. Ops that move nothing (views, allocations, wrappers) are
those that the categories know as such. Anything else is unknown, and is listed as unknown.
"""

from __future__ import annotations

from functools import lru_cache

from genscope.analysis.categories import ops
from genscope.analysis.categories.vocabulary import Strength
from genscope.analysis.flops import (
    convolution,
    copies,
    elementwise,
    fused,
    normalisation,
    products,
    reductions,
)
from genscope.analysis.flops.formula import Formula

ROWS: tuple[Formula, ...] = (
    *products.ROWS,
    *convolution.ROWS,
    *normalisation.ROWS,
    *elementwise.ROWS,
    *reductions.ROWS,
    *copies.ROWS,
    fused.FUSED,
)

_CALLERS = """
    clone contiguous to_copy dropout feature_dropout alpha_dropout stack hstack vstack dstack
    concat concatenate column_stack row_stack zeros ones full zeros_like ones_like full_like
    new_zeros new_ones new_full repeat_interleave pad tile one_hot scaled_dot_product_attention
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d max_pool1d max_pool2d max_pool3d
    cross_entropy_loss interpolate outer meshgrid empty_permuted conv_tbc convolution_mode
    cosine_similarity accumulate_grad nll_loss_nd scalar_tensor take_along_dim  einsum
    multi_head_attention_forward type_as is_nonzero randperm rand randn randint rand_like
    randn_like randint_like
"""
"""Ops written with others, which count: alone they do nothing that takes a device any time."""

FREE = frozenset(
    {
        *(word for word, rule in ops.WORDS.items() if rule.strength is Strength.WEAK),
        *(ops.squash(word) for word in _CALLERS.split()),
    }
)
"""Squashed base names of ops that do no work of their own."""

_OURS = ("aten", "prims", "")
"""Namespaces whose ops go by their base names."""


def _by_name() -> dict[str, int]:
    table: dict[str, int] = {}
    for number, row in enumerate(ROWS):
        for name in row.ops.split():
            if name in table:
                raise ValueError(f"{name} is in the registry twice")
            table[name] = number
    return table


BY_NAME: dict[str, int] = _by_name()
"""Row of each name in the table."""

FUSED_ROW = BY_NAME["(torch.compile)"]


@lru_cache(maxsize=65_536)
def row_of(name: str) -> int | None:
    """Return the row of an op by its whole name; None where the registry has none."""
    space, _, rest = name.rpartition("::")
    base = rest.partition(".")[0]
    if space not in _OURS or not space:
        return BY_NAME.get(f"{space}::{base}", FUSED_ROW if fused.is_fused(name) else None)
    for one in (base, base.removesuffix("_"), base.removeprefix("_foreach_").removesuffix("_")):
        if one in BY_NAME:
            return BY_NAME[one]
    return None


@lru_cache(maxsize=65_536)
def is_free(name: str) -> bool:
    """Whether an op does no work of its own: a view, an allocation, a wrapper."""
    space, _, rest = name.rpartition("::")
    return space in _OURS and ops.squash(rest.partition(".")[0]) in FREE
