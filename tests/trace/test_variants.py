"""The forms in which producers write traces: all of them give the same columns."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from genscope.trace import Kind
from tests.trace.support import (
    codes,
    document,
    durations,
    event,
    kernel,
    kinds,
    launch,
    linked,
    names,
    read,
    row_of,
    starts,
)

EVENTS = [
    event("aten::mm", ts=10, dur=30),
    launch(5, ts=12, dur=2),
    kernel(5, ts=50, dur=7),
]
METADATA_EVENT = {
    "ph": "M", "name": "process_name", "pid": 1, "tid": 0, "ts": 0, "args": {"name": "python"},
}  # fmt: skip


def wrapped(before: str = "", after: str = "") -> bytes:
    return f'{{{before}"traceEvents": {json.dumps(EVENTS)}{after}}}'.encode()


FORMS = {
    "object": wrapped(),
    "compact": json.dumps({"traceEvents": EVENTS}, separators=(",", ":")).encode(),
    "indented": json.dumps({"traceEvents": EVENTS}, indent=2).encode(),
    "indented-crlf": json.dumps({"traceEvents": EVENTS}, indent=2).replace("\n", "\r\n").encode(),
    "bare list": json.dumps(EVENTS).encode(),
    "bare list, not closed": json.dumps(EVENTS).encode()[:-1],
    "bare list, not closed, comma": json.dumps(EVENTS).encode()[:-1] + b",\n",
    "trailing comma": b'{"traceEvents": [' + json.dumps(EVENTS).encode()[1:-1] + b",\n]}",
    "byte order mark": b"\xef\xbb\xbf" + wrapped(),
    "byte order mark, bare list": b"\xef\xbb\xbf" + json.dumps(EVENTS).encode(),
    "leading space": b" \n\t " + wrapped(),
    "trailing space": wrapped() + b"\n \n",
    "metadata before": wrapped(before='"a": [1, {"b": "]}"}], "schemaVersion": 1, "c": null,'),
    "metadata after": wrapped(after=', "a": {"traceEvents": [1]}, "b": "]}{", "c": 1.5e3'),
    "gzip": gzip.compress(wrapped()),
    "gzip members": gzip.compress(wrapped()[:60]) + gzip.compress(wrapped()[60:]),
    "gzip, zeros behind": gzip.compress(wrapped()) + bytes(512),
}


@pytest.mark.parametrize("form", FORMS)
def test_form_of_the_file(form: str, tmp_path: Path) -> None:
    trace = read(tmp_path, FORMS[form])
    assert names(trace) == ["aten::mm", "cudaLaunchKernel", "gemm"]
    assert kinds(trace) == [Kind.CPU_OP, Kind.RUNTIME, Kind.KERNEL]
    assert starts(trace) == [10_000, 12_000, 50_000]
    assert durations(trace) == [30_000, 2_000, 7_000]
    assert linked(trace, "op", "gemm") == "aten::mm"
    assert codes(trace) == {}


def test_metadata_of_both_sides_is_kept(tmp_path: Path) -> None:
    data = wrapped(
        before='"distributedInfo": {"rank": 3, "world_size": 8}, "text": "a\\"]}",',
        after=', "deviceProperties": [{"id": 0, "name": "H100", "numSms": 132}], "n": [1, 2]',
    )
    trace = read(tmp_path, data)
    assert (trace.rank, trace.world_size) == (3, 8)
    assert trace.metadata["text"] == 'a"]}'
    assert trace.metadata["n"] == [1, 2]
    (device,) = trace.devices
    assert (device.index, device.name, device.properties["numSms"]) == (0, "H100", 132)


def test_metadata_of_the_wrong_type_is_no_obstacle(tmp_path: Path) -> None:
    data = wrapped(
        before='"distributedInfo": [7], "deviceProperties": {"id": 0},'
        '"baseTimeNanoseconds": "soon", "traceName": {},'
    )
    trace = read(tmp_path, data)
    assert (trace.rank, trace.world_size, list(trace.devices)) == (None, None, [])
    assert starts(trace)[0] == 10_000


def test_the_list_of_events_may_be_the_second_of_its_name(tmp_path: Path) -> None:
    trace = read(
        tmp_path, b'{"traceEvents": null, "traceEvents": ' + json.dumps(EVENTS).encode() + b"}"
    )
    assert len(trace.events) == 3


@pytest.mark.parametrize(
    ("written", "nanoseconds"),
    [
        ("0", 0),
        ("17", 17_000),
        ("17.5", 17_500),
        ("17.123", 17_123),
        ("17.1239", 17_124),
        ("1.7e1", 17_000),
        ('"17.25"', 17_250),
        ('"17"', 17_000),
        ("4294967296.789", 4_294_967_296_789),
        ("1712195495406752", 1_712_195_495_406_752_000),
        ("1712195495406752.797", 1_712_195_495_406_752_797),
        ("1712195495406752.001", 1_712_195_495_406_752_001),
        ("1712195495406752.7", 1_712_195_495_406_752_700),
        ('"1712195495406752.797"', 1_712_195_495_406_752_797),
        ("-3.5", -3_500),
    ],
)
@pytest.mark.parametrize("damaged", [False, True])
def test_starts_are_exact_to_the_nanosecond(
    written: str, nanoseconds: int, damaged: bool, tmp_path: Path
) -> None:
    # A damaged neighbour has its block read in another way, which must be as exact.
    other = '{"ph": "X", "name": "\\c", "ts": 1}' if damaged else METADATA_EVENT_TEXT
    data = f'[{{"ph": "X", "name": "a", "pid": 1, "tid": 1, "ts": {written}, "dur": 1}}, {other}]'
    trace = read(tmp_path, data.encode())
    assert starts(trace)[0] == nanoseconds
    cut = read(tmp_path, data.encode()[:-3])
    assert starts(cut)[0] == nanoseconds


METADATA_EVENT_TEXT = json.dumps(METADATA_EVENT)


def test_one_epoch_start_among_small_ones_is_exact(tmp_path: Path) -> None:
    # More than a block, so that most of it is read the fast way.
    small = [event(f"op{n}", ts=n) for n in range(8000)]
    data = document(small).replace(b'"ts": 77,', b'"ts": 1712195495406752.797,')
    trace = read(tmp_path, data)
    assert starts(trace)[77] == 1_712_195_495_406_752_797


def test_durations_are_exact_to_the_nanosecond(tmp_path: Path) -> None:
    written = ["0.001", "2.5", "578888.534", "86400000000.123", '"3.25"', "12"]
    data = ",".join(
        f'{{"ph": "X", "name": "a", "pid": 1, "tid": 1, "ts": 1712195495406752.5, "dur": {dur}}}'
        for dur in written
    )
    trace = read(tmp_path, f"[{data}]".encode())
    assert durations(trace) == [1, 2_500, 578_888_534, 86_400_000_000_123, 3_250, 12_000]


@pytest.mark.parametrize("base", ["1712195495000000000", '"1712195495000000000"'])
def test_base_time_is_added_to_relative_starts(base: str, tmp_path: Path) -> None:
    data = wrapped(after=f', "baseTimeNanoseconds": {base}')
    trace = read(tmp_path, data)
    assert trace.base_ns == 1_712_195_495_000_010_000
    assert trace.events.start_ns.tolist() == [0, 2_000, 40_000]


def test_base_time_is_not_added_to_starts_since_the_epoch(tmp_path: Path) -> None:
    one = event(ts=1712195495406752)
    trace = read(tmp_path, document([one], baseTimeNanoseconds=1712195495000000000))
    assert trace.base_ns == 1_712_195_495_406_752_000


def test_names_of_2021(tmp_path: Path) -> None:
    """Operator, Runtime and Kernel, string thread ids, other spellings of the arguments."""
    events = [
        event("ProfilerStep#2", cat="Operator", ts=0, dur=100, tid="123", args={"external id": 1}),
        event(
            "aten::conv2d", cat="Operator", ts=5, dur=40, tid="123",
            args={"external id": 2, "Input dims": [[1, 2]], "Input type": ["float"]},
        ),
        event(
            "cudaLaunchKernel", cat="Runtime", ts=7, dur=2, tid="123",
            args={"correlation": 9, "external id": 2},
        ),
        event(
            "implicit_gemm", cat="Kernel", ts=20, dur=4, pid=0, tid="stream 7",
            args={"correlation": 9, "external id": 2, "device": 0, "stream": 7},
        ),
        event("Memcpy HtoD", cat="Memcpy", ts=30, dur=5, pid=0, tid="stream 7", args={}),
        event("Memset", cat="Memset", ts=40, dur=6, pid=0, tid="stream 7", args={}),
    ]  # fmt: skip
    trace = read(tmp_path, events)
    assert kinds(trace) == [
        Kind.ANNOTATION, Kind.CPU_OP, Kind.RUNTIME, Kind.KERNEL, Kind.MEMCPY, Kind.MEMSET,
    ]  # fmt: skip
    assert linked(trace, "op", "implicit_gemm") == "aten::conv2d"
    assert linked(trace, "annotation", "implicit_gemm") == "ProfilerStep#2"
    op = row_of(trace, "aten::conv2d")
    assert json.loads(trace.strings[trace.events.dims[op]]) == [[1, 2]]
    assert trace.events.external_id[op] == 2
    assert {track.thread for track in trace.tracks} == {123, "stream 7"}


def test_thread_ids_in_quotes_are_the_same_thread(tmp_path: Path) -> None:
    events = [
        event("aten::mm", ts=0, dur=10, tid="123", pid="1"),
        launch(3, ts=2, tid=123),
        kernel(3, ts=20),
    ]
    assert linked(read(tmp_path, events), "op", "gemm") == "aten::mm"


def test_stream_0_of_rocm_is_a_stream(tmp_path: Path) -> None:
    events = [
        event("aten::mm", ts=0, dur=10),
        launch(3, name="hipLaunchKernel", ts=2),
        kernel(3, name="Cijk_Alik", ts=20, dur=5, stream=0, device=2),
        kernel(0, name="ncclDevKernel", ts=30, dur=7, stream=0, device=2),
        kernel(4, name="__amd_rocclr_copyBuffer", ts=50, dur=1, stream=0, device=2),
    ]
    trace = read(tmp_path, events)
    assert int(trace.events.is_device.sum()) == 3
    assert trace.events.device.tolist()[2:] == [2, 2, 2]
    assert linked(trace, "launch", "Cijk_Alik") == "hipLaunchKernel"
    assert linked(trace, "launch", "ncclDevKernel") is None


def test_a_stream_argument_makes_no_device_event(tmp_path: Path) -> None:
    """torch.compile writes `stream` into the arguments of its CPU ops."""
    trace = read(tmp_path, [event("triton_poi_fused_add", args={"stream": 0, "device": 0})])
    assert kinds(trace) == [Kind.CPU_OP]
    assert not trace.has_device


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ("cpu_op", Kind.CPU_OP),
        ("Operator", Kind.CPU_OP),
        ("user_annotation", Kind.ANNOTATION),
        ("gpu_user_annotation", Kind.DEVICE_ANNOTATION),
        ("python_function", Kind.PYTHON),
        ("cuda_driver", Kind.RUNTIME),
        ("hip_runtime", Kind.RUNTIME),
        ("gpu_memcpy", Kind.MEMCPY),
        ("gpu_memset", Kind.MEMSET),
        ("Trace", Kind.TRACE),
        ("overhead", Kind.OVERHEAD),
        ("something new", Kind.OTHER),
        ("", Kind.OTHER),
    ],
)
def test_kind_of_a_category(category: str, kind: Kind, tmp_path: Path) -> None:
    assert kinds(read(tmp_path, [event(cat=category)])) == [kind]


def test_cpu_only(tmp_path: Path) -> None:
    trace = read(tmp_path, [event("aten::mm"), event("aten::add", ts=5)])
    assert not trace.has_device
    assert codes(trace) == {}


def test_gpu_only(tmp_path: Path) -> None:
    trace = read(tmp_path, [kernel(1, ts=3), kernel(2, name="other", ts=9)])
    assert trace.has_device
    assert trace.links.launch.tolist() == [-1, -1]
    assert trace.links.op.tolist() == [-1, -1]


def test_begin_and_end_events_are_slices(tmp_path: Path) -> None:
    def mark(phase: str, ts: int, **fields: object) -> dict[str, object]:
        return {"ph": phase, "cat": "cpu_op", "pid": 1, "tid": 1, "ts": ts, **fields}

    events = [
        mark("B", 0, name="outer", args={"Sequence number": 4}),
        mark("B", 2, name="inner"),
        mark("E", 5),
        mark("E", 9),
        {**mark("B", 1, name="elsewhere"), "tid": 2},
        {**mark("E", 3), "tid": 2},
    ]
    trace = read(tmp_path, events)
    assert names(trace) == ["outer", "inner", "elsewhere"]
    assert durations(trace) == [9_000, 3_000, 2_000]
    assert linked(trace, "parent", "inner") == "outer"
    assert trace.events.sequence.tolist() == [4, -1, -1]
    assert codes(trace) == {}


def test_begin_and_end_without_partner(tmp_path: Path) -> None:
    events = [
        {"ph": "E", "cat": "cpu_op", "pid": 1, "tid": 1, "ts": 1},
        {"ph": "B", "cat": "cpu_op", "name": "open", "pid": 1, "tid": 1, "ts": 4},
        event("last", ts=6, dur=4, tid=2),
    ]
    trace = read(tmp_path, events)
    assert names(trace) == ["open", "last"]
    assert codes(trace) == {"unpaired": 2}
    assert durations(trace)[0] >= 2_000


def test_track_names_come_from_metadata_events(tmp_path: Path) -> None:
    named = {
        "ph": "M",
        "pid": 1,
        "tid": 7,
        "ts": 0,
        "name": "thread_name",
        "args": {"name": "main"},
    }
    trace = read(tmp_path, [event(tid=7), METADATA_EVENT, named])
    (track,) = trace.tracks
    assert (track.process, track.thread) == (1, 7)
    assert (track.process_name, track.thread_name) == ("python", "main")


def test_other_phases_are_counted_and_are_no_rows(tmp_path: Path) -> None:
    events = [
        event(),
        {"ph": "i", "s": "g", "name": "Record Window End", "pid": "", "tid": "", "ts": 5},
        {"ph": "s", "cat": "ac2g", "name": "ac2g", "id": 1, "pid": 1, "tid": 1, "ts": 5},
        {"ph": "C", "name": "memory", "pid": 1, "ts": 1, "args": {"bytes": 5}},
        {"ph": "?"},
        {},
    ]
    trace = read(tmp_path, events)
    assert len(trace.events) == 1
    assert trace.counts["X/cpu_op"] == 1
    assert trace.counts["i/"] == 1
    assert trace.counts["s/ac2g"] == 1
    assert codes(trace) == {}


def test_bytes_behind_a_gzip_member_are_said(tmp_path: Path) -> None:
    trace = read(tmp_path, gzip.compress(wrapped()) + b"signature")
    assert names(trace) == ["aten::mm", "cudaLaunchKernel", "gemm"]
    assert list(codes(trace)) == ["gzip_damaged"]
