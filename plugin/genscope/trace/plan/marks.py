"""The ranges by which a recording tells which calls of models it left out, and what they do.

`genscope.plan#7` is around call 7, which was made. `genscope.plan#0 at=40 from=12 to=13 first=2
last=3` stands for one that was not: it is the 40th of its kind, and does what calls 12 and 13 did,
which were the 2nd and 3rd, with sizes that go on as theirs did.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "genscope.plan#"

_NAME = re.compile(
    r"genscope\.plan#(\d{1,9})(?: at=(\d+) from=(\d+) to=(\d+) first=(\d+) last=(\d+))?"
)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A call that was not made: the two calls that tell what it does, and their places."""

    at: int
    call: int
    other: int
    call_at: int
    other_at: int

    @property
    def name(self) -> str:
        """The name of its range."""
        return (
            f"{PREFIX}0 at={self.at} from={self.call} to={self.other} "
            f"first={self.call_at} last={self.other_at}"
        )


def made(call: int) -> str:
    """The name of the range of a call that is made."""
    return f"{PREFIX}{call}"


def parse(name: str) -> int | LeftOut | None:
    """Read the name of a range: the number of a call, one that is left out, or neither."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    if found[2] is None:
        return int(found[1])
    at, call, other, call_at, other_at = (int(found[place]) for place in range(2, 7))
    return LeftOut(at, call, other, call_at, other_at)
