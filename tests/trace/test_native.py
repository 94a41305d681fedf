"""Native Perfetto traces, whoever wrote them: the same columns as from JSON."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from genscope.trace import Kind, Limits, TraceError, Track, load
from tests.trace.protobuf import (
    Field,
    Fixed,
    begin,
    end,
    message,
    note,
    packet,
    process,
    thread,
    trace,
    track,
)
from tests.trace.support import codes, durations, kinds, linked, names, read, row_of, starts

BASE = [process(1, 5, "python"), thread(10, 5, 6, "main", 1)]
STREAM = track(20, "stream 7", 1)


def text(data: object) -> bytes:
    return json.dumps(data).encode()


def column(loaded: object, name: str, row: int) -> object:
    """What a text column has in a row."""
    index = int(getattr(loaded.events, name)[row])  # type: ignore[attr-defined]
    return None if index < 0 else json.loads(loaded.strings[index])  # type: ignore[attr-defined]


# Slices -----------------------------------------------------------------------------------------


def test_slices_with_their_tracks_and_kinds(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        trace([
            *BASE, STREAM,
            begin(100, "aten::mm"), begin(110, "inner"), end(120), end(150),
            begin(105, "cudaLaunchKernel", note("correlation", 4, 9), cat="cuda_runtime"), end(106),
            begin(200, "gemm", note("correlation", 3, 9), cat="kernel", on=20), end(260, on=20),
        ]),
    )  # fmt: skip
    assert names(found) == ["aten::mm", "inner", "cudaLaunchKernel", "gemm"]
    assert starts(found) == [100, 110, 105, 200]
    assert durations(found) == [50, 10, 1, 60]
    assert kinds(found) == [Kind.CPU_OP, Kind.CPU_OP, Kind.RUNTIME, Kind.KERNEL]
    assert found.tracks == [
        Track(process=5, thread=6, process_name="python", thread_name="main"),
        Track(process=5, thread="stream 7", process_name="python", thread_name="stream 7"),
    ]
    assert linked(found, "launch", "gemm") == "cudaLaunchKernel"
    assert linked(found, "parent", "inner") == "aten::mm"
    assert found.counts == {"X/cpu_op": 2, "X/cuda_runtime": 1, "X/kernel": 1}
    assert codes(found) == {}


def test_slices_that_begin_and_end_together(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        trace([
            *BASE,
            begin(1, "before"), end(5), begin(5, "outer"), begin(5, "inner"), begin(5, "nothing"),
            end(5), end(8), end(8), begin(8, "after"), end(9),
        ]),
    )  # fmt: skip
    assert names(found) == ["before", "outer", "inner", "nothing", "after"]
    assert durations(found) == [4, 3, 3, 0, 1]


def test_packets_in_another_order_than_time(tmp_path: Path) -> None:
    packets = [begin(10, "a"), begin(20, "b"), end(30), end(40), begin(50, "c"), end(60)]
    found = read(tmp_path, trace([*BASE, *packets[4:], *packets[:4]]))
    assert dict(zip(names(found), durations(found), strict=True)) == {"c": 10, "a": 30, "b": 10}


def test_what_has_no_partner_is_said(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        trace([*BASE, end(1), end(2), begin(5, "open"), begin(6, "a"), end(9), end(3, on=7)]),
    )
    assert names(found) == ["open", "a"]
    assert durations(found) == [4, 3]
    assert codes(found) == {"unpaired": 4}


def test_slices_that_overlap_on_tracks_of_one_name_are_one_track(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        trace([
            *BASE, STREAM, track(21, "stream 7", 1), track(30, "main", 10),
            begin(1, "a", on=20), begin(2, "b", on=21), end(3, on=20), end(4, on=21),
            begin(5, "c"), begin(6, "d", on=30), end(7), end(8, on=30),
        ]),
    )  # fmt: skip
    assert durations(found) == [2, 2, 2, 2]
    assert found.events.track.tolist() == [0, 0, 1, 1]
    assert found.tracks[1] == Track(5, 6, "python", "main")


def test_chrome_events_with_phases(tmp_path: Path) -> None:
    def legacy(ts: int, *fields: Field, name: str = "x") -> bytes:
        inner = message((23, name), (22, "cpu_op"), (6, message(*fields, (18, 3), (19, 4))))
        return packet((11, inner), ts=ts)

    found = read(
        tmp_path,
        trace([
            legacy(1000, (2, ord("X")), (3, 7), name="complete"),
            legacy(9000, (2, ord("B")), name="pair"), legacy(9500, (2, ord("E"))),
            legacy(9600, (2, ord("X")), (3, -5), name="negative"),
            legacy(9700, (2, ord("n"))),
        ]),
    )  # fmt: skip
    assert names(found) == ["complete", "pair", "negative"]
    assert durations(found) == [7000, 500, 0]
    assert found.tracks == [Track(3, 4)]
    assert codes(found) == {"negative_duration": 1}
    assert found.counts == {"X/cpu_op": 3, "n/": 1}


def test_old_times_in_the_events(tmp_path: Path) -> None:
    inner = message((1, 5), (2, 6), (5, "main"), (6, 1_000_000))
    relative = [(11, message((9, kind), (23, "a"), (22, "cpu_op"), (1, 10))) for kind in (1, 2)]
    absolute = (11, message((9, 1), (23, "b"), (22, "cpu_op"), (16, 7)))
    found = read(
        tmp_path,
        trace([packet((44, inner)), packet(relative[0]), packet(relative[1]), packet(absolute)]),
    )
    assert starts(found) == [1_000_010_000, 7_000]
    assert durations(found)[0] == 10_000
    assert found.tracks == [Track(5, 6, "", "main")]


# Interning, defaults and clocks -----------------------------------------------------------------


def interned(*entries: tuple[int, int, str], seq: int = 1, clear: bool = False) -> bytes:
    inner = message(*((kind, message((1, iid), (2, name))) for kind, iid, name in entries))
    return packet((12, inner), *([(13, 1)] if clear else []), seq=seq)


def test_interned_text_until_it_is_cleared_and_by_sequence(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        trace([
            *BASE, STREAM,
            interned((2, 1, "first"), (1, 1, "cpu_op"), (3, 1, "External id"), clear=True),
            interned((2, 1, "other writer"), (2, 1 << 40, "far"), (1, 1, "kernel"), seq=2),
            begin(1, 1, note(1, 4, 70), cat=1), end(2),
            begin(3, 1, cat=1, on=20, seq=2), end(4, on=20, seq=2),
            interned((2, 1, "second"), (1, 1, "user_annotation"), clear=True),
            begin(5, 1, note(1, 4, 71), cat=1), end(6),
            begin(7, 1 << 40, cat=1, on=20, seq=2), end(8, on=20, seq=2),
        ]),
    )  # fmt: skip
    assert names(found) == ["first", "other writer", "second", "far"]
    assert kinds(found) == [Kind.CPU_OP, Kind.KERNEL, Kind.ANNOTATION, Kind.KERNEL]
    # The name of the argument was forgotten as well.
    assert found.events.external_id.tolist() == [70, -1, -1, -1]


def test_default_track_and_default_clock_of_a_sequence(tmp_path: Path) -> None:
    defaults = message((11, message((11, 20))), (58, 64))
    snapshot = message(
        (1, message((1, 6), (2, 5000))),
        (1, message((1, 64), (2, 0), (3, 1), (4, 1000))),
        (1, message((1, 1), (2, 1_700_000_000_000_005_000))),
    )
    found = read(
        tmp_path,
        trace([
            *BASE, STREAM,
            packet((59, defaults), (6, snapshot), (13, 1)),
            begin(3, "a", on=None), end(2, on=None), begin(10, "b", on=None), end(1, on=None),
            begin(7000, "other sequence", seq=2), end(7500, seq=2),
        ]),
    )  # fmt: skip
    assert names(found) == ["a", "b", "other sequence"]
    # Microseconds since the packet before, from the snapshot on.
    assert found.events.start_ns.tolist() == [1000, 13000, 0]
    assert durations(found) == [2000, 1000, 500]
    assert found.base_ns == 1_700_000_000_000_007_000
    assert found.tracks[int(found.events.track[0])].thread == "stream 7"


def test_packets_of_another_clock_are_put_on_that_of_the_trace(tmp_path: Path) -> None:
    snapshot = message((1, message((1, 6), (2, 900))), (1, message((1, 3), (2, 100))))
    inner = (11, message((9, 1), (11, 10), (22, "cpu_op"), (23, "a")))
    found = read(
        tmp_path,
        trace([
            *BASE, packet((6, snapshot)), packet(inner, (58, 3), ts=150), end(1000),
        ]),
    )  # fmt: skip
    assert starts(found) == [950]
    assert durations(found) == [50]


# Arguments --------------------------------------------------------------------------------------

DIMS = [[2, 3], [], [[4], [5]]]


def nested(number: int, *entries: bytes) -> Field:
    """A debug annotation of entries: 11 for an object, 12 for a list."""
    return 4, message((10, "Input Dims"), *((number, entry) for entry in entries))


def listed(*values: int) -> bytes:
    return message(*((12, message((4, value))) for value in values))


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (note("Input Dims", 6, text(DIMS)), DIMS),
        (note("Input Dims", 9, text(DIMS)), DIMS),
        (note("Input Dims", 6, "not JSON ["), "not JSON ["),
        (nested(12, listed(2, 3), listed()), [[2, 3], None]),
        (nested(12, message((6, "x")), message((5, 0.5)), message((2, 1))), ["x", 0.5, True]),
        (nested(11, message((10, "a"), (4, -1))), {"a": -1}),
        (
            (4, message((10, "Input Dims"), (8, message((1, 2), (4, message((5, 7))))))),
            [7],
        ),
        # As the official writers order fields: by number, so the value before the name.
        ((4, message((6, text(DIMS)), (10, "Input Dims"))), DIMS),
    ],
    ids=["text", "json", "plain", "lists", "mixed", "object", "old lists", "value first"],
)  # fmt: skip
def test_shapes_however_they_are_written(
    annotation: Field, expected: object, tmp_path: Path
) -> None:
    found = read(tmp_path, trace([*BASE, begin(1, "aten::mm", annotation), end(2)]))
    assert column(found, "dims", 0) == expected


def test_numbers_however_they_are_written(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        trace([
            *BASE,
            begin(1, "a", note("External id", 3, 7), note("Sequence number", 4, 12)), end(2),
            begin(3, "b", note("External id", 5, 8.0), note("Fwd thread id", 6, "3")), end(4),
            begin(5, "c", note("External id", 6, "none"), note("Sequence number", 3, 2**63 - 1)),
            end(6),
        ]),
    )  # fmt: skip
    assert found.events.external_id.tolist() == [7, 8, -1]
    assert found.events.sequence.tolist() == [12, -1, 2**63 - 1]
    assert found.events.forward_thread.tolist() == [-1, 3, -1]


def test_a_slice_with_hundreds_of_arguments(tmp_path: Path) -> None:
    many = [note(f"argument {n}", 4, n) for n in range(300)]
    found = read(tmp_path, trace([*BASE, begin(1, "a", *many, note("External id", 4, 7)), end(2)]))
    assert found.events.external_id.tolist() == [7]


def test_flows_from_forward_to_backward(tmp_path: Path) -> None:
    for kept in (Fixed(99), None):
        forward: list[Field] = [] if kept is None else [(47, kept)]
        backward: list[Field] = [] if kept is None else [(48, kept)]
        found = read(
            tmp_path,
            trace([
                *BASE, thread(11, 5, 7, "engine", 1),
                begin(1, "aten::mul", *forward), end(2),
                begin(5, "MulBackward0", *backward, on=11), end(6, on=11),
            ]),
        )  # fmt: skip
        assert linked(found, "forward_op", "MulBackward0") == ("aten::mul" if kept else None)
        assert found.links.in_backward[row_of(found, "MulBackward0")]


# What is no slice -------------------------------------------------------------------------------


def test_counters_and_instants_are_counted(tmp_path: Path) -> None:
    counter = packet((60, message((1, 40), (2, "memory"), (8, message((3, 3))))))
    value = (11, message((9, 4), (11, 40), (30, 123)))
    instant = (11, message((9, 3), (11, 10), (22, "cpu_instant_event"), (23, "[memory]")))
    found = read(
        tmp_path,
        trace([*BASE, counter, packet(value, ts=1), packet(instant, ts=2), begin(3, "a"), end(4)]),
    )
    assert names(found) == ["a"]
    assert found.counts == {"X/cpu_op": 1, "C/": 1, "i/cpu_instant_event": 1}
    assert found.tracks == [Track(5, 6, "python", "main")]


def test_what_is_no_track_event_is_passed_over_and_said(tmp_path: Path) -> None:
    others = [packet((1, b"\x08\x01")), packet((1, b"")), packet((66, b"")), packet((119, b""))]
    found = read(tmp_path, trace([packet((33, b"config")), *others, *BASE, begin(1, "a"), end(2)]))
    assert names(found) == ["a"]
    (warning,) = found.warnings
    assert (warning.code, warning.count) == ("passed_over", 4)
    assert "ftrace_events (2)" in warning.message
    assert "perf_sample (1)" in warning.message


def test_a_trace_of_nothing_that_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, trace([packet((1, b"\x08\x01"))] * 3))
    assert len(found.events) == 0
    assert codes(found) == {"passed_over": 3, "no_events": 1}


def test_packets_that_the_recording_lost_are_said(tmp_path: Path) -> None:
    found = read(tmp_path, trace([*BASE, packet((42, 1)), begin(1, "a"), end(2)]))
    assert codes(found) == {"packets_lost": 1}


# The file ---------------------------------------------------------------------------------------

SMALL = trace([
    *BASE,
    interned((2, 1, "aten::mm"), (1, 1, "cpu_op"), clear=True),
    *(one for n in range(20) for one in (begin(10 * n, 1, cat=1), end(10 * n + 5))),
])  # fmt: skip


@pytest.mark.parametrize("name", ["t.pftrace", "t.json", "t.json.gz", "whatever"])
def test_the_content_tells_the_format(name: str, tmp_path: Path) -> None:
    for data in (SMALL, gzip.compress(SMALL)):
        found = read(tmp_path, data, name)
        assert len(found.events) == 20
        assert found.text_bytes == len(SMALL)
        assert codes(found) == {}


def test_json_that_begins_with_an_empty_line_is_json(tmp_path: Path) -> None:
    data = b'\n{"traceEvents": [{"ph": "X", "ts": 1, "dur": 2, "name": "a", "cat": "cpu_op"}]}'
    assert names(read(tmp_path, data)) == ["a"]


def test_a_file_cut_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "t.pftrace"
    before = 0
    for cut in range(1, len(SMALL)):
        path.write_bytes(SMALL[:cut])
        try:
            found = load(path)
        except TraceError as error:
            assert str(error).startswith(str(path))
            assert before == 0
            continue
        assert before <= len(found.events) <= 20
        before = len(found.events)
        assert set(codes(found)) <= {"truncated", "unpaired", "no_events"}, cut
        assert set(names(found)) <= {"aten::mm"}
    assert before == 20


def test_damage_costs_what_it_hits(tmp_path: Path) -> None:
    data = trace(
        [*BASE, *(one for n in range(5000) for one in (begin(2 * n, "a"), end(2 * n + 1)))]
    )
    for at in (len(data) // 3, len(data) // 2):
        hurt = bytearray(data)
        hurt[at : at + 40] = b"\xff" * 40
        found = read(tmp_path, bytes(hurt), "t.pftrace")
        assert 4990 <= len(found.events) <= 5000
        assert "unreadable_events" in codes(found)


def test_compressed_packets(tmp_path: Path) -> None:
    whole = trace([packet(), message((50, zlib.compress(SMALL))), begin(500, "after"), end(501)])
    found = read(tmp_path, whole, "t.pftrace")
    assert len(found.events) == 21
    assert names(found)[-1] == "after"


def test_compressed_packets_that_expand_without_end_are_refused(tmp_path: Path) -> None:
    bomb = message((50, zlib.compress(trace([packet((36, bytes(1 << 20)))] * 40))))
    path = tmp_path / "t.pftrace"
    path.write_bytes(trace([packet(), bomb, bomb, bomb]))
    limits = Limits(free_bytes=1 << 22)
    with pytest.raises(TraceError, match="expands more than"):
        load(path, limits=limits)


def test_many_blocks_are_read_as_one(tmp_path: Path) -> None:
    count = 60_000
    packets = [*BASE, interned((2, 1, "x"), (1, 1, "cpu_op"), clear=True)]
    for n in range(count):
        packets += [begin(10 * n, 1, note("External id", 4, n), cat=1), end(10 * n + 3)]
    found = read(tmp_path, trace(packets), "t.pftrace")
    assert len(found.blocks) > 2
    assert found.events.external_id.tolist() == list(range(count))
    assert (found.events.dur_ns == 3).all()
    assert found.blocks[:, 1].tolist() == sorted(found.blocks[:, 1].tolist())
    assert (np.diff(found.blocks[:, 0]) > 0).all()


def test_a_track_of_two_writers_is_put_in_order(tmp_path: Path) -> None:
    """The end of a slice stands in the file long before its begin."""
    padding = [one for n in range(30_000) for one in (begin(n, "x", on=30), end(n, on=30))]
    found = read(
        tmp_path,
        trace([
            *BASE, begin(10, "late"), end(90, seq=2), end(95, seq=2), *padding,
            begin(50, "early"), *padding[:10],
        ]),
        "t.pftrace",
    )  # fmt: skip
    mine = found.events.track == found.events.track[0]
    assert found.events.dur_ns[mine].tolist() == [85, 40]
    assert codes(found) == {}
