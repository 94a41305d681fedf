"""The FLOPs view: what adds up, and what is said of what is not known."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from genscope.analysis.flops.view import flops
from genscope.analysis.selection import Selection
from tests import loaded, paths
from tests.analysis.flops.support import op
from tests.cli.run import genscope
from tests.trace.support import document, event, kernel, launch, read

shared = pytest.mark.skipif(not loaded.TRACES, reason="the shared traces are not here")


def ran(correlation: int, made: dict[str, object], ts: int, dur: int) -> list[dict[str, object]]:
    """An op on the CPU, its launch, and its kernel of `dur` microseconds."""
    return [
        {**made, "ts": ts, "dur": 10},
        launch(correlation, ts=ts + 1, dur=2),
        kernel(correlation, ts=ts + 5, dur=dur, name=f"kernel_{correlation}"),
    ]


EVENTS = [
    *ran(1, op("aten::mm", [[256, 512], [512, 1024]]), 0, 30),
    *ran(2, op("aten::relu", [[256, 1024]]), 100, 10),
    *ran(3, op("mine::secret", [[256, 1024]]), 200, 40),
    *ran(4, event("aten::mm"), 300, 20),
    kernel(9, ts=400, dur=5, name="lost"),
]


def test_sums_and_unknowns(tmp_path: Path) -> None:
    result = flops(read(tmp_path, EVENTS))
    product = 2 * 256 * 512 * 1024
    assert result.flops == product + 256 * 1024
    assert result.matrix_flops == result.counter_flops == product
    assert result.known_ns + result.unknown_ns + result.overhead_ns == result.basis_sum_ns
    assert result.known_ns == 40_000
    assert sum(row.flops for row in result.categories) == result.flops
    rates = {row.op: row.flops_per_s for row in result.ops}
    assert rates["aten::mm"] == pytest.approx(product / 30e-6)
    unknown = {row.name: (row.missing, row.calls, row.time_ns) for row in result.unknown}
    assert unknown == {
        "mine::secret": ("flops", 1, 40_000),
        "aten::mm": ("flops", 1, 20_000),
        "lost": ("flops", 1, 5_000),
    }
    assert "unknown_work" in {warning.code for warning in result.warnings}


def test_a_trace_without_shapes(tmp_path: Path) -> None:
    """Nothing is counted, and what to do is said."""
    result = flops(read(tmp_path, [event("aten::mm", ts=0, dur=5)]))
    assert result.flops == 0
    assert [row.name for row in result.unknown] == ["aten::mm"]
    (warning,) = [one for one in result.warnings if one.code == "no_shapes"]
    assert "record_shapes=True" in warning.message


def test_an_empty_trace(tmp_path: Path) -> None:
    result = flops(read(tmp_path, []))
    assert (result.flops, result.ops, result.unknown) == (0, [], [])
    assert result.intensity is None


def test_a_selection_takes_its_part(tmp_path: Path) -> None:
    trace = read(tmp_path, EVENTS)
    assert flops(trace, Selection(passes=("backward",))).flops == 0
    assert flops(trace, Selection(passes=("forward",))).flops == flops(trace).flops


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_on_the_command_line(tmp_path: Path, form: str) -> None:
    path = tmp_path / "trace.json"
    path.write_bytes(document(EVENTS))
    done = genscope("report", path, "--view", "flops", "--format", form, COLUMNS="160")
    assert done.returncode == 0
    if form == "json":
        found = msgspec.json.decode(done.stdout)
        assert (found["view"], found["flops"]) == ("flops", 2 * 256 * 512 * 1024 + 256 * 1024)
    else:
        text = done.stdout.decode()
        assert "mine::secret" in text
        assert "no formula is known for it" in text
        assert "2·m·n·k" in text


@shared
def test_timesformer_spatial_and_temporal() -> None:
    """12 layers: 96 heads of 3,137 positions, and 37,632 of 8 frames; two products each."""
    folder = paths.shared_traces()
    assert folder is not None
    result = flops(loaded.trace_of(folder / "video-timesformer-h100.json.gz"))
    spatial = 12 * 2 * 2 * 96 * 3137 * 3137 * 64
    temporal = 12 * 2 * 2 * 37632 * 8 * 8 * 64
    rows = {row.op: row for row in result.ops}
    assert rows["aten::bmm"].flops == spatial + temporal
    assert round(spatial / 1e12, 2) == 2.90
    assert result.unknown_ns == 0


@shared
@pytest.mark.parametrize("name", loaded.TRACES)
def test_shared_traces(name: str) -> None:
    """Every nanosecond is known, unknown or overhead, and groupings agree."""
    folder = paths.shared_traces()
    assert folder is not None
    result = flops(loaded.trace_of(folder / f"{name}.json.gz"))
    assert result.known_ns + result.unknown_ns + result.overhead_ns == result.basis_sum_ns
    for rows in (result.categories, result.passes, result.components, result.phases, result.ops):
        assert not rows or sum(row.flops for row in rows) == result.flops
    missing = sum(row.time_ns for row in result.unknown if row.missing == "flops")
    assert missing == result.unknown_ns
