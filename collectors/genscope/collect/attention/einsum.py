"""Reading the equations of `torch.einsum`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

_DOTS = "".join(chr(0x2460 + place) for place in range(20))
"""Stand for the dimensions of an ellipsis, the last one last."""


def arguments(args: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return equation and operands of a call. Raises TypeError for the form without an equation."""
    equation, operands = args[0], list(args[1:])
    if not isinstance(equation, str):
        raise TypeError("no equation")
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = list(operands[0])
    return equation, operands


def letters(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """Return one letter a dimension, for each operand and for the result."""
    equation = re.sub(r"\s+", "", equation)
    left, arrow, output = equation.partition("->")
    inputs = [_spelled(names, rank) for names, rank in zip(left.split(","), ranks, strict=True)]
    if arrow:
        longest = max((sum(letter in _DOTS for letter in names) for names in inputs), default=0)
        return inputs, output.replace("...", _DOTS[len(_DOTS) - longest :])
    counts = Counter("".join(inputs))
    dots = sorted((letter for letter in counts if letter in _DOTS), key=_DOTS.index)
    once = sorted(letter for letter, count in counts.items() if count == 1 and letter not in _DOTS)
    return inputs, "".join(dots + once)


def _spelled(names: str, rank: int) -> str:
    missing = rank - len(names.replace("...", ""))
    return names.replace("...", _DOTS[len(_DOTS) - missing :] if missing else "")
