"""Which part of a trace an analysis looks at: the filters that hold across pages."""

from __future__ import annotations

import msgspec


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a trace; empty fields take everything.

    `components` and `passes` are names as the breakdown lists them. `first_step` and `last_step`
    (both included) are steps by their place: each trace counts its own from 0 in order of time, so
    that the second recorded step of a run is compared with the second of another, whatever number
    the profiler gave them. Work belongs to the step in which it was launched. A trace that lacks
    some of the steps says so in its warnings.
    """

    components: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()
    first_step: int | None = None
    last_step: int | None = None

    @property
    def has_steps(self) -> bool:
        """Whether it is limited to some steps."""
        return self.first_step is not None or self.last_step is not None

    @property
    def is_everything(self) -> bool:
        """Whether it leaves nothing out; also of what adds filters to these."""
        return self == type(self)()


EVERYTHING = Selection()
