"""Values as they stand in a trace to numbers: times, ids, lanes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from genscope.trace.decode import AnyEvent, ExactEvent, Scalar, exact_ns
from genscope.trace.model import Bool, Int32, Int64

MAX_US = 4.4e15
"""Microseconds (the year 2109) so that also differences of two times fit int64 nanoseconds."""

MAX_DURATION_US = 7 * 86_400 * 1e6
"""A slice longer than a week is an overflow of its writer: those seen last for years."""


def lane(value: Scalar) -> int | str:
    """Normalise a process or thread id: numbers in quotes are numbers."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float):
        return int(value) if value.is_integer() else str(value)
    if isinstance(value, str):
        text = value[:1000]
        digits = text[1:] if text[:1] == "-" else text
        return int(text) if digits.isascii() and digits.isdigit() and len(text) < 20 else text
    return value


def floats(values: Sequence[Any]) -> npt.NDArray[np.float64]:
    """Return the values as float64, NaN where one is no number; shape (n,)."""
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return np.array([_float(value) for value in values], dtype=np.float64)


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def integers(values: Iterable[Scalar], dtype: type[np.signedinteger[Any]]) -> Int64 | Int32:
    """Return the values as `dtype`, -1 where one is missing, no number or too large; shape (n,)."""
    listed = [-1 if value is None else value for value in values]
    try:
        return np.array(listed, dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        limit = int(np.iinfo(dtype).max)
        return np.array([_integer(value, limit) for value in listed], dtype=dtype)


def _integer(value: Scalar, limit: int) -> int:
    try:
        number = int(value)  # type: ignore[arg-type] # None and nonsense raise
    except (TypeError, ValueError, OverflowError):
        return -1
    return number if -1 <= number <= limit else -1


def starts(events: Sequence[AnyEvent]) -> tuple[Int64, Bool]:
    """Return the starts in nanoseconds and which of them are known, each of shape (n,)."""
    stamps = [event.ts for event in events]
    if set(map(type, stamps)) == {float}:
        micros = np.array(stamps, dtype=np.float64)
        known = np.abs(micros) < MAX_US
        return nanoseconds(np.where(known, micros, 0.0)), known
    exact = [_start(event) for event in events]
    known = np.array([value is not None for value in exact], dtype=np.bool_)
    return np.array([value or 0 for value in exact], dtype=np.int64), known


def _start(event: AnyEvent) -> int | None:
    stamp = event.ts
    if stamp is None or stamp is UNSET:
        return None
    if isinstance(event, ExactEvent):
        value = exact_ns(bytes(stamp))  # type: ignore[arg-type] # a Raw here
    elif isinstance(stamp, str):
        value = exact_ns(stamp.encode("utf-8", "replace"))
    else:
        value = exact_ns(repr(stamp).encode())
    return value if value is not None and abs(value) < MAX_US * 1000 else None


def nanoseconds(micros: npt.NDArray[np.float64]) -> Int64:
    """Round float64 microseconds to nanoseconds without losing the digits that they have."""
    whole = np.floor(micros)
    nanos = whole.astype(np.int64)
    nanos *= 1000
    nanos += np.rint((micros - whole) * 1000).astype(np.int64)
    return nanos
