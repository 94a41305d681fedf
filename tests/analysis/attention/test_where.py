"""One filter selects the same calls in every attention view."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest

from genscope.analysis.attention.phase_view import phases
from genscope.analysis.attention.record import record_of
from genscope.analysis.attention.results import AttentionCall, Stretch
from genscope.analysis.attention.rounds import fewer
from genscope.analysis.attention.sequence import Stretch as Drawn
from genscope.analysis.attention.sequence import ordered, sequence
from genscope.analysis.attention.space_time import space_time
from genscope.analysis.attention.view import COLUMNS, attention, calls_window
from genscope.analysis.attention.where import ALL_CALLS, NO_WORD, Where
from genscope.analysis.classify import PASSES
from genscope.analysis.modules import NO_MODULE
from genscope.analysis.windows import Window
from genscope.trace import Trace, load
from tests import loaded, paths
from tests.benchmarks.calls import write

SAMPLES = ["made", "llm-prefill-qwen1.5-h100", "video-timesformer-h100"]
TRAINED = [name for name in loaded.TRACES if name.startswith(("training", "diffusion"))]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    """Ten steps of a denoiser: self and cross attention in turns."""
    path = tmp_path_factory.mktemp("made") / "made.pt.trace.json"
    write(260, path)
    return load(path)


@pytest.fixture(params=[*SAMPLES, *TRAINED])
def trace(request: pytest.FixtureRequest, made: Trace) -> Trace:
    return made if request.param == "made" else read(request.param)


@cache
def read(name: str) -> Trace:
    samples = paths.REPOSITORY / "samples" / "traces" / name
    if samples.is_dir():
        [path] = samples.glob("*.json.gz")
        return loaded.trace_of(path)
    return loaded.trace_of((paths.shared_traces() or Path()) / f"{name}.json.gz")


def listed(trace: Trace, where: Where) -> list[int]:
    return [call.index for call in attention(trace, where).calls]


FIELDS = {"kind": "kinds", "axis": "axes", "phase": "phases", "component": "components"}


@pytest.mark.parametrize("field", FIELDS)
def test_words_partition_the_calls(trace: Trace, field: str) -> None:
    whole = attention(trace)
    none = NO_MODULE if field == "component" else NO_WORD
    words = {getattr(call, field) or none for call in whole.calls}
    parts = [attention(trace, Where(**{FIELDS[field]: (word,)})) for word in words]
    assert sorted(call.index for part in parts for call in part.calls) == listed(trace, ALL_CALLS)
    assert sum(part.time_ns for part in parts) == whole.time_ns
    assert sum(part.calls_total for part in parts) == whole.calls_total == len(whole.calls)
    assert listed(trace, Where(**{FIELDS[field]: tuple(words)})) == listed(trace, ALL_CALLS)
    assert not listed(trace, Where(**{FIELDS[field]: ("no such word",)}))


def test_passes_partition_the_calls(trace: Trace) -> None:
    every = [listed(trace, Where(passes=(name,))) for name in PASSES]
    count = len(record_of(trace).calls)
    assert sorted(index for part in every for index in part) == list(range(count))
    forward = [*every[PASSES.index("forward")], *every[PASSES.index("unknown")]]
    assert sorted(forward) == listed(trace, ALL_CALLS)


def test_every_view_is_of_the_same_calls(trace: Trace) -> None:
    for where in (ALL_CALLS, Where(kinds=("self",)), Where(axes=("temporal", NO_WORD))):
        result = attention(trace, where)
        known = [call for call in result.calls if call.q_len is not None]
        drawn = sequence(trace, where)
        assert drawn.calls == len(known)
        assert drawn.time_ns == sum(time_of(call) for call in known)
        assert drawn.series.total == len(known)
        axes = Counter(call.axis for call in known if call.axis)
        rows = space_time(trace, where).axes
        assert {row.axis: row.calls for row in rows} == axes
        assert calls_window(record_of(trace), where).total == result.calls_total
        for found in (result, drawn, space_time(trace, where), phases(trace, where)):
            assert found.selection == where


def time_of(call: AttentionCall) -> int:
    return call.cpu_ns if call.device_ns is None else call.device_ns


def test_steps_count_from_the_first(made: Trace) -> None:
    assert listed(made, Where(first_step=2, last_step=3)) == list(range(52, 104))
    assert listed(made, Where(first_step=9)) == list(range(234, 260))
    beyond = attention(made, Where(first_step=9, last_step=11))
    assert [warning.code for warning in beyond.warnings] == ["steps_missing"]
    two = phases(made, Where(first_step=2, last_step=3))
    assert [row.calls for row in two.phases] == [52]
    assert two.basis_sum_ns == attention(made, Where(first_step=2, last_step=3)).time_ns


def test_phases_are_of_the_work_selected(trace: Trace) -> None:
    whole = phases(trace)
    by_phase = {row.phase: row for row in whole.phases}
    for phase, row in by_phase.items():
        part = phases(trace, Where(phases=(phase or NO_WORD,)))
        assert part.basis_sum_ns == row.sum_ns
        assert [(one.phase, one.calls) for one in part.phases] == [(phase, row.calls)]
        assert {stretch.phase for stretch in part.stretches} <= {phase}
    kinds = {call.kind or NO_WORD for call in attention(trace, Where(passes=PASSES)).calls}
    of_kinds = [phases(trace, Where(kinds=(kind,))) for kind in kinds]
    # The work of calls is all of attention, and copies that belong to calls.
    attention_ns = sum(row.attention_ns for part in of_kinds for row in part.phases)
    assert attention_ns == sum(row.attention_ns for row in whole.phases)
    assert sum(row.calls for part in of_kinds for row in part.phases) == sum(
        row.calls for row in whole.phases
    )


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("descending", [False, True])
def test_windows_of_a_sorted_list_are_the_whole_list(
    trace: Trace, column: str, descending: bool
) -> None:
    record = record_of(trace)
    parts: list[AttentionCall] = []
    total = calls_window(record).total
    while len(parts) < total:
        window = Window(first=len(parts), count=50, sort=column, descending=descending)
        got = calls_window(record, window=window)
        # The last window ends with the list.
        parts += got.calls[len(parts) - got.first :]
    calls = attention(trace).calls
    known = [call for call in calls if value(call, column) is not None]
    known.sort(key=lambda call: value(call, column), reverse=descending)  # type: ignore[arg-type, return-value]
    rest = [call for call in calls if value(call, column) is None]
    assert [call.index for call in parts] == [call.index for call in [*known, *rest]]
    assert msgspec.json.encode(parts) == msgspec.json.encode([*known, *rest])


def value(call: AttentionCall, column: str) -> object:
    return getattr(call, "pass_" if column == "pass" else column)


def test_a_window_opens_around_a_call(made: Trace) -> None:
    record = record_of(made)
    for sort in COLUMNS:
        got = calls_window(record, window=Window(at=123, count=11, sort=sort))
        assert got.at == 123
        assert 123 in [call.index for call in got.calls]
        assert len(got.calls) == 11
    middle = calls_window(record, window=Window(at=123, count=11))
    assert [call.index for call in middle.calls] == list(range(118, 129))
    cross = Where(kinds=("cross",))
    assert calls_window(record, cross, Window(at=122, count=11)).at is None
    assert calls_window(record, cross, Window(at=10**9, count=11)).at is None


def test_a_call_is_found_by_the_time_of_its_kernel(made: Trace) -> None:
    record = record_of(made)
    for call in attention(made).calls[::17]:
        assert call.device_start_ns is not None
        for at_ns in (call.device_start_ns, call.device_start_ns + 40_000):
            assert calls_window(record, window=Window(at_ns=at_ns)).at == call.index
    assert calls_window(record, window=Window(at_ns=2**53)).at == 259
    assert calls_window(record, Where(kinds=("cross",)), Window(at_ns=0)).at == 1
    assert calls_window(record, Where(kinds=("joint",)), Window(at_ns=0)).at is None


def test_any_stretch_is_drawn_of_what_was_found_once(trace: Trace) -> None:
    found = ordered(record_of(trace))
    whole = found.drawn(Drawn(points=8000))
    assert whole == sequence(trace, stretch=Drawn(points=8000))
    part = found.drawn(Drawn(first=3, last=7))
    assert part.series.index == whole.series.index[3:8]
    assert part.series.place == list(range(part.series.first, part.series.last + 1))
    few = found.drawn(Drawn(points=8)).series
    assert few.index == [whole.series.index[place] for place in few.place]
    assert part.period == whole.period


def stretches(durations: list[tuple[str, int]]) -> list[Stretch]:
    at, found = 0, []
    for phase, dur in durations:
        found.append(
            Stretch(phase=phase, component="llm", start_ns=at, dur_ns=dur, rounds=1, reason=None)
        )
        at += dur + 1
    return found


def test_many_stretches_become_few() -> None:
    many = stretches([("decode", 50), ("prefill", 100)] * 500 + [("encode", 100_000)])
    few = fewer(many, 40)
    assert len(few) <= 40
    assert sum(stretch.rounds for stretch in few) == 1001
    assert {stretch.phase for stretch in few[:-1]} == {"prefill"}
    assert few[-1] == many[-1]
    assert [stretch.start_ns for stretch in few] == sorted(stretch.start_ns for stretch in few)
    ends = [stretch.start_ns + stretch.dur_ns for stretch in few]
    assert all(end <= after.start_ns for end, after in zip(ends, few[1:], strict=False))
    assert fewer(many, 2000) == many


def test_stretches_that_overlap_become_few() -> None:
    many = stretches([("decode", 50)] * 1000)
    for place, stretch in enumerate(many):
        stretch.start_ns = place
        stretch.dur_ns = 5 if place % 2 else 900
    assert len(fewer(many, 40)) <= 40
