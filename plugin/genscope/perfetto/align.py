"""The clocks of several ranks laid on one: by their epoch, then by the ends of collectives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from genscope.perfetto.collectives import Ends

BASE, RECORDED, START, COLLECTIVES = "base", "recorded", "start", "collectives"
"""How a clock was laid: by the epoch time of the trace; by times as they stand, of which none is
since the epoch; so that the first events coincide, where one has an epoch and another none; or by
matching collectives."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A rank's clock: `base_ns` is the time of its first event, `ends` are relative to that."""

    base_ns: int
    is_epoch: bool
    ends: Ends


@dataclass(slots=True)
class Laid:
    """Where a rank's clock was laid."""

    by: str
    shift_ns: int = 0
    """What is added to all times."""
    matched: int = 0
    """Collectives that earlier ranks had as well."""
    before_ns: int | None = None
    """How far apart their ends were, at the median, and after aligning."""
    after_ns: int | None = None


def align(clocks: Sequence[Clock]) -> list[Laid]:
    """Lay all clocks on that of the first.

    Of the others, the one that shares most collectives with those laid before is next: a group
    need not hold the first rank. A clock moves by the median of the differences, unless that is
    less than how far the differences are apart from it: then the clocks agreed before as well as
    collectives can tell.
    """
    found = _by_base(clocks)
    known: dict[tuple[str, ...], int] = {}
    left = list(range(len(clocks)))
    while left:
        shared = [len(clocks[one].ends.keys() & known.keys()) if known else 0 for one in left]
        one = left.pop(shared.index(max(shared)))
        clock, laid = clocks[one], found[one]
        origin = clock.base_ns + laid.shift_ns
        apart = [origin + end - known[key] for key, end in clock.ends.items() if key in known]
        if apart:
            _move(laid, apart)
        origin = clock.base_ns + laid.shift_ns
        for key, end in clock.ends.items():
            known.setdefault(key, origin + end)
    return found


def _by_base(clocks: Sequence[Clock]) -> list[Laid]:
    if all(one.is_epoch for one in clocks):
        return [Laid(BASE) for _ in clocks]
    if not any(one.is_epoch for one in clocks):
        return [Laid(RECORDED) for _ in clocks]
    first = next(one.base_ns for one in clocks if one.is_epoch)
    return [
        Laid(BASE) if one.is_epoch else Laid(START, shift_ns=first - one.base_ns) for one in clocks
    ]


def _move(laid: Laid, apart: Sequence[int]) -> None:
    behind = int(median(apart))
    laid.matched = len(apart)
    laid.before_ns = laid.after_ns = int(median(abs(one) for one in apart))
    rest = int(median(abs(one - behind) for one in apart))
    if abs(behind) > rest:
        laid.by = COLLECTIVES
        laid.shift_ns -= behind
        laid.after_ns = rest
