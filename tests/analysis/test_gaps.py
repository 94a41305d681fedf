"""What the CPU did in the largest gaps, against a plain recount of the file."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from genscope.analysis.overview import overview
from genscope.analysis.results import Activity, Gap
from tests.loaded import trace_of
from tests.oracle import DEVICE_CATEGORIES, OP_CATEGORIES, RUNTIME_CATEGORIES, nanoseconds
from tests.trace.support import Event, event, kernel, launch, read

RECOUNTED = (
    "image-sam-flash-a100",
    "llm-prefill-qwen1.5-h100",
    "llm-sglang-prefill-decode-mi300x",
    "training-megatron-tp8-rank1",
    "training-ns-timestamps-rank0",
    "video-timesformer-h100",
)
TELLING = (*OP_CATEGORIES, *RUNTIME_CATEGORIES, "user_annotation", "python_function")
MODULE = "nn.Module: "


class Recount:
    """The slices of a file as `json` gives them, times in nanoseconds from the first."""

    def __init__(self, path: Path) -> None:
        text = gzip.decompress(path.read_bytes()).decode()
        events = json.loads(text, parse_float=str)["traceEvents"]
        slices = [one for one in events if one.get("ph") == "X"]
        first = min(nanoseconds(one["ts"]) for one in slices)
        self.device: list[tuple[int, str, int]] = []
        self.threads: dict[tuple[object, object], list[tuple[int, int, str]]] = {}
        self.launched: dict[int, tuple[object, object]] = {}
        for one in slices:
            start = nanoseconds(one["ts"]) - first
            end = start + nanoseconds(one["dur"])
            lane = one["pid"], one["tid"]
            number = (one.get("args") or {}).get("correlation", 0)
            if one.get("cat") in DEVICE_CATEGORIES:
                self.device.append((start, one["name"], number))
            elif one.get("cat") in TELLING and not one["name"].startswith("ProfilerStep#"):
                self.threads.setdefault(lane, []).append((start, end, one["name"]))
            if one.get("cat") in RUNTIME_CATEGORIES:
                self.launched[number] = lane
        for thread in self.threads.values():
            thread.sort(key=lambda one: (one[0], -one[1]))

    def doing(self, gap: Gap) -> Counter[str | None]:
        """Time by the name of the innermost slice on the thread that launched what came next."""
        begin, finish = gap.start_ns, gap.start_ns + gap.dur_ns
        (lane,) = {
            self.launched[number]
            for start, name, number in self.device
            if start == finish and name == gap.after
        }
        found: Counter[str | None] = Counter()
        open_now: list[tuple[int, int, str]] = []
        waiting = [one for one in self.threads[lane] if one[0] < finish and one[1] > begin][::-1]
        edges = {begin, finish}
        edges.update(edge for one in waiting for edge in one[:2] if begin < edge < finish)
        now = begin
        for edge in sorted(edges)[1:]:
            while waiting and waiting[-1][0] <= now:
                one = waiting.pop()
                while open_now and open_now[-1][1] <= one[0]:
                    open_now.pop()
                open_now.append(one)
            while open_now and open_now[-1][1] <= now:
                open_now.pop()
            found[open_now[-1][2] if open_now else None] += edge - now
            now = edge
        return found


@pytest.mark.parametrize("name", RECOUNTED)
def test_what_the_cpu_did_is_what_the_file_says(shared_traces: Path, name: str) -> None:
    path = shared_traces / f"{name}.json.gz"
    recount = Recount(path)
    gaps = [gap for gap in overview(trace_of(path)).gaps if gap.after and gap.cause != "unknown"]
    assert gaps
    for gap in gaps:
        expected = recount.doing(gap)
        assert sum(expected.values()) == gap.dur_ns
        told = {one.kind: one.overlap_ns for one in gap.cpu if one.kind in ("none", "other")}
        assert told.get("none", 0) == expected.pop(None, 0)
        events = [one for one in gap.cpu if one.kind not in ("none", "other")]
        for one in events:
            full = MODULE + one.name if one.kind == "module" else one.name
            assert one.overlap_ns == expected.pop(full)
        assert told.get("other", 0) == sum(expected.values())
        smallest = min((one.overlap_ns for one in events), default=0)
        assert max(expected.values(), default=0) <= smallest


def gap_of(folder: Path, between: list[Event]) -> list[Activity]:
    """What the CPU did in the gap from 20 to 120 µs."""
    events = [
        launch(1, ts=0, dur=2),
        kernel(1, ts=10, dur=10),
        *between,
        launch(2, ts=110, dur=5),
        kernel(2, ts=120, dur=10),
    ]
    gaps = overview(read(folder, events)).gaps
    (gap,) = [gap for gap in gaps if gap.start_ns == 20_000]
    assert gap.dur_ns == 100_000
    assert sum(one.overlap_ns for one in gap.cpu) == gap.dur_ns
    return gap.cpu


def told(activities: list[Activity]) -> list[tuple[str, str, int]]:
    return [(one.kind, one.name, one.overlap_ns) for one in activities]


def test_time_in_which_nothing_was_recorded_is_said(tmp_path: Path) -> None:
    between = [
        event("ProfilerStep#3", cat="user_annotation", ts=0, dur=200),
        # Another thread says nothing about the one that launches.
        event("elsewhere", ts=20, dur=90, tid=2),
        event("overhead", cat="overhead", ts=20, dur=90),
    ]
    assert told(gap_of(tmp_path, between)) == [
        ("none", "nothing recorded", 95_000),
        ("runtime", "cudaLaunchKernel", 5_000),
    ]


def test_every_moment_belongs_to_the_innermost_event(tmp_path: Path) -> None:
    between = [
        event("main.py(1): run", cat="python_function", ts=0, dur=150),
        event("prepare", cat="user_annotation", ts=30, dur=70),
        event("nn.Module: Linear_0", cat="python_function", ts=40, dur=30),
        event("aten::linear", ts=50, dur=10),
    ]
    assert told(gap_of(tmp_path, between)) == [
        ("annotation", "prepare", 40_000),
        ("python", "main.py(1): run", 25_000),
        ("module", "Linear_0", 20_000),
        ("op", "aten::linear", 10_000),
        ("runtime", "cudaLaunchKernel", 5_000),
    ]


def test_calls_of_one_name_are_one_part_and_small_ones_are_added_up(tmp_path: Path) -> None:
    between = [event(f"op {n % 12:02}", ts=20 + 3 * n, dur=1 + n % 2) for n in range(24)]
    found = told(gap_of(tmp_path, between))
    assert len([part for part in found if part[0] == "op"]) == 8 - 1
    assert ("op", "op 01", 4_000) in found
    assert found[-1] == ("other", "5 other events", 10_000)


def test_a_run_that_ends_idle_tells_what_the_busiest_thread_did(tmp_path: Path) -> None:
    events: list[dict[str, Any]] = [
        launch(1, ts=0, dur=2, tid=5),
        kernel(1, ts=10, dur=10),
        event("aten::save", ts=30, dur=60, tid=5),
        event("wait", ts=0, dur=100, tid=6),
    ]
    last = overview(read(tmp_path, events)).gaps[0]
    assert (last.start_ns, last.dur_ns, last.after) == (20_000, 80_000, "")
    assert told(last.cpu) == [("op", "aten::save", 60_000), ("none", "nothing recorded", 20_000)]
