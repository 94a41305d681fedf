"""The work behind the rows of the operators and attention views."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from genscope.analysis.attention.record import record_of
from genscope.analysis.attention.view import attention, calls_window
from genscope.analysis.attention.where import Where
from genscope.analysis.classify import PASSES
from genscope.analysis.flops.joined import operator_work, with_work
from genscope.analysis.flops.view import flops
from genscope.analysis.operators import breakdown
from genscope.analysis.results import Row
from genscope.analysis.selection import Selection
from genscope.analysis.windows import Window
from genscope.trace import Trace
from tests import loaded, paths
from tests.analysis.flops.support import op
from tests.trace.support import document, event, kernel, launch, read

SAMPLES = paths.REPOSITORY / "samples" / "traces"
QWEN = SAMPLES / "llm-prefill-qwen1.5-h100" / "h100.pt.trace.json.gz"
TIMESFORMER = SAMPLES / "video-timesformer-h100" / "h100.pt.trace.json.gz"

recorded = pytest.mark.parametrize("path", [QWEN, TIMESFORMER], ids=["fused", "unfused"])


def ops_of(rows: list[Row]) -> Iterator[Row]:
    for row in rows:
        if row.level == "op":
            yield row
        else:
            yield from ops_of(row.children)


@recorded
def test_rows_have_the_flops_of_the_flops_view(path: Path) -> None:
    trace = loaded.trace_of(path)
    counted = {row.name: row for row in flops(trace).categories}
    result = with_work(breakdown(trace), operator_work(trace))
    assert any(row.flops for row in result.categories)
    for row in result.categories:
        own = counted.get(row.category)
        assert (row.flops or 0) == (own.flops if own else 0)
        assert (row.moved_bytes or 0) == (own.moved_bytes if own else 0)
        assert row.flops_per_s == (own.flops_per_s if own else None)
        inside = list(ops_of(row.children))
        assert sum(one.flops or 0 for one in inside) == (row.flops or 0)
        assert all(kernel.flops is None for one in inside for kernel in one.children)


@recorded
def test_calls_add_up_to_the_category(path: Path) -> None:
    trace = loaded.trace_of(path)
    counted = next(row for row in flops(trace).categories if row.name == "Attention")
    calls = attention(trace, Where(passes=tuple(PASSES))).calls
    assert sum(call.flops or 0 for call in calls) == counted.flops
    assert sum(call.moved_bytes or 0 for call in calls) == counted.moved_bytes
    for call in calls:
        if call.flops is not None and call.device_ns:
            assert call.flops_per_s == pytest.approx(call.flops / call.device_ns * 1e9)


def test_calls_are_sorted_by_their_rate() -> None:
    record = record_of(loaded.trace_of(QWEN))
    window = Window(sort="flops_per_s", descending=True)
    found = [call.flops_per_s for call in calls_window(record, window=window).calls]
    known = [rate for rate in found if rate is not None]
    assert known == sorted(known, reverse=True)
    assert found[: len(known)] == known
    assert len(known) < len(found), "calls without a launch have no lengths"


def product(path: Path) -> Trace:
    """1.6 GFLOP in 100 µs, and a kernel that no op explains."""
    made = op("aten::mm", [[100, 800], [800, 10_000]], ts=1000, dur=10)
    events = [made, launch(1, ts=1001, dur=2), kernel(1, ts=1005, dur=100), event("aten::odd")]
    return read(path, document(events))


def test_a_product_by_hand(tmp_path: Path) -> None:
    result = with_work(breakdown(trace := product(tmp_path)), operator_work(trace))
    (linear,) = (row for row in result.categories if row.category == "Linear")
    (mm,) = linear.children
    for row in (linear, mm):
        assert row.flops == 2 * 100 * 800 * 10_000
        assert row.moved_bytes == 2 * (100 * 800 + 800 * 10_000 + 100 * 10_000)
        assert row.flops_per_s == pytest.approx(1.6e9 / 100e-6)
        assert row.intensity == pytest.approx(row.flops / row.moved_bytes)


def test_a_part_of_a_trace(tmp_path: Path) -> None:
    trace = product(tmp_path)
    assert operator_work(trace, Selection(passes=("backward",))).rows == []
    assert operator_work(trace, Selection(passes=("forward",))).rows == operator_work(trace).rows
