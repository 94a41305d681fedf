"""Damaged files: what is broken is mended or left out where it stands, and said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.trace.support import (
    codes,
    document,
    durations,
    event,
    kernel,
    launch,
    linked,
    names,
    read,
    starts,
)

BEFORE = [event("before", ts=1), event("just before", ts=2)]
AFTER = [event("just after", ts=8), event("after", ts=9)]
OTHERS = ["before", "just before", "just after", "after"]


def around(broken: bytes, *, bare: bool = False, many: int = 0) -> bytes:
    """A trace with `broken` in its midst; `many` more events make it several blocks."""
    padding = [event("padding", ts=n, args={"Input Dims": [[n]]}) for n in range(many)]
    first = json.dumps([*padding, *BEFORE]).encode()
    last = json.dumps([*AFTER, *padding]).encode()
    listed = first[:-1] + b", " + broken + b", " + last[1:]
    return listed if bare else b'{"schemaVersion": 1, "traceEvents": ' + listed + b"}"


def one(
    name: bytes = b"middle", *, ts: bytes = b"5", dur: bytes = b"1", more: bytes = b""
) -> bytes:
    return (
        b'{"ph": "X", "cat": "cpu_op", "name": "' + name + b'", "pid": 1, "tid": 1, "ts": ' + ts
        + b', "dur": ' + dur + more + b"}"
    )  # fmt: skip


def rest(read_names: list[str]) -> list[str]:
    return [name for name in read_names if name != "padding"]


REPAIRS = {
    "invalid escape": (one(rb"a\c"), "repaired_escape", r"a\c"),
    "invalid unicode escape": (one(rb"a\u12"), "repaired_escape", r"a\u12"),
    "raw newline": (one(b"a\nb"), "repaired_control", "a b"),
    "raw tab": (one(b"a\tb"), "repaired_control", "a b"),
    "raw nul": (one(b"a\x00b"), "repaired_control", "a b"),
    "bad utf-8": (one(b"a\xff\xfeb"), "repaired_utf8", "a\ufffd\ufffdb"),
    "cut utf-8": (one(b"a\xe2\x82"), "repaired_utf8", "a\ufffd"),
    "surrogate in utf-8": (one(b"a\xed\xa0\x80b"), "repaired_utf8", "a\ufffd\ufffd\ufffdb"),
    "NaN argument": (one(more=b', "args": {"loss": NaN}'), "repaired_number", "middle"),
    "Infinity argument": (one(more=b', "args": {"x": Infinity}'), "repaired_number", "middle"),
    "-Infinity": (one(more=b', "args": {"x": [-Infinity, 1]}'), "repaired_number", "middle"),
    "-nan": (one(more=b', "args": {"x": -nan}'), "repaired_number", "middle"),
    "inf": (one(more=b', "args": {"x": inf}'), "repaired_number", "middle"),
    "quotes in the name": (one(b'say "hi" twice'), "repaired_quote", 'say "hi" twice'),
    "one quote in the name": (one(b'5" disk'), "repaired_quote", '5" disk'),
}


@pytest.mark.parametrize("many", [0, 9000], ids=["small", "several blocks"])
@pytest.mark.parametrize("kind", REPAIRS)
def test_an_event_is_mended_where_it_stands(kind: str, many: int, tmp_path: Path) -> None:
    broken, code, name = REPAIRS[kind]
    trace = read(tmp_path, around(broken, many=many))
    assert rest(names(trace)) == [*OTHERS[:2], name, *OTHERS[2:]]
    assert len(trace.events) == 5 + 2 * many
    assert set(codes(trace)) == {code}
    middle = names(trace).index(name)
    assert starts(trace)[middle] == 5_000
    assert durations(trace)[middle] == 1_000


def test_what_looks_broken_inside_a_string_is_left_alone(tmp_path: Path) -> None:
    # The first is broken, so that the whole block is mended.
    inside = one(rb"NaN Infinity -inf \\c nan}, {") + b", " + one(rb"\\\"NaN\\\"")
    trace = read(tmp_path, around(one(more=b', "args": {"x": NaN}') + b", " + inside))
    assert names(trace)[3:5] == ["NaN Infinity -inf \\c nan}, {", '\\"NaN\\"']
    assert codes(trace) == {"repaired_number": 1}


def test_repairs_are_counted(tmp_path: Path) -> None:
    broken = b", ".join([one(rb"\c \d"), one(b"a\x01b"), one(more=b', "args": {"x": [NaN, NaN]}')])
    trace = read(tmp_path, around(broken))
    assert len(trace.events) == 7
    assert codes(trace) == {"repaired_escape": 2, "repaired_control": 1, "repaired_number": 2}


def test_a_start_that_is_not_a_number(tmp_path: Path) -> None:
    broken = b", ".join(one(ts=ts) for ts in (b"NaN", b"null", b'"soon"', b"[]", b"{}", b"true"))
    trace = read(tmp_path, around(broken))
    assert [name for name in names(trace) if name != "middle"] == OTHERS
    assert codes(trace)["no_start"] >= 5
    assert starts(trace)[:2] == [1_000, 2_000]


def test_an_event_without_a_start_is_left_out_and_counted(tmp_path: Path) -> None:
    trace = read(tmp_path, around(b'{"ph": "X", "name": "middle", "dur": 5}'))
    assert names(trace) == OTHERS
    assert codes(trace) == {"no_start": 1}


@pytest.mark.parametrize(
    ("dur", "code"),
    [
        (b"-5", "negative_duration"),
        (b"-0.001", "negative_duration"),
        (b"9223372036854775807", "overflowed_duration"),
        (b"1e300", "overflowed_duration"),
        (b"18446744073709551615.5", "overflowed_duration"),
        (b"99999999999999999999999999999999999999", "overflowed_duration"),
        (b"null", "no_duration"),
        (b'"long"', "no_duration"),
        (b"[1]", "no_duration"),
        (b"{}", "no_duration"),
    ],
)
def test_a_duration_that_cannot_be_counts_as_0(dur: bytes, code: str, tmp_path: Path) -> None:
    trace = read(tmp_path, around(one(dur=dur)))
    assert names(trace) == [*OTHERS[:2], "middle", *OTHERS[2:]]
    assert durations(trace) == [1_000, 1_000, 0, 1_000, 1_000]
    assert codes(trace) == {code: 1}


@pytest.mark.parametrize(
    "ts",
    [
        b"1e300",
        b"1e999999",
        b"1e99999999999999999999",
        b'"1e999999"',
        b"99999999999999999999",
        b"-1e19",
        b"1" * 5000,
    ],
)
def test_a_start_beyond_all_clocks_is_left_out(ts: bytes, tmp_path: Path) -> None:
    trace = read(tmp_path, around(one(ts=ts)))
    assert names(trace) == OTHERS
    assert codes(trace) == {"no_start": 1}


@pytest.mark.parametrize(
    "args",
    [
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b'{"correlation": "many"}',
        b'{"correlation": [5]}',
        b'{"correlation": {"a": 5}}',
        b'{"correlation": 5.5}',
        b'{"correlation": 99999999999999999999999}',
        b'{"correlation": -99999999999999999999999}',
        b'{"correlation": null, "device": "gpu", "External id": {}, "Sequence number": ""}',
        b'{"Input Dims": 5, "Input type": null, "Concrete Inputs": {"a": ["]"]}}',
        b'{"Fwd thread id": true, "device": 99999999999}',
        b'{"correlation": 5, "correlation": "twice"}',
        b'{"a": {"b": [{"c": "}, {\\"name\\": \\"x\\", \\"ph\\": \\"X\\""}]}}',
        b'{"a": "}, {\\"ph\\": \\"X\\", \\"name\\": \\"no event\\"}"}',
        b'{"a": ' + b"[" * 900 + b"]" * 900 + b"}",
    ],
    ids=lambda args: args[:60].decode(),
)
@pytest.mark.parametrize("category", [b"cpu_op", b"kernel", b"cuda_runtime", b"python_function"])
def test_arguments_may_be_anything(args: bytes, category: bytes, tmp_path: Path) -> None:
    broken = one(more=b', "args": ' + args).replace(b"cpu_op", category)
    trace = read(tmp_path, around(broken))
    assert names(trace) == [*OTHERS[:2], "middle", *OTHERS[2:]]
    assert set(codes(trace)) <= {"device_part_missing"}


@pytest.mark.parametrize("field", ["ph", "cat", "name", "pid", "tid", "id", "s", "bp"])
@pytest.mark.parametrize("value", ["5", "5.5", "null", "true", "[]", "{}", '""', "1e999", "-0"])
def test_fields_may_have_any_type(field: str, value: str, tmp_path: Path) -> None:
    middle = (
        f'{{"ph": "X", "name": "m", "pid": 1, "tid": 1, "ts": 5, "dur": 1, "{field}": {value}}}'
    )
    trace = read(tmp_path, around(middle.encode()))
    assert [name for name in names(trace) if name in OTHERS] == OTHERS
    assert len(trace.events) == (4 if field == "ph" else 5)
    assert set(codes(trace)) <= {"repaired_number"}


@pytest.mark.parametrize("other", [b"5", b"null", b'"text"', b"[]", b"[[1], 2]", b"NaN", b"true"])
def test_a_value_that_is_no_event_is_stepped_over(other: bytes, tmp_path: Path) -> None:
    trace = read(tmp_path, around(other))
    assert names(trace) == OTHERS


def test_ids_as_strings_link(tmp_path: Path) -> None:
    events = [
        event("aten::mm", ts=0, dur=10, args={"External id": "4"}),
        event("cudaLaunchKernel", cat="cuda_runtime", ts=2, args={"correlation": "77"}),
        event("gemm", cat="kernel", ts=20, pid=0, tid=7, args={"correlation": 77, "device": "0"}),
    ]
    trace = read(tmp_path, events)
    assert linked(trace, "op", "gemm") == "aten::mm"
    assert trace.events.device[2] == 0


def test_duplicate_keys_take_the_last(tmp_path: Path) -> None:
    trace = read(tmp_path, around(one(more=b', "ts": 6, "dur": 3')))
    assert starts(trace)[2] == 6_000
    assert durations(trace)[2] == 3_000


def test_an_unescaped_quote_costs_no_neighbour(tmp_path: Path) -> None:
    """An odd number of quotes makes strings of everything behind it, in every block."""
    trace = read(tmp_path, around(one(b'5" disk'), many=20_000))
    assert len(trace.events) == 40_005
    assert codes(trace) == {"repaired_quote": 1}


def test_an_event_beyond_repair_costs_no_neighbour(tmp_path: Path) -> None:
    broken = b'{"ph": "X", "name": "middle" "pid": 1, "ts": 5}'
    trace = read(tmp_path, around(broken, many=9000))
    assert len(trace.events) == 18_004
    assert codes(trace) == {"unreadable_events": 1}


def test_hopeless_objects_are_counted_one_by_one(tmp_path: Path) -> None:
    broken = [b'{"ph":}', b'{"name": nan, "ts": }', rb'{"name": "\c" "ts": 1}', b'{"name": "a"b"}']
    trace = read(tmp_path, around(b",".join(broken * 5000)))
    assert names(trace) == OTHERS
    assert codes(trace) == {"unreadable_events": 20_000}


UNBALANCED = {
    "a brace too many": one() + b"}",
    "a brace alone": b"}",
    "a brace too many in arguments": one(more=b', "args": {"x": 1}}'),
    "the wrong bracket": one(more=b', "args": {"x": 1]'),
    "arguments not closed": one(more=b', "args": {"x": [1, 2'),
    "a string not closed": one(more=b', "args": {"x": "1, 2'),
    "an event not closed": one()[:-1],
    "an event not opened": one()[1:],
    "half an event": b'{"ph": "X", "name',
    "a quote alone": b'"',
    "an opening brace alone": b"{",
}


@pytest.mark.parametrize("many", [0, 9000], ids=["small", "several blocks"])
@pytest.mark.parametrize("kind", UNBALANCED)
def test_unbalanced_text_costs_at_most_the_next_event(kind: str, many: int, tmp_path: Path) -> None:
    trace = read(tmp_path, around(UNBALANCED[kind], many=many))
    found = [name for name in names(trace) if name in OTHERS]
    # What is left open runs into the event behind it; the others are whole.
    assert found in (OTHERS, ["before", "just before", "after"])
    assert len(trace.events) in range(3 + 2 * many, 6 + 2 * many)
    assert codes(trace)


def test_arguments_nested_without_end_cost_no_neighbour(tmp_path: Path) -> None:
    deep = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    trace = read(tmp_path, around(one(more=b', "args": ' + deep)))
    assert [name for name in names(trace) if name in OTHERS] == OTHERS
    assert len(trace.events) + codes(trace).get("unreadable_events", 0) == 5


def test_text_behind_the_end_is_said(tmp_path: Path) -> None:
    whole = around(one())
    assert codes(read(tmp_path, whole + b" \n")) == {}
    for more in (b", " + whole, whole, b"}", b"x", b"]"):
        trace = read(tmp_path, whole + more)
        assert len(trace.events) >= 5
        assert codes(trace), more
        listed = around(one(), bare=True)
        trace = read(tmp_path, listed + more)
        assert len(trace.events) >= 5
        assert codes(trace), more


@pytest.mark.parametrize(
    "tail",
    [
        b'{"ph": "X", "name": "' + b'\\"' * 200_000,
        b'{"ph": "X", "name": "' + b"\\" * 300_001,
        b'{"ph": "X", "args": ' + b'{"a":' * 100_000,
        b'{"ph": "X", "args": ' + b"[" * 500_000,
        b'{"ph": "X", "name": ' + b'""' * 200_000,
        b'{"ph" ' + b'"name":"a' * 50_000,
        b'{"ph": "X" ' + b"} " * 200_000,
        b'"' + b'},{"ph":' * 50_000,
    ],
    ids=lambda tail: tail[-12:].decode(),
)
def test_hostile_tails_are_read_in_linear_time(tail: bytes, tmp_path: Path) -> None:
    """Nothing is measured: what is not linear here takes hours."""
    trace = read(tmp_path, around(one())[:-2] + b", " + tail)
    assert names(trace)[:5] == [*OTHERS[:2], "middle", *OTHERS[2:]]
    assert codes(trace)


def test_a_missing_comma_costs_no_neighbour(tmp_path: Path) -> None:
    data = around(one(), many=9000)
    trace = read(
        tmp_path,
        data.replace(
            b', {"ph": "X", "cat": "cpu_op", "name": "just after"',
            b' {"ph": "X", "cat": "cpu_op", "name": "just after"',
        ),
    )
    assert len(trace.events) == 18_005


def test_metadata_that_is_broken_is_mended(tmp_path: Path) -> None:
    data = b'{"a": NaN, "b": "\\c", "d": "x\ny", ' + around(one())[1:]
    trace = read(tmp_path, data)
    assert len(trace.events) == 5
    assert trace.metadata["b"] == "\\c"
    assert trace.metadata["a"] is None


def test_launches_without_device_events_are_said(tmp_path: Path) -> None:
    events = [event("aten::mm", ts=0, dur=10), launch(5, ts=2), kernel(5, ts=20)]
    whole = document(events)
    cut = whole[: whole.index(b'{"ph": "X", "cat": "kernel"') + 20]
    assert codes(read(tmp_path, whole)) == {}
    assert codes(read(tmp_path, cut)) == {"device_part_missing": 1, "truncated": 1}
    assert codes(read(tmp_path, events[:2])) == {"device_part_missing": 1}
