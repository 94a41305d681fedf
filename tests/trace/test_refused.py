"""Files that are no trace or cannot be opened: one line that names the file and says what it is."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import zipfile
from pathlib import Path

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from genscope.trace import Limits, Trace, TraceError, load
from tests.trace.support import document, event, names


def zipped() -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("trace.json", document([event()]))
    return stored.getvalue()


NO_TRACES = {
    "empty": (b"", "empty"),
    "white space": (b" \n\n ", "empty"),
    "zip": (zipped(), "zip"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "PNG"),
    "html": (b"<!DOCTYPE html><html><body>404</body></html>", "HTML"),
    "xml": (b'<?xml version="1.0"?><Error/>', "XML"),
    "pickle": (pickle.dumps({"segments": []}), "pickle"),
    "pftrace": (b"\x0a\x86\x01\x08\x00\x1a" + bytes(64), "Perfetto"),
    "xz": (lzma.compress(document([event()])), "xz"),
    "bzip2": (bz2.compress(document([event()])), "bzip2"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(32), "zstd"),
    "sqlite": (b"SQLite format 3\x00" + bytes(64), "SQLite"),
    "elf": (b"\x7fELF\x02\x01\x01" + bytes(64), "ELF"),
    "numpy": (np.arange(5).tobytes(), "JSON"),
    "utf-16": (document([event()]).decode().encode("utf-16"), "UTF-16"),
    "plain text": (b"Traceback (most recent call last):\n", "JSON"),
    "a number": (b"5", "JSON"),
    "a string": (b'"traceEvents"', "JSON"),
    "other object": (b'{"model": "llama", "layers": [1, 2]}', "'model'"),
    "empty object": (b"{}", "traceEvents"),
    "events of another type": (b'{"traceEvents": {"ph": "X"}}', "traceEvents"),
    "traceEvents in a member": (b'{"a": {"traceEvents": []}}', "traceEvents"),
    "list of numbers": (b"[1, 2, 3]", "list"),
    "list of other objects": (b'[{"a": 1}, {"b": 2}]', "list"),
    "list of lists": (b"[[1], [2]]", "list"),
    "empty list": (b"[]", "list"),
    "lines of JSON": (b'{"loss": 1.5}\n{"loss": 1.25}\n', "traceEvents"),
    "notebook": (json.dumps({"cells": [], "nbformat": 4}).encode(), "'cells'"),
    "half an object": (b'{"a": {"b": ', "ends"),
    "no key": (b'{5: 1, "traceEvents": []}', "key at byte"),
}


@pytest.mark.parametrize("stored", ["plain", "gzip"])
@pytest.mark.parametrize("kind", NO_TRACES)
def test_a_file_that_is_no_trace_is_named(kind: str, stored: str, tmp_path: Path) -> None:
    data, word = NO_TRACES[kind]
    path = tmp_path / "some.file"
    path.write_bytes(gzip.compress(data) if stored == "gzip" else data)
    with pytest.raises(TraceError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert word in message
    assert "\n" not in message
    assert len(message) < 600


@pytest.mark.parametrize("length", [0, 1, 5, 10, 17])
def test_gzip_without_content(length: int, tmp_path: Path) -> None:
    path = tmp_path / "trace.json.gz"
    path.write_bytes(gzip.compress(document([event()]))[:length] if length else gzip.compress(b""))
    with pytest.raises(TraceError, match=r"trace\.json\.gz"):
        load(path)


def test_keys_of_a_foreign_object_cannot_break_the_line(tmp_path: Path) -> None:
    path = tmp_path / "foreign.json"
    path.write_bytes(json.dumps({"a\nb\x1b[31m" * 1000: 1, "c\r": 2}).encode())
    with pytest.raises(TraceError) as caught:
        load(path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


def test_directory(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="directory") as caught:
        load(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="no such file") as caught:
        load(tmp_path / "absent.json")
    assert str(tmp_path / "absent.json") in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    path.write_bytes(document([event()]))
    path.chmod(0)
    with pytest.raises(TraceError, match=r"secret\.json"):
        load(path)


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="a file of Linux")
def test_file_that_opens_but_cannot_be_read() -> None:
    with pytest.raises(TraceError, match="/proc/self/mem: cannot be read"):
        load("/proc/self/mem")


@pytest.mark.parametrize("path", ["a\x00b.json", "x" * 5000, "/dev/null", ""])
def test_paths_that_name_no_file(path: str) -> None:
    with pytest.raises(TraceError):
        load(path)


@pytest.mark.parametrize("data", [document([event("a")]), gzip.compress(document([event("a")]))])
def test_url(data: bytes) -> None:
    with fsspec.open("memory://folder/trace.json", "wb") as file:
        file.write(data)
    trace = load("memory://folder/trace.json")
    assert names(trace) == ["a"]
    assert trace.path == "memory://folder/trace.json"
    assert trace.size_bytes == len(data)


@pytest.mark.parametrize(
    "url",
    [
        "memory://folder/absent.json",
        "nosuchprotocol://bucket/trace.json",
        "s3://bucket/trace.json",
        "memory://",
        "file:///nonexistent/trace.json",
    ],
)
def test_url_that_cannot_be_opened(url: str) -> None:
    with pytest.raises(TraceError) as caught:
        load(url)
    assert str(caught.value).startswith(url)
    assert "\n" not in str(caught.value)


class NoCredentials(Exception):
    """What cloud libraries raise is often no OSError."""


class Failing(MemoryFileSystem):  # type: ignore[misc]
    protocol = "failing"
    cachable = False

    def _open(self, path: str, mode: str = "rb", **options: object) -> io.BytesIO:
        if "credentials" in path:
            raise NoCredentials("Unable to locate credentials\nsecond line")
        return Dropping(b'{"traceEvents": [' + b" " * (1 << 20))


class Dropping(io.BytesIO):
    """A connection that is lost after the first bytes."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise NoCredentials("token expired\nsecond line")
        return super().read(size)


