"""Aligning two sequences of calls, whatever one of them has more or less."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from genscope.analysis.speedup.align import align
from genscope.analysis.speedup.match import FIRST, LAST, MISSING, OTHER_LENGTHS, OTHER_STEP, match
from genscope.trace.model import Bool, Int64
from tests.analysis.speedup.made import SD_STEP, calls


def aligned(mine: Int64, theirs: Int64) -> tuple[Int64, Int64]:
    def same(first: Int64, second: Int64) -> Bool:
        found: Bool = mine[first] == theirs[second]
        return found

    return align(len(mine), len(theirs), [(mine, theirs)], same)


@given(
    st.lists(st.integers(0, 3), max_size=40),
    st.lists(st.integers(0, 3), max_size=40),
)
@settings(deadline=None)
def test_short_sequences_give_the_longest_common_one_in_order(
    first: list[int], second: list[int]
) -> None:
    mine, theirs = np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)
    one, other = aligned(mine, theirs)
    assert (np.diff(one) > 0).all() and (np.diff(other) > 0).all()
    assert (mine[one] == theirs[other]).all()
    longest = np.zeros((len(first) + 1, len(second) + 1), dtype=int)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            longest[i + 1, j + 1] = (
                longest[i, j] + 1 if a == b else max(longest[i, j + 1], longest[i + 1, j])
            )
    assert len(one) == longest[-1, -1]


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=25)
def test_long_sequences_are_aligned_but_for_what_is_missing(seed: int) -> None:
    """5,000 calls with 1 in 100 missing, and warm-up and an end that the other does not have."""
    random = np.random.default_rng(seed)
    full = np.tile(np.array(SD_STEP), 313)
    kept = np.flatnonzero(random.random(len(full)) > 0.01)
    mine = np.concatenate([random.integers(1, 9, 40), full, random.integers(10, 19, 10)])
    one, other = aligned(mine, full[kept])
    assert (mine[one] == full[kept][other]).all()
    assert len(one) >= 0.99 * len(kept)
    # Most are not only alike but the very same calls.
    assert (one == kept[other] + 40).mean() > 0.9


def test_a_hundred_thousand_calls() -> None:
    random = np.random.default_rng(1)
    lengths = np.tile(np.array(SD_STEP), 6250)
    kept = np.flatnonzero(random.random(len(lengths)) > 0.005)
    warm = [77] * 12 + [4096, 1024] * 30
    baseline = calls([*warm, *lengths.tolist()], implementation="math", causal=-1)
    fused = calls([*lengths[kept].tolist(), 333, 333])
    found = match(baseline, fused)
    assert len(found.baseline) > 0.999 * len(kept)
    mine = baseline.sizes["q_len"][found.baseline]
    assert (mine == fused.sizes["q_len"][found.fused]).all()
    assert len(found.baseline) + len(found.only_baseline) == len(baseline)
    assert len(found.fused) + len(found.only_fused) == len(fused)
    reasons = dict(zip(found.only_baseline.tolist(), found.reasons_baseline, strict=True))
    assert {reasons[place] for place in range(12)} == {OTHER_LENGTHS}
    assert {reasons[place] for place in range(12, len(warm))} == {FIRST}
    assert {reasons[place] for place in reasons if place >= len(warm)} == {MISSING}
    assert set(found.reasons_fused[-2:]) == {OTHER_LENGTHS}


def test_extra_steps_at_the_start_are_warm_up() -> None:
    found = match(calls(SD_STEP * 5), calls(SD_STEP * 3))
    assert found.only_baseline.tolist() == list(range(32))
    assert set(found.reasons_baseline) == {FIRST}
    assert (found.baseline == found.fused + 32).all()


def test_steps_that_annotations_number_are_named() -> None:
    steps = np.repeat(np.arange(3), 16)
    found = match(calls(SD_STEP * 3, step=steps), calls(SD_STEP * 2, step=steps[16:]))
    assert set(found.reasons_baseline) == {OTHER_STEP.format(step=0)}
    assert len(found.fused) == 32


def test_a_longer_recording() -> None:
    found = match(calls([*SD_STEP, 64, 64]), calls([*SD_STEP[:-1], 99, *SD_STEP[-1:]]))
    assert set(found.reasons_baseline) == {LAST}
    assert found.reasons_fused == [OTHER_LENGTHS]
    assert len(found.baseline) == 16


def test_calls_whose_lengths_a_graph_hides_are_aligned_by_order() -> None:
    lengths = [-1] * 32
    replayed = calls(lengths, kv_len=-1, batch=-1, heads=-1, kind=None, pass_=4)
    found = match(calls(SD_STEP * 2, implementation="eager"), replayed)
    assert found.baseline.tolist() == found.fused.tolist() == list(range(32))


def test_many_hidden_calls_are_aligned_from_the_end() -> None:
    lengths = SD_STEP * 200
    hidden = calls([-1] * (len(lengths) - 5), kv_len=-1, batch=-1, heads=-1, kind=None)
    found = match(calls(lengths), hidden)
    assert len(found.fused) == len(hidden)
    assert found.only_baseline.tolist() == list(range(5))


def test_heads_in_the_batch_are_the_same_call() -> None:
    found = match(calls(SD_STEP, batch=16, heads=1), calls(SD_STEP))
    assert len(found.baseline) == 16


def test_passes_are_kept_apart() -> None:
    backward = np.array([0] * 16 + [1] * 16)
    found = match(calls(SD_STEP * 2, pass_=backward), calls(SD_STEP))
    assert found.baseline.tolist() == list(range(16))


def test_nothing_on_one_side() -> None:
    found = match(calls(SD_STEP), calls([]))
    assert len(found.only_baseline) == 16 and len(found.baseline) == 0
    assert len(set(found.reasons_baseline)) == 1
