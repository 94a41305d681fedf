"""Native traces: every event of the source once, and what GenScope found beside them."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.intensity import attention_flops
from genscope.analysis.attention.view import call_rows
from genscope.analysis.steps import steps_of
from genscope.perfetto.native import export_perfetto
from genscope.perfetto.results import Exported
from genscope.trace import Trace, load
from tests import oracle as recounting
from tests.loaded import TRACES
from tests.paths import REPOSITORY, shared_traces
from tests.perfetto import oracle
from tests.perfetto.reader import Event, Native, read

SAMPLES = sorted((REPOSITORY / "samples" / "traces").glob("*/*.json.gz"))
MOST_BYTES = 1_500_000
"""Larger shared traces take minutes to recount in plain Python."""

SHARED = [
    path
    for name in TRACES
    if (path := (shared_traces() or Path()) / f"{name}.json.gz").stat().st_size < MOST_BYTES
]
ALL = [*SAMPLES, *SHARED]

ARGUMENTS = (
    *("batch", "heads", "kv_heads", "q_len", "kv_len", "q_tokens", "head_dim", "v_head_dim"),
    *("dtype", "causal", "mask", "kind", "axis", "implementation", "phase", "component", "module"),
    *("layer", "step", "device_ns", "cpu_ns", "layout_ns", "reason"),
)

_folder = TemporaryDirectory(prefix="genscope-export-")


@cache
def exported(path: Path) -> tuple[Trace, Native, Exported]:
    trace = load(path)
    out = Path(_folder.name) / f"{len(list(Path(_folder.name).iterdir()))}.pftrace"
    done = export_perfetto(trace, str(out))
    assert out.stat().st_size
    return trace, read(out), done


def keys(native: Native, events: list[Event]) -> Counter[oracle.Key]:
    origin = int(native.export["origin_ns"])
    return Counter(
        oracle.key(
            *native.sources[one.track],
            one.name,
            one.category,
            one.start + origin,
            one.end - one.start,
            one.args,
        )
        for one in events
    )


@pytest.fixture(params=ALL, ids=lambda path: path.parent.name + "/" + path.name.split(".")[0])
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_every_slice_is_there_once_with_its_arguments(path: Path) -> None:
    """Slices end in the order in which they nest, or their durations would be those of others."""
    _, native, done = exported(path)
    expected = oracle.slices(path)
    found = keys(native, native.of_source())
    assert found == expected
    assert done.slices == expected.total()
    assert not done.cut and not done.left_out


def test_every_instant_is_there_once(path: Path) -> None:
    _, native, _ = exported(path)
    of_source = [one for uuid in native.sources for one in native.tracks[uuid].instants]
    assert keys(native, of_source) == oracle.instants(path)


def test_members_beside_the_events_are_kept(path: Path) -> None:
    trace, native, _ = exported(path)
    assert native.members == oracle.plain(path)[1]
    first = min(one.start for one in native.of_source())
    assert int(native.export["base_ns"]) + first == trace.base_ns
    if native.epoch_ns is not None:
        assert native.epoch_ns == int(native.export["base_ns"])


def test_flows_have_both_ends_and_join_launch_and_device_event(path: Path) -> None:
    trace, native, done = exported(path)
    first: dict[int, Event] = {}
    last: dict[int, Event] = {}
    for event in native.of_source():
        for flow in event.begins:
            assert flow not in first
            first[flow] = event
        for flow in event.ends:
            assert flow not in last
            last[flow] = event
    assert first.keys() == last.keys()
    assert all(first[flow].start <= last[flow].start for flow in first)
    kinds = Counter(flow % 4 for flow in first)
    assert set(kinds) <= {1, 2}
    recount = recounting.recount(path)
    assert kinds[1] == recount.device_events - recount.unlinked_events == done.flows["launch"]
    for flow in (flow for flow in first if flow % 4 == 1):
        assert first[flow].args["correlation"] == last[flow].args["correlation"]
    ahead = (trace.links.forward_op >= 0).sum()
    assert (kinds[2] > 0) == (ahead > 0)
    assert kinds[2] <= ahead


def test_lanes_of_a_track_have_its_name_and_processes_are_named(path: Path) -> None:
    _, native, _ = exported(path)
    lanes = defaultdict(list)
    for uuid, lane in native.sources.items():
        lanes[lane].append(native.tracks[uuid])
    for (process, thread), tracks in lanes.items():
        assert len({track.name for track in tracks}) == 1 and tracks[0].name
        parent = native.tracks[tracks[0].parent]
        assert parent.name
        if tracks[0].tid is not None:
            assert (tracks[0].pid, tracks[0].tid) == (process, thread)
            assert parent.pid == process


def test_attention_calls_are_those_of_the_report(path: Path) -> None:
    trace, native, done = exported(path)
    calls = attention_calls(trace)
    shown = {one.args["index"]: one for one in native.derived("Attention")}
    assert len(shown) == len(calls) == done.derived.get("Attention", 0)
    listed = call_rows(calls, np.arange(len(calls)))
    for call in listed:
        args = shown[call.index].args
        assert args["pass"] == call.pass_
        for name in ARGUMENTS:
            assert args.get(name) == getattr(call, name), name
        words = [call.kind, call.axis, "attention"]
        words += ["(backward)"] if call.pass_ == "backward" else []
        assert shown[call.index].name == " ".join(word for word in words if word)


def test_the_counter_of_sequence_lengths_follows_the_calls(path: Path) -> None:
    _, native, _ = exported(path)
    known = [
        shown
        for shown in native.derived("Attention")
        if shown.args["pass"] in ("forward", "unknown") and "q_len" in shown.args
    ]
    if not known:
        assert not any(track.name.startswith("Sequence") for track in native.tracks.values())
        return
    expected = Counter((one.start, one.args["q_len"]) for one in known)
    assert Counter(native.counter("Sequence length (queries)")) == expected
    expected = Counter((one.start, one.args["kv_len"]) for one in known if "kv_len" in one.args)
    assert Counter(native.counter("Sequence length (keys)")) == expected


def test_busy_streams_add_up_to_the_busy_time_of_the_device(path: Path) -> None:
    trace, native, _ = exported(path)
    if not trace.has_device:
        assert not any(track.name == "Busy streams" for track in native.tracks.values())
        return
    counter = native.counter("Busy streams")
    assert counter[-1][1] == 0
    lasting = [(value, after - at) for (at, value), (after, _) in pairwise(counter)]
    events = trace.events
    if len(np.unique(events.device[events.is_device])) == 1:
        busy = sum(length for value, length in lasting if value)
        assert busy == recounting.recount(path).device_busy_ns
    assert all(value >= 0 for value, _ in lasting)


def test_achieved_flops_add_up_to_those_of_the_calls_at_least(path: Path) -> None:
    trace, native, _ = exported(path)
    if not any(track.name == "Achieved FLOP/s" for track in native.tracks.values()):
        return
    counter = native.counter("Achieved FLOP/s")
    total = sum(value * (after - at) * 1e-9 for (at, value), (after, _) in pairwise(counter))
    flops = attention_flops(attention_calls(trace))
    spans = {one.args["index"]: one for one in native.derived("Attention")}
    forward = [
        int(flops[place])
        for place, one in spans.items()
        if one.args["pass"] in ("forward", "unknown") and flops[place] > 0 and one.end > one.start
    ]
    assert counter[-1][1] == 0
    assert total >= sum(forward) * (1 - 1e-6)


def test_steps_are_those_of_the_analysis(path: Path) -> None:
    trace, native, _ = exported(path)
    shown = native.derived("Steps")
    steps = steps_of(trace)
    assert [one.name for one in shown] == steps.names
    shift = min(one.start for one in native.of_source())
    assert [one.start - shift for one in shown] == steps.start_ns.tolist()
    assert [one.end - shift for one in shown] == steps.end_ns.tolist()


def test_memory_is_what_the_allocator_said(path: Path) -> None:
    _, native, _ = exported(path)
    expected: dict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
    for event in oracle.plain(path)[0]:
        if event.get("name") == "[memory]" and event["ph"] == "i":
            args = event["args"]
            device = "CPU" if args["Device Type"] == 0 else f"CUDA {args['Device Id']}"
            at = event["ts"] - int(native.export["origin_ns"])
            for what in ("Allocated", "Reserved"):
                title = f"Memory {what.lower()} ({device})"
                expected[title][at, args[f"Total {what}"]] += 1
    shown = {
        track.name: Counter(track.values)
        for track in native.tracks.values()
        if track.name.startswith("Memory ")
    }
    assert shown == expected