@pytest.mark.parametrize("name", ["credentials.json", "drop.json"])
def test_whatever_a_remote_store_raises_is_one_line(name: str) -> None:
    fsspec.register_implementation("failing", Failing, clobber=True)
    with pytest.raises(TraceError) as caught:
        load(f"failing://bucket/{name}")
    assert str(caught.value).startswith(f"failing://bucket/{name}: cannot be")
    assert "\n" not in str(caught.value)


def bomb(size: int) -> bytes:
    return gzip.compress(b'{"traceEvents": [], "a": "' + b"0" * size + b'"}', compresslevel=9)


def write(folder: Path, data: bytes) -> Path:
    path = folder / "trace.json.gz"
    path.write_bytes(data)
    return path


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, bomb(4_000_000))
    limits = Limits(ratio=100, free_bytes=1_000_000)
    with pytest.raises(TraceError, match="100:1") as caught:
        load(path, limits=limits)
    assert str(path) in str(caught.value)


def test_bombs_in_members_are_refused(tmp_path: Path) -> None:
    """Concatenated gzip members are one stream, and so is their ratio."""
    first = gzip.compress(b'{"traceEvents": [], "a": "')
    path = write(tmp_path, first + gzip.compress(b"0" * 500_000) * 20)
    with pytest.raises(TraceError, match="100:1"):
        load(path, limits=Limits(ratio=100, free_bytes=1_000_000))


def test_a_small_file_may_expand_as_it_likes(tmp_path: Path) -> None:
    path = write(tmp_path, bomb(4_000_000))
    load(path, limits=Limits(ratio=100, free_bytes=10_000_000))


def test_a_long_but_honest_trace_is_read(tmp_path: Path) -> None:
    events = [event(f"op{n}", ts=n) for n in range(20_000)]
    path = write(tmp_path, gzip.compress(document(events)))
    trace = load(path, limits=Limits(ratio=200, free_bytes=100_000))
    assert len(trace.events) == 20_000


def test_a_value_without_end_is_refused_or_left_out(tmp_path: Path) -> None:
    limits = Limits(max_value_bytes=2_000_000)
    before = write(tmp_path, b'{"a": "' + b"0" * 9_000_000 + b'", "traceEvents": []}')
    with pytest.raises(TraceError, match="longer than 2,000,000 bytes"):
        load(before, limits=limits)
    huge = json.dumps(event("huge", args={"x": "0" * 9_000_000})).encode()
    small = json.dumps([event(f"op{n}", ts=n) for n in range(9_000)]).encode()
    listed = small[:-1] + b", " + huge + b", " + small[1:]
    trace = load(write(tmp_path, listed), limits=limits)
    assert len(trace.events) >= 17_999
    assert "unreadable_events" in {warning.code for warning in trace.warnings}


def observed(path: Path) -> tuple[Trace, list[tuple[int, int | None]]]:
    calls: list[tuple[int, int | None]] = []
    return load(path, progress=lambda done, size: calls.append((done, size))), calls


@pytest.mark.parametrize("stored", ["plain", "gzip", "url"])
def test_progress_grows_to_the_size(stored: str, tmp_path: Path) -> None:
    data = document([event(f"op{n}", ts=n, args={"Input Dims": [[n]]}) for n in range(20_000)])
    if stored == "gzip":
        data = gzip.compress(data, compresslevel=0)
    path: Path | str = write(tmp_path, data)
    if stored == "url":
        path = "memory://progress.json"
        with fsspec.open(path, "wb") as file:
            file.write(data)
    trace, calls = observed(path)  # type: ignore[arg-type]
    done = [one for one, _ in calls]
    assert len(calls) > 3
    assert done == sorted(done)
    assert done[-1] == len(data) == trace.size_bytes
    assert {size for _, size in calls} == {len(data)}
    assert len(trace.events) == 20_000


def test_an_error_in_progress_reaches_the_caller(tmp_path: Path) -> None:
    """How a caller cancels a long read."""

    class Cancelled(Exception):
        pass

    def stop(done: int, size: int | None) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        load(write(tmp_path, document([event()])), progress=stop)


def test_the_file_is_closed(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for data in (document([event()]), b"no trace", document([event()])[:-20]):
        for _ in range(5):
            try:
                load(write(tmp_path, data))
            except TraceError:
                continue
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert after == before
