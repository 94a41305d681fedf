"""A row of the registry: which ops, what they count, and where the formula comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from genscope.analysis.flops.inputs import Cost, Op

MATRIX, VECTOR, MOVES = "matrix", "vector", "moves"
"""What does the work: matrix units (products, convolutions, attention), or the others; `moves` is
work without arithmetic."""

DEFINITION = "definition"
"""Source of a formula that counts the additions, multiplications, comparisons and function values
(one each) of what the op is defined to compute."""

COUNTER = "torch.utils.flop_counter"
"""Source of a formula that agrees with PyTorch's own counter."""


@dataclass(frozen=True, slots=True)
class Formula:
    """How the work of some ops is counted.

    `ops` are base names (`add` stands for `aten::add`, `aten::add_`, `aten::_foreach_add_`,
    `prims::add`), or whole names of ops of libraries (`_C::rms_norm`; `::Name` where the name has
    no namespace), separated by spaces.
    """

    ops: str
    says: str
    """The FLOPs as a formula, and the bytes where they are not each operand and the result once."""
    count: Callable[[Op], Cost | None]
    """Returns None where the inputs are not what the op takes."""
    unit: str = VECTOR
    source: str = DEFINITION
    wraps: bool = False
    """The op is written with other ops: it counts only where none that counts runs inside."""
    estimate: bool = False
    """The figures are not exact, whatever the inputs."""
