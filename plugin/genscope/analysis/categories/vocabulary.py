"""The words of the classification: the categories, a rule, and tables of patterns.

A pattern is a regular expression searched in the lower-cased name. Names come from traces and are
untrusted, so only their first `NAME_LIMIT` characters count, and patterns repeat nothing without a
bound. What a rule says of itself is taken from the tables, never from the name it matched.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

CATEGORIES: tuple[str, ...] = (
    "Attention",
    "Convolution",
    "Linear",
    "Normalization",
    "Elementwise",
    "Embedding",
    "Softmax",
    "Memory",
    "Communication",
    "Optimizer",
    "Other",
    "Unlinked",
)
"""Every category of device time, in the order in which they are shown."""

NAME_LIMIT = 4_000
"""Characters of a name that are looked at."""


class Strength(enum.IntEnum):
    """How far a rule decides for what happens inside the op or annotation that it matched.

    Ops nest: the op nearest to the kernel is asked first, then the ones around it.
    """

    WEAK = 0
    """Says little alone (a view, an allocation, a wrapper): any other rule goes before it."""
    NORMAL = 1
    """Decides, unless a SCOPE is around it."""
    SCOPE = 2
    """Decides for everything inside it too, except copies; of nested ones the innermost does."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What decided a category; `name` is the short reason that is kept with the result."""

    category: str
    pattern: str
    name: str
    strength: Strength = Strength.NORMAL
    sub: str | None = None
    """The child of the category, such as GroupNorm of Normalization."""


Row = tuple[str, str, str]
"""A row of a table: `category` or `category/child`, label, pattern."""


def make_rule(category: str, pattern: str, name: str, strength: Strength = Strength.NORMAL) -> Rule:
    """Make the rule of a row, whose category may be written `category/child`."""
    head, _, sub = category.partition("/")
    if head not in CATEGORIES:
        raise ValueError(f"no such category: {head}")
    return Rule(head, pattern, name, strength, sub or None)


class Patterns:
    """A table of patterns in order: the first that is found in a text decides."""

    def __init__(
        self,
        origin: str,
        rows: Iterable[Row],
        strengths: Mapping[str, Strength] | None = None,
    ) -> None:
        """Compile `rows`; their rules are called `origin label`.

        `strengths` gives the strength of the rules of a category where it is not NORMAL.
        """
        self.entries: list[tuple[re.Pattern[str], Rule]] = []
        for category, label, pattern in rows:
            rule = make_rule(category, pattern, f"{origin} {label}")
            strength = (strengths or {}).get(rule.category, Strength.NORMAL)
            rule = make_rule(category, pattern, rule.name, strength)
            self.entries.append((re.compile(pattern), rule))

    def match(self, text: str) -> Rule | None:
        """Return the rule of the first row found in `text`, None where none is."""
        for pattern, rule in self.entries:
            if pattern.search(text):
                return rule
        return None
