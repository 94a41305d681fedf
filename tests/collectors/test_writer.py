from __future__ import annotations

import errno
import gzip
import io
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.profiler import profile, record_function

from genscope.collect import mend, writer
from genscope.collect.collector import Collector
from genscope.trace import load

HEAD = '{\n  "schemaVersion": 1,\n  "baseTimeNanoseconds": 5,\n'
EVENT = '  {{\n    "ph": "X", "cat": "cpu_op", "name": "{}", "pid": 1,\n    "args": {{{}}}\n  }}'


def kineto(*events: str, head: str = HEAD, tail: str = '"traceName": "/x/y.json" }') -> bytes:
    """Text laid out as Kineto lays it out, which escapes nothing."""
    text = f'{head}  "traceEvents": [\n' + ",\n".join(events) + f"\n  ],{tail}"
    return text.encode("utf-8", "surrogateescape")


def mended(text: bytes) -> tuple[dict[str, Any], mend.Mended]:
    found = mend.Mended()
    result = b"".join(mend.stream(io.BytesIO(text), "name", found))
    return json.loads(result, parse_constant=lambda name: pytest.fail(name)), found


def event(name: str, args: str = "") -> str:
    return EVENT.format(name, args)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("aten::add", "aten::add"),
        ('he said "hi" to me', 'he said "hi" to me'),
        ('"', '"'),
        ('a", "b', 'a", "b'),
        ("C:\\dir\\new", "C:\\dir\\new"),
        ("tab\there", "tab here"),
        ("\udcff", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_an_event_with_a_name_that_breaks_json_is_kept(raw: str, name: str) -> None:
    trace, found = mended(kineto(event("before"), event(raw), event("after")))
    assert [item["name"] for item in trace["traceEvents"]][::2] == ["before", "after"]
    assert trace["traceEvents"][1]["name"].replace("\n", " ") in (name, name.replace("\\n", " "))
    assert (found.events, found.dropped) == (3, 0)


def test_values_that_json_has_no_number_for_become_null() -> None:
    args = '"a": nan, "b": [-inf, 1], "c": Infinity, "d": "nan"'
    trace, _ = mended(kineto(event("x", args)))
    assert trace["traceEvents"][0]["args"] == {"a": None, "b": [None, 1], "c": None, "d": "nan"}


def test_an_event_beyond_help_is_dropped_and_counted() -> None:
    trace, found = mended(kineto(event("a"), '  {\n  "ph": "X", "ts": 1 2 3 }', event("b")))
    assert [item["name"] for item in trace["traceEvents"]] == ["a", "b"]
    assert found.dropped == 1


def test_metadata_that_is_broken_goes_and_the_rest_stays() -> None:
    head = HEAD + '  "mine": {"a": "\\c"},\n  "deviceProperties": [\n    {"id": 0}\n  ],\n'
    trace, _ = mended(kineto(event("a"), head=head))
    assert trace["baseTimeNanoseconds"] == 5
    assert trace["schemaVersion"] == 1
    assert trace["deviceProperties"] == [{"id": 0}]
    assert "mine" not in trace


def test_metadata_after_the_events_is_kept() -> None:
    trace, _ = mended(kineto(event("a"), tail='\n "later": [1],\n "traceName": "a"b.json" }'))
    assert trace["later"] == [1]
    assert trace["traceName"] == "name"


def test_a_trace_without_events_stays_one() -> None:
    assert mended(kineto())[0]["traceEvents"] == []


def test_the_borders_of_blocks_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f'op "{number}"' if number % 7 == 0 else f"op {number}" for number in range(200)]
    text = kineto(*map(event, names))
    for size in (1, 97, 1000):
        monkeypatch.setattr(mend, "BLOCK", size)
        trace, found = mended(text)
        assert [item["name"] for item in trace["traceEvents"]] == names
        assert found.events == len(names)


@pytest.mark.parametrize("cut", [10, 120, -30])
def test_a_trace_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(mend.NotATraceError):
        mended(kineto(event("a"), event("b"))[:cut])


