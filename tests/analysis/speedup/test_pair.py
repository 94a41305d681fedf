"""Aligned calls by windows and by words: the windows are the list, and add up to the whole."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genscope.analysis.attention.where import Where
from genscope.analysis.speedup import between
from genscope.analysis.speedup.lists import FUSED
from genscope.analysis.speedup.packed import PackedSide, pack, unpack
from genscope.analysis.speedup.pair import ALIGNED, LISTS, UNALIGNED, Pair, aligned_pair
from genscope.analysis.speedup.side import Side
from genscope.analysis.windows import Window
from genscope.schema import Workload
from tests.analysis.speedup.made import SD_STEP, calls, side


def runs(seed: int = 0, count: int = 6) -> tuple[Side, Side]:
    """Two runs of a few steps, each with calls that the other lacks, in kinds and phases."""
    random = np.random.default_rng(seed)
    sides = []
    for name, times in (("math", 4), ("flash", 1)):
        full = np.tile(np.array(SD_STEP), count)
        kept = np.flatnonzero(random.random(len(full)) > 0.2)
        columns: dict[str, Any] = {
            "implementation": name,
            "kind": ["cross" if at % 2 else "self" for at in kept],
            "phase": ["denoise" if at % 3 else None for at in kept] if name == "math" else None,
            "device_ns": (random.integers(0, 50, len(kept)) * times).tolist(),
            "dtype": ["float16" if at % 5 else "float32" for at in kept],
        }
        sides.append(side(calls(full[kept].tolist(), **columns)))
    return sides[0], sides[1]


def windows(pair: Pair, which: str, **asked: Any) -> list[Any]:
    """All rows, fetched a window at a time."""
    rows: list[Any] = []
    while True:
        found = pair.window(which, Window(first=len(rows), count=7, **asked))
        # The last one is as long as the others.
        assert found.first == max(0, min(len(rows), found.total - 7))
        rows += found.calls[len(rows) - found.first :]
        if len(rows) == found.total:
            return rows


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20)
def test_windows_put_together_are_the_list(seed: int) -> None:
    pair = aligned_pair(*runs(seed))
    whole = between(pair.baseline, pair.fused)
    assert windows(pair, ALIGNED) == whole.calls
    assert windows(pair, UNALIGNED) == whole.unaligned
    aligned = next(row for row in pair.speedup().module if row.scope == "aligned")
    assert sum(call.baseline_ns for call in whole.calls) == aligned.baseline_ns
    assert sum(call.fused_ns for call in whole.calls) == aligned.fused_ns
    assert aligned.calls == len(whole.calls)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("which", "column"), [(which, column) for which in LISTS for column in LISTS[which].columns]
)
def test_every_column_can_be_sorted_by(which: str, column: str, descending: bool) -> None:
    pair = aligned_pair(*runs())
    rows = windows(pair, which, sort=column, descending=descending)
    plain = windows(pair, which)
    assert len(rows) == len(plain) > 7
    name = "pass_" if column == "pass" else column
    known = [getattr(row, name) for row in rows if getattr(row, name) is not None]
    assert [getattr(row, name) for row in rows[: len(known)]] == known
    assert known == sorted(known, reverse=descending)
    encoded = [msgspec.json.encode(row) for row in rows]
    assert sorted(encoded) == sorted(map(msgspec.json.encode, plain))


@pytest.mark.parametrize("which", LISTS)
def test_a_window_goes_to_a_call(which: str) -> None:
    pair = aligned_pair(*runs())
    rows = windows(pair, which, sort="q_len")
    for place, row in enumerate(rows):
        if which == ALIGNED:
            run, index, start = FUSED, row.fused_index, row.fused_start_ns
        else:
            run, index, start = row.run, row.index, row.start_ns
        for at in ({"at": index}, {"at_ns": start}):
            found = pair.window(which, Window(count=5, sort="q_len", **at), at_run=run)
            assert found.first <= place < found.first + 5
            assert found.calls[place - found.first] == row
    nowhere = pair.window(which, Window(first=3, count=5, at=10**6))
    assert nowhere.first == 3


def test_words_choose_among_the_calls_and_leave_the_rest() -> None:
    pair = aligned_pair(*runs())
    whole = pair.speedup()
    rows = windows(pair, ALIGNED)
    for kind in ("self", "cross"):
        part = pair.of(Where(kinds=(kind,)))
        assert windows(part, ALIGNED) == [row for row in rows if row.kind == kind]
        found = part.speedup()
        assert found.aligned == sum(row.kind == kind for row in rows)
        assert {row.name for row in found.groups if row.by == "kind"} == {kind}
        assert found.amdahl == whole.amdahl and found.categories == whole.categories
        assert "some_calls" in {warning.code for warning in found.warnings}
        alone = windows(part, UNALIGNED)
        assert alone == [row for row in windows(pair, UNALIGNED) if row.kind == kind]
        assert (found.unaligned_baseline + found.unaligned_fused) == len(alone)
    phased = windows(pair.of(Where(phases=("denoise",))), ALIGNED)
    none = windows(pair.of(Where(phases=("none",))), ALIGNED)
    assert phased == [row for row in rows if row.phase == "denoise"]
    assert none == [row for row in rows if row.phase is None]
    both = pair.of(Where(phases=("none", "denoise")))
    assert windows(both, ALIGNED) == rows
    assert windows(pair.of(Where(axes=("no such axis",))), ALIGNED) == []


@pytest.mark.parametrize("lengths", [(), SD_STEP])
def test_without_calls_the_lists_are_empty(lengths: tuple[int, ...]) -> None:
    pair = aligned_pair(side(calls(lengths)), side(calls(())))
    assert pair.window(ALIGNED, Window(sort="note", at=0)).calls == []
    assert len(pair.window(UNALIGNED, Window(sort="reason")).calls) == len(lengths)
    assert pair.of(Where(kinds=("self",))).speedup().aligned == 0


def test_a_run_can_be_kept_and_is_the_same() -> None:
    baseline, fused = runs()
    baseline = side(baseline.calls, workload=Workload(model="sd", extra={"scale": float("inf")}))
    kept = msgspec.json.encode(pack(baseline))
    again = unpack(msgspec.json.decode(kept, type=PackedSide))
    assert between(again, fused) == between(baseline, fused)
    assert again.document == baseline.document
    assert msgspec.json.encode(pack(again)) == kept


def test_columns_of_objects_are_refused() -> None:
    packed = pack(runs()[0])
    packed.columns["index"] = ("|O", "|O", b"")
    with pytest.raises(ValueError, match=r"\|O"):
        unpack(packed)


def test_a_pair_predicts_runs_of_its_device_alone() -> None:
    pair = aligned_pair(
        side(calls(SD_STEP, implementation="math", device_ns=4000)), side(calls(SD_STEP))
    )
    run = side(calls(SD_STEP * 2, implementation="math", device_ns=8000))
    found = pair.prediction(run)
    assert {one.implementation: one.module_speedup for one in found.predicted} == {
        "flash": 8,
        "math": 1,
    }
    other = pair.prediction(side(run.calls, devices=["another GPU"]))
    assert other.predicted == [] and other.limit_speedup == found.limit_speedup
    assert [warning.code for warning in other.warnings] == ["other_device"]
