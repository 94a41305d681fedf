"""Properties that hold for any trace: what was written is what is read, however it is cut."""

from __future__ import annotations

import gzip
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genscope.trace import Trace, TraceError, blocks, load
from genscope.trace.nest import Nest
from tests.trace.support import Event

texts = st.text(max_size=12) | st.sampled_from(
    [
        'a "}, {" b',
        '}, {"name": "x", "ph": "X"',
        "[",
        "]",
        "\\",
        "a\\u0041",
        "NaN",
        "\x00\x1f",
        "é😀",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
CATEGORIES = (
    "cpu_op", "user_annotation", "python_function", "cuda_runtime", "kernel", "gpu_memcpy",
    "gpu_memset", "Trace", "overhead", "odd",
)  # fmt: skip
microseconds = st.integers(0, 10**7).map(lambda ns: f"{ns // 1000}.{ns % 1000:03d}")
epochs = st.integers(0, 10**7).map(lambda ns: f"{1712195495406752 + ns // 1000}.{ns % 1000:03d}")


@st.composite
def slices(draw: st.DrawFn, starts: st.SearchStrategy[str]) -> Event:
    """An event with times as text between marks, which `bare` takes away."""
    args = draw(st.dictionaries(texts, values, max_size=2))
    known = ("correlation", "External id", "external id", "Sequence number", "Fwd thread id")
    for name in (*known, "device", "Input Dims", "Input dims", "Input type", "Concrete Inputs"):
        args.pop(name, None)
    if draw(st.booleans()):
        args["correlation"] = draw(st.integers(0, 9))
    if draw(st.booleans()):
        args["External id"] = draw(st.integers(0, 2**40))
    if draw(st.booleans()):
        args["Input Dims"] = draw(st.lists(st.lists(st.integers(0, 9), max_size=3), max_size=3))
    return {
        "ph": "X",
        "cat": draw(st.sampled_from(CATEGORIES)),
        "name": draw(texts),
        "pid": draw(st.integers(0, 3)),
        "tid": draw(st.integers(0, 3)),
        "ts": f"@@{draw(starts)}@@",
        "dur": f"@@{draw(microseconds)}@@",
        "args": args,
    }


traces = st.lists(slices(microseconds), max_size=12) | st.lists(slices(epochs), max_size=12)


def bare(text: str) -> str:
    """Times as numbers: JSON text keeps their digits, floats would not."""
    return re.sub(r'"@@(\d+\.\d+)@@"', r"\1", text)


@st.composite
def written(draw: st.DrawFn) -> tuple[list[Event], bytes]:
    """A trace and one of the ways to write it."""
    events = draw(traces)
    ordered = [dict(draw(st.permutations(list(event.items())))) for event in events]
    comma, colon = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")]))
    text = json.dumps(
        ordered,
        separators=(comma, colon),
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, None, 1])),
    )
    text = bare(text)
    before = draw(st.dictionaries(texts, values, max_size=2))
    after = draw(st.dictionaries(texts, values, max_size=2))
    for members in (before, after):
        for name in ("traceEvents", "baseTimeNanoseconds", "distributedInfo", "deviceProperties"):
            members.pop(name, None)
    if events and draw(st.booleans()):
        whole = text
    else:
        inside = [json.dumps(before)[1:-1], f'"traceEvents": {text}', json.dumps(after)[1:-1]]
        whole = "{" + ", ".join(part for part in inside if part) + "}"
    data = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"])) + whole.encode("utf-8", "ignore")
    return events, gzip.compress(data) if draw(st.booleans()) else data


def load_bytes(data: bytes, block_bytes: int | None = None) -> Trace:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if block_bytes is not None:
            patch.setattr(blocks, "BLOCK_BYTES", block_bytes)
        path = Path(folder) / "trace.json"
        path.write_bytes(data)
        return load(path)


def nanoseconds(text: str) -> int:
    whole, part = text.strip("@").split(".")
    return int(whole) * 1000 + int(part)


def as_utf8(text: str) -> str:
    """What is left of a name in UTF-8: half a surrogate pair is no character."""
    return text.encode("utf-8", "ignore").decode()


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(written(), st.sampled_from([None, None, 16, 64, 200]))
def test_what_was_written_is_read(
    trace_and_text: tuple[list[Event], bytes], block_bytes: int | None
) -> None:
    events, data = trace_and_text
    trace = load_bytes(data, block_bytes)
    assert [trace.name_of(row) for row in range(len(trace.events))] == [
        as_utf8(event["name"]) for event in events
    ]
    assert [start + trace.base_ns for start in trace.events.start_ns.tolist()] == [
        nanoseconds(event["ts"]) for event in events
    ]
    assert trace.events.dur_ns.tolist() == [nanoseconds(event["dur"]) for event in events]
    tracks = [trace.tracks[track] for track in trace.events.track.tolist()]
    assert [(one.process, one.thread) for one in tracks] == [
        (event["pid"], event["tid"]) for event in events
    ]
    for row, event in enumerate(events):
        if event["cat"] in ("cpu_op", "cuda_runtime", "kernel"):
            args = event["args"]
            assert trace.events.correlation[row] == args.get("correlation", -1)
            assert trace.events.external_id[row] == args.get("External id", -1)
            dims = int(trace.events.dims[row])
            assert (json.loads(trace.strings[dims]) if dims >= 0 else None) == args.get(
                "Input Dims"
            )
    expected = {f"X/{category}" for category in {event["cat"] for event in events}}
    assert set(trace.counts) == expected


