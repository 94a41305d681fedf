"""Chrome JSON with derived tracks: the source's own events untouched, the rest as in native."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from genscope.analysis.operators import breakdown
from genscope.perfetto.chrome import export_chrome
from genscope.perfetto.results import Exported
from genscope.trace import TraceError, load
from tests.perfetto import oracle
from tests.perfetto.test_native import SAMPLES, SHARED, exported
from tests.trace.support import document, event

SMALL = [*SAMPLES, *(path for path in SHARED if path.stat().st_size < 400_000)]


def export(source: Path, out: Path) -> tuple[str, Exported]:
    done = export_chrome(load(source), str(out))
    return oracle.text_of(out), done


def made(folder: Path, data: bytes) -> tuple[dict[str, Any], Exported]:
    source = folder / "trace.json"
    source.write_bytes(data)
    text, done = export(source, folder / "out.json")
    found: dict[str, Any] = json.loads(text, parse_constant=refused)
    return found, done


def refused(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def events_as_text(text: str) -> list[str]:
    """The text of each event, as it stands in the file."""
    decoder = json.JSONDecoder()
    at = text.index("[", text.index('"traceEvents"')) + 1
    found = []
    while True:
        while text[at] in " \n\r\t,":
            at += 1
        if text[at] == "]":
            return found
        _, end = decoder.raw_decode(text, at)
        found.append(text[at:end])
        at = end


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.parent.name + "/" + path.name)
def test_events_of_the_source_are_passed_through_byte_for_byte(path: Path, tmp_path: Path) -> None:
    text, done = export(path, tmp_path / "out.json.gz")
    assert (tmp_path / "out.json.gz").read_bytes()[:2] == b"\x1f\x8b"
    before, after = events_as_text(oracle.text_of(path)), events_as_text(text)
    assert after[: len(before)] == before
    assert done.repaired == {} and done.left_out == {}
    members = json.loads(text, parse_constant=refused)
    assert oracle.plain(path)[1] == {k: v for k, v in members.items() if k != "traceEvents"}


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.parent.name + "/" + path.name)
def test_derived_tracks_are_those_of_a_native_trace(path: Path, tmp_path: Path) -> None:
    _, native, done = exported(path)
    text, ours = export(path, tmp_path / "out.json")
    assert ours.derived == done.derived
    known = len(oracle.plain(path)[0])
    added = [json.loads(one, parse_float=Decimal) for one in events_as_text(text)[known:]]
    names = {one["tid"]: one["args"]["name"] for one in added if one["name"] == "thread_name"}
    origin = int(native.export["origin_ns"])

    def nanos(value: Decimal | int) -> int:
        return int(Decimal(value) * 1000)

    slices = Counter(
        (
            names[one["tid"]],
            one["cat"],
            one["name"],
            nanos(one["ts"]) - origin,
            nanos(one["dur"]),
            json.dumps(one["args"], sort_keys=True),
        )
        for one in added
        if one["ph"] == "X"
    )
    counters = Counter(
        (one["name"], nanos(one["ts"]) - origin, *one["args"].values())
        for one in added
        if one["ph"] == "C"
    )
    derived = [native.tracks[uuid] for uuid in native.export["derived"]]
    assert slices == Counter(
        (
            track.name,
            one.category,
            one.name,
            one.start,
            one.end - one.start,
            json.dumps(one.args, sort_keys=True),
        )
        for track in derived
        for one in track.slices
    )
    assert counters == Counter((track.name, *value) for track in derived for value in track.values)
    pids = {event.get("pid") for event in oracle.plain(path)[0]}
    assert not pids & {one["pid"] for one in added}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.parent.name)
def test_figures_stay_what_they_are(path: Path, tmp_path: Path) -> None:
    export(path, tmp_path / "out.json")
    before, after = breakdown(load(path)), breakdown(load(tmp_path / "out.json"))
    assert after.device_busy_ns == before.device_busy_ns
    assert after.categories == before.categories
    assert after.wall_ns == before.wall_ns


def test_what_is_broken_is_mended_and_counted(tmp_path: Path) -> None:
    kept = json.dumps(event("kept", ts=1, args={"x": [1, "ü"]}), ensure_ascii=False).encode()
    data = document([]).replace(
        b"[]",
        b"[ " + kept + b' ,\n{"ph":"X","ts":2,"dur":NaN,"name":"a\\c","args":{"t":"\xff"}},'
        b'{"ph": "X", "name": "broken", "ts": }]',
    )
    found, done = made(tmp_path, data)
    assert kept in (tmp_path / "out.json").read_bytes()
    names = [one["name"] for one in found["traceEvents"]]
    assert names[:2] == ["kept", "a\\c"]
    assert found["traceEvents"][1]["args"] == {"t": "\ufffd"}
    assert done.repaired == {"number": 1, "escape": 1, "utf8": 1}
    assert done.left_out == {"unreadable": 1}


def test_bad_bytes_in_an_argument_that_nothing_reads_are_mended(tmp_path: Path) -> None:
    data = document([event(args={"who": "name"})]).replace(b'name"}', b'na\xffme"}')
    found, done = made(tmp_path, data)
    assert found["traceEvents"][0]["args"] == {"who": "na\ufffdme"}
    assert done.repaired == {"utf8": 1}


def test_a_cut_off_file_is_closed(tmp_path: Path) -> None:
    data = document([event(f"op {place}", ts=place) for place in range(3000)])
    found, done = made(tmp_path, data[: len(data) // 2])
    names = [one["name"] for one in found["traceEvents"] if one.get("cat") == "cpu_op"]
    assert done.slices > 1000
    assert names == [f"op {place}" for place in range(done.slices)]


def test_a_bare_list_stays_one(tmp_path: Path) -> None:
    (tmp_path / "trace.json").write_text(
        json.dumps([event("ProfilerStep#1", cat="user_annotation")])
    )
    text, _ = export(tmp_path / "trace.json", tmp_path / "out.json")
    found = json.loads(text)
    assert isinstance(found, list)
    assert [one["name"] for one in found if one.get("cat") == "genscope.step"] == ["ProfilerStep#1"]


@pytest.mark.parametrize(
    "text", ['{"traceEvents": []}', '{"a": 1, "traceEvents": [], "b": "x"}', "[]"]
)
def test_without_events_the_result_is_valid(tmp_path: Path, text: str) -> None:
    (tmp_path / "trace.json").write_text(text)
    if text == "[]":
        with pytest.raises(TraceError):
            load(tmp_path / "trace.json")
        return
    written, _ = export(tmp_path / "trace.json", tmp_path / "out.json")
    assert json.loads(written) == json.loads(text)


def test_members_behind_the_events_stay_there(tmp_path: Path) -> None:
    text = '{"first": {"a": [1]}, "traceEvents": [%s], "last": NaN, "rest": "é"}'
    (tmp_path / "trace.json").write_text(text % json.dumps(event()), encoding="utf-8")
    written, _ = export(tmp_path / "trace.json", tmp_path / "out.json")
    found = json.loads(written, parse_constant=refused)
    assert list(found) == ["first", "traceEvents", "last", "rest"]
    assert (found["last"], found["rest"]) == (None, "é")


def test_a_source_that_is_gone_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "trace.json"
    source.write_bytes(document([event()]))
    trace = load(source)
    source.write_bytes(gzip.compress(document([])))
    with pytest.raises(TraceError, match="changed while it was read"):
        export_chrome(trace, str(tmp_path / "out.json"))
    assert [path.name for path in tmp_path.iterdir()] == ["trace.json"]
