"""What allocators said, as columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genscope.trace import Trace
from genscope.trace.model import MemoryEvents
from genscope.trace.store import open_stored, save
from tests.trace.support import Event, document, event, read


def instant(ts: float | str, **args: object) -> Event:
    return {
        "ph": "i", "cat": "cpu_instant_event", "s": "t", "name": "[memory]", "pid": 1, "tid": 1,
        "ts": ts, "args": args,
    }  # fmt: skip


def told(bytes_: object, **args: object) -> dict[str, object]:
    return {"Bytes": bytes_, **{name.replace("_", " "): value for name, value in args.items()}}


EVENTS = [
    event(ts=100, dur=50),
    instant(110, **told(512, Addr=7, Device_Type=1, Device_Id=3, Total_Allocated=1024,
                        Total_Reserved=4096)),
    instant(120.5, **told(-512, Addr=7, Device_Type=0, Device_Id=-1, Total_Allocated=512,
                          Total_Reserved=0)),
]  # fmt: skip


def same(one: MemoryEvents, other: MemoryEvents) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in MemoryEvents.__slots__
    )


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    return read(tmp_path, document(EVENTS))


def test_times_are_relative_and_frees_negative(trace: Trace) -> None:
    memory = trace.memory
    assert memory.at_ns.tolist() == [10_000, 20_500]
    assert memory.bytes.tolist() == [512, -512]
    assert memory.address.tolist() == [7, 7]
    assert memory.allocated.tolist() == [1024, 512]
    assert memory.reserved.tolist() == [4096, 0]
    assert memory.device_type.tolist() == [1, 0]
    assert memory.device.tolist() == [3, -1]
    assert [trace.tracks[one].thread for one in memory.track.tolist()] == [1, 1]


def test_a_stored_trace_keeps_them(trace: Trace, tmp_path: Path) -> None:
    save(trace, tmp_path / "stored")
    assert same(open_stored(tmp_path / "stored").memory, trace.memory)


def test_a_trace_without_has_none(tmp_path: Path) -> None:
    trace = read(tmp_path, [event()])
    assert len(trace.memory) == 0
    save(trace, tmp_path / "stored")
    assert same(open_stored(tmp_path / "stored").memory, trace.memory)


@pytest.mark.parametrize(
    "args",
    [{}, told("x"), told(None), told(0), told(2**70), told([1]), told(1e300)],
)
def test_what_has_no_usable_size_is_counted(tmp_path: Path, args: dict[str, object]) -> None:
    trace = read(tmp_path, [*EVENTS, instant(130, **args)])
    assert len(trace.memory) == 2
    assert {one.code: one.count for one in trace.warnings}.get("memory_events") == 1


def test_other_values_that_make_no_sense_are_unknown(tmp_path: Path) -> None:
    odd = told(8, Addr="x", Device_Type=None, Device_Id=2**40, Total_Allocated="much")
    trace = read(tmp_path, [*EVENTS, instant(130, **odd)])
    memory = trace.memory
    assert memory.bytes.tolist() == [512, -512, 8]
    for column in (memory.address, memory.device_type, memory.device, memory.allocated):
        assert column[-1] == -1
    assert memory.reserved[-1] == -1
