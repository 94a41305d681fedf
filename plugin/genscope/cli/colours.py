"""The colour of each category, the same in every chart, and its letter where colour is missing."""

from __future__ import annotations

from typing import NamedTuple


class Swatch(NamedTuple):
    """How a category is drawn: a colour, or a letter on a terminal with few or none."""

    colour: str
    letter: str


CATEGORIES = {
    "Attention": Swatch("#D55E00", "A"),
    "Convolution": Swatch("#0072B2", "C"),
    "Linear": Swatch("#009E73", "L"),
    "Normalization": Swatch("#CC79A7", "N"),
    "GroupNorm": Swatch("#A35483", "G"),
    "Elementwise": Swatch("#F0E442", "E"),
    "Embedding": Swatch("#56B4E9", "B"),
    "Softmax": Swatch("#E69F00", "S"),
    "Memory": Swatch("#999999", "M"),
    "Communication": Swatch("#7F3C8D", "X"),
    "Optimizer": Swatch("#8C564B", "P"),
    "Other": Swatch("#BBBBBB", "O"),
    "Unlinked": Swatch("#BBBBBB", "U"),
}

UNKNOWN = Swatch("#BBBBBB", "?")


def swatch(category: str) -> Swatch:
    """How `category` is drawn."""
    return CATEGORIES.get(category, UNKNOWN)
