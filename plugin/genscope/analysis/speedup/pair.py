"""Two runs whose calls are aligned once, to be looked at by parts: some calls, a window of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import msgspec
import numpy as np

from genscope.analysis.attention.where import NO_WORD, Where
from genscope.analysis.results import SCHEMA_VERSION
from genscope.analysis.speedup.lists import BASELINE, AlignedList, Listed, UnalignedList
from genscope.analysis.speedup.match import Aligned, Columns, match
from genscope.analysis.speedup.prediction import NO_TABLE, OTHER_DEVICE, is_of_device, predicted
from genscope.analysis.speedup.results import AlignedCall, Prediction, Speedup, UnalignedCall
from genscope.analysis.speedup.side import Side
from genscope.analysis.speedup.table import table_of
from genscope.analysis.speedup.view import between
from genscope.analysis.windows import Window
from genscope.trace.errors import TraceWarning
from genscope.trace.model import NONE, Bool, Int64

ALIGNED, UNALIGNED = "aligned", "unaligned"

LISTS: Mapping[str, type[Listed]] = {ALIGNED: AlignedList, UNALIGNED: UnalignedList}
"""The lists of calls that a pair has."""

_BYTES_A_CALL = 300
"""About what a call of a `Side` takes in memory."""


class AlignedWindow(msgspec.Struct, kw_only=True):
    """Rows `first` and following of the calls that both runs make, or that only one makes."""

    schema_version: int = SCHEMA_VERSION
    view: str = ALIGNED
    which: str
    """aligned or unaligned."""
    total: int
    first: int
    sort: str | None
    descending: bool
    calls: list[AlignedCall] | list[UnalignedCall]


_PART = TraceWarning(
    code="some_calls",
    count=1,
    message="Kind, axis and phase choose among the calls; what is not of single calls (end to end, "
    "categories, Amdahl's law) is of all work.",
)


def aligned_pair(baseline: Side, fused: Side) -> Pair:
    """Align the calls of two runs."""
    return Pair(baseline, fused, match(baseline.calls, fused.calls))


@dataclass(frozen=True)
class Pair:
    """Two runs, and which call of the one is which of the other."""

    baseline: Side
    fused: Side
    aligned: Aligned
    is_part: bool = False
    """Calls were left out that the runs have."""

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        return _BYTES_A_CALL * (len(self.baseline.calls) + len(self.fused.calls))

    def speedup(self) -> Speedup:
        """Return what the fused run gains, without single calls."""
        found = between(self.baseline, self.fused, calls=False, aligned=self.aligned)
        if self.is_part:
            found.warnings.append(_PART)
        return found

    def prediction(self, run: Side) -> Prediction:
        """Return what a run would take with the attention of the pair.

        Of what was measured on another device nothing is carried over; a warning says so.
        """
        table = table_of(self.speedup())
        if self.baseline.basis == self.fused.basis and is_of_device(run, table):
            return predicted(run, table)
        limit = predicted(run, None)
        limit.warnings = [one for one in limit.warnings if one.code != NO_TABLE]
        theirs = sorted({*self.baseline.devices, *self.fused.devices})
        limit.warnings.append(
            TraceWarning(
                code=OTHER_DEVICE,
                count=1,
                message=f"The pair was measured on {', '.join(theirs)}, this run is from "
                f"{', '.join(sorted({*run.devices}))}: speedups of one device say little of "
                "another, so none is carried over.",
            )
        )
        return limit

    def of(self, words: Where) -> Pair:
        """Return the pair with calls of some kinds, axes and phases alone.

        An aligned call has the words of the baseline, or of the fused run where the baseline has
        none. What is not of single calls (wall time, categories) stays that of the whole runs.
        """
        if not words.has_words:
            return self
        whole = self.aligned
        both = self._mask(words, whole.baseline, whole.fused)
        none = np.full(1, NONE, dtype=np.int64)
        mine = self._mask(words, whole.only_baseline, none)
        theirs = self._mask(words, none, whole.only_fused)
        return replace(
            self,
            is_part=True,
            aligned=Aligned(
                whole.baseline[both],
                whole.fused[both],
                whole.only_baseline[mine],
                whole.only_fused[theirs],
                [whole.reasons_baseline[at] for at in np.flatnonzero(mine).tolist()],
                [whole.reasons_fused[at] for at in np.flatnonzero(theirs).tolist()],
            ),
        )

    def window(self, which: str, window: Window, *, at_run: str = BASELINE) -> AlignedWindow:
        """Return a window of the aligned calls, or of those that one of the runs makes alone.

        `at` and `at_ns` of the window are of the run `at_run`: baseline or fused. Raises KeyError
        for a column to sort by that there is not.
        """
        listed = self._lists[which]
        first, calls = listed.window(window, at_run)
        return AlignedWindow(
            which=which,
            total=listed.total,
            first=first,
            sort=window.sort,
            descending=window.descending,
            calls=calls,
        )

    def _mask(self, words: Where, mine: Int64, theirs: Int64) -> Bool:
        """Which of the calls at these places, -1 for none, have the words."""
        columns = self._columns
        mask = np.ones(max(len(mine), len(theirs)) if len(mine) and len(theirs) else 0, np.bool_)
        for name, wanted in (("kind", words.kinds), ("axis", words.axes), ("phase", words.phases)):
            if wanted:
                first, second = (np.append(column, NONE) for column in columns.text(name))
                values = np.where(first[mine] == NONE, second[theirs], first[mine])
                numbers = [at for at, word in enumerate(columns.words) if word in wanted]
                mask &= np.isin(values, [*numbers, *([NONE] if NO_WORD in wanted else [])])
        return mask

    @cached_property
    def _columns(self) -> Columns:
        return Columns(self.baseline.calls, self.fused.calls)

    @cached_property
    def _lists(self) -> Mapping[str, Listed]:
        return {name: kind(self.baseline, self.fused, self.aligned) for name, kind in LISTS.items()}
