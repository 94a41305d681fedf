"""Peak memory by category and step, from what an allocator said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from genscope.analysis.memory.measured import measured_of
from genscope.analysis.memory.results import BEFORE, DeviceMemory
from genscope.analysis.memory.view import memory
from genscope.trace import load
from tests.analysis.memory.made import block, loaded, op
from tests.trace.support import Event, event

KIB = 1024


def device(folder: Path, events: list[Event]) -> DeviceMemory:
    (found,) = measured_of(loaded(folder, events)).devices
    return found


EVENTS = [
    event("ProfilerStep#1", cat="user_annotation", ts=0, dur=50),
    op("aten::mm", [[8, 8], [8, 8]], 10, 10),
    block(12, 4 * KIB, 0xA, 104 * KIB, reserved=200 * KIB),
    op("aten::relu", [[8, 8]], 30, 10),
    event("aten::empty", ts=31, dur=4),
    block(32, 2 * KIB, 0xB, 106 * KIB),
    block(45, -4 * KIB, 0xA, 102 * KIB),
    event("ProfilerStep#2", cat="user_annotation", ts=60, dur=40),
    op("aten::conv2d", [[1, 8, 4, 4], [8, 8, 1, 1]], 62, 10),
    block(64, 6 * KIB, 0xA, 108 * KIB),
    # Allocated before the recording.
    block(80, -90 * KIB, 0xC, 18 * KIB),
    # No op is around it.
    block(90, 1 * KIB, 0xD, 19 * KIB),
]


def test_the_peak_and_what_is_alive_then(tmp_path: Path) -> None:
    found = device(tmp_path, EVENTS)
    assert found.device == "cuda:0" and found.whole
    assert (found.start_bytes, found.end_bytes) == (100 * KIB, 19 * KIB)
    assert (found.peak_bytes, found.peak_ns, found.peak_step) == (
        108 * KIB, 64_000, "ProfilerStep#2",
    )  # fmt: skip
    assert [(row.category, row.bytes, row.blocks) for row in found.at_peak] == [
        (BEFORE, 100 * KIB, None),
        ("Convolution", 6 * KIB, 1),
        ("Elementwise", 2 * KIB, 1),
    ]
    assert sum(row.bytes for row in found.at_peak) == found.peak_bytes
    assert [(b.op, b.bytes, b.freed_ns) for b in found.largest_blocks] == [
        ("aten::conv2d", 6 * KIB, None),
        ("aten::relu", 2 * KIB, None),
    ]
    assert found.reserved_peak_bytes == 200 * KIB
    assert (found.allocations, found.frees, found.allocated_bytes) == (4, 2, 13 * KIB)
    assert (found.unfreed_blocks, found.disagreements) == (3, 0)


def test_blocks_freed_that_were_allocated_before_are_counted(tmp_path: Path) -> None:
    trace = loaded(tmp_path, EVENTS)
    found = memory(trace)
    (told,) = found.measured.devices
    assert (told.unknown_frees, told.unknown_freed_bytes) == (1, 90 * KIB)
    assert [warning.code for warning in found.warnings] == ["unknown_frees"]


def test_steps_have_their_own_peaks(tmp_path: Path) -> None:
    first, second = device(tmp_path, EVENTS).steps
    assert (first.peak_bytes, first.end_bytes, first.allocated_bytes) == (
        106 * KIB, 102 * KIB, 6 * KIB,
    )  # fmt: skip
    assert {row.category: row.bytes for row in first.categories} == {
        BEFORE: 100 * KIB, "Linear": 4 * KIB, "Elementwise": 2 * KIB,
    }  # fmt: skip
    assert (second.peak_bytes, second.end_bytes, second.allocated_bytes) == (
        108 * KIB, 19 * KIB, 7 * KIB,
    )  # fmt: skip


def test_a_series_adds_up_at_every_moment(tmp_path: Path) -> None:
    series = device(tmp_path, EVENTS).series
    assert series.allocated_bytes == [kib * KIB for kib in (104, 106, 102, 108, 18, 19)]
    assert series.at_ns == [12_000, 32_000, 45_000, 64_000, 80_000, 90_000]
    columns = zip(*series.categories.values(), strict=True)
    assert [sum(values) for values in columns] == series.allocated_bytes
    assert series.categories["Linear"] == [4 * KIB, 4 * KIB, 0, 0, 0, 0]
    assert series.categories[BEFORE][-1] == 10 * KIB
    assert series.categories["Unlinked"][-1] == KIB


def test_an_address_given_out_again_ends_the_block_before(tmp_path: Path) -> None:
    """The free between them was not recorded, which the totals show."""
    found = device(tmp_path, [
        op("aten::mm", [[8, 8], [8, 8]], 0, 10),
        block(1, 4 * KIB, 0xA, 4 * KIB, kind=0),
        op("aten::relu", [[8, 8]], 20, 10),
        block(21, 8 * KIB, 0xA, 8 * KIB, kind=0),
    ])  # fmt: skip
    assert found.device == "cpu" and not found.whole
    assert {row.category: row.bytes for row in found.at_peak} == {"Elementwise": 8 * KIB}
    assert found.disagreements == 1 and found.unfreed_blocks == 1


def test_long_series_keep_their_highest_moments(tmp_path: Path) -> None:
    events, total = [event(ts=0, dur=20_000)], 0
    for number in range(5000):
        size = 10_000 if number == 3333 else 1 + number % 7
        events.append(block(2 * number, size, 64, total + size))
        events.append(block(2 * number + 1, -size, 64, total))
    found = device(tmp_path, events)
    assert found.peak_bytes == max(found.series.allocated_bytes) == 10_000
    assert len(found.series.at_ns) <= 2000 and found.series.changes == 10_000
    assert found.series.at_ns == sorted(found.series.at_ns)
    assert found.series.allocated_bytes[-1] == found.end_bytes == 0


def test_totals_are_those_of_the_profiler(tmp_path: Path) -> None:
    """Independent of our reader: torch's own sums, and the totals as they stand in the file."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(64, 64)
    kept = []
    with profile(
        activities=[ProfilerActivity.CPU], profile_memory=True, record_shapes=True
    ) as profiler:
        for _ in range(3):
            q, k, v = (torch.randn(2, 4, 128, 16) for _ in range(3))
            scores = torch.matmul(q, k.transpose(-1, -2)).softmax(-1)
            kept.append(layer(torch.matmul(scores, v).reshape(-1, 64)).sum())
            profiler.step()
        kept[-1].backward()
    path = tmp_path / "trace.json"
    profiler.export_chrome_trace(str(path))
    result = memory(load(path))
    (found,) = result.measured.devices
    told = [
        one["args"] for one in json.loads(path.read_text())["traceEvents"]
        if one["name"] == "[memory]"
    ]  # fmt: skip
    totals = [one["Total Allocated"] for one in told]
    assert found.peak_bytes == max(totals)
    assert found.end_bytes == totals[-1] and found.disagreements == 0
    assert found.end_bytes - found.start_bytes == sum(
        row.self_cpu_memory_usage for row in profiler.key_averages()
    )
    assert sum(row.bytes for row in found.at_peak) == found.peak_bytes
    matrix = 2 * 4 * 128 * 128 * 4
    (stage,) = result.stages
    assert stage.calls == 3 and stage.real_call_bytes == matrix
    assert stage.softmax_bytes == stage.product_bytes == 3 * matrix
    # The scores and their softmax stand beside each other, and nothing larger.
    assert stage.measured_largest_bytes == matrix
    assert stage.measured_call_peak_bytes is not None
    assert 2 * matrix <= stage.measured_call_peak_bytes < 3 * matrix


