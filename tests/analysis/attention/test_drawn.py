"""Which calls are drawn of a sequence that is longer than the page is wide."""

from __future__ import annotations

import pytest

from genscope.analysis.attention.record import record_of
from genscope.analysis.attention.sequence import Stretch, ordered
from genscope.trace import load
from tests.benchmarks.calls import LENGTHS, write


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> object:
    """5,200 calls: self and cross attention of a denoiser at four lengths, eight kinds of call."""
    path = tmp_path_factory.mktemp("drawn") / "made.pt.trace.json"
    write(5200, path)
    return ordered(record_of(load(path)))


@pytest.mark.parametrize("points", [8, 40, 400, 4000])
def test_no_level_and_no_kind_vanishes(found, points: int) -> None:  # type: ignore[no-untyped-def]
    drawn = found.drawn(Stretch(points=points)).series
    assert len(drawn.index) <= points
    assert drawn.place == sorted(set(drawn.place))
    kinds = [drawn.groups[group].kind for group in drawn.group]
    seen = set(zip(drawn.q_len, drawn.kv_len, kinds, strict=True))
    expected = {(q, q, "self") for q in LENGTHS} | {(q, 77, "cross") for q in LENGTHS}
    assert seen == expected
    # Each is there all the way, not only at the start.
    parts = points // len(expected)
    for one in expected:
        places = [
            place
            for place, *shape in zip(drawn.place, drawn.q_len, drawn.kv_len, kinds, strict=True)
            if tuple(shape) == one
        ]
        assert len(places) == parts or parts > 200
        assert len(places) >= min(parts, 200) // 2


def test_every_call_is_drawn_where_it_fits(found) -> None:  # type: ignore[no-untyped-def]
    drawn = found.drawn(Stretch(first=1000, last=2999, points=4000)).series
    assert drawn.place == list(range(1000, 3000))
    assert drawn.each == 1
