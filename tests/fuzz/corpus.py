"""Small whole traces cut from real ones: what mutations start from."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_BETWEEN = re.compile(r"\}\s*,\s*(?=\{\s*\"(?:ph|name|cat|id)\"\s*:)")
_DEVICE = ("kernel", "gpu_memcpy", "gpu_memset", "Kernel", "Memcpy", "Memset")
_OTHERS = 12
_OPS = (8, 200)


def excerpts(path: Path, count: int, rng: random.Random) -> list[bytes]:
    """Cut `count` windows of time from a trace, in the words of its writer.

    Each has a stretch of host events, the device events that they launched, some others (flows,
    metadata, marks) and the members around the list of events.
    """
    data = path.read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8", "replace")
    begin = text.index("[", text.index('"traceEvents"')) + 1
    events, end = json.JSONDecoder().raw_decode(text, begin - 1)
    end -= 1
    pieces = _pieces(text[begin:end])
    assert len(pieces) == len(events)
    host = [n for n, one in enumerate(events) if one.get("ph") == "X" and not _is_device(one)]
    host.sort(key=lambda n: float(events[n]["ts"]))
    device = [n for n, one in enumerate(events) if one.get("ph") == "X" and _is_device(one)]
    other = [n for n, one in enumerate(events) if one.get("ph") != "X"]
    made = []
    for _ in range(count):
        size = rng.randint(*_OPS)
        first = rng.randrange(max(1, len(host) - size))
        window = host[first : first + size]
        launched = {_correlation(events[n]) for n in window} - {0}
        work = [n for n in device if _correlation(events[n]) in launched][: _OPS[1]]
        work += rng.sample(device, min(3, len(device)))
        marks = rng.sample(other, min(_OTHERS, len(other)))
        chosen = sorted({*window, *work, *marks})
        made.append(_joined(text[:begin], [pieces[n] for n in chosen], text[end:]))
    return made


def _joined(before: str, pieces: Sequence[str], after: str) -> bytes:
    return (before + "\n  " + ",\n  ".join(pieces) + "\n  " + after).encode()


def _pieces(text: str) -> list[str]:
    pieces, at = [], 0
    for match in _BETWEEN.finditer(text):
        pieces.append(text[at : match.start() + 1].strip())
        at = match.end()
    pieces.append(text[at:].strip())
    return pieces


def _is_device(one: dict[str, Any]) -> bool:
    return one.get("cat") in _DEVICE


def _correlation(one: dict[str, Any]) -> int:
    return int((one.get("args") or {}).get("correlation", 0) or 0)
