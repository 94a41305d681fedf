"""The attention calls of two runs, aligned: what makes two calls the same, and why some are not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genscope.analysis.attention.columns import Calls
from genscope.analysis.classify import FORWARD, UNKNOWN
from genscope.analysis.speedup.align import Level, align
from genscope.trace.model import NONE, Bool, Int64

LENGTHS = ("batch", "heads", "q_len", "kv_len")
_PLACE = ("component", "kind", "axis")

FIRST = "before the first call that both runs have: warm-up, or recorded earlier"
LAST = "behind the last call that both runs have: recorded longer"
NO_SHAPE = "no lengths are known, and it stands where the other run has no call"
OTHER_LENGTHS = "the other run has no call of these lengths"
OTHER_STEP = "the other run has no step {step}"
MISSING = "the other run has fewer of these calls here"
NONE_AT_ALL = "the other run has no attention calls"


@dataclass(frozen=True, slots=True)
class Aligned:
    """Places of the same calls in both runs, shape (k,) each, and of the others with reasons."""

    baseline: Int64
    fused: Int64
    only_baseline: Int64
    only_fused: Int64
    reasons_baseline: list[str]
    reasons_fused: list[str]


class Columns:
    """Columns of two runs in which the same text has the same number."""

    def __init__(self, baseline: Calls, fused: Calls) -> None:
        self.calls = (baseline, fused)
        words: dict[str, int] = {}
        self._number = [
            np.array(
                [words.setdefault(text, len(words)) for text in calls.words.listed] + [NONE],
                dtype=np.int64,
            )
            for calls in self.calls
        ]
        self.words = list(words)

    def size(self, name: str) -> tuple[Int64, Int64]:
        """A column of lengths, -1 where unknown."""
        return self.calls[0].sizes[name], self.calls[1].sizes[name]

    def text(self, name: str) -> tuple[Int64, Int64]:
        """A column of words as places in `words`, -1 where unknown."""
        first, second = (
            number[calls.texts[name]]
            for number, calls in zip(self._number, self.calls, strict=True)
        )
        return first, second

    def word(self, number: int) -> str | None:
        """The word of a number."""
        return self.words[number] if number >= 0 else None

    def passes(self) -> tuple[Int64, Int64]:
        """The pass of each call; one that nothing tells (graph replays) counts as forward."""
        first, second = (
            np.where(calls.pass_ == UNKNOWN, FORWARD, calls.pass_).astype(np.int64)
            for calls in self.calls
        )
        return first, second

    def together(self, name: str, baseline: Int64, fused: Int64) -> Int64:
        """A column of lengths or words of aligned calls: the baseline's, else the fused run's."""
        first, second = self.size(name) if name in self.calls[0].sizes else self.text(name)
        mine = first[baseline]
        return np.where(mine == NONE, second[fused], mine)


def match(baseline: Calls, fused: Calls) -> Aligned:
    """Align the calls of two runs by what they compute and their order."""
    columns = Columns(baseline, fused)
    passes = columns.passes()
    sizes = [columns.size(name) for name in LENGTHS]
    # Unfused chains have the heads in the batch as often as not.
    both = [
        np.where((batch == NONE) | (heads == NONE), NONE, batch * heads)
        for batch, heads in zip(sizes[0], sizes[1], strict=True)
    ]
    width = columns.size("head_dim")
    causal = baseline.causal.astype(np.int64), fused.causal.astype(np.int64)
    places = [columns.text(name) for name in _PLACE]
    lengths = [(both[0], both[1]), sizes[2], sizes[3]]
    levels = [
        _symbols([passes, *sizes, *_told([*places, width, causal])]),
        _symbols([passes, *lengths]),
        _symbols([passes, *_told([*lengths, places[1]])]),
    ]
    kind = places[1]

    def may_be(mine: Int64, theirs: Int64) -> Bool:
        same: Bool = passes[0][mine] == passes[1][theirs]
        for first, second in (*lengths, kind):
            one, other = first[mine], second[theirs]
            same = same & ((one == other) | (one == NONE) | (other == NONE))
        return same

    first, second = align(len(baseline), len(fused), levels, may_be)
    only = _others(len(baseline), first), _others(len(fused), second)
    known = _symbols([passes, *lengths])
    return Aligned(
        first,
        second,
        *only,
        _reasons(only[0], first, baseline, known, fused),
        _reasons(only[1], second, fused, known[::-1], baseline),
    )


def _told(columns: list[Level]) -> list[Level]:
    """The columns that both runs tell for every call: others would keep equal calls apart."""
    return [pair for pair in columns if all((side != NONE).all() for side in pair)]


def _symbols(columns: list[Level]) -> Level:
    """Number what the columns say together, the same in both runs."""
    split = len(columns[0][0])
    code = np.zeros(split + len(columns[0][1]), dtype=np.int64)
    for first, second in columns:
        _, values = np.unique(np.concatenate([first, second]), return_inverse=True)
        values = values.reshape(-1)
        span = int(values.max(initial=0)) + 1
        _, code = np.unique(code * span + values, return_inverse=True)
        code = code.reshape(-1).astype(np.int64)
    return code[:split], code[split:]


def _others(count: int, taken: Int64) -> Int64:
    left = np.ones(count, dtype=np.bool_)
    left[taken] = False
    return np.flatnonzero(left)


def _reasons(only: Int64, aligned: Int64, mine: Calls, known: Level, theirs: Calls) -> list[str]:
    """Say of each call that is alone why it is."""
    if not len(theirs):
        return [NONE_AT_ALL] * len(only)
    first = int(aligned[0]) if len(aligned) else len(mine)
    last = int(aligned[-1]) if len(aligned) else NONE
    elsewhere: npt.NDArray[np.bool_] = np.isin(known[0], known[1])
    steps = set(theirs.step.tolist()) - {NONE}
    reasons = []
    for place in only.tolist():
        step = int(mine.step[place])
        if step != NONE and steps and step not in steps:
            reasons.append(OTHER_STEP.format(step=step))
        elif not mine.has_shape[place]:
            reasons.append(NO_SHAPE)
        elif not elsewhere[place]:
            reasons.append(OTHER_LENGTHS)
        elif place < first:
            reasons.append(FIRST)
        elif place > last:
            reasons.append(LAST)
        else:
            reasons.append(MISSING)
    return reasons