def test_names_of_somebodys_own_ranges_reach_the_file(tmp_path: Path) -> None:
    names = ['say "hi"', "back\\slash", "plain", 'x", "y', "line\nfeed", "naïve", "nan"]
    with Collector(output=tmp_path) as collector:
        for name in names:
            with record_function(name):
                torch.ones(2).add_(float("nan"))
    (path,) = collector.written
    found = [
        item["name"] for item in json.loads(gzip.decompress(Path(path).read_bytes()))["traceEvents"]
    ]
    for name in ('say "hi"', "plain", 'x", "y', "nan"):
        assert name in found
    assert not load(path).warnings


def save(text: bytes = kineto(event("a"))) -> Callable[[str], None]:
    def to(path: str) -> None:
        Path(path).write_bytes(text)

    return to


def test_the_name_is_torchs_for_tensorboard_and_never_taken(tmp_path: Path) -> None:
    one, _ = writer.write(save(), str(tmp_path), "rank0")
    two, _ = writer.write(save(), str(tmp_path), "rank0", compress=False)
    assert one != two
    worker, stamp, *rest = os.path.basename(one).split(".")
    assert (worker, stamp.isdecimal(), rest) == ("rank0", True, ["pt", "trace", "json", "gz"])
    assert two.endswith(".pt.trace.json")
    assert json.loads(Path(two).read_bytes()) == {
        **json.loads(gzip.decompress(Path(one).read_bytes())),
        "traceName": os.path.basename(two),
    }
    assert sorted(os.listdir(tmp_path)) == sorted(map(os.path.basename, (one, two)))


def test_a_folder_with_a_quote_in_its_name(tmp_path: Path) -> None:
    with Collector(output=tmp_path / 'a "b" \\ c', gzip=False) as collector:
        torch.ones(2)
    json.loads(Path(collector.written[0]).read_bytes())


@pytest.mark.parametrize("text", [kineto(event("a"))[:-40], b""])
def test_half_a_trace_is_not_left(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(OSError, match="no whole trace"):
        writer.write(save(text), str(tmp_path), "w")
    assert os.listdir(tmp_path) == []


def test_an_interrupt_while_writing_leaves_nothing(tmp_path: Path) -> None:
    def interrupted(path: str) -> None:
        save()(path)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writer.write(interrupted, str(tmp_path), "w")
    assert os.listdir(tmp_path) == []


def test_a_disk_that_fills_while_compressing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with Collector(output=tmp_path) as collector:
        result = torch.ones(3).sum().item()
    assert result == 3
    assert collector.written == ()
    assert os.listdir(tmp_path) == []
    assert str(tmp_path) in caplog.text
    assert "No space left" in caplog.text
    assert "free some space" in caplog.text


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "full"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_no_job_and_keeps_no_half_file(
    full_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Collector(output=full_disk) as collector:
        for _ in range(500):
            torch.ones(3).add(1)
    assert collector.written == ()
    assert os.listdir(full_disk) == []
    (message,) = [record.getMessage() for record in caplog.records if record.levelno >= 30]
    assert str(full_disk) in message
    assert "\n" not in message


def test_a_folder_that_cannot_be_made(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    with Collector(output=tmp_path / "file" / "runs") as collector:
        torch.ones(3)
    assert collector.written == ()
    assert "give another folder" in caplog.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tmp_path.chmod(0o500)
    try:
        with Collector(output=tmp_path) as collector:
            torch.ones(3)
    finally:
        tmp_path.chmod(0o700)
    assert collector.written == ()
    assert "Permission denied" in caplog.text


def test_what_kineto_writes_here_is_passed_on_unchanged(tmp_path: Path) -> None:
    with profile() as recorded:
        torch.ones(3).add(1)
    raw = tmp_path / "raw.json"
    recorded.export_chrome_trace(str(raw))
    trace, found = mended(raw.read_bytes())
    assert trace == {**json.loads(raw.read_bytes()), "traceName": "name"}
    assert found.events == len(trace["traceEvents"])
