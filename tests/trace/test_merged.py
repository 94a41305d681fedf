"""Ranks that were merged into one file, whose ids repeat: each keeps its own links."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genscope.trace import Trace
from genscope.trace.model import Int64
from tests.loaded import trace_of
from tests.trace.support import Event, event, kernel, launch, linked, read

RANKS = [f"training-megatron-tp8-rank{rank}.json.gz" for rank in range(2)]
COPIED = "training-resnet50-v100.json.gz"
COLUMNS = ("parent", "launch", "op", "annotation", "module", "module_parent", "forward_op")


def events_of(path: Path) -> list[Event]:
    found: list[Event] = json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]
    return found


def moved(events: list[Event], *, by_us: float = 0, to: int = 0) -> list[Event]:
    """A copy that runs later, in processes with other numbers."""

    def move(one: Event) -> Event:
        made: dict[str, Any] = {**one}
        if isinstance(one.get("ts"), int | float):
            made["ts"] = round(one["ts"] + by_us, 3)
        if isinstance(one.get("pid"), int):
            made["pid"] = one["pid"] + to
        return made

    return [move(one) for one in events]


def by_time(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda one: one["ts"] if one.get("ph") == "X" else 0)


def same_links(merged: Trace, parts: list[Trace]) -> None:
    """The links of `parts`, whose slices follow each other, are those of `merged`."""
    first = 0
    for part in parts:
        count = len(part.events)
        rows = slice(first, first + count)
        for column in COLUMNS:
            expected: Int64 = getattr(part.links, column).astype(np.int64)
            found = getattr(merged.links, column)[rows].astype(np.int64)
            np.testing.assert_array_equal(
                found, np.where(expected >= 0, expected + first, expected), err_msg=column
            )
        first += count
    assert first == len(merged.events)


def test_two_ranks_in_one_file_keep_their_links(shared_traces: Path, tmp_path: Path) -> None:
    paths = [shared_traces / name for name in RANKS]
    parts = [trace_of(path) for path in paths]
    shared = set.intersection(*(set(part.events.correlation.tolist()) for part in parts))
    assert len(shared) > 500
    events = [one for path in paths for one in events_of(path)]
    same_links(read(tmp_path, events), parts)


def test_the_order_of_a_merged_file_does_not_matter(shared_traces: Path, tmp_path: Path) -> None:
    events = [one for name in RANKS for one in events_of(shared_traces / name)]
    merged = read(tmp_path, by_time(events))
    process = np.array([str(track.process) for track in merged.tracks])
    device = np.flatnonzero(merged.links.launch >= 0)
    drives = process[merged.events.track[merged.links.launch[device]]]
    expected = np.where(merged.events.device[device] == 0, "2590092", "2590093")
    np.testing.assert_array_equal(drives, expected)
    assert len(device) == sum(
        int((trace_of(shared_traces / name).links.launch >= 0).sum()) for name in RANKS
    )


@pytest.mark.parametrize("by_us", [10.0, 5_000.0, 3_000_000.0])
def test_copies_of_a_trace_keep_their_links(
    by_us: float, shared_traces: Path, tmp_path: Path
) -> None:
    """Every id is in both copies: only the order in time tells which process drives which."""
    events = events_of(shared_traces / COPIED)
    (tmp_path / "alone").mkdir()
    alone = read(tmp_path / "alone", [one for one in events if one.get("ph") == "X"])
    both = [*events, *moved(events, by_us=by_us, to=7_000_000)]
    merged = read(tmp_path, [one for one in both if one.get("ph") == "X"])
    same_links(merged, [alone, alone])


def rank(number: int, *, first: int, device: int, at: float) -> list[Event]:
    """Four launches of a process, by ids from `first` on, each in an op of its own."""
    made = []
    for step in range(4):
        ts = at + 10 * step
        made += [
            event(f"op {number}.{step}", pid=100 + number, ts=ts, dur=5),
            launch(first + step, pid=100 + number, ts=ts + 1),
            kernel(first + step, name=f"kernel {number}.{step}", device=device, ts=ts + 50),
        ]
    return made


def test_ids_of_one_process_alone_tell_who_drives_a_device(tmp_path: Path) -> None:
    # Ids 3 and 4 are in both; the first process launches them later than the second.
    trace = read(tmp_path, [*rank(0, first=1, device=0, at=25), *rank(1, first=3, device=1, at=20)])
    for number in range(2):
        for step in range(4):
            assert linked(trace, "op", f"kernel {number}.{step}") == f"op {number}.{step}"


def test_a_call_of_another_ranks_process_is_no_launch(tmp_path: Path) -> None:
    """The launch of a kernel may be lost; its id then stands for something else in another rank."""
    lost = kernel(12, name="lost", device=0, ts=200)
    events = [*rank(0, first=1, device=0, at=0), *rank(1, first=10, device=1, at=5), lost]
    trace = read(tmp_path, events)
    assert linked(trace, "launch", "lost") is None
    assert linked(trace, "op", "kernel 1.2") == "op 1.2"


def test_two_processes_on_one_device_keep_their_launches(tmp_path: Path) -> None:
    events = [*rank(0, first=1, device=0, at=0), *rank(1, first=10, device=0, at=5)]
    trace = read(tmp_path, events)
    for number in range(2):
        for step in range(4):
            assert linked(trace, "op", f"kernel {number}.{step}") == f"op {number}.{step}"


def test_backward_ops_find_their_forward_ops_in_their_own_process(tmp_path: Path) -> None:
    def half(pid: int, at: float) -> list[Event]:
        flows: list[Event] = [
            {"ph": phase, "cat": "fwdbwd", "name": "fwdbwd", "id": 1, "pid": pid, "tid": tid,
             "ts": at + ts, "bp": "e"}
            for phase, tid, ts in (("s", 1, 21), ("f", 2, 31))
        ]  # fmt: skip
        return [
            event(f"mm {pid}", pid=pid, ts=at, args={"Sequence number": 5}),
            event(
                f"MmBackward {pid}", pid=pid, tid=2, ts=at + 10,
                args={"Sequence number": 5, "Fwd thread id": 1},
            ),
            event(f"add {pid}", pid=pid, ts=at + 20, dur=5),
            event(f"AddBackward0 {pid}", pid=pid, tid=2, ts=at + 30, dur=5,
                  args={"Fwd thread id": 1}),
            *flows,
        ]  # fmt: skip

    trace = read(tmp_path, [*half(7, 0), *half(8, 2)])
    for pid in (7, 8):
        assert linked(trace, "forward_op", f"MmBackward {pid}") == f"mm {pid}"
        assert linked(trace, "forward_op", f"AddBackward0 {pid}") == f"add {pid}"


def test_an_external_id_is_looked_for_in_its_own_process(tmp_path: Path) -> None:
    def half(pid: int, device: int) -> list[Event]:
        call = {"correlation": pid, "External id": 3}
        return [
            event(f"op {pid}", pid=pid, ts=0, dur=20, args={"External id": 3}),
            event("cudaLaunchKernel", cat="cuda_runtime", pid=pid, tid=2, ts=5, args=call),
            kernel(pid, name=f"kernel {pid}", device=device, ts=9),
        ]

    trace = read(tmp_path, [*half(7, 0), *half(8, 1)])
    for pid in (7, 8):
        assert linked(trace, "op", f"kernel {pid}") == f"op {pid}"
