"""What is drawn beside a trace, as columns: slices and counters, and the arguments of slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from genscope.trace.model import NONE, Int64

Numbers: TypeAlias = "npt.NDArray[np.int64] | npt.NDArray[np.float64]"

GROUP = "GenScope"
"""Name of what the tracks stand below."""


@dataclass(frozen=True, slots=True)
class Words:
    """A column of text: a place in `listed` for each row, -1 for none."""

    of_row: Int64
    listed: Sequence[str]


@dataclass(frozen=True, slots=True)
class Flags:
    """A column of yes and no: 1, 0, or -1 for unknown."""

    of_row: Int64


Column: TypeAlias = "Int64 | Words | Flags"
"""An argument of each slice; a number of -1 is unknown and left out."""


@dataclass(frozen=True, slots=True)
class Slices:
    """A derived track of slices; arrays have shape (k,), times are those of the trace."""

    title: str
    category: str
    start_ns: Int64
    end_ns: Int64
    name: Words
    args: dict[str, Column] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counter:
    """A derived counter: its value from each point in time on, of shape (k,)."""

    title: str
    unit: str
    at_ns: Int64
    value: Numbers


Derived: TypeAlias = "Slices | Counter"


def words_of(texts: Sequence[str | None]) -> Words:
    """A column of the distinct ones of `texts`."""
    numbers: dict[str, int] = {}
    of_row = [NONE if text is None else numbers.setdefault(text, len(numbers)) for text in texts]
    return Words(np.array(of_row, dtype=np.int64), list(numbers))
