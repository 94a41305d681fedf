"""Native traces as the protobufs that Perfetto publishes, and in its own trace processor."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from genscope.perfetto.native import export_perfetto
from genscope.trace import load
from tests.paths import REPOSITORY
from tests.perfetto.reader import read

pb = pytest.importorskip("perfetto.protos.perfetto.trace.perfetto_trace_pb2")

SAMPLES = sorted((REPOSITORY / "samples" / "traces").glob("*/*.json.gz"))

PROCESSOR = os.environ.get("TRACE_PROCESSOR_BIN", "")


@pytest.fixture(scope="module", params=SAMPLES, ids=lambda path: path.parent.name)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("protos") / "trace.pftrace"
    export_perfetto(load(request.param), str(out))
    return out


def unknown_fields(message: Any) -> int:
    from google.protobuf.unknown_fields import UnknownFieldSet

    count = len(UnknownFieldSet(message))
    for descriptor, value in message.ListFields():
        if descriptor.type == descriptor.TYPE_MESSAGE:
            repeated = hasattr(value, "add")
            count += sum(map(unknown_fields, value)) if repeated else unknown_fields(value)
    return count


def test_every_field_is_one_of_perfettos(exported: Path) -> None:
    trace = pb.Trace()
    trace.ParseFromString(exported.read_bytes())
    assert sum(map(unknown_fields, trace.packet)) == 0
    events = [packet.track_event for packet in trace.packet if packet.HasField("track_event")]
    kinds = Counter(pb.TrackEvent.Type.Name(event.type) for event in events)
    native = read(exported)
    tracks = native.tracks.values()
    slices = sum(len(track.slices) for track in tracks)
    assert kinds == {
        "TYPE_SLICE_BEGIN": slices,
        "TYPE_SLICE_END": slices,
        "TYPE_INSTANT": sum(len(track.instants) for track in tracks),
        "TYPE_COUNTER": sum(len(track.values) for track in tracks),
    }
    descriptors = [p.track_descriptor for p in trace.packet if p.HasField("track_descriptor")]
    assert {one.uuid for one in descriptors} == set(native.tracks)
    explicit = pb.TrackDescriptor.ChildTracksOrdering.EXPLICIT
    assert all(one.child_ordering == explicit for one in descriptors)
    arguments = sum(len(event.debug_annotations) for event in events)
    listed = [one for track in tracks for one in (*track.slices, *track.instants)]
    # The reader has taken genscope.export out of those of the metadata.
    assert arguments == sum(len(one.args) for one in listed) + 1


@pytest.mark.skipif(not PROCESSOR, reason="TRACE_PROCESSOR_BIN names no trace_processor_shell")
def test_the_trace_processor_reads_the_same(exported: Path) -> None:
    from perfetto.trace_processor import TraceProcessor, TraceProcessorConfig

    native = read(exported)
    tracks = native.tracks.values()
    config = TraceProcessorConfig(bin_path=PROCESSOR)
    with TraceProcessor(trace=str(exported), config=config) as processor:

        def rows(sql: str) -> list[tuple[Any, ...]]:
            found = processor.query(sql)
            return [tuple(getattr(row, name) for name in found.column_names) for row in found]

        bad = "select name, value from stats where severity = 'error' and value > 0"
        assert rows(bad) == []
        expected = Counter(
            (one.name, one.start, one.end - one.start, one.depth)
            for track in tracks
            for one in track.slices
        )
        ours = "select name, ts, dur, depth from slice where name is not 'trace metadata'"
        found = Counter(rows(ours))
        instants = Counter((one.name, one.start, 0) for track in tracks for one in track.instants)
        without_depth = Counter((name, ts, dur) for name, ts, dur, _ in found.elements())
        slices = Counter((name, ts, dur) for name, ts, dur, _ in expected.elements())
        instants = Counter({one: n for one, n in instants.items() if one[0] != "trace metadata"})
        assert without_depth == slices + instants
        (flows,) = rows("select count(*) as n from flow")
        assert flows == (sum(len(one.begins) for track in tracks for one in track.slices),)
        calls = rows(
            "select extract_arg(arg_set_id, 'debug.index') as i,"
            " extract_arg(arg_set_id, 'debug.q_len') as q from slice"
            " where category = 'genscope.attention'"
        )
        shown = [(one.args["index"], one.args.get("q_len")) for one in native.derived("Attention")]
        assert sorted(calls) == sorted(shown)
        counters = rows(
            "select t.name as name, count(*) as n, sum(c.value) as total from counter c"
            " join counter_track t on c.track_id = t.id group by t.id"
        )
        assert Counter(counters) == Counter(
            (track.name, len(track.values), float(sum(value for _, value in track.values)))
            for track in tracks
            if track.is_counter
        )
