"""Make a long trace out of a real one, by repeating its events.

    python -m tests.benchmarks.repeat TRACE COPIES OUT

Each copy has ids of its own, lies behind the one before it in time, and has shapes and module
names that no other copy has, as a long recording of a changing workload would.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_CHUNK = 1 << 20
_ID_STEP = 10_000_000
_GAP_US = 1_000

_FIELDS = re.compile(
    rb'"(?P<id>correlation|External id|external id|Ev Idx|Record function id|Sequence number|'
    rb'Python id|Python parent id|id|cid)": (?P<number>\d+)'
    rb'|"ts": (?P<ts>\d+)'
    rb'|(?P<dims>"Input [Dd]ims": \[(?:\[[^\[\]]*\](?:, )?)*)\]'
    rb'|"nn\.Module: (?P<module>[^"]*)"'
)
_TIMES = re.compile(rb'"ts": (\d+)(?:\.\d+)?, "(?:dur": (\d+))?')
_BETWEEN = re.compile(rb'\}, (?=\{")')


def repeat(trace: Path, copies: int, out: Path) -> None:
    """Write `trace`, an object as Kineto writes it, with its events `copies` times over.

    Only a chunk of text is held at a time; the trace is read once for each copy.
    """
    head, span_us = _head_and_span(trace)
    with open(out, "wb") as file:
        file.write(head)
        tail = b""
        for copy in range(copies):
            if copy:
                file.write(b", ")
            tail = _copy_events(trace, len(head), copy, span_us + _GAP_US, file)
        file.write(tail)


def _opened(trace: Path) -> IO[bytes]:
    return gzip.open(trace, "rb") if trace.suffix == ".gz" else open(trace, "rb")  # type: ignore[return-value]


def _head_and_span(trace: Path) -> tuple[bytes, int]:
    """The text up to the first event, and the microseconds that the slices cover."""
    head = b""
    first, last = None, 0
    for piece in _pieces(trace, 0):
        if not head:
            mark = b'"traceEvents": ['
            head = piece[: piece.index(mark) + len(mark)]
        for match in _TIMES.finditer(piece):
            start = int(match[1])
            first = start if first is None else min(first, start)
            last = max(last, start + int(match[2] or 0))
    return head, last - (first or 0) + 1


def _copy_events(trace: Path, skip: int, copy: int, step_us: int, file: IO[bytes]) -> bytes:
    """Write the events of one copy; return the text from their closing bracket on."""
    held = b""
    for piece in _pieces(trace, skip):
        file.write(_renumbered(held, copy, step_us))
        held = piece
    end = held.rindex(b"}]") + 1
    file.write(_renumbered(held[:end], copy, step_us))
    return held[end:]


def _pieces(trace: Path, skip: int) -> Iterator[bytes]:
    """The text behind `skip` bytes, cut between events."""
    with _opened(trace) as file:
        file.read(skip)
        rest = b""
        while chunk := file.read(_CHUNK):
            rest += chunk
            cut = 0
            for match in _BETWEEN.finditer(rest, max(0, len(rest) - (1 << 14))):
                cut = match.end()
            yield rest[:cut]
            rest = rest[cut:]
        yield rest


def _renumbered(text: bytes, copy: int, step_us: int) -> bytes:
    if not copy:
        return text
    mark = str(copy).encode()

    def change(match: re.Match[bytes]) -> bytes:
        if match["id"]:
            number = int(match["number"])
            # 0 is no id: it must stay that.
            return b'"%s": %d' % (match["id"], number and number + copy * _ID_STEP)
        if match["ts"]:
            return b'"ts": %d' % (int(match["ts"]) + copy * step_us)
        if match["dims"]:
            return match["dims"] + b", [" + mark + b"]]"
        return b'"nn.Module: ' + match["module"] + b"_" + mark + b'"'

    return _FIELDS.sub(change, text)


if __name__ == "__main__":
    repeat(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
