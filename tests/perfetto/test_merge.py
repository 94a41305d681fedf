"""Ranks as one trace: every event of each once, on one clock, with ids that are nobody else's."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from genscope.analysis.operators import breakdown
from genscope.perfetto.merge import merge_perfetto
from genscope.perfetto.ranks import Ids
from genscope.perfetto.results import Merged
from genscope.trace import Trace, TraceError, load
from tests.collectors import programs
from tests.collectors.test_torchrun import TORCHRUN, TRAINING, recorded
from tests.perfetto import oracle
from tests.perfetto.reader import Event, Native, Track, read
from tests.trace.support import document, event, kernel, launch

BASE = 1_700_000_000 * 10**9
SKEW_US = 5_000


def collective(number: int, ends: float, *, name: str = "allreduce", **more: Any) -> dict[str, Any]:
    made = kernel(900 + number, name="ncclDevKernel_AllReduce_Sum_bf16", stream=20, ts=ends - 3)
    told = {"Collective name": name, "Process Group Name": "0", "Process Group Ranks": "[0, 1]"}
    return {**made, "dur": 3, "args": {**made["args"], **told, "Seq": number, **more}}


def made(rank: int | None, folder: Path, *, skew_us: float = 0, world: int = 2) -> Path:
    """A rank like all others: the same pid, tid, device, stream and correlations."""
    wobble = [0, 1, -1, 0, 2] if rank else [0] * 5
    events = [
        event("aten::mm", ts=skew_us + 1, dur=30, pid=77, tid=77, args={"External id": "5"}),
        launch(7, ts=skew_us + 5, dur=2, pid=77, tid=77),
        event("aten::add", ts=skew_us + 9, dur=4, pid=77, tid=78, args={"External id": 6}),
        kernel(7, ts=skew_us + 40, dur=10 + (rank or 0)),
        event("Iteration", cat="user_annotation", ts=skew_us, dur=90, pid="Spans", tid="loop"),
        *(collective(n, skew_us + 100 + 20 * n + wobble[n]) for n in range(5)),
        {"ph": "i", "name": "mark", "pid": 77, "tid": 79, "ts": skew_us - 8, "s": "t"},
        {"ph": "M", "name": "process_name", "pid": 77, "args": {"name": "python"}},
    ]
    members: dict[str, Any] = {"baseTimeNanoseconds": BASE}
    members["deviceProperties"] = [{"id": 0, "name": "H100"}, {"id": 1, "name": "H100"}]
    if rank is not None:
        info = {"backend": "nccl", "rank": rank, "world_size": world}
        members["distributedInfo"] = info
    name = "host_9.1712345678" if rank is None else f"host_{9 + rank}.171234567{rank}"
    path = folder / f"{name}.pt.trace.json"
    path.write_bytes(document(events, **members))
    return path


def merged(folder: Path, *paths: Path) -> tuple[Merged, Native, Trace]:
    out = folder / "run.pftrace"
    done = merge_perfetto([str(path) for path in paths], str(out))
    return done, read(out), load(out)


def of_rank(native: Native, rank: int) -> list[Event]:
    """Slices of the source below the process of a rank."""
    return [one for one in native.of_source() if _root(native, one.track).rank == rank]


def _root(native: Native, uuid: int) -> Track:
    track = native.tracks[uuid]
    while track.parent:
        track = native.tracks[track.parent]
    return track


def anonymous(native: Native, events: list[Event], shifts: dict[str, int]) -> Counter[Any]:
    """What identifies slices whatever clock and tracks they are on."""
    first = min(one.start for one in events)
    found: Counter[Any] = Counter()
    for one in events:
        args = {
            name: value - shifts[name]
            if name in shifts and isinstance(value, int) and value > 0
            else value
            for name, value in one.args.items()
        }
        args = {**args, **({"External id": int(e)} if (e := args.get("External id")) else {})}
        key = json.dumps(args, sort_keys=True)
        found[one.name, one.category, one.start - first, one.end - one.start, key] += 1
    return found


def expected(path: Path) -> Counter[Any]:
    keys = oracle.slices(path)
    first = min(key[4] for key in keys)
    found: Counter[Any] = Counter()
    for (_, _, name, category, start, length, text), count in keys.items():
        args = json.loads(text)
        if "External id" in args:
            args["External id"] = int(args["External id"])
        key = json.dumps(args, sort_keys=True)
        found[name, category, start - first, length, key] += count
    return found


def test_every_slice_of_every_rank_is_there_once(tmp_path: Path) -> None:
    paths = [made(0, tmp_path), made(1, tmp_path, skew_us=SKEW_US)]
    done, native, _ = merged(tmp_path, *paths)
    assert [one.rank for one in done.ranks] == [0, 1]
    for rank, path in enumerate(paths):
        found = of_rank(native, rank)
        shifts = {"correlation": 1_000 * rank, "External id": 10 * rank, "device": rank}
        # Device 0 of the second rank is device 1 of the run.
        assert anonymous(native, found, shifts) == expected(path)


def test_no_two_ranks_have_an_id_in_common(tmp_path: Path) -> None:
    _, native, _ = merged(tmp_path, made(0, tmp_path), made(1, tmp_path))
    ids: dict[int, dict[str, set[Any]]] = {}
    for rank in (0, 1):
        own = of_rank(native, rank)
        tracks = [native.tracks[one.track] for one in own]
        ids[rank] = {
            "pid": {track.pid for track in tracks} - {None},
            "tid": {track.tid for track in tracks} - {None},
            "lane": {native.sources[one.track] for one in own},
            "process": {native.sources[one.track][0] for one in own},
            "flow": {flow for one in own for flow in (*one.begins, *one.ends)},
            "correlation": {one.args["correlation"] for one in own if "correlation" in one.args},
            "external": {one.args["External id"] for one in own if "External id" in one.args},
            "device": {one.args["device"] for one in own if "device" in one.args},
        }
    for name, found in ids[0].items():
        assert found and ids[1][name], name
        assert found.isdisjoint(ids[1][name]), name


def test_a_rank_is_one_process(tmp_path: Path) -> None:
    done, native, _ = merged(tmp_path, made(0, tmp_path), made(1, tmp_path))
    roots = [one for one in native.tracks.values() if not one.parent]
    assert [(one.name, one.rank) for one in roots if one.pid is not None] == [
        ("Rank 0: python", 0),
        ("Rank 1: python", 1),
    ]
    assert {one.name for one in roots if one.pid is None} == {"Trace metadata"}
    assert len({one.pid for one in roots if one.pid is not None}) == 2
    # The work that analyses drew is below its rank, too.
    drawn = [one for one in native.tracks.values() if one.name == "Operator categories"]
    assert {_root(native, one.uuid).rank for one in drawn} == {0, 1}
    assert done.ranks[0].exported.derived["Operator categories"] == 6


def test_flows_have_both_ends_in_one_rank(tmp_path: Path) -> None:
    done, native, _ = merged(tmp_path, made(0, tmp_path), made(1, tmp_path))
    ends: dict[int, list[int]] = {}
    for rank in (0, 1):
        for one in of_rank(native, rank):
            for flow in (*one.begins, *one.ends):
                ends.setdefault(flow, []).append(rank)
    assert sorted(ends.values()) == [[0, 0], [1, 1]]
    assert [one.flows for one in done.ranks] == [1, 1]


def test_clocks_are_laid_by_their_collectives(tmp_path: Path) -> None:
    paths = [made(0, tmp_path), made(1, tmp_path, skew_us=SKEW_US)]
    done, native, again = merged(tmp_path, *paths)
    first, second = done.ranks
    assert (first.clock, first.shift_ns) == ("base", 0)
    assert (second.clock, second.shift_ns, second.matched) == ("collectives", -SKEW_US * 1000, 5)
    assert (second.before_ns, second.after_ns) == (SKEW_US * 1000, 1000)
    starts = [min(one.start for one in of_rank(native, rank)) for rank in (0, 1)]
    # The instant of the first rank is 8 µs before its slices, and the trace begins there.
    assert starts == [8_000, 8_000]
    assert native.epoch_ns == BASE - 8_000
    assert again.base_ns == BASE


def test_what_reads_it_back_adds_the_ranks_up(tmp_path: Path) -> None:
    paths = [made(0, tmp_path), made(1, tmp_path, skew_us=SKEW_US)]
    _, _, again = merged(tmp_path, *paths)
    assert list(again.warnings) == []
    assert len(again.events) == sum(len(load(path).events) for path in paths)
    assert sorted(one.index for one in again.devices) == [0, 1]
    assert (again.rank, again.world_size) == (None, 2)
    found, parts = breakdown(again), [breakdown(load(path)) for path in paths]
    assert found.device_busy_ns == sum(one.device_busy_ns for one in parts)
    assert found.unlinked_ns == sum(one.unlinked_ns for one in parts)
    sums: Counter[str] = Counter()
    for one in parts:
        sums.update({row.category: row.sum_ns for row in one.categories})
    assert {row.category: row.sum_ns for row in found.categories} == dict(sums)


@pytest.mark.parametrize(
    "told", [{"name": "broadcast"}, {"Process Group Ranks": "", "Group size": 8}]
)
def test_collectives_that_cannot_be_matched_are_not(tmp_path: Path, told: dict[str, Any]) -> None:
    """One side of a broadcast is done early; a group that is not known may be another one."""
    paths = []
    for rank in (0, 1):
        path = tmp_path / f"rank{rank}.json"
        events = [collective(n, 5_000 * rank + 20 * n, **told) for n in range(5)]
        for one in events:
            one["name"] = "ncclDevKernel_Generic"
        path.write_bytes(document(events, baseTimeNanoseconds=BASE))
        paths.append(path)
    done, _, _ = merged(tmp_path, *paths)
    assert [one.matched for one in done.ranks] == [0, 0]
    assert [one.shift_ns for one in done.ranks] == [0, 0]


def test_without_numbers_the_order_counts_if_both_have_as_many(tmp_path: Path) -> None:
    for counts, matched in (((5, 5), 5), ((5, 4), 0)):
        paths = []
        for rank, count in enumerate(counts):
            path = tmp_path / f"rank{rank}.json"
            events = [collective(n, 5_000 * rank + 20 * n) for n in range(count)]
            for one in events:
                del one["args"]["Seq"]
            path.write_bytes(document(events, baseTimeNanoseconds=BASE))
            paths.append(path)
        done, _, _ = merged(tmp_path, *paths)
        assert done.ranks[1].matched == matched


def test_devices_of_many_nodes_are_numbered_on() -> None:
    ids = Ids()
    for node in range(3):
        assert ids.devices([0, 1, 2, 3]) == 4 * node
    assert ids.process(11) == 10_000_011
    assert ids.process(12) == 12
    # Beside a process that has the next number.
    assert ids.devices([0]) == 13


def test_two_files_of_one_rank_are_refused_by_name(tmp_path: Path) -> None:
    one = made(1, tmp_path)
    other = tmp_path / "copy.json"
    other.write_bytes(one.read_bytes())
    with pytest.raises(TraceError, match="both are of rank 1") as refused:
        merged(tmp_path, made(0, tmp_path), one, other)
    assert str(one) in str(refused.value) and str(other) in str(refused.value)
    assert not (tmp_path / "run.pftrace").exists()


@pytest.mark.parametrize(
    ("name", "rank"),
    [("rank34.json", 34), ("rank-7.Apr_03_18_51.1102.pt.trace.json", 7), ("megatron_3.json", 3)],
)
def test_a_name_tells_the_rank_where_the_trace_does_not(
    tmp_path: Path, name: str, rank: int
) -> None:
    path = made(None, tmp_path).rename(tmp_path / name)
    done, _, _ = merged(tmp_path, path)
    assert [one.rank for one in done.ranks] == [rank]


def test_a_rank_that_nothing_tells_is_refused(tmp_path: Path) -> None:
    path = made(None, tmp_path)
    with pytest.raises(TraceError, match="tells no rank") as refused:
        merged(tmp_path, path)
    assert str(path) in str(refused.value)


def test_ranks_that_are_missing_are_told(tmp_path: Path) -> None:
    paths = [made(rank, tmp_path, world=8) for rank in (1, 2, 6)]
    done, native, _ = merged(tmp_path, *paths)
    assert (done.world_size, done.missing) == (8, [(0, 0), (3, 5), (7, 7)])
    assert native.members["distributedInfo"] == {"backend": "nccl", "world_size": 8}


def test_a_file_that_is_no_trace_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "rank1.json"
    broken.write_text("[1")
    before = {made(0, tmp_path), broken}
    with pytest.raises(TraceError):
        merged(tmp_path, *before)
    assert set(tmp_path.iterdir()) == before


def test_recorded_ranks_of_tensor_parallel_training(tmp_path: Path, shared_traces: Path) -> None:
    """No base times, no group in the traces: ops tell numbers, and the group is the world."""
    paths = [shared_traces / f"training-megatron-tp8-rank{rank}.json.gz" for rank in (1, 0)]
    done, native, again = merged(tmp_path, *paths)
    assert [one.rank for one in done.ranks] == [0, 1]
    assert done.ranks[1].matched == 84
    assert done.ranks[1].after_ns is not None and done.ranks[1].before_ns is not None
    assert done.ranks[1].after_ns <= done.ranks[1].before_ns
    assert done.missing == [(2, 7)]
    sources = [load(path) for path in reversed(paths)]
    for rank, source in enumerate(sources):
        assert len(of_rank(native, rank)) == len(source.events)
    found, parts = breakdown(again), [breakdown(source) for source in sources]
    assert found.device_sum_ns == sum(one.device_sum_ns for one in parts)
    assert found.device_busy_ns == sum(one.device_busy_ns for one in parts)
    assert found.unlinked_ns == sum(one.unlinked_ns for one in parts)


def test_two_ranks_of_gloo(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAINING)
    arguments = ("-m", "genscope.collect", "run", "-o", "runs", "train.py")
    ran = programs.run(tmp_path, *arguments, command=TORCHRUN)
    assert ran.returncode == 0, ran.stderr
    files = recorded(tmp_path / "runs")
    done, native, again = merged(tmp_path, *files.values())
    assert [one.rank for one in done.ranks] == [0, 1]
    assert (done.world_size, done.missing) == (2, [])
    # Each backward reduces once.
    assert done.ranks[1].matched >= 3
    for rank, file in files.items():
        assert len(of_rank(native, rank)) == len(load(file).events)
    assert again.document is not None
    assert again.world_size == 2
