"""Whether a recording would be cut is told before it is made."""

from __future__ import annotations

import torch
from torch import nn

from genscope.collect.guard import EVENTS_PER_MODULE, MAX_EVENTS, MAX_SECONDS, Guard
from genscope.suite.forecast import LIMITS, Size, cut, measured, watched
from genscope.suite.models.base import SCALES

MODEL = nn.Sequential(nn.Linear(2, 2), nn.ReLU())


def test_events_are_estimated_as_the_collector_does() -> None:
    with measured() as size:
        for _ in range(5):
            MODEL(torch.ones(1, 2))
    guard = Guard(None, None, lambda _: True)
    for _ in range(5):
        guard.called(3, on_device=False, learns=False)
    assert size.events == 5 * 3 * EVENTS_PER_MODULE == guard._called
    assert size.seconds > 0
    MODEL(torch.ones(1, 2))
    assert size.events == 5 * 3 * EVENTS_PER_MODULE


def test_what_fits_is_not_talked_about() -> None:
    limits = {"max_events": 1000, "max_seconds": 60.0}
    assert cut(Size(59.0, 1000), limits) == ""
    assert cut(Size(1e9, 10**12), {"max_events": None, "max_seconds": None}) == ""


def test_a_cut_is_told_with_the_part_that_is_left_and_what_moves_the_limit() -> None:
    limits = {"max_events": 4_000_000, "max_seconds": 900.0}
    told = cut(Size(20.0, 32_000_000), limits)
    assert "after about 12% of a run" in told
    assert "32,000,000 events, and the limit 4,000,000 events; --max-events" in told
    told = cut(Size(1800.0, 5_000_000), limits)
    assert "after about 50% of a run" in told
    assert "1800 s, and the limit 900 s; --max-seconds" in told


def test_only_the_first_run_is_watched() -> None:
    seen: list[Size] = []
    run = watched(lambda: MODEL(torch.ones(1, 2)), seen.append)
    assert run().shape == (1, 2)
    run()
    assert [size.events for size in seen] == [3 * EVENTS_PER_MODULE]


def test_paper_scale_has_more_room_and_tiny_that_of_the_collector() -> None:
    assert LIMITS["tiny"] == {"max_seconds": MAX_SECONDS, "max_events": MAX_EVENTS}
    assert set(LIMITS) == set(SCALES)
    assert all(LIMITS["paper"][name] > limit for name, limit in LIMITS["tiny"].items())
