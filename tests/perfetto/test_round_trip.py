"""A trace that was exported and read again is the same trace, and says the same."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from genscope.cli.views import VIEWS
from genscope.perfetto.native import export_perfetto
from genscope.trace import Trace, load
from tests.loaded import TRACES, trace_of
from tests.trace.support import event, kernel, launch, read

NUMBERS = ("kind", "correlation", "external_id", "sequence", "forward_thread", "device")
TEXTS = ("name", "dims", "types", "inputs")
LINKS = ("parent", "launch", "op", "annotation", "module", "module_parent", "forward_op")
FLAGS = ("in_backward", "in_recompute", "graph_launch")


@pytest.fixture(scope="module", params=TRACES)
def both(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    shared_traces: Path,
) -> tuple[Trace, Trace]:
    source = trace_of(shared_traces / f"{request.param}.json.gz")
    path = tmp_path_factory.mktemp("export") / "again.pftrace"
    export_perfetto(source, str(path))
    return source, load(path)


def by_row(trace: Trace) -> list[tuple[Any, ...]]:
    """Everything that is known of each row, what it is linked to by start and name."""
    events, strings = trace.events, trace.strings
    texts = {
        column: [None if index < 0 else strings[index] for index in getattr(events, column)]
        for column in TEXTS
    }
    tracks = [
        (track.process, track.thread, track.process_name, track.thread_name)
        for track in trace.tracks
    ]
    ends = {
        link: [
            None if row < 0 else (start, name)
            for row, start, name in zip(
                rows.tolist(),
                events.start_ns[rows].tolist(),
                events.name[rows].tolist(),
                strict=True,
            )
        ]
        for link in LINKS
        if len(rows := getattr(trace.links, link))
    }
    ends = {
        link: [None if end is None else (end[0], strings[end[1]]) for end in found]
        for link, found in ends.items()
    }
    rows = zip(
        events.start_ns.tolist(),
        events.dur_ns.tolist(),
        [tracks[track] for track in events.track],
        *(getattr(events, column).tolist() for column in NUMBERS),
        *texts.values(),
        *ends.values(),
        *(getattr(trace.links, flag).tolist() for flag in FLAGS),
        strict=True,
    )
    return sorted(rows, key=repr)


def test_every_slice_and_every_link(both: tuple[Trace, Trace]) -> None:
    source, again = both
    assert again.base_ns == source.base_ns
    for one, other in zip(by_row(source), by_row(again), strict=True):
        assert one == other


def test_what_is_beside_the_slices(both: tuple[Trace, Trace]) -> None:
    source, again = both
    assert again.metadata == source.metadata
    assert again.document == source.document
    assert list(again.devices) == list(source.devices)
    assert (again.rank, again.world_size) == (source.rank, source.world_size)
    # What was mended is right in the export, and nothing is wrong with that.
    assert {one.code for one in again.warnings} <= {one.code for one in source.warnings}
    counted = {key: count for key, count in source.counts.items() if key.startswith("X/")}
    assert {k: count for k, count in again.counts.items() if k.startswith("X/")} == counted


def shown(value: Any) -> Any:
    """A result without the name of its file, and without what the order of slices decides.

    That is the order of rows with equal figures: an export has slices in the order of time. In
    lists of the largest few it also decides which of the smallest are there.
    """
    if isinstance(value, dict):
        left = {k: shown(v) for k, v in value.items() if k not in ("trace", "warnings")}
        if isinstance(left.get("cpu"), list):
            single = [one for one in left["cpu"] if one["kind"] not in ("other", "none")]
            least = min((one["overlap_ns"] for one in single), default=0)
            dropped = [one for one in single if one["overlap_ns"] == least]
            left["cpu"] = [one for one in left["cpu"] if one not in dropped]
        return left
    if isinstance(value, list):
        listed = [shown(one) for one in value]
        return sorted(listed, key=repr) if any(isinstance(one, dict) for one in listed) else listed
    return value


@pytest.mark.parametrize("view", ["operators", "overview", "attention", "phases", "sequence"])
def test_the_analyses_say_the_same(both: tuple[Trace, Trace], view: str) -> None:
    results = [
        shown(msgspec.json.decode(msgspec.json.encode(VIEWS[view].result(trace)))) for trace in both
    ]
    assert results[0] == results[1]


@pytest.mark.parametrize("suffix", ["pftrace", "pftrace.gz"])
def test_a_small_trace_of_everything(suffix: str, tmp_path: Path) -> None:
    """Process ids that are words, text that looks like JSON, overlaps, and slices of no length."""
    source = read(
        tmp_path,
        [
            event("a", ts=1, dur=5, pid="Spans", tid="worker [1]", args={"External id": "12"}),
            event("b", ts=3, dur=9, pid="Spans", tid="worker [1]"),
            event("zero", ts=4, dur=0, args={"Input Dims": [[1, 2], []], "note": "[not JSON"}),
            event("zero", ts=4, dur=0, args={"Input Dims": '"text"', "Input type": ["float"]}),
            event('"quoted"\n', ts=-3, dur=2, args={"Sequence number": 2**62, "x": {"y": [None]}}),
            launch(7, ts=5, dur=1),
            kernel(7, ts=9, dur=4),
            kernel(8, ts=10, dur=4),
        ],
    )
    path = tmp_path / f"again.{suffix}"
    export_perfetto(source, str(path))
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == suffix.endswith("gz")
    again = load(path)
    assert by_row(again) == by_row(source)
    assert list(again.warnings) == []
    plain = gzip.decompress(path.read_bytes()) if suffix.endswith("gz") else path.read_bytes()
    assert again.text_bytes == len(plain)
    assert np.diff(again.events.start_ns).min() >= 0
