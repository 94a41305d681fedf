"""Values that no producer means, in every field: the result stays whole and adds up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.check import examine

WILD = (
    "1e999999", "-1e999999", "1e-999999", "0." + "3" * 400, "7" * 5000, "-0", "1.5", "true",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "9.3e18", "2147483648",
    '"1e999999"', '"' + "7" * 5000 + '"', '"\\ud800"', '"NaN"', '"inf"', '" 5 "', '"٣"', '"1_000"',
    '"0x10"', '"²"', '"5.5"', '""', '"-"', "[]", "{}", "null", "NaN", '[[9e99], ["x"], [-1, null]]',
)  # fmt: skip
EVENTS = (
    ("X", "cpu_op"), ("X", "kernel"), ("X", "cuda_runtime"), ("X", "user_annotation"),
    ("B", "cpu_op"), ("E", "cpu_op"), ("s", "fwdbwd"), ("f", "fwdbwd"), ("M", ""),
)  # fmt: skip
FIELDS = {
    "name": '"aten::bmm"', "cat": '"cpu_op"', "ph": '"X"', "pid": "1", "tid": "1", "ts": "5",
    "dur": "2", "id": "3",
}  # fmt: skip
ARGUMENTS = {
    "correlation": "4", "External id": "4", "external id": "4", "Sequence number": "2",
    "Fwd thread id": "0", "device": "0", "name": '"x"', "Input Dims": "[[2, 3], [3, 2]]",
    "Input type": '["float"]', "Concrete Inputs": '[""]',
}  # fmt: skip
MEMBERS = ("baseTimeNanoseconds", "distributedInfo", "deviceProperties", "rank", "id")


def members(fields: dict[str, str]) -> str:
    return ", ".join(f'"{key}": {value}' for key, value in fields.items())


def written(field: str, value: str) -> str:
    """A trace with an event of each sort, all with this value in this field."""
    events = []
    for phase, category in EVENTS:
        top = {**FIELDS, "ph": f'"{phase}"', "cat": f'"{category}"'}
        if phase == "M":
            top["name"] = '"thread_name"'
        args = dict(ARGUMENTS)
        for fields in (top, args):
            if field in fields:
                fields[field] = value
        events.append(f'{{{members(top)}, "args": {{{members(args)}}}}}')
    return ", ".join(events)


def around(events: str, **wild: str) -> str:
    head = {
        "baseTimeNanoseconds": wild.get("baseTimeNanoseconds", "5"),
        "distributedInfo": wild.get("distributedInfo", f'{{"rank": {wild.get("rank", "0")}}}'),
        "deviceProperties": wild.get("deviceProperties", f'[{{"id": {wild.get("id", "0")}}}]'),
    }
    return f'{{{members(head)}, "traceEvents": [{events}]}}'


@pytest.mark.parametrize("field", [*FIELDS, *ARGUMENTS])
def test_any_value_in_a_field_of_an_event(field: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    for value in WILD:
        path.write_text(around(written(field, value)), encoding="utf-8")
        assert not examine(path, analyse=True).refused, value


@pytest.mark.parametrize("member", MEMBERS)
def test_any_value_in_metadata(member: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    for value in WILD:
        path.write_text(around(written("ph", '"X"'), **{member: value}), encoding="utf-8")
        outcome = examine(path, analyse=True)
        assert outcome.rows == len(EVENTS), value
