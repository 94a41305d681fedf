"""The routes of the page Trace: the bytes of a trace, as it lies there and annotated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from genscope.tensorboard import cache as cache_module
from genscope.tensorboard import files
from genscope.tensorboard.cache import Cache
from genscope.tensorboard.loader import Cancelled, Loader
from genscope.tensorboard.reading import CachedReading, Progress
from tests.perfetto.reader import Event, read
from tests.tensorboard.support import (
    DATA,
    FILE,
    client,
    opened_files,
    operators,
    settled,
    trace_text,
    until,
    write,
)

RUN = f"base/{FILE}"


def forms(of: Client, run: str = RUN) -> TestResponse:
    return settled(lambda: of.get(f"{DATA}/trace-forms", query_string={"run": run}))


def trace(of: Client, form: str, run: str = RUN) -> TestResponse:
    query = {"run": run, "form": form}
    return settled(lambda: of.get(f"{DATA}/trace", query_string=query))


@pytest.mark.parametrize("run", [RUN, f"new/{FILE}.gz"])
def test_original_is_the_file_as_it_lies_there(logdir: Path, run: str) -> None:
    response = trace(client(logdir), "original", run)
    data = (logdir / run).read_bytes()
    assert (response.status_code, response.data) == (200, data)
    assert response.content_length == len(data)
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("form", ["original", "annotated"])
def test_no_other_page_may_read_it(logdir: Path, form: str) -> None:
    headers = trace(client(logdir), form).headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Content-Disposition"].startswith("attachment; filename=host.1.p")
    assert not [name for name, _ in headers if name.startswith("Access-Control-")]


def test_a_large_file_is_never_held_as_a_whole(
    logdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PART_BYTES", 100)
    response = client(logdir).get(f"{DATA}/trace?run={RUN}", buffered=False)
    parts = list(response.response)
    assert len(parts) > 10
    assert max(map(len, parts)) <= 100
    assert b"".join(parts) == (logdir / RUN).read_bytes()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("form=original", 400),
        (f"run={RUN}&form=other", 400),
        ("run=../../etc/passwd", 404),
        ("run=/etc/passwd", 404),
        ("run=base/notes.txt", 404),
    ],
)
def test_only_what_was_found_is_sent(logdir: Path, query: str, status: int) -> None:
    (logdir / "base" / "notes.txt").write_text("secret")
    of = client(logdir)
    with opened_files() as opened:
        assert of.get(f"{DATA}/trace?{query}").status_code == status
    assert not [path for path in opened if path.endswith(("passwd", "notes.txt"))]


def test_the_head_says_how_long_it_is_and_opens_nothing(logdir: Path) -> None:
    of = client(logdir)
    of.get(f"{DATA}/runs")
    with opened_files() as opened:
        response = of.head(f"{DATA}/trace?run={RUN}")
    assert (response.status_code, response.data) == (200, b"")
    assert response.content_length == (logdir / RUN).stat().st_size
    assert str(logdir / RUN) not in opened


def slices(data: bytes, folder: Path) -> list[Event]:
    path = folder / "sent"
    path.write_bytes(data)
    return [each for track in read(path).tracks.values() for each in track.slices]


def test_annotated_is_an_export(logdir: Path, tmp_path: Path) -> None:
    of = client(logdir)
    answer = forms(of)
    assert answer.status_code == 200
    data = trace(of, "annotated").data
    assert answer.json["annotated"]["file"] == "host.1.pftrace"
    assert answer.json["annotated"]["size_bytes"] == len(data)
    assert answer.json["original"]["size_bytes"] == (logdir / RUN).stat().st_size
    names = {each.name for each in slices(data, tmp_path)}
    assert {"aten::mm", "cudaLaunchKernel", "ampere_sgemm_128x64_nn", "Linear"} <= names


def test_both_forms_have_an_event_at_the_time_that_is_said(logdir: Path, tmp_path: Path) -> None:
    # An instant before the first slice moves the clock of the export.
    text = json.loads(trace_text(2))
    text["traceEvents"] += [
        {"ph": "i", "s": "t", "name": "before", "ts": 400.0, "pid": 1, "tid": 1}
    ]
    write(logdir / RUN, json.dumps(text))
    of = client(logdir)
    found = forms(of).json
    assert found["original"]["starts_ns"] == "1000000"
    assert found["annotated"]["starts_ns"] == "600000"
    export = slices(trace(of, "annotated").data, tmp_path)
    first = min(each.start for each in export if each.name == "aten::mm")
    assert str(first) == found["annotated"]["starts_ns"]


def test_a_native_trace_is_handed_on_as_it_is(logdir: Path) -> None:
    of = client(logdir)
    data = trace(of, "annotated").data
    run = "native/host.9.pftrace"
    (logdir / "native").mkdir()
    (logdir / run).write_bytes(data)
    answer = forms(of, run)
    assert answer.status_code == 200
    assert answer.json["annotated"] is None
    assert "native" in answer.json["reason"]
    assert answer.json["original"]["starts_ns"] == forms(of).json["annotated"]["starts_ns"]
    assert trace(of, "original", run).data == data
    refused = trace(of, "annotated", run)
    assert (refused.status_code, refused.json["error"]["file"]) == (422, run)


def test_an_export_is_kept_for_the_next_tensorboard(logdir: Path) -> None:
    first = trace(client(logdir), "annotated").data

    def read_again(path: str, progress: Progress) -> None:
        raise AssertionError("read")

    class Unread(CachedReading):
        def open(self, file: Any, progress: Progress) -> Any:
            read_again(file.path, progress)

    of = client(logdir, loader=Loader(Unread(Cache())))
    assert trace(of, "annotated").data == first


def test_an_export_that_made_room_is_made_again(logdir: Path, cache_folder: Path) -> None:
    of = client(logdir)
    first = trace(of, "annotated").data
    for path in cache_folder.glob("*.pftrace"):
        path.unlink()
    assert of.get(f"{DATA}/trace?run={RUN}&form=annotated").status_code in (200, 202)
    assert trace(of, "annotated").data == first


def test_progress_while_the_export_is_made(logdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = client(logdir)
    assert operators(of, RUN).status_code == 200
    told: list[dict[str, Any]] = []
    url = f"{DATA}/trace-forms?run={RUN}"

    def slow(trace: Any, path: str, *, progress: Progress) -> Any:
        progress(11, None)
        told.append(of.get(url).json)
        told.append(of.get(f"{DATA}/runs").json["runs"][0])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("genscope.tensorboard.exports.export_perfetto", slow)
    answer = forms(of)
    assert told[0]["state"] == "reading"
    assert told[0]["read_bytes"] == 11
    assert (told[1]["state"], told[1]["read_bytes"]) == ("ready", told[1]["size_bytes"])
    # No space is no fault of the trace: its other views are as before.
    assert answer.status_code == 422
    assert "No space left on device" in answer.json["error"]["message"]
    assert "GENSCOPE_CACHE" in answer.json["error"]["message"]
    assert operators(of, RUN).status_code == 200


def test_making_it_can_be_stopped(
    logdir: Path, monkeypatch: pytest.MonkeyPatch, cache_folder: Path
) -> None:
    of = client(logdir)
    ended: list[str] = []

    def endless(trace: Any, path: str, *, progress: Progress) -> Any:
        of.get(f"{DATA}/cancel?run={RUN}")
        try:
            progress(1, None)
        except Cancelled:
            ended.append(path)
            raise

    monkeypatch.setattr("genscope.tensorboard.exports.export_perfetto", endless)
    # Of a trace that is read and of one that is not, which is where it can be cancelled.
    of.get(f"{DATA}/trace-forms?run={RUN}")
    until(lambda: ended, bool)
    assert not list(cache_folder.glob("*.pftrace"))


def test_an_export_beyond_the_bounds_of_the_cache_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path / "small", max_bytes=10)
    with pytest.raises(OSError, match="more room"):
        cache.put_export("0" * 40, lambda path: Path(path).write_bytes(b"x" * 11))
    assert cache.export("0" * 40) is None


def test_half_an_export_that_a_crash_left_goes(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    left = tmp_path / f".{'0' * 40}.annotated.pftrace.abcd1234"
    mine = tmp_path / "mine.pftrace"
    for path in (left, mine):
        write(path, "x", age_s=cache_module.ABANDONED_S + 10)
    cache.put_result("a", "operators", b"{}")
    assert not left.exists()
    assert mine.exists()


def test_exports_count_for_the_bounds(tmp_path: Path) -> None:
    cache = Cache(tmp_path, max_bytes=100)
    for key in ("a", "b", "c"):
        cache.put_export(key, lambda path: Path(path).write_bytes(b"x" * 40))
        write(tmp_path / f"{key}.annotated.pftrace", "x" * 40, age_s=100 - ord(key))
    cache.put_export("d", lambda path: Path(path).write_bytes(b"x" * 40))
    assert [key for key in "abcd" if cache.export(key)] != list("abcd")
    assert cache.export("d") is not None


def test_a_file_without_events_says_why(logdir: Path) -> None:
    write(logdir / "bad" / FILE, "<html>not found</html>")
    answer = forms(client(logdir), f"bad/{FILE}")
    assert answer.status_code == 422
    assert FILE in answer.json["error"]["message"]