def test_the_peak_of_a_recorded_h100_run() -> None:
    sample = Path(__file__).parents[3] / "samples/traces/video-timesformer-h100"
    found = memory(load(sample / "h100.pt.trace.json.gz"))
    gpu, cpu = found.measured.devices
    assert (gpu.device, cpu.device) == ("cuda:0", "cpu")
    assert gpu.peak_bytes == 4_490_752_000 and gpu.start_bytes == gpu.end_bytes == 287_697_408
    assert gpu.capacity_bytes == 85_018_279_936
    by_name = {row.category: row.bytes for row in gpu.at_peak}
    # Two copies of the spatial scores, 96 x 3137 x 3137 in bfloat16, rounded up to 2 MiB.
    matrix = -(-96 * 3137**2 * 2 // (2 << 20)) * (2 << 20)
    assert by_name["Attention"] == 2 * matrix
    assert by_name[BEFORE] == gpu.start_bytes
    spatial = next(stage for stage in found.stages if stage.axis == "spatial")
    assert spatial.measured_largest_bytes == matrix
    assert spatial.softmax_bytes == 12 * 96 * 3137**2 * 2


@pytest.mark.parametrize("value", ["x", 1.5e300, None, 0])
def test_sizes_that_cannot_be_are_left_out(tmp_path: Path, value: object) -> None:
    broken = block(5, 1, 0xA, 1)
    broken["args"]["Bytes"] = value
    trace = loaded(tmp_path, [event(ts=0, dur=50), broken, block(9, 7, 0xB, 7)])
    (found,) = measured_of(trace).devices
    assert found.allocations == 1 and found.peak_bytes == 7
