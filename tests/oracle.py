"""A plain recount of a trace file: `json` and loops, sharing no code with what it checks.

The definitions are those of the design: what device work is, what launched it, the innermost op
around a launch, self time, busy time and wall time. Times are read from the text of the numbers
and are whole nanoseconds.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

DEVICE_CATEGORIES = ("kernel", "gpu_memcpy", "gpu_memset", "Kernel", "Memcpy", "Memset")
RUNTIME_CATEGORIES = ("cuda_runtime", "cuda_driver", "hip_runtime", "hip_driver", "Runtime")
OP_CATEGORIES = ("cpu_op", "Operator")
OUTSIDE_WALL = ("Trace", "trace", "overhead", "Overhead")
ANNOTATIONS_OF_2021 = ("ProfilerStep#", "Optimizer.", "enumerate(DataLoader)#")

NO_OP, GRAPH_REPLAY, NO_LAUNCH = "(no op)", "(graph replay)", "(no launch in the trace)"


@dataclass
class Recount:
    """What the file says; durations in nanoseconds."""

    slices: int = 0
    device_events: int = 0
    device_sum_ns: int = 0
    device_busy_ns: int = 0
    unlinked_events: int = 0
    unlinked_ns: int = 0
    host_launches: int = 0
    wall_ns: int = 0
    first_ns: int = 0
    start_sum_ns: int = 0
    """All starts, counted from the first one."""
    by_op: Counter[str] = field(default_factory=Counter)
    """Device time by the innermost op around its launch."""
    by_kernel: Counter[str] = field(default_factory=Counter)
    launches_by_op: Counter[str] = field(default_factory=Counter)
    cpu_self_ns: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    """Slices by the category that the file gives them."""


@dataclass
class _Slice:
    name: str
    lane: tuple[object, object]
    start: int
    end: int
    args: dict[str, Any]
    children_ns: int = 0


@cache
def recount(path: Path) -> Recount:
    """Count a trace, plain or gzip."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return recount_text(data.decode("utf-8-sig"))


def recount_text(text: str) -> Recount:
    """Count a trace given as text."""
    # Numbers with a fraction stay text: they are longer than a float is exact.
    document = json.loads(text, parse_float=str)
    events = document["traceEvents"] if isinstance(document, dict) else document
    return _count(events)


def nanoseconds(microseconds: int | str) -> int:
    """Microseconds, a whole number or the text of a decimal one, to nanoseconds."""
    if isinstance(microseconds, int):
        return microseconds * 1000
    return int((Decimal(microseconds) * 1000).to_integral_value())


def _count(events: list[dict[str, Any]]) -> Recount:
    found = Recount()
    ops: dict[tuple[object, object], list[_Slice]] = defaultdict(list)
    calls: dict[int, list[_Slice]] = defaultdict(list)
    device: list[_Slice] = []
    first = last = first_of_wall = None
    for event in events:
        if event.get("ph") != "X":
            continue
        category = event.get("cat", "")
        start = nanoseconds(event["ts"])
        end = start + nanoseconds(event["dur"])
        one = _Slice(
            event["name"], (event["pid"], event["tid"]), start, end, event.get("args") or {}
        )
        found.slices += 1
        found.start_sum_ns += start
        found.kinds[category] += 1
        first = start if first is None else min(first, start)
        if category not in OUTSIDE_WALL:
            first_of_wall = start if first_of_wall is None else min(first_of_wall, start)
            last = end if last is None else max(last, end)
        if category in DEVICE_CATEGORIES:
            device.append(one)
        elif category in RUNTIME_CATEGORIES:
            calls[one.args.get("correlation", 0)].append(one)
        elif (
            category in OP_CATEGORIES
            and not (category == "Operator" and one.name.startswith(ANNOTATIONS_OF_2021))
            and not one.name.startswith("genscope.")
        ):
            ops[one.lane].append(one)
    found.first_ns = first or 0
    found.start_sum_ns -= found.first_ns * found.slices
    found.wall_ns = (last or 0) - (first_of_wall or 0)
    launches = {
        correlation: several[0] for correlation, several in calls.items() if correlation > 0
    }
    _count_self(found, ops)
    _count_device(found, device, launches, ops)
    return found


def _count_self(found: Recount, ops: dict[tuple[object, object], list[_Slice]]) -> None:
    for lane in ops.values():
        # An op that starts with another and is longer is around it.
        lane.sort(key=lambda op: (op.start, -op.end))
        stack: list[_Slice] = []
        for op in lane:
            while stack and stack[-1].end <= op.start:
                stack.pop()
            if stack:
                stack[-1].children_ns += op.end - op.start
            stack.append(op)
        for op in lane:
            found.cpu_self_ns[op.name] += op.end - op.start - op.children_ns


def _count_device(
    found: Recount,
    device: list[_Slice],
    launches: dict[int, _Slice],
    ops: dict[tuple[object, object], list[_Slice]],
) -> None:
    wanted = {event.args.get("correlation", 0) for event in device}
    around = _innermost([launches[number] for number in wanted if number in launches], ops)
    by_device: dict[object, list[_Slice]] = defaultdict(list)
    used = set()
    for event in device:
        duration = event.end - event.start
        by_device[event.args.get("device", event.lane[0])].append(event)
        launch = launches.get(event.args.get("correlation", 0))
        if launch is None:
            found.unlinked_events += 1
            found.unlinked_ns += duration
            label = NO_LAUNCH
        else:
            used.add(id(launch))
            label = GRAPH_REPLAY if "GraphLaunch" in launch.name else around[id(launch)]
        found.by_op[label] += duration
        found.launches_by_op[label] += 1
        found.by_kernel[event.name] += duration
    found.device_events = len(device)
    found.device_sum_ns = sum(event.end - event.start for event in device)
    found.device_busy_ns = sum(_union(lane) for lane in by_device.values())
    found.host_launches = len(used)


def _innermost(
    points: list[_Slice], ops: dict[tuple[object, object], list[_Slice]]
) -> dict[int, str]:
    """Name of the op on the thread of each slice that is open where it starts."""
    lanes: dict[tuple[object, object], list[_Slice]] = defaultdict(list)
    for point in points:
        lanes[point.lane].append(point)
    found = {}
    for lane, waiting in lanes.items():
        stack: list[_Slice] = []
        upcoming = list(reversed(ops.get(lane, [])))
        for point in sorted(waiting, key=lambda one: one.start):
            while upcoming and upcoming[-1].start <= point.start:
                op = upcoming.pop()
                while stack and stack[-1].end <= op.start:
                    stack.pop()
                stack.append(op)
            while stack and stack[-1].end <= point.start:
                stack.pop()
            found[id(point)] = stack[-1].name if stack else NO_OP
    return found


def _union(events: list[_Slice]) -> int:
    total, reached = 0, None
    for event in sorted(events, key=lambda one: one.start):
        begin = event.start if reached is None else max(event.start, reached)
        total += max(event.end - begin, 0)
        reached = event.end if reached is None else max(reached, event.end)
    return total
