"""Byte strings of many rows in one array: numbers as varints, and pieces put beside each other.

All numbers are uint64; negative ones are given as their 64-bit complement.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from genscope.trace.model import Int64, UInt8

UInt64 = npt.NDArray[np.uint64]


def unsigned(values: npt.NDArray[np.signedinteger]) -> UInt64:
    """The 64-bit complement of whole numbers."""
    return values.astype(np.int64, copy=False).view(np.uint64)


def varint_lengths(values: UInt64) -> Int64:
    """Bytes that each number takes, from 1 to 10; shape as `values`."""
    lengths = np.ones(len(values), dtype=np.int64)
    most = int(values.max()) if len(values) else 0
    bits = 7
    while most >> bits and bits < 64:
        lengths += values >= np.uint64(1 << bits)
        bits += 7
    return lengths


def put_varints(out: UInt8, at: Int64, values: UInt64, lengths: Int64) -> None:
    """Write each number at its place `at`; `lengths` are those of `varint_lengths`."""
    if not len(values):
        return
    longest = int(lengths.max())
    shortest = int(lengths.min())
    rest = values
    for place in range(longest):
        if place >= shortest:
            going = lengths > place
            at, rest, lengths = at[going], rest[going], lengths[going]
        more = lengths > place + 1
        out[at + place] = (rest & np.uint64(0x7F)).astype(np.uint8) | (more.astype(np.uint8) << 7)
        rest = rest >> np.uint64(7)


def put_fixed64(out: UInt8, at: Int64, values: UInt64) -> None:
    """Write each number as eight bytes, the lowest first."""
    if len(values):
        out[at[:, None] + np.arange(8)] = values.astype("<u8").view(np.uint8).reshape(-1, 8)


def put(out: UInt8, at: Int64, constant: bytes) -> None:
    """Write the same bytes at each place."""
    for place, byte in enumerate(constant):
        out[at + place] = byte


def offsets(lengths: Int64) -> Int64:
    """Where each piece begins if they stand one behind the other; shape as `lengths`."""
    found: Int64 = np.cumsum(lengths) - lengths
    return found


def gathered(data: UInt8, at: Int64, lengths: Int64) -> UInt8:
    """The pieces of `data` that begin at `at`, one behind the other."""
    return data[spread(at, lengths)]


def spread(at: Int64, lengths: Int64) -> Int64:
    """Every place of pieces that begin at `at`; shape (sum of lengths,)."""
    total = int(lengths.sum())
    shift = np.repeat(at - offsets(lengths), lengths)
    found: Int64 = shift + np.arange(total, dtype=np.int64)
    return found
