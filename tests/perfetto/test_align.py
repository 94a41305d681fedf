"""Clocks of ranks: laid on one by what happens on all at once, and left alone within its noise."""

from __future__ import annotations

from genscope.perfetto.align import Clock, align

EPOCH = 1_700_000_000 * 10**9


def ends(group: str, *at: int) -> dict[tuple[str, ...], int]:
    return {(group, str(place)): one for place, one in enumerate(at)}


def test_a_clock_moves_by_the_median_of_the_differences() -> None:
    first = Clock(EPOCH, True, ends("w", 100, 200, 300, 400, 500))
    late = Clock(EPOCH, True, ends("w", 1_100, 1_203, 1_298, 1_400, 9_500))
    one, other = align([first, late])
    assert (one.by, one.shift_ns, one.matched) == ("base", 0, 0)
    assert (other.by, other.shift_ns, other.matched) == ("collectives", -1_000, 5)
    assert (other.before_ns, other.after_ns) == (1_000, 2)


def test_base_times_count() -> None:
    first = Clock(EPOCH, True, ends("w", 100, 200, 300))
    later = Clock(EPOCH + 50, True, ends("w", 50, 150, 250))
    laid = align([first, later])[1]
    assert (laid.by, laid.shift_ns, laid.before_ns) == ("base", 0, 0)


def test_clocks_that_agree_within_the_noise_stay() -> None:
    first = Clock(EPOCH, True, ends("w", 100, 200, 300, 400))
    other = Clock(EPOCH, True, ends("w", 120, 180, 330, 385))
    laid = align([first, other])[1]
    assert (laid.by, laid.shift_ns, laid.matched) == ("base", 0, 4)
    assert laid.before_ns == laid.after_ns == 20


def test_ranks_that_share_no_group_are_laid_by_one_between() -> None:
    first = Clock(EPOCH, True, ends("a", 10, 20, 30))
    apart = Clock(EPOCH, True, ends("b", 7_010, 7_020, 7_030))
    between = Clock(EPOCH, True, {**ends("a", 510, 520, 530), **ends("b", 540, 550, 560)})
    laid = align([first, apart, between])
    # On the clock of the first, the collectives of b end at 40, 50 and 60.
    assert [one.shift_ns for one in laid] == [0, -6_970, -500]


def test_without_an_epoch_the_first_events_coincide() -> None:
    known = Clock(EPOCH, True, {})
    unknown = Clock(12_345, False, {})
    laid = align([unknown, known, unknown])
    assert [one.by for one in laid] == ["start", "base", "start"]
    assert laid[0].shift_ns == EPOCH - 12_345
    assert [one.by for one in align([unknown, unknown])] == ["recorded", "recorded"]
    assert all(one.shift_ns == 0 for one in align([unknown, unknown]))
