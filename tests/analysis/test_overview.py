"""The overview adds up, and says the truth about what a device waits for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genscope.analysis.operators import breakdown
from genscope.analysis.overview import overview
from genscope.analysis.results import Overview
from genscope.analysis.selection import Selection
from genscope.trace import load
from tests.paths import shared_traces as shared_folder
from tests.trace.support import Event, event, kernel, launch, read

SHARED = shared_folder()
TRACES = sorted(path.name for path in SHARED.glob("*.json.gz")) if SHARED else []
GEMM = "ampere_sgemm_128x64_tn"


def adds_up(found: Overview) -> None:
    """What must hold for every trace, whatever is in it."""
    strip = found.strip
    assert strip.bins * strip.bin_ns >= found.wall_ns > (strip.bins - 1) * strip.bin_ns
    table = np.array(strip.busy_ns, dtype=np.int64).reshape(len(strip.categories), strip.bins)
    busy = np.array(strip.device_busy_ns)
    assert (busy <= strip.bin_ns * max(len(found.devices), 1)).all()
    assert (table <= busy).all() and (table.sum(axis=0) >= busy).all()
    assert list(found.categories) == strip.categories
    assert sum(found.categories.values()) == found.basis_sum_ns
    for device in found.devices:
        assert device.busy_ns + device.idle_ns == found.wall_ns
        assert device.busy_ns <= device.sum_ns
    assert sum(row.sum_ns for row in found.waiting) == sum(d.idle_ns for d in found.devices)
    if found.devices:
        assert busy.sum() == sum(device.busy_ns for device in found.devices)
    lengths = [gap.dur_ns for gap in found.gaps]
    assert lengths == sorted(lengths, reverse=True)
    for gap in found.gaps:
        assert sum(activity.overlap_ns for activity in gap.cpu) == gap.dur_ns
        assert all(activity.overlap_ns > 0 for activity in gap.cpu)


@pytest.mark.parametrize("name", TRACES)
def test_overview_of_a_public_trace_adds_up(shared_traces: Path, name: str) -> None:
    trace = load(shared_traces / name)
    found = overview(trace)
    adds_up(found)
    whole = breakdown(trace)
    assert found.wall_ns == whole.wall_ns
    assert found.basis_sum_ns == whole.basis_sum_ns
    assert sum(device.busy_ns for device in found.devices) == whole.device_busy_ns
    assert found.categories == {row.category: row.sum_ns for row in whole.categories}
    assert found.warnings == whole.warnings


def step(number: int, ts: float, dur: float) -> Event:
    return event(f"ProfilerStep#{number}", cat="user_annotation", ts=ts, dur=dur)


def work(correlation: int, launched: float, started: float, dur: float) -> list[Event]:
    return [
        launch(correlation, ts=launched, dur=2),
        kernel(correlation, name=GEMM, ts=started, dur=dur),
    ]


def test_idle_time_is_told_apart_by_cause(tmp_path: Path) -> None:
    events = [
        event("aten::mm", ts=0, dur=10),
        *work(1, 0, 2, 98),
        # Launched when the device had long been idle.
        event("aten::add", ts=150, dur=60),
        *work(2, 196, 200, 100),
        # The CPU waited for the device, then launched.
        event("cudaDeviceSynchronize", cat="cuda_runtime", ts=210, dur=95),
        *work(3, 395, 400, 100),
        # The CPU loaded data.
        event("enumerate(DataLoader)#_It.__next__", cat="user_annotation", ts=510, dur=85),
        *work(4, 596, 600, 100),
        # Launched long before.
        *work(5, 620, 800, 100),
    ]
    found = overview(read(tmp_path, events))
    adds_up(found)
    gaps = {gap.start_ns: (gap.dur_ns, gap.cause) for gap in found.gaps}
    assert gaps == {
        0: (2_000, "queue"),
        100_000: (100_000, "launch"),
        300_000: (100_000, "sync"),
        500_000: (100_000, "data"),
        700_000: (100_000, "queue"),
    }
    (late,) = [gap for gap in found.gaps if gap.cause == "launch"]
    assert (late.before, late.after) == (GEMM, GEMM)
    assert [(act.kind, act.name, act.overlap_ns) for act in late.cpu] == [
        ("none", "nothing recorded", 50_000),
        ("op", "aten::add", 48_000),
        ("runtime", "cudaLaunchKernel", 2_000),
    ]
    assert found.limit == "queue" and "idle 44.7 %" in found.sentence


def test_a_busy_device_is_limited_by_its_largest_category(tmp_path: Path) -> None:
    found = overview(read(tmp_path, [event("aten::mm", ts=0, dur=5), *work(1, 0, 1, 99)]))
    assert (found.limit, found.devices[0].busy_ns) == ("compute", 99_000)
    assert found.sentence == "The device is busy 99.0 % of the time; Linear takes 100.0 % of it."


def test_streams_that_overlap_are_busy_once(tmp_path: Path) -> None:
    events = [
        launch(1, ts=0),
        launch(2, ts=1),
        kernel(1, name=GEMM, ts=10, dur=50, stream=7),
        kernel(2, name="ncclDevKernel_AllReduce", ts=40, dur=60, stream=20),
    ]
    found = overview(read(tmp_path, events))
    adds_up(found)
    (device,) = found.devices
    assert (device.sum_ns, device.busy_ns, device.streams) == (110_000, 90_000, 2)


def test_cpu_run_has_a_strip_and_no_gaps(tmp_path: Path) -> None:
    found = overview(read(tmp_path, [event("aten::mm", ts=0, dur=8), event("aten::add", ts=9)]))
    adds_up(found)
    assert (found.limit, found.devices, found.gaps, found.waiting) == ("cpu", [], [], [])
    assert sum(found.strip.device_busy_ns) == 9_000


def test_lost_device_part_is_not_called_a_cpu_run(tmp_path: Path) -> None:
    found = overview(read(tmp_path, [event("aten::mm", ts=0, dur=8), launch(1, ts=1)]))
    assert found.limit == "unknown" and "device part" in found.sentence


def two_steps() -> list[Event]:
    return [
        step(0, 0, 100),
        event("text_encoder", cat="user_annotation", ts=5, dur=30),
        *work(1, 10, 20, 40),
        step(1, 100, 100),
        event("unet", cat="user_annotation", ts=105, dur=90),
        event("unet", cat="user_annotation", ts=195, dur=5),
        *work(2, 110, 120, 70),
        # Launched in the second step, run after it.
        *work(3, 196, 210, 30),
    ]


def test_a_step_range_limits_work_and_window(tmp_path: Path) -> None:
    trace = read(tmp_path, two_steps())
    found = overview(trace, Selection(first_step=1, last_step=1))
    assert [(one.index, one.name) for one in found.steps] == [
        (0, "ProfilerStep#0"),
        (1, "ProfilerStep#1"),
    ]
    assert found.wall_ns == 100_000
    assert found.basis_sum_ns == 100_000
    assert found.devices[0].busy_ns == 70_000
    for chosen, total in ((Selection(last_step=0), 40_000), (Selection(first_step=1), 100_000)):
        assert breakdown(trace, chosen).basis_sum_ns == total
    nothing = breakdown(trace, Selection(first_step=7))
    assert (nothing.basis_sum_ns, nothing.categories, nothing.wall_ns) == (0, [], 0)
    assert overview(trace, Selection(first_step=7)).limit == "unknown"


@pytest.mark.parametrize(
    ("selection", "missing", "said"),
    [
        (Selection(first_step=0, last_step=1), 0, ""),
        (Selection(first_step=1), 0, ""),
        (Selection(last_step=1), 0, ""),
        (Selection(first_step=1, last_step=4), 3, "steps are 0 to 1, without the selected 2 to 4"),
        (Selection(last_step=2), 1, "without the selected 2: the figures are of 0 to 1"),
        (Selection(first_step=5, last_step=6), 2, "without the selected 5 to 6: nothing is left"),
        (Selection(first_step=2), 1, "without the selected 2: nothing is left"),
    ],
)
def test_steps_that_a_run_lacks_are_said(
    selection: Selection, missing: int, said: str, tmp_path: Path
) -> None:
    trace = read(tmp_path, two_steps())
    for result in (breakdown(trace, selection), overview(trace, selection)):
        found = [warning for warning in result.warnings if warning.code == "steps_missing"]
        assert sum(warning.count for warning in found) == missing
        assert all(said in warning.message for warning in found)


def test_steps_are_counted_in_each_run_whatever_the_profiler_calls_them(tmp_path: Path) -> None:
    later = [
        {**one, "name": one["name"].replace("#0", "#70").replace("#1", "#71")}
        for one in two_steps()
    ]
    second = Selection(first_step=1, last_step=1)
    found = [breakdown(read(tmp_path, events), second) for events in (two_steps(), later)]
    assert [run.basis_sum_ns for run in found] == [100_000, 100_000]
    assert [run.wall_ns for run in found] == [100_000, 100_000]


def test_a_trace_without_steps_says_so_where_some_are_selected(tmp_path: Path) -> None:
    trace = read(tmp_path, work(1, 0, 1, 99))
    assert not breakdown(trace).warnings
    (warning,) = breakdown(trace, Selection(first_step=0, last_step=2)).warnings[:1]
    assert (warning.code, warning.count) == ("steps_missing", 3)
    assert "The trace has no steps" in warning.message


def test_components_and_passes_limit_the_figures(tmp_path: Path) -> None:
    trace = read(tmp_path, two_steps())
    by_component = {row.name: row.sum_ns for row in breakdown(trace).components}
    assert by_component == {"text_encoder": 40_000, "unet": 100_000}
    for name, total in by_component.items():
        only = breakdown(trace, Selection(components=(name,)))
        assert only.basis_sum_ns == total == sum(row.sum_ns for row in only.categories)
        assert sum(row.share for row in only.categories) == pytest.approx(1)
    assert breakdown(trace, Selection(components=("vae",))).basis_sum_ns == 0
    assert breakdown(trace, Selection(passes=("forward",))).basis_sum_ns == 140_000
    assert breakdown(trace, Selection(passes=("backward",))).basis_sum_ns == 0
