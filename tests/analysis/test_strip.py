"""A stretch of the timeline holds what the whole of it holds there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genscope.analysis.overview import overview
from genscope.analysis.selection import Selection
from genscope.analysis.strip import BINS, zoom
from genscope.trace import load
from tests.paths import REPOSITORY
from tests.trace.support import event, kernel, launch, read

RECORDED = sorted((REPOSITORY / "samples" / "traces").glob("*/*.json.gz"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.parent.name)
def test_finer_bins_add_up_to_the_coarser_ones(path: Path) -> None:
    trace = load(path)
    coarse = overview(trace).strip
    prepared = zoom(trace)
    assert prepared.lanes.categories == coarse.categories
    busiest = int(np.argmax(coarse.device_busy_ns))
    for first in (0, busiest, coarse.bins - 2):
        start = coarse.start_ns + first * coarse.bin_ns
        fine = prepared.timeline((start, start + 2 * coarse.bin_ns)).strip
        assert fine.bins <= BINS and fine.bin_ns < coarse.bin_ns
        assert fine.bins * fine.bin_ns >= 2 * coarse.bin_ns
        # The last bin may reach beyond what was asked for.
        over = start + fine.bins * fine.bin_ns
        exact = prepared.lanes.strip((start, over), 1)
        assert [sum(row) for row in fine.busy_ns] == [row[0] for row in exact.busy_ns]
        assert sum(fine.device_busy_ns) == exact.device_busy_ns[0]
        assert sum(fine.device_busy_ns) >= sum(coarse.device_busy_ns[first : first + 2])


def test_a_stretch_of_a_selection(tmp_path: Path) -> None:
    events = [
        event("aten::mm", ts=0, dur=20),
        launch(1, ts=5),
        kernel(1, name="ampere_sgemm_128x64_tn", ts=30, dur=10),
    ]
    trace = read(tmp_path, events)
    (inside,) = zoom(trace).timeline((35_000, 45_000)).strip.busy_ns
    assert sum(inside) == 5_000
    nothing = zoom(trace, Selection(passes=("backward",))).timeline((35_000, 45_000))
    assert (nothing.strip.categories, sum(nothing.strip.device_busy_ns)) == ([], 0)
