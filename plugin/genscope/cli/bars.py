"""Stacked bars made of characters: blocks where there are colours, letters where there are not.

The hatched part of a segment (unlinked time) is drawn as a lighter block, or as small letters.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from genscope.cli.colours import swatch
from genscope.cli.document import Segment

SOLID, HATCHED = "█", "▒"


def allot(sizes: Sequence[float], width: int) -> list[int]:
    """Whole numbers of characters for `sizes`, where 1 is `width` characters.

    They add up to the rounded length of the whole bar: what rounding takes from each goes to
    those that lost most.
    """
    exact = [max(0.0, size) * width for size in sizes]
    cells = [int(value) for value in exact]
    by_loss = sorted(range(len(exact)), key=lambda i: cells[i] - exact[i])
    for i in by_loss[: max(0, round(sum(exact)) - sum(cells))]:
        cells[i] += 1
    return cells


def bar(segments: Sequence[Segment], width: int, *, letters: bool) -> Text:
    """The bar of `segments`, where size 1 is `width` characters."""
    text = Text(no_wrap=True)
    for segment, cells in zip(segments, allot([s.size for s in segments], width), strict=True):
        colour, letter = swatch(segment.category)
        hatched = round(cells * segment.hatched / segment.size) if segment.size > 0 else 0
        solid_mark, hatch_mark = (letter, letter.lower()) if letters else (SOLID, HATCHED)
        text.append(solid_mark * (cells - hatched) + hatch_mark * hatched, style=colour)
    return text


def mark(category: str, *, letters: bool) -> Text:
    """The sign that stands for `category` in front of its name: the legend of the bars."""
    colour, letter = swatch(category)
    sign = letter if letters else HATCHED if category == "Unlinked" else SOLID
    return Text(sign, style=colour)
