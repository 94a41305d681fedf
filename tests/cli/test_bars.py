from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from genscope.cli import bars
from genscope.cli.document import Segment


@given(st.lists(st.floats(0, 1), max_size=12), st.integers(1, 200))
def test_the_parts_of_a_bar_add_up_to_its_length(sizes: list[float], width: int) -> None:
    cells = bars.allot(sizes, width)
    assert sum(cells) == round(sum(size * width for size in sizes))
    assert all(abs(n - size * width) <= 1 for n, size in zip(cells, sizes, strict=True))


def test_unlinked_time_is_drawn_apart() -> None:
    segments = [Segment("Attention", 0.5, hatched=0.2), Segment("Linear", 0.5)]
    assert bars.bar(segments, 10, letters=True).plain == "AAAaaLLLLL"
    assert bars.bar(segments, 10, letters=False).plain == "███▒▒█████"


def test_a_bar_has_the_colours_of_its_categories() -> None:
    drawn = bars.bar([Segment("Attention", 0.5), Segment("Convolution", 0.5)], 10, letters=False)
    assert [str(span.style) for span in drawn.spans] == ["#D55E00", "#0072B2"]


def test_no_two_categories_share_a_letter() -> None:
    from genscope.cli.colours import CATEGORIES

    letters = [swatch.letter for swatch in CATEGORIES.values()]
    assert len(set(letters)) == len(letters)
