"""Pieces of a file in any order, read with as few reads as will do."""

from __future__ import annotations

from typing import IO

import numpy as np

from genscope.perfetto.ragged import gathered
from genscope.trace.model import Int64, UInt8

_GAP_BYTES = 512
"""What is between two pieces is read with them up to this many bytes."""


def read_pieces(file: IO[bytes], at: Int64, length: Int64) -> UInt8:
    """The pieces that begin at `at`, one behind the other; both have shape (k,)."""
    wanted = np.flatnonzero(length)
    if not len(wanted):
        return np.zeros(0, dtype=np.uint8)
    at, length = at[wanted], length[wanted]
    order = np.argsort(at, kind="stable")
    begins = at[order]
    ends = begins + length[order]
    first = np.flatnonzero(np.r_[True, begins[1:] > ends[:-1] + _GAP_BYTES])
    last = np.r_[first[1:], len(order)] - 1
    low, sizes = begins[first], ends[last] - begins[first]
    parts = []
    for start, size in zip(low.tolist(), sizes.tolist(), strict=True):
        file.seek(start)
        parts.append(file.read(size))
    shift = np.cumsum(sizes) - sizes - low
    region = np.repeat(np.arange(len(first)), last - first + 1)
    place = np.empty(len(at), dtype=np.int64)
    place[order] = begins + shift[region]
    return gathered(np.frombuffer(b"".join(parts), dtype=np.uint8), place, length)
