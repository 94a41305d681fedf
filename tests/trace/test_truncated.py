"""Files that end early, as text and as gzip: every whole event is kept, and it is said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from genscope.trace import TraceError
from tests.trace.support import codes, document, event, names, read

SMALL = [
    event("first", ts=1),
    event('a "}, {" b', ts=2, args={"Input Dims": [[1, 2], []], "text": '}, {"name": "x"}]'}),
    event("ünïcode", ts=3, dur=2.5),
    event("last", ts=4),
]


MANY = [event("padding", ts=n, args={"Input Dims": [[n]]}) for n in range(40_000)]


def ends_of(text: bytes) -> list[int]:
    """Offsets behind each of SMALL."""
    ends, at = [], text.index(b"[")
    for one_event in SMALL:
        encoded = json.dumps(one_event).encode()
        at = text.index(encoded, at) + len(encoded)
        ends.append(at)
    return ends


def test_text_cut_at_every_byte(tmp_path: Path) -> None:
    text = document(SMALL, note="a ] b }")
    begin = text.index(b'"traceEvents": [') + len(b'"traceEvents": [')
    for cut in range(len(text)):
        if cut < begin:
            with pytest.raises(TraceError, match=r"trace\.json"):
                read(tmp_path, text[:cut])
            continue
        trace = read(tmp_path, text[:cut])
        expected = sum(end <= cut for end in ends_of(text))
        assert names(trace) == [one_event["name"] for one_event in SMALL[:expected]], cut
        assert codes(trace) == {"truncated": 1, **({} if expected else {"no_events": 1})}, cut


def test_bare_list_cut_at_every_byte(tmp_path: Path) -> None:
    text = json.dumps(SMALL).encode()
    for cut in range(len(text)):
        whole = [end for end in ends_of(text) if end <= cut]
        if not whole:
            with pytest.raises(TraceError, match=r"trace\.json"):
                read(tmp_path, text[:cut])
            continue
        trace = read(tmp_path, text[:cut])
        assert names(trace) == [one_event["name"] for one_event in SMALL[: len(whole)]], cut
        # Without its last bracket such a list is whole: some producers never write it.
        between = not text[whole[-1] : cut].strip(b", ")
        assert codes(trace) == ({} if between else {"truncated": 1}), cut


def test_gzip_cut_at_every_byte(tmp_path: Path) -> None:
    text = document(SMALL)
    stored = gzip.compress(text, compresslevel=1)
    found = []
    for cut in range(2, len(stored)):
        try:
            trace = read(tmp_path, stored[:cut], "trace.json.gz")
        except TraceError as error:
            assert "trace.json.gz" in str(error)
            assert not found
            continue
        assert names(trace) == [one_event["name"] for one_event in SMALL[: len(trace.events)]]
        assert "truncated" in codes(trace)
        found.append(len(trace.events))
    assert found == sorted(found)
    assert found[-1] == len(SMALL)


def test_a_long_gzip_cut_in_the_middle_keeps_what_was_inflated(tmp_path: Path) -> None:
    text = document(MANY)
    stored = gzip.compress(text, compresslevel=1)
    trace = read(tmp_path, stored[: len(stored) // 2], "trace.json.gz")
    assert 10_000 < len(trace.events) < 30_000
    assert codes(trace) == {"truncated": 1}


def test_gzip_with_a_wrong_checksum_keeps_everything(tmp_path: Path) -> None:
    stored = bytearray(gzip.compress(document(SMALL)))
    stored[-6] ^= 0xFF
    trace = read(tmp_path, bytes(stored), "trace.json.gz")
    assert len(trace.events) == len(SMALL)
    assert "gzip_damaged" in codes(trace)


def test_gzip_damaged_in_the_middle_keeps_what_is_before(tmp_path: Path) -> None:
    text = document(MANY)
    stored = bytearray(gzip.compress(text, compresslevel=1))
    middle = len(stored) // 2
    stored[middle : middle + 64] = bytes(64)
    trace = read(tmp_path, bytes(stored), "trace.json.gz")
    assert 5_000 < len(trace.events) <= 60_005
    assert {"gzip_damaged", "truncated"} & set(codes(trace))