def columns(trace: Trace) -> dict[str, Any]:
    """Everything of a trace that does not depend on where blocks were cut."""
    strings = trace.strings
    found: dict[str, Any] = {
        name: getattr(trace.events, name).tolist()
        for name in trace.events.__slots__
        if name not in ("name", "dims", "types", "inputs", "track")
    }
    for name in ("name", "dims", "types", "inputs"):
        indices = getattr(trace.events, name).tolist()
        found[name] = [strings[index] if index >= 0 else None for index in indices]
    found["track"] = [trace.tracks[track] for track in trace.events.track.tolist()]
    for name in trace.links.__slots__:
        found[name] = getattr(trace.links, name).tolist()
    found["counts"] = dict(trace.counts)
    found["metadata"] = trace.metadata
    found["codes"] = {warning.code: warning.count for warning in trace.warnings}
    return found


DAMAGE = ("none", "escape", "control", "number", "cut", "type")


def damaged(data: bytes, kind: str, place: int) -> bytes:
    """Break one thing near the `place`th event without touching its brackets."""
    at = -1
    for _ in range(place + 1):
        found = data.find(b'"name": "', at + 1)
        if found < 0:
            break
        at = found
    behind = at + len(b'"name": "')
    broken = {
        "none": data,
        "escape": data[:behind] + b"\\c" + data[behind:],
        "control": data[:behind] + b"\x01\n" + data[behind:],
        "number": data[:at] + b'"x": NaN, ' + data[at:],
        "type": data[:at] + b'"args": [1], ' + data[at:],
        "cut": data[: behind + 40],
    }
    return broken[kind] if at >= 0 else data


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(slices(microseconds), min_size=1, max_size=12),
    st.sampled_from(DAMAGE),
    st.integers(0, 11),
    st.sampled_from([1, 7, 16, 33, 64, 150, 400, 1000]),
)
def test_where_blocks_are_cut_changes_nothing(
    events: list[Event], kind: str, place: int, block_bytes: int
) -> None:
    text = json.dumps({"a": 1, "traceEvents": events, "b": {"c": [1]}})
    data = damaged(bare(text).encode(), kind, place)
    assert columns(load_bytes(data, block_bytes)) == columns(load_bytes(data))


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=200)
    | st.binary(max_size=100).map(lambda data: b'{"traceEvents": [' + data)
    | st.binary(max_size=100).map(lambda data: b'[{"ph": "X", "ts": 1},' + data + b"]")
    | st.binary(max_size=100).map(lambda data: gzip.compress(data))
    | st.binary(max_size=100).map(lambda data: gzip.compress(b'{"traceEvents": [')[:20] + data)
)
def test_bytes_give_a_trace_or_a_trace_error(data: bytes) -> None:
    try:
        load_bytes(data)
    except TraceError as error:
        assert "\n" not in str(error)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(
            ["ph", "cat", "name", "pid", "tid", "ts", "dur", "id", "args", "traceEvents", "x"]
        ),
        values,
    )
    | values,
    st.booleans(),
    st.sampled_from([None, 8, 50]),
)
def test_json_gives_a_trace_or_a_trace_error(
    value: Any, as_event: bool, block_bytes: int | None
) -> None:
    document = {"traceEvents": [value, {"ph": "X", "ts": 1, "dur": 1}]} if as_event else value
    try:
        trace = load_bytes(json.dumps(document).encode(), block_bytes)
    except TraceError:
        assert not as_event
    else:
        assert not as_event or len(trace.events) >= 1


spans = st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 8))


def on_columns(listed: list[tuple[int, int, int]]) -> tuple[Any, Any, Any]:
    table = np.array(listed, dtype=np.int64).reshape(-1, 3)
    return table[:, 0].astype(np.int32), table[:, 1], table[:, 1] + table[:, 2]


def naive_stacks(
    listed: list[tuple[int, int, int]],
) -> dict[int, list[tuple[int, int, int, int]]]:
    """The intervals of each track in the order in which a call stack sees them."""
    lanes: dict[int, list[tuple[int, int, int, int]]] = {}
    for row, (track, start, length) in enumerate(listed):
        lanes.setdefault(track, []).append((start, -length, row, start + length))
    return {track: sorted(lane) for track, lane in lanes.items()}


def naive_innermost(lane: list[tuple[int, int, int, int]], time: int, stop: int) -> int:
    """Row of the innermost open one among the first `stop` of a lane, by replaying it."""
    stack: list[tuple[int, int]] = []
    for start, _, row, end in lane[:stop]:
        if start > time:
            break
        while stack and stack[-1][1] <= start:
            stack.pop()
        stack.append((row, end))
    while stack and stack[-1][1] <= time:
        stack.pop()
    return stack[-1][0] if stack else -1


@settings(deadline=None, max_examples=300)
@given(st.lists(spans, max_size=14), st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 30))))
def test_nest_is_a_call_stack(
    listed: list[tuple[int, int, int]], points: list[tuple[int, int]]
) -> None:
    track, start, end = on_columns(listed)
    nest = Nest(np.arange(len(listed)), track, start, end)
    lanes = naive_stacks(listed)
    rows, outer = nest.parents()
    for row, around in zip(rows.tolist(), outer.tolist(), strict=True):
        lane = lanes[listed[row][0]]
        place = [entry[2] for entry in lane].index(row)
        assert around == naive_innermost(lane, lane[place][0], place)
    table = np.array(points, dtype=np.int64).reshape(-1, 2)
    found = nest.enclosing(table[:, 0].astype(np.int32), table[:, 1])
    for (lane_number, time), row in zip(points, found.tolist(), strict=True):
        lane = lanes.get(lane_number, [])
        assert row == naive_innermost(lane, time, len(lane))
