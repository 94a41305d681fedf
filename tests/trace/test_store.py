"""A stored trace is the trace, or an error: whatever became of the file."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import numpy as np
import pytest

from genscope.analysis.operators import breakdown
from genscope.analysis.overview import overview
from genscope.trace import Events, Links, Trace, load
from genscope.trace.store import TEMPORARY, StoreError, open_stored, save, stored_bytes
from tests.loaded import TRACES, trace_of

TEXT = """{"schemaVersion": 1, "distributedInfo": {"rank": 3, "world_size": 8},
 "deviceProperties": [{"id": 0, "name": "GPU \\u00e9 <b>", "totalGlobalMem": 85899345920}],
 "big": 18446744073709551615, "half": 0.1, "deep": {"a": [1, null, true]},
 "traceEvents": [
 {"ph": "X", "cat": "cpu_op", "name": "aten::mm", "pid": 1, "tid": "a b", "ts": 5, "dur": 9},
 {"ph": "X", "cat": "kernel", "name": "k\\u0000\\ud83d\\ude00", "pid": 0, "tid": 7, "ts": 7,
  "dur": 2, "args": {"device": 0, "correlation": 1}},
 {"ph": "M", "name": "process_name", "pid": 1, "args": {"name": "p"}}]}"""


def assert_same(stored: Trace, trace: Trace) -> None:
    for part in (Events, Links):
        for name in part.__slots__:
            mine = getattr(getattr(stored, part.__name__.lower()), name)
            other = getattr(getattr(trace, part.__name__.lower()), name)
            assert mine.dtype == other.dtype, name
            assert np.array_equal(mine, other), name
    assert np.array_equal(stored.blocks, trace.blocks)
    for name in (
        "path", "size_bytes", "text_bytes", "base_ns", "rank", "world_size", "metadata", "counts",
    ):  # fmt: skip
        assert getattr(stored, name) == getattr(trace, name), name
    for name in ("strings", "tracks", "devices", "warnings"):
        assert list(getattr(stored, name)) == list(getattr(trace, name)), name


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    source = tmp_path / "a.json"
    source.write_text(TEXT)
    save(load(source), tmp_path / "a.stored")
    return tmp_path / "a.stored"


@pytest.mark.parametrize("name", TRACES)
def test_a_real_trace_comes_back_as_it_was(name: str, shared_traces: Path, tmp_path: Path) -> None:
    trace = trace_of(shared_traces / f"{name}.json.gz")
    save(trace, tmp_path / "stored")
    stored = open_stored(tmp_path / "stored")
    assert_same(stored, trace)
    for view in (breakdown, overview):
        assert msgspec.json.encode(view(stored)) == msgspec.json.encode(view(trace))
    size = (tmp_path / "stored").stat().st_size
    assert stored_bytes(trace) <= size


def test_awkward_text_and_numbers_come_back(tmp_path: Path) -> None:
    source = tmp_path / "a.json"
    source.write_text(TEXT)
    trace = load(source)
    save(trace, tmp_path / "stored")
    assert_same(open_stored(tmp_path / "stored"), trace)


@pytest.mark.parametrize("text", ['{"traceEvents": []}', '{"traceEvents": [{"ph": "X", "ts": 1}]}'])
def test_traces_of_next_to_nothing(tmp_path: Path, text: str) -> None:
    source = tmp_path / "a.json"
    source.write_text(text)
    save(load(source), tmp_path / "stored")
    assert_same(open_stored(tmp_path / "stored"), load(source))


def test_a_path_that_is_no_utf8(tmp_path: Path) -> None:
    source = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.json")
    Path(source).write_text(TEXT)
    save(load(source), tmp_path / "stored")
    assert open_stored(tmp_path / "stored").path == source


def test_columns_cannot_be_written_into(stored: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        open_stored(stored).events.start_ns[0] = 1


def test_a_stored_trace_outlives_its_file(stored: Path) -> None:
    trace = open_stored(stored)
    stored.unlink()
    assert trace.events.dur_ns.tolist() == [9000, 2000]


def test_every_changed_byte_is_noticed(stored: Path) -> None:
    data = stored.read_bytes()
    for place in range(len(data)):
        if 40 <= place < 64:
            continue  # Space left in the header.
        damaged = bytearray(data)
        damaged[place] ^= 0x11
        stored.write_bytes(damaged)
        with pytest.raises(StoreError, match=str(stored)):
            open_stored(stored)


@pytest.mark.parametrize("keep", [0, 1, 63, 64, 100, -1])
def test_a_part_of_a_file_is_noticed(stored: Path, keep: int) -> None:
    stored.write_bytes(stored.read_bytes()[:keep])
    with pytest.raises(StoreError):
        open_stored(stored)


def test_what_follows_the_end_is_noticed(stored: Path) -> None:
    stored.write_bytes(stored.read_bytes() + b"\0")
    with pytest.raises(StoreError):
        open_stored(stored)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored.read_bytes()
    trace = open_stored(stored)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        save(trace, stored)
    assert stored.read_bytes() == before
    assert not list(stored.parent.glob(f".*{TEMPORARY}"))
