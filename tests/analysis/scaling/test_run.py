"""What one run contributes: the same figures as the views of one trace, and exact FLOPs."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from genscope.analysis.attention.space_time import space_time
from genscope.analysis.flops.view import flops
from genscope.analysis.operators import breakdown
from genscope.analysis.scaling import contribution, scaling
from genscope.analysis.scaling.results import Contribution
from genscope.analysis.selection import Selection
from genscope.trace import Trace, load
from tests.analysis.scaling.made import unet
from tests.paths import REPOSITORY

VIDEO = REPOSITORY / "samples/traces/video-timesformer-h100/h100.pt.trace.json.gz"


@pytest.fixture(scope="module")
def video() -> Trace:
    return load(VIDEO)


def test_agrees_with_the_views_of_one_trace(video: Trace) -> None:
    made = contribution(video)
    operators, counted = breakdown(video), flops(video)
    times = {row.name: row.time_ns for row in made.amounts if row.group == "category"}
    assert {name: time for name, time in times.items() if time} == {
        row.category: row.sum_ns for row in operators.categories if row.sum_ns
    }
    [whole] = [row for row in made.amounts if row.group == "total"]
    assert whole.time_ns == operators.basis_sum_ns
    assert (whole.flops, whole.moved_bytes) == (counted.flops, counted.moved_bytes)
    assert whole.unknown_ns == counted.unknown_ns
    work = {row.name: row.flops for row in made.amounts if row.group == "category" and row.flops}
    assert work == {row.name: row.flops for row in counted.categories if row.flops}
    axes = {row.axis: (row.flops, row.calls) for row in space_time(video).axes}
    assert axes == {
        row.name: (row.flops, row.calls)
        for row in made.amounts
        if row.group == "axis" and row.component is None
    }


def test_is_small_and_survives_json(video: Trace) -> None:
    made = contribution(video)
    text = msgspec.json.encode(made)
    assert len(text) < 20_000
    assert msgspec.json.decode(text, type=Contribution) == made


def test_a_selection(video: Trace) -> None:
    none = contribution(video, Selection(components=("nothing",)))
    assert sum(row.time_ns for row in none.amounts) == 0
    assert none.largest_score_bytes == 0


def test_by_hand(tmp_path: Path) -> None:
    """At 512 px: 2 x 8 heads of 40, 64 x 64 positions, 77 tokens of text, bfloat16."""
    made = contribution(unet(tmp_path, 512))
    rows = {(row.group, row.name): row for row in made.amounts}
    assert rows["category", "Convolution"].flops == 2 * 2 * 320 * 320 * 9 * 64**2
    assert rows["kind", "self"].flops == 2 * 8 * 4096 * 4096 * 4 * 40
    assert rows["kind", "cross"].flops == 2 * 8 * 4096 * 77 * 4 * 40
    assert rows["kind", "self"].score_bytes == made.largest_score_bytes == 2 * 8 * 4096**2 * 2
    assert rows["total", "all"].score_bytes == 2 * 8 * 4096 * (4096 + 77) * 2
    assert rows["total", "all"].written_score_bytes == 0
    assert rows["kind", "self"].time_ns == 64_000
    assert (made.unfused_share, made.lengths.length, made.lengths.batch) == (0.0, 4096, 2)


def test_powers_of_the_side(tmp_path: Path) -> None:
    """Self attention grows with its fourth power, attention to text and convolution with two."""
    runs = [(str(side), contribution(unet(tmp_path, side))) for side in (64, 128, 256, 512)]
    [sweep] = scaling(runs).sweeps
    assert sweep.parameter == "image_size"
    [line] = sweep.lines
    powers = {
        (fit.group, fit.name, fit.metric): fit.exponent
        for fit in line.fits
        if fit.component is None
    }
    assert powers["kind", "self", "flops"] == pytest.approx(4)
    assert powers["kind", "self", "score_bytes"] == pytest.approx(4)
    assert powers["kind", "cross", "flops"] == pytest.approx(2)
    assert powers["category", "Convolution", "flops"] == pytest.approx(2)
    assert powers["category", "Attention", "time_ns"] == pytest.approx(1)
    assert next(one for one in line.growth if one.metric == "flops").faster == "Attention"
    [found] = [
        one
        for one in line.crossovers
        if {one.upper, one.lower} == {"self", "cross"} and one.metric == "flops"
    ]
    # As many positions as tokens of text: a side of 8 · √77.
    assert found.value == pytest.approx(8 * 77**0.5)
