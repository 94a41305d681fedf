"""Rounds of a model in order of time: the phase of each, and how they follow each other.

A round is called on the CPU, and the device works on it later: it is over with the end of the last
device work that was launched in it. A round lies where its device work lies, from the start of the
first to the end of the last; one that put none on the device lies where the CPU ran it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.phases import phase_of_name
from genscope.analysis.attention.results import Pace, Stretch
from genscope.analysis.attention.training import is_training
from genscope.analysis.attention.units import Units, launches_of, units_of
from genscope.analysis.attention.where import NO_WORD, Where
from genscope.analysis.classify import classify
from genscope.analysis.modules import NO_MODULE, components
from genscope.analysis.steps import chosen_steps
from genscope.analysis.tree import module_tree
from genscope.trace.model import NONE, Bool, Int64, Trace

STRETCHES = 4000
"""Stretches of a result, at most: more than a page is wide."""


@dataclass(slots=True)
class Rounds:
    """Units with their phases; texts have one entry a unit, arrays have shape (u,).

    `start_ns` and `end_ns` are where a round lies, `units` has where the CPU called it.
    """

    units: Units
    start_ns: Int64
    end_ns: Int64
    on_device: Bool
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
            self.start_ns[places],
            self.end_ns[places],
            self.on_device[places],
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
    return Rounds(units, *_spans(trace, units), phase, component, reason)


def _spans(trace: Trace, units: Units) -> tuple[Int64, Int64, Bool]:
    """Where each unit lies, and whether that is on a device; shape (u,) each."""
    events = trace.events
    device = np.flatnonzero(events.is_device)
    op = classify(trace).op[device].astype(np.int64)
    unit = units.around(trace, launches_of(trace, device, op))
    device, unit = device[unit >= 0], unit[unit >= 0]
    start = np.full(len(units), np.iinfo(np.int64).max, dtype=np.int64)
    end = np.full(len(units), np.iinfo(np.int64).min, dtype=np.int64)
    np.minimum.at(start, unit, events.start_ns[device])
    np.maximum.at(end, unit, events.start_ns[device] + events.dur_ns[device])
    on_device = end >= start
    return (
        np.where(on_device, start, units.start_ns),
        np.where(on_device, end, units.end_ns),
        on_device,
    )


def stretches_of(rounds: Rounds, taken: Bool) -> list[Stretch]:
    """Put neighbouring rounds of one component in one phase together, in order of start.

    Stretches lie where their rounds do: on a trace with a device, where the device works on them.
    There a round in no phase that put no work on the device is left out. `taken`, shape (u,), is
    False for rounds to leave out as well.
    """
    found: list[Stretch] = []
    last: Stretch | None = None
    has_device = bool(rounds.on_device.any())
    for place in np.argsort(rounds.start_ns, kind="stable").tolist():
        if has_device and not rounds.on_device[place] and rounds.phase[place] is None:
            continue
        if not taken[place]:
            last = None
            continue
        start, end = int(rounds.start_ns[place]), int(rounds.end_ns[place])
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
    """Find how fast the rounds of each component follow each other in each phase.

    Between where they lie: on a device, between the starts of their device work.
    """
    found = []
    keys: dict[tuple[str | None, str], list[int]] = {}
    for place, phase in enumerate(rounds.phase):
        if phase is not None:
            keys.setdefault((rounds.component[place], phase), []).append(place)
    for (component, phase), places in keys.items():
        if len(places) < 2:
            continue
        starts, ends = np.sort(rounds.start_ns[places]), rounds.end_ns[places]
        # Each until the next begins, the last until it is over: of two rounds, both count.
        taken = np.diff(starts, append=ends.max())
        found.append(
            Pace(
                component=component,
                phase=phase,
                rounds=len(places),
                total_ns=int(ends.max() - starts[0]),
                median_ns=int(np.median(taken)),
            )
        )
    return found


def first_token(rounds: Rounds) -> int | None:
    """Time from the call of the first prompt's round until its last prefill round is through.

    The call is where the CPU starts it, through is where its last device work ends.
    """
    generating = [
        place for place, phase in enumerate(rounds.phase) if phase in ("prefill", "decode")
    ]
    if not generating or rounds.phase[generating[0]] != "prefill":
        return None
    first = generating[0]
    end = 0
    for place in generating:
        if rounds.phase[place] != "prefill" or rounds.component[place] != rounds.component[first]:
            break
        end = max(end, int(rounds.end_ns[place]))
    return end - int(rounds.units.start_ns[first])


def time_per_token(paces: list[Pace]) -> int | None:
    """Median time of a round of whatever decodes most often; None where nothing does."""
    decoding = [pace for pace in paces if pace.phase == "decode"]
    return max(decoding, key=lambda pace: pace.rounds).median_ns if decoding else None
