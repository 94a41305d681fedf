from __future__ import annotations

import pytest

from genscope.cli import formatting


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"),
        (7, "7 ns"),
        (999, "999 ns"),
        (1000, "1.00 µs"),
        (12_345, "12.3 µs"),
        (999_499, "999 µs"),
        (999_500, "1.00 ms"),
        (45_600_000, "45.6 ms"),
        (1_213_000_000, "1.21 s"),
        (4_321_000_000_000, "4321 s"),
        (-1_500, "-1.50 µs"),
    ],
)
def test_durations_have_three_significant_digits_in_a_fitting_unit(ns: int, text: str) -> None:
    assert formatting.duration(ns) == text


def test_two_times_beside_each_other_share_a_unit_where_that_is_legible() -> None:
    assert formatting.from_to(1_213_000_000, 525_000_000) == "1213 → 525 ms"
    assert formatting.from_to(95_000_000, 640_000_000) == "95.0 → 640 ms"
    assert formatting.from_to(2_000_000_000, 3_000) == "2.00 s → 3.00 µs"
    assert formatting.from_to(0, 3_000) == "0 ns → 3.00 µs"


def test_a_change_shows_its_sign() -> None:
    assert formatting.change(2_000) == "+2.00 µs"
    assert formatting.change(-2_000) == "-2.00 µs"
    assert formatting.change(0) == "0 ns"


def test_a_share_is_never_rounded_to_nothing() -> None:
    assert formatting.percent(0.541) == "54.1 %"
    assert formatting.percent(0.00001) == "<0.1 %"
    assert formatting.percent(0.0) == "0 %"
    assert formatting.percent(None) == "–"


def test_speedups() -> None:
    assert formatting.times(2.3104) == "2.31x"
    assert formatting.times(0.98765) == "0.988x"
    assert formatting.times(None) == "–"


def test_what_is_not_printable_is_spelled_out() -> None:
    hostile = "a\x1b[31mb\x9b2Jc\rd\ne\tf\u202eg\u2028h\udcffi"
    spelled = r"a\x1b[31mb\x9b2Jc\rd\ne\tf\u202eg\u2028h\udcffi"
    assert formatting.neutral(hostile) == spelled
    assert formatting.neutral("void f<a>() 注意 é") == "void f<a>() 注意 é"
