"""Numbers and names as people read them; no view and no output format is known here."""

from __future__ import annotations

import math

UNITS = (("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000), ("ns", 1))
ELLIPSIS = "…"


def significant(value: float) -> str:
    """`value` with 3 significant digits; digits before the point are never rounded away."""
    rounded = _round(value)
    if rounded == 0:
        return "0"
    return f"{rounded:.{max(0, 2 - _exponent(rounded))}f}"


def duration(ns: int) -> str:
    """A time in the largest unit that leaves at least 1: `45.6 ms`."""
    unit, scale = _unit(ns)
    return f"{ns if scale == 1 else significant(ns / scale)} {unit}"


def change(ns: int) -> str:
    """A difference of times, with its sign: `-688 ms`."""
    return f"{'+' if ns > 0 else ''}{duration(ns)}"


def from_to(before_ns: int, after_ns: int) -> str:
    """Two times beside each other, in one unit where both stay legible: `1213 → 525 ms`."""
    small, large = sorted((abs(before_ns), abs(after_ns)))
    if small == 0 or large >= 10_000 * small:
        return f"{duration(before_ns)} → {duration(after_ns)}"
    unit, scale = _unit(small)
    return f"{significant(before_ns / scale)} → {significant(after_ns / scale)} {unit}"


def percent(share: float | None) -> str:
    """A share of 1 in percent: `54.1 %`; `–` where it is unknown."""
    if share is None:
        return "–"
    if 0 < share < 0.0005:
        return "<0.1 %"
    return f"{100 * share:.1f} %" if share else "0 %"


def times(ratio: float | None) -> str:
    """A speedup: `2.31x`; `–` where it is unknown."""
    return "–" if ratio is None else f"{significant(ratio)}x"


def size(count: int) -> str:
    """An amount of bytes in the largest binary unit that leaves at least 1: `3.44 GiB`."""
    for power, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if _round(count / 1024**power) >= 1:
            return f"{significant(count / 1024**power)} {unit}"
    return plural(count, "byte")


def amount(count: int) -> str:
    """A count in thousands, millions or billions: `860 M`."""
    for power, unit in ((12, "T"), (9, "B"), (6, "M"), (3, "k")):
        if _round(count / 10**power) >= 1:
            return f"{significant(count / 10**power)} {unit}"
    return str(count)


def plural(count: int, noun: str) -> str:
    """`1 op`, `2 ops`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def neutral(text: str) -> str:
    r"""`text` with every character that is not printable spelled out (`\x1b`, `\u202e`, `\n`).

    Names come from a trace or a file system: they must not move the cursor, change colours,
    reorder a line or break it in two.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def _unit(ns: int) -> tuple[str, int]:
    for unit, scale in UNITS:
        if abs(_round(ns / scale)) >= 1:
            return unit, scale
    return UNITS[-1]


def _round(value: float) -> float:
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, max(0, 2 - _exponent(value)))


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))


PREFIXES = ((15, "P"), (12, "T"), (9, "G"), (6, "M"), (3, "k"))


def scaled(value: float | None, unit: str) -> str:
    """A figure with the prefix of its unit, `2.90 TFLOP`; `–` where it is unknown."""
    if value is None:
        return "–"
    for power, prefix in PREFIXES:
        if value >= 10**power * 0.9995:
            return f"{significant(value / 10**power)} {prefix}{unit}"
    return f"{significant(value)} {unit}"


def ratio(value: float | None) -> str:
    """FLOPs a byte; `–` where it is unknown."""
    if value is None:
        return "–"
    return significant(value) if value >= 0.01 or not value else "<0.01"
