"""What an export has to hold, recounted from the source with `json` alone."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

Key = tuple[Any, ...]

WEEK_US = 7 * 86_400 * 10**6


def text_of(path: Path) -> str:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return data.decode("utf-8-sig")


@cache
def plain(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The events, and what stands beside them. Times are whole nanoseconds."""
    document = json.loads(text_of(path))
    # Once more with the text of numbers: times are longer than a float is exact.
    exact = json.loads(text_of(path), parse_float=Decimal)
    if isinstance(document, list):
        document, exact = {"traceEvents": document}, {"traceEvents": exact}
    events = document.pop("traceEvents")
    for event, precise in zip(events, exact["traceEvents"], strict=True):
        for name in ("ts", "dur"):
            if name in event:
                event[name] = int((Decimal(precise[name]) * 1000).to_integral_value())
    return events, document


def slices(path: Path) -> Counter[Key]:
    """Every slice by where and when it is, what it is called and its arguments."""
    return Counter(
        key(
            lane(event.get("pid")),
            lane(event.get("tid")),
            event.get("name") or "",
            event.get("cat"),
            event["ts"],
            duration(event.get("dur")),
            event.get("args") or {},
        )
        for event in plain(path)[0]
        if event["ph"] == "X"
    )


def instants(path: Path) -> Counter[Key]:
    return Counter(
        key(
            lane(event.get("pid")),
            lane(event.get("tid")),
            event["name"],
            event.get("cat"),
            event["ts"],
            0,
            event.get("args") or {},
        )
        for event in plain(path)[0]
        if event["ph"] in ("i", "I", "R")
    )


def key(pid: Any, tid: Any, name: str, cat: Any, start: int, dur: int, args: Any) -> Key:
    # Dumped, so that 1, 1.0 and true are told apart.
    return pid, tid, name, cat, start, dur, json.dumps(args, sort_keys=True)


def duration(value: int | None) -> int:
    return value if value is not None and 0 <= value <= WEEK_US * 1000 else 0


def lane(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return value
