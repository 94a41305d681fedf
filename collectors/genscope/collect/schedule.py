"""Which steps of a loop are recorded: wait, warm up, record, and again."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Phase(enum.Enum):
    """What is done with a step."""

    IDLE = enum.auto()
    """Nothing at all."""
    WARMUP = enum.auto()
    """Recorded and thrown away, so that nothing is done for the first time in a window."""
    RECORD = enum.auto()


@dataclass(frozen=True, slots=True)
class Schedule:
    """Cycles of `wait` idle, `warmup` and `active` recorded steps, `repeat` times (0: for ever).

    Of several warm-up steps only the last is recorded and thrown away; those before it are idle.
    Raises ValueError where the numbers make no schedule.
    """

    wait: int = 0
    warmup: int = 1
    active: int = 1
    repeat: int = 1

    def __post_init__(self) -> None:
        least = {"wait": 0, "warmup": 0, "active": 1, "repeat": 0}
        for name, bound in least.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < bound:
                raise ValueError(f"{name} is {value!r} and should be a whole number from {bound}")

    @property
    def period(self) -> int:
        """Steps of one cycle."""
        return self.wait + self.warmup + self.active

    def cycle(self, step: int) -> int:
        """Number of the cycle that a step belongs to, from 0."""
        return step // self.period

    def phase(self, step: int) -> Phase:
        """What is done with this step, counted from 0."""
        if self.repeat and self.cycle(step) >= self.repeat:
            return Phase.IDLE
        place = step % self.period
        if place >= self.wait + self.warmup:
            return Phase.RECORD
        return Phase.WARMUP if place == self.wait + self.warmup - 1 else Phase.IDLE

    def is_last(self, step: int) -> bool:
        """Whether a window ends with this step."""
        return self.phase(step) is Phase.RECORD and step % self.period == self.period - 1

    def is_over(self, step: int) -> bool:
        """Whether nothing is recorded from this step on."""
        return bool(self.repeat) and self.cycle(step) >= self.repeat
