"""Finding the edges of JSON values in text that may be incomplete, without decoding them."""

from __future__ import annotations

import re
from typing import NamedTuple

# The closing quote is optional so that a string cut off by the end of the buffer is seen as such.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*("?)|([{\[])|([}\]])', re.S)
_BOUNDARY = re.compile(rb'\}\s*,\s*(\{)\s*"(?:ph|name|cat|pid|tid|ts|dur|id|args|bp|s)"\s*:')
_CLOSES = {b"{": b"}", b"[": b"]"}


class Spans(NamedTuple):
    """The values found in a stretch of an array.

    `spans` are (start, end) offsets; `end` is the offset behind the last whole value, or of the
    array's closing bracket where `closed`. `strays` counts closing braces that close nothing.
    """

    spans: list[tuple[int, int]]
    end: int
    closed: bool
    strays: int


def value_end(text: bytes, start: int) -> int:
    """Return the offset behind the JSON value at `start`, or -1 if it is not whole."""
    first = text[start : start + 1]
    if first in (b"{", b"["):
        depth = 0
        for match in _TOKEN.finditer(text, start):
            if match[2]:
                depth += 1
            elif match[3]:
                depth -= 1
                if depth == 0:
                    return match.end()
            elif not match[1]:
                return -1
        return -1
    if first == b'"':
        found = _TOKEN.match(text, start)
        return found.end() if found and found[1] else -1
    for offset in range(start, len(text)):
        if text[offset] in b",}] \t\r\n":
            return offset
    return -1


def objects(text: bytes, start: int, stop: int) -> Spans:
    """Find the objects of an array from `start`, which lies between two of its values.

    Stops where brackets do not pair up, as where the text ends inside a value.
    """
    spans: list[tuple[int, int]] = []
    strays = 0
    begin = end = start
    opened: list[bytes] = []
    for match in _TOKEN.finditer(text, start, stop):
        if match[2]:
            if not opened:
                begin = match.start()
            opened.append(_CLOSES[match[2]])
        elif match[3]:
            if opened:
                if opened.pop() != match[3]:
                    break
                if not opened:
                    end = match.end()
                    spans.append((begin, end))
            elif match[3] == b"]":
                return Spans(spans, match.start(), True, strays)
            else:
                strays += 1
                end = match.end()
        elif not match[1]:
            break
    return Spans(spans, end, False, strays)


def boundary_before(text: bytes, start: int, stop: int) -> int:
    """Return the offset behind the last event that ends before `stop` as text goes, or -1.

    A guess by what usually starts an event; a decoder tells whether it was right.
    """
    window = 1 << 14
    low = stop
    while low > start:
        low = max(start, low - window)
        last = -1
        for match in _BOUNDARY.finditer(text, low, stop):
            last = match.start() + 1
        if last >= 0:
            return last
        window *= 4
    return -1


def boundaries(text: bytes, start: int, stop: int) -> list[int]:
    """Return the offsets of the braces that start an event behind another one."""
    return [match.start(1) for match in _BOUNDARY.finditer(text, start, stop)]


def separator(text: bytes, start: int, stop: int) -> bytes:
    """Return what stands between the first two events, as written by this file's writer."""
    match = _BOUNDARY.search(text, start, stop)
    return match[0] if match else b""
