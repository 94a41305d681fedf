"""Native traces of what recorders rarely write: overlaps, odd arguments, counters, damage."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genscope.perfetto import section as writing
from genscope.perfetto.lanes import MOST_LANES, lanes
from genscope.perfetto.native import export_perfetto
from genscope.perfetto.order import stream
from genscope.perfetto.results import Exported
from genscope.trace import TraceError, load
from tests.perfetto import oracle
from tests.perfetto.reader import Native, read
from tests.perfetto.test_native import keys
from tests.trace.support import document, event, kernel, launch

Events = list[dict[str, Any]]


def export(folder: Path, data: bytes | Events) -> tuple[Native, Exported]:
    source = folder / "trace.json"
    source.write_bytes(data if isinstance(data, bytes) else document(data))
    out = folder / "trace.pftrace"
    done = export_perfetto(load(source), str(out))
    oracle.plain.cache_clear()
    return read(out), done


def check(folder: Path, data: bytes | Events) -> tuple[Native, Exported]:
    native, done = export(folder, data)
    source = folder / "trace.json"
    assert keys(native, native.of_source()) == oracle.slices(source)
    of_source = [one for uuid in native.sources for one in native.tracks[uuid].instants]
    assert keys(native, of_source) == oracle.instants(source)
    return native, done


def test_slices_that_intersect_go_to_further_tracks(tmp_path: Path) -> None:
    native, done = check(
        tmp_path,
        [
            event("a", ts=0, dur=10, tid=7),
            event("b", ts=5, dur=10, tid=7),
            event("c", ts=12, dur=10, tid=7),
            event("inside a", ts=1, dur=2, tid=7),
            event("elsewhere", ts=5, dur=10, tid=8),
        ],
    )
    place = {one.name: native.tracks[one.track].uuid for one in native.of_source()}
    assert place["a"] == place["c"] == place["inside a"] != place["b"]
    assert done.further_lanes == 1 and done.cut == 0


def test_what_touches_or_is_equal_nests(tmp_path: Path) -> None:
    native, done = check(
        tmp_path,
        [
            event("first", ts=0, dur=5),
            event("second", ts=5, dur=5),
            event("outer", ts=10, dur=5),
            event("same", ts=10, dur=5),
            event("empty at start", ts=10, dur=0),
            event("empty at end", ts=15, dur=0),
            event("empty too", ts=15, dur=0),
            event("last", ts=15, dur=1),
        ],
    )
    depth = {one.name: one.depth for one in native.of_source()}
    assert done.further_lanes == 0
    assert depth == {
        **dict.fromkeys(["first", "second", "outer", "last"], 0),
        **{"same": 1, "empty at start": 2, "empty at end": 1, "empty too": 1},
    }


def test_begin_and_end_events_are_slices_with_arguments(tmp_path: Path) -> None:
    begin = {"ph": "B", "cat": "cpu_op", "name": "op", "pid": 1, "tid": 1, "ts": 1}
    inner = {**begin, "name": "inner", "ts": 2, "args": {"x": 1}}
    end = {"ph": "E", "pid": 1, "tid": 1}
    events = [
        event("whole", ts=0, dur=9, args={"y": 2}),
        {**begin, "args": {"Input Dims": [[1]]}},
        inner,
        {**end, "ts": 3},
        {**end, "ts": 4},
    ]
    native, _ = export(tmp_path, events)
    found = {one.name: (one.args, one.end - one.start) for one in native.of_source()}
    assert found == {
        "whole": ({"y": 2}, 9000),
        "op": ({"Input Dims": [[1]]}, 3000),
        "inner": ({"x": 1}, 1000),
    }


def test_counters_of_the_source_are_counters(tmp_path: Path) -> None:
    one = {"ph": "C", "name": "load", "pid": 1}
    events = [
        event(),
        {**one, "ts": -5, "args": {"value": 1}},
        {**one, "ts": 2.5, "args": {"value": -3}},
        {"ph": "C", "name": "two", "pid": "host", "ts": 1, "args": {"a": 0.5, "b": 7, "c": "no"}},
    ]
    native, done = export(tmp_path, events)
    values = {track.name: track.values for track in native.tracks.values() if track.is_counter}
    assert values["load"] == [(0, 1), (7500, -3)]
    assert values["two a"] == [(6000, 0.5)]
    assert values["two b"] == [(6000, 7)]
    assert done.counters == {"load": 2, "two a": 1, "two b": 1}
    # What lies before the first slice takes nothing from its time.
    assert native.export["origin_ns"] == "-5000"
    assert next(iter(native.of_source())).start == 5000


def test_flows_name_forward_and_backward(tmp_path: Path) -> None:
    forward = {"Sequence number": 5, "Fwd thread id": 0}
    backward = {"Sequence number": 5, "Fwd thread id": 1}
    native, done = check(
        tmp_path,
        [
            event("aten::mm", ts=0, dur=4, args=forward),
            launch(3, ts=1, dur=1),
            kernel(3, ts=2, dur=10),
            event("MmBackward0", ts=20, dur=5, tid=2, args=backward),
            event("aten::t", ts=21, dur=1, tid=2),
        ],
    )
    first = {flow: one.name for one in native.of_source() for flow in one.begins}
    last = {flow: one.name for one in native.of_source() for flow in one.ends}
    assert {(first[flow], last[flow], flow % 4) for flow in first} == {
        ("cudaLaunchKernel", "gemm", 1),
        ("aten::mm", "MmBackward0", 2),
    }
    assert done.flows == {"launch": 1, "backward": 1}


def test_a_kernel_before_its_launch_keeps_time_in_order(tmp_path: Path) -> None:
    native, _ = check(tmp_path, [launch(3, ts=5, dur=1), kernel(3, ts=4, dur=1)])
    kernels = [one for one in native.of_source() if one.name == "gemm"]
    launches = [one for one in native.of_source() if one.name != "gemm"]
    assert kernels[0].begins == launches[0].ends != []


ODD = [
    {},
    {"a": None, "b": True, "c": False},
    {"a": 2**63 - 1, "b": -(2**63), "c": 2**63, "d": 10**30},
    {"a": 1.0, "b": -0.5, "c": 1e300, "d": 5e-324},
    {"a": "", "b": "[1]", "c": "null", "d": '"quoted"', "e": "12", "f": "-7", "g": "{"},
    {"a": "12a", "b": "nullable", "c": " [", "d": "é\u2028\\ \n\t", "e": "1.5", "f": "true"},
    {"a": [], "b": {}, "c": [[1, [2.5, None]], {"x": "y"}], "d": [""]},
    {"": 1, "with space": 2, "é": 3, "a.b[0]": 4},
    {"long": "x" * 5000, "again": "x" * 5000},
]


def test_arguments_of_any_kind_are_kept(tmp_path: Path) -> None:
    check(tmp_path, [event(ts=place, args=args) for place, args in enumerate(ODD)])


def test_an_argument_may_change_its_type_and_come_late(tmp_path: Path) -> None:
    args: Events = [{"n": place} for place in range(200)]
    args += [{"n": 0.5}, {"n": 7}, {"n": None}, {"m": 1}, {"n": "text"}, {"n": [3]}, {"n": 10**25}]
    args += [{f"key {place}": place for place in range(400)}]
    check(tmp_path, [event(ts=place, args=one) for place, one in enumerate(args)])


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(["[", "null", "1", "-", "-0", '"', "{}", "01", "nullx"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=3), inner),
    max_leaves=6,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from("abcd"), values, max_size=4), min_size=1))
def test_arguments_survive_whatever_they_are(tmp_path: Path, args: Events) -> None:
    native, _ = export(tmp_path, [event(ts=place, args=one) for place, one in enumerate(args)])
    found = sorted(native.of_source(), key=lambda one: one.start)
    expected = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    dumped = [json.dumps(one.args, sort_keys=True) for one in found]
    assert dumped == [json.dumps(one["args"], sort_keys=True) for one in expected]


intervals = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6), st.integers(0, 1)))


@settings(max_examples=300)
@given(intervals)
def test_lanes_nest_and_the_stream_closes_what_it_opened(
    listed: list[tuple[int, int, int]],
) -> None:
    start = np.array([one[0] for one in listed], dtype=np.int64)
    end = start + np.array([one[1] for one in listed], dtype=np.int64)
    track = np.array([one[2] for one in listed], dtype=np.int32)
    lane, kept, cut = lanes(track, start, end)
    assert cut == 0 and (kept == end).all()
    stacks: dict[tuple[int, int], list[int]] = {}
    now, closed = 0, []
    for entry in stream(start, end, len(start)).tolist():
        row = ~entry if entry < 0 else entry
        stack = stacks.setdefault((int(track[row]), int(lane[row])), [])
        time = int(end[row] if entry < 0 else start[row])
        assert time >= now
        now = time
        if entry < 0:
            assert end[stack.pop()] == time
            closed.append(row)
        else:
            stack.append(row)
    assert sorted(closed) == list(range(len(listed)))
    assert not any(stacks.values())


def test_no_more_tracks_than_can_be_shown(tmp_path: Path) -> None:
    """A hostile file in which every slice intersects every other one."""
    count = MOST_LANES + 50
    native, done = export(tmp_path, [event(ts=place, dur=1000) for place in range(count)])
    assert done.cut == 50
    assert len(native.of_source()) == count
    assert len({one.track for one in native.of_source()}) == MOST_LANES


def test_damage_is_mended_or_left_out_as_in_reading(tmp_path: Path) -> None:
    text = document([event("kept", ts=1, args={"x": 1}), event("mended", ts=2, args={"y": 2})])
    text = text.replace(b'"y": 2', b'"y": NaN, "z": "a\\c"')
    text = text.replace(b"]}", b', {"ph": "X", "name": "broken", "ts": }, {"ph": "X", "ts": 3}]}')
    native, done = export(tmp_path, text)
    found = {one.name: one.args for one in native.of_source()}
    assert found == {"kept": {"x": 1}, "mended": {"y": None, "z": "a\\c"}, "": {}}
    assert done.repaired == {"number": 1, "escape": 1}


def test_a_cut_off_file_is_exported_as_far_as_it_goes(tmp_path: Path) -> None:
    text = document([event(f"op {place}", ts=place, args={"n": place}) for place in range(2000)])
    native, _ = export(tmp_path, text[: len(text) // 2])
    found = sorted(native.of_source(), key=lambda one: one.start)
    assert len(found) > 900
    assert [one.args["n"] for one in found] == list(range(len(found)))


def test_an_empty_trace_is_exported(tmp_path: Path) -> None:
    native, done = export(tmp_path, [])
    assert native.of_source() == []
    assert done.slices == 0 and done.derived == {}


def test_times_of_an_epoch_stay_exact(tmp_path: Path) -> None:
    data = document([]).replace(
        b"[]", b'[{"ph":"X","name":"a","cat":"cpu_op","pid":1,"tid":1,'
        b'"ts":1700000000000000.123,"dur":0.007}]',
    )  # fmt: skip
    native, _ = export(tmp_path, data)
    assert native.epoch_ns == 1700000000000000123
    (one,) = native.of_source()
    assert (one.start, one.end) == (0, 7)


def test_a_source_that_changed_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    source = tmp_path / "trace.json"
    source.write_bytes(document([event(ts=1), event(ts=2)]))
    trace = load(source)
    source.write_bytes(document([event(ts=1), event(ts=3)]))
    with pytest.raises(TraceError, match="changed while it was read"):
        export_perfetto(trace, str(tmp_path / "out.pftrace"))
    source.unlink()
    with pytest.raises(TraceError, match="no such file"):
        export_perfetto(trace, str(tmp_path / "out.pftrace"))
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = tmp_path / "trace.json", tmp_path / "out.pftrace"
    source.write_bytes(document([event()]))
    out.write_bytes(b"before")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(writing, "pack", fail)
    with pytest.raises(OSError, match="disk full"):
        export_perfetto(load(source), str(out))
    assert out.read_bytes() == b"before"
    assert {path.name for path in tmp_path.iterdir()} == {"trace.json", "out.pftrace"}


def test_gzip_on_request(tmp_path: Path) -> None:
    source, out = tmp_path / "trace.json", tmp_path / "out.pftrace.gz"
    source.write_bytes(document([event(args={"x": 1})]))
    export_perfetto(load(source), str(out))
    assert out.read_bytes()[:2] == b"\x1f\x8b"
    assert Counter(one.name for one in read(out).of_source()) == {"aten::mm": 1}


def test_asynchronous_events_are_slices_beside_the_threads(tmp_path: Path) -> None:
    """They nest by their ids, may overlap others, and are no rows of what reads them back."""

    def one(phase: str, ts: float, name: str, own: int | str, **more: Any) -> dict[str, Any]:
        return {"ph": phase, "cat": "request", "name": name, "pid": 1, "id": own, "ts": ts, **more}

    source = tmp_path / "trace.json"
    native, done = check(
        tmp_path,
        [
            event(ts=3, dur=20),
            one("b", 1, "prefill", 7, args={"tokens": 512, "text": "[1"}),
            one("b", 4, "chunk", 7),
            one("b", 5, "prefill", "0x8"),
            one("e", 6, "chunk", 7),
            one("n", 7, "first token", "0x8", args={"id": 3}),
            one("e", 9, "prefill", 7, args={"ok": True}),
            one("b", 9, "decode", 7),
            one("e", 12, "prefill", "0x8"),
            one("e", 13, "nothing", 9),
            {"ph": "i", "name": "mark", "pid": 1, "tid": 1, "ts": 8, "s": "t", "args": {"m": 1}},
        ],
    )
    origin = int(native.export["origin_ns"])
    shown = {
        (slice_.name, slice_.start + origin, slice_.end + origin, json.dumps(slice_.args))
        for slice_ in native.derived("request")
    }
    assert shown == {
        ("prefill", 1_000, 9_000, '{"tokens": 512, "text": "[1"}'),
        ("chunk", 4_000, 6_000, "{}"),
        ("prefill", 5_000, 12_000, "{}"),
        ("first token", 7_000, 7_000, '{"id": 3}'),
        ("decode", 9_000, 23_000, "{}"),
    }
    assert {slice_.category for slice_ in native.derived("request")} == {"request"}
    assert origin == 1_000
    assert (done.asynchronous, done.unpaired, done.left_out) == (5, 2, {"arguments of e": 1})
    again = load(tmp_path / "trace.pftrace")
    assert len(again.events) == 1
    assert again.base_ns == load(source).base_ns
