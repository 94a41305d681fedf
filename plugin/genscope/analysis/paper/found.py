"""What a measure found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """One measured value: a number, a range of several models, or words."""

    of: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    words: str | None = None
    same: bool | None = None
    """Whether it shows what the claim is about, whatever its size; None where only its size
    tells."""
    why: str = ""
    """What was measured, in words."""
