"""Rounds of a model in order of time: the phase of each, and how they follow each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.phases import phase_of_name
from genscope.analysis.attention.results import Pace, Stretch
from genscope.analysis.attention.units import Units, is_training, units_of
from genscope.analysis.attention.where import NO_WORD, Where
from genscope.analysis.modules import NO_MODULE, components
from genscope.analysis.steps import chosen_steps
from genscope.analysis.tree import module_tree
from genscope.trace.model import NONE, Bool, Trace

STRETCHES = 4000
"""Stretches of a result, at most: more than a page is wide."""


@dataclass(slots=True)
class Rounds:
    """Units with their phases; texts have one entry a unit."""

    units: Units
    phase: list[str | None]
    component: list[str | None]
    reason: list[str | None]

    def taken(self, trace: Trace, where: Where) -> Bool:
        """Mask of shape (u,) of the rounds of a component, phase and step that `where` takes."""
        mask = np.array(
            [
                (not where.phases or (phase or NO_WORD) in where.phases)
                and (not where.components or (component or NO_MODULE) in where.components)
                for phase, component in zip(self.phase, self.component, strict=True)
            ],
            dtype=np.bool_,
        )
        if where.has_steps:
            mask &= chosen_steps(trace, where).around(self.units.start_ns)
        return mask

    def part(self, mask: Bool) -> Rounds:
        """The rounds that a mask of shape (u,) takes."""
        units, places = self.units, np.flatnonzero(mask)
        return Rounds(
            Units(units.row[places], units.start_ns[places], units.end_ns[places]),
            *(
                [texts[at] for at in places.tolist()]
                for texts in (self.phase, self.component, self.reason)
            ),
        )


def rounds_of(trace: Trace, calls: Calls) -> Rounds:
    """Decide the phase of each unit by the calls in it, or by its name where it has none."""
    units = units_of(trace)
    tree = module_tree(trace, units.row)
    names, number = components(trace, units.row, tree)
    component = [names[at] if at >= 0 else None for at in number.tolist()]
    unit = units.around(trace, np.where(calls.row >= 0, calls.row, NONE))
    phase: list[str | None] = []
    reason: list[str | None] = []
    training = is_training(trace)
    order = np.argsort(unit, kind="stable")
    bounds = np.searchsorted(unit[order], np.arange(len(units) + 1))
    for place in range(len(units)):
        inside = order[bounds[place] : bounds[place + 1]]
        words = Counter(
            int(calls.texts["phase"][one])
            for one in inside.tolist()
            if calls.texts["phase"][one] >= 0
        )
        if len(words) == 1:
            phase.append(calls.words.text(next(iter(words))))
            reason.append(calls.text("phase_reason", int(inside[0])))
        elif not words and not training:
            found = phase_of_name(component[place] or "")
            phase.append(found)
            reason.append(f"{component[place]} has no attention; its name tells" if found else None)
        else:
            phase.append(None)
            reason.append(None)
    return Rounds(units, phase, component, reason)


def stretches_of(rounds: Rounds, taken: Bool) -> list[Stretch]:
    """Put neighbouring rounds of one component in one phase together.

    `taken`, shape (u,), is False for rounds to leave out.
    """
    found: list[Stretch] = []
    last: Stretch | None = None
    for place in range(len(rounds.units)):
        if not taken[place]:
            last = None
            continue
        start, end = int(rounds.units.start_ns[place]), int(rounds.units.end_ns[place])
        if (
            last is not None
            and last.phase == rounds.phase[place]
            and last.component == rounds.component[place]
        ):
            last.dur_ns = max(last.dur_ns, end - last.start_ns)
            last.rounds += 1
            continue
        last = Stretch(
            phase=rounds.phase[place],
            component=rounds.component[place],
            start_ns=start,
            dur_ns=end - start,
            rounds=1,
            reason=rounds.reason[place],
        )
        found.append(last)
    return found


def fewer(stretches: Sequence[Stretch], most: int = STRETCHES) -> list[Stretch]:
    """Put small neighbours together where there are more than `most` stretches.

    What stands for several has phase, component and reason of those that take most of their time,
    and the rounds of all.
    """
    if len(stretches) <= most:
        return list(stretches)
    end = max(stretch.start_ns + stretch.dur_ns for stretch in stretches)
    span = end - stretches[0].start_ns
    # A group spans less than `width`, and each long stretch interrupts one at most.
    width = -(-(span + 2 * sum(stretch.dur_ns for stretch in stretches)) // (most - 1)) or 1
    groups: list[list[Stretch]] = []
    is_open = False
    for stretch in stretches:
        if stretch.dur_ns >= width:
            groups.append([stretch])
            is_open = False
        elif is_open and stretch.start_ns - groups[-1][0].start_ns < width:
            groups[-1].append(stretch)
        else:
            groups.append([stretch])
            is_open = True
    return [_together(group) for group in groups]


def _together(group: Sequence[Stretch]) -> Stretch:
    spent: Counter[tuple[str | None, str | None, str | None]] = Counter()
    for one in group:
        spent[one.phase, one.component, one.reason] += one.dur_ns
    ((phase, component, reason), _), *_ = spent.most_common(1)
    start = group[0].start_ns
    return Stretch(
        phase=phase,
        component=component,
        start_ns=start,
        dur_ns=max(one.start_ns + one.dur_ns for one in group) - start,
        rounds=sum(one.rounds for one in group),
        reason=reason,
    )


def paces_of(rounds: Rounds) -> list[Pace]:
    """Find how fast the rounds of each component follow each other in each phase."""
    found = []
    keys: dict[tuple[str | None, str], list[int]] = {}
    for place, phase in enumerate(rounds.phase):
        if phase is not None:
            keys.setdefault((rounds.component[place], phase), []).append(place)
    for (component, phase), places in keys.items():
        if len(places) < 2:
            continue
        starts = rounds.units.start_ns[places]
        ends = rounds.units.end_ns[places]
        found.append(
            Pace(
                component=component,
                phase=phase,
                rounds=len(places),
                total_ns=int(ends.max() - starts.min()),
                median_ns=int(np.median(np.diff(np.sort(starts)))),
            )
        )
    return found


def first_token(rounds: Rounds) -> int | None:
    """Time from the first prompt's start until its last prefill round is through."""
    generating = [
        place for place, phase in enumerate(rounds.phase) if phase in ("prefill", "decode")
    ]
    if not generating or rounds.phase[generating[0]] != "prefill":
        return None
    first = generating[0]
    last = first
    for place in generating:
        if rounds.phase[place] != "prefill" or rounds.component[place] != rounds.component[first]:
            break
        last = place
    return int(rounds.units.end_ns[last] - rounds.units.start_ns[first])


def time_per_token(paces: list[Pace]) -> int | None:
    """Median time between rounds of whatever decodes most often; None where nothing does."""
    decoding = [pace for pace in paces if pace.phase == "decode"]
    return max(decoding, key=lambda pace: pace.rounds).median_ns if decoding else None
