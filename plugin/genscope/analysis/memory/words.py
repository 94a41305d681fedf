"""Bytes as sentences of results say them."""

from __future__ import annotations

_UNITS = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def size(count: int | None) -> str:
    """An amount of bytes in the largest binary unit that leaves at least 1: `3.44 GiB`."""
    if count is None:
        return "unknown"
    for least, unit in _UNITS:
        if count >= least:
            value = count / least
            return f"{value:.2f} {unit}" if value < 10 else f"{value:,.1f} {unit}"
    return f"{count:,} B"


def counted(count: int | None) -> str:
    """An amount of bytes to the last one: `73,239,168 B`."""
    return "unknown" if count is None else f"{count:,} B"
