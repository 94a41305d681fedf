"""What each phase of a trace took: time, attention, tokens, and the pace of its rounds."""

from __future__ import annotations

from collections import Counter

import numpy as np

from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.intensity import attention_bytes, attention_flops, products
from genscope.analysis.attention.results import PhaseRow, Phases, ServedStep, Stretch
from genscope.analysis.attention.rounds import (
    Rounds,
    fewer,
    first_token,
    paces_of,
    rounds_of,
    stretches_of,
    time_per_token,
)
from genscope.analysis.attention.serving import ServingStep, serving_steps
from genscope.analysis.attention.training import is_training, loss_of
from genscope.analysis.attention.units import launches_of
from genscope.analysis.attention.where import (
    ALL_CALLS,
    NO_WORD,
    Where,
    chosen,
    steps_of_calls,
    with_words,
)
from genscope.analysis.classify import ATTENTION, PASSES, classify
from genscope.analysis.intervals import union_by_group
from genscope.analysis.select import selected
from genscope.analysis.steps import chosen_steps, step_warnings, window_ns
from genscope.analysis.work import DEVICE, Work, file_name, gather, wall, work_warnings
from genscope.trace.model import NONE, Bool, Int64, Trace
from genscope.trace.nest import Nest


def phases(trace: Trace, where: Where = ALL_CALLS) -> Phases:
    """Return what each phase of a trace took, of the work that `where` takes.

    Work is of a kind or an axis where an attention call of that did it. All passes count unless
    `where` names some.
    """
    classes = classify(trace)
    calls = attention_calls(trace)
    work = selected(trace, gather(trace, classes), classes, where)
    every = rounds_of(trace, calls)
    served = serving_steps(trace)
    words, of_row = phase_of_work(trace, calls, work, every, served)
    kept = _with_words(calls, work, words, of_row, where)
    work, of_row = work.where(kept), of_row[kept]
    taken = every.taken(trace, where)
    rounds = every.part(taken)
    listed = chosen(calls, where, steps_of_calls(trace, calls), passes=PASSES)
    attention = np.array([rule.category == ATTENTION for rule in classes.rules] + [False])
    start, end = window_ns(trace, where, wall(trace))
    total = int(work.time_ns.sum())
    is_attention = attention[classes.rule[work.rows]]
    stretches = stretches_of(every, taken)
    rows = _rows(trace, calls, listed, work, words, of_row, is_attention, rounds, stretches)
    paces = paces_of(rounds)
    shown = fewer(stretches)
    return Phases(
        trace=file_name(trace),
        base_ns=str(trace.base_ns),
        rank=trace.rank,
        basis=work.basis,
        basis_sum_ns=total,
        wall_ns=end - start,
        selection=where,
        training=_is_without(trace, calls),
        phases=rows,
        stretches=shown,
        each=len(stretches) / max(len(shown), 1),
        time_to_first_token_ns=first_token(rounds),
        time_per_token_ns=time_per_token(paces),
        paces=paces,
        served=[_served(trace, step) for step in _taken_steps(trace, served, where)],
        sentence=_sentence(trace, calls, rows),
        warnings=[
            *trace.warnings,
            *step_warnings(trace, where),
            *work_warnings(trace, work),
        ],
    )


def _with_words(calls: Calls, work: Work, words: list[str], of_row: Int64, where: Where) -> Bool:
    """Mask of shape (k,) of the rows of the kinds, axes and phases that `where` names."""
    mask = np.ones(len(work.rows), dtype=np.bool_)
    if where.kinds or where.axes:
        taken = with_words(calls, Where(kinds=where.kinds, axes=where.axes))
        mask &= np.append(taken, False)[calls.of_event[work.rows]]
    if where.phases:
        wanted = np.array([word in where.phases for word in [*words, NO_WORD]])
        mask &= wanted[of_row]
    return mask


def _taken_steps(trace: Trace, served: list[ServingStep], where: Where) -> list[ServingStep]:
    """The steps of a serving engine in the phases and the steps of the trace that are taken."""
    start = trace.events.start_ns[np.array([step.row for step in served], dtype=np.int64)]
    inside = chosen_steps(trace, where).around(start) if where.has_steps else start >= 0
    return [
        step
        for step, is_inside in zip(served, inside.tolist(), strict=True)
        if is_inside and (not where.phases or step.phase in where.phases)
    ]


def phase_of_work(
    trace: Trace, calls: Calls, work: Work, rounds: Rounds, served: list[ServingStep]
) -> tuple[list[str], Int64]:
    """Phase of each row of work: words, and a number a row, shape (k,), -1 where nothing tells.

    A row has the phase of the unit it was launched in, or of the serving engine's step; elsewhere
    that of the attention calls before and after it on its thread, where both agree.
    """
    words: list[str] = []
    known: dict[str, int] = {}

    def number(text: str | None) -> int:
        if text is None:
            return NONE
        if text not in known:
            known[text] = len(words)
            words.append(text)
        return known[text]

    at = launches_of(trace, work.rows, work.op)
    found = np.full(len(work.rows), NONE, dtype=np.int64)
    unit = rounds.units.around(trace, at)
    of_unit = np.array([number(text) for text in rounds.phase] + [NONE], dtype=np.int64)
    found = of_unit[unit]
    events = trace.events
    if served:
        step_rows = np.array([step.row for step in served], dtype=np.int64)
        nest = Nest(step_rows, events.track, events.start_ns, events.end_ns)
        here = np.flatnonzero((found == NONE) & (at >= 0))
        around = nest.enclosing(events.track[at[here]], events.start_ns[at[here]])
        for step in served:
            found[here[around == step.row]] = number(step.phase)
    # A call has its phase for certain, also in a unit that has several.
    call = calls.of_event[work.rows]
    own = np.array(
        [number(calls.words.text(int(text))) for text in calls.texts["phase"]] + [NONE],
        dtype=np.int64,
    )
    found = np.where(own[call] >= 0, own[call], found)
    between = np.flatnonzero((found == NONE) & (at >= 0))
    found[between] = _between(trace, calls, own, at[between], unit[between], rounds)
    return words, found


def _between(
    trace: Trace, calls: Calls, own: Int64, at: Int64, unit: Int64, rounds: Rounds
) -> Int64:
    """Phase on which the calls before and after agree, on the thread of each row; shape (k,)."""
    events = trace.events
    found = np.full(len(at), NONE, dtype=np.int64)
    phased = np.flatnonzero(own[:-1] >= 0)
    call_unit = rounds.units.around(trace, calls.row[phased])
    for track in np.unique(events.track[at]).tolist():
        mine = np.flatnonzero(events.track[at] == track)
        lane = phased[calls.track[phased] == track]
        lane_unit = call_unit[calls.track[phased] == track]
        if not len(lane):
            continue
        order = np.argsort(calls.start_ns[lane], kind="stable")
        lane, lane_unit = lane[order], lane_unit[order]
        behind = np.searchsorted(calls.start_ns[lane], events.start_ns[at[mine]], side="right")
        before, after = behind - 1, np.minimum(behind, len(lane) - 1)
        inner = (before >= 0) & (behind < len(lane))
        before = np.maximum(before, 0)
        agree = own[lane[before]] == own[lane[after]]
        # A unit that holds several phases is its own world; outside of units both neighbours are.
        agree &= (lane_unit[before] == unit[mine]) & (lane_unit[after] == unit[mine])
        agree &= calls.texts["component"][lane[before]] == calls.texts["component"][lane[after]]
        found[mine] = np.where(inner & agree, own[lane[before]], NONE)
    return found


def _rows(
    trace: Trace,
    calls: Calls,
    listed: Int64,
    work: Work,
    words: list[str],
    of_row: Int64,
    is_attention: Bool,
    rounds: Rounds,
    stretches: list[Stretch],
) -> list[PhaseRow]:
    group = np.where(of_row < 0, len(words), of_row)
    count = len(words) + 1
    sums = work.figures(group, count)
    attention = np.zeros(count, dtype=np.int64)
    np.add.at(attention, group[is_attention], work.time_ns[is_attention])
    total = max(int(work.time_ns.sum()), 1)
    flops, moved, timed = _intensity(trace, calls, work, group, count)
    first = np.full(count, np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(first, group, trace.events.start_ns[work.rows])
    rows = []
    for place in sorted(range(count), key=lambda one: int(first[one])):
        if not sums.sum_ns[place] and not (group == place).any():
            continue
        phase = words[place] if place < len(words) else None
        number = calls.words.find(phase) if phase else NONE
        mine = listed[calls.texts["phase"][listed] == number]
        within = [stretch for stretch in stretches if stretch.phase == phase]
        rows.append(
            PhaseRow(
                phase=phase,
                sum_ns=int(sums.sum_ns[place]),
                busy_ns=int(sums.busy_ns[place]),
                share=int(sums.sum_ns[place]) / total,
                device_busy_share=(
                    _busy_share(work, group == place, within) if work.basis == DEVICE else None
                ),
                attention_ns=int(attention[place]),
                attention_share=int(attention[place]) / max(int(sums.sum_ns[place]), 1),
                calls=len(mine),
                rounds=sum(word == phase for word in rounds.phase) if phase else 0,
                tokens=_tokens(trace, calls, mine, rounds) if phase else None,
                intensity=float(flops[place] / moved[place]) if moved[place] else None,
                intensity_share=int(timed[place]) / max(int(sums.sum_ns[place]), 1),
                reasons=dict(
                    Counter(
                        calls.text("phase_reason", one) or "nothing tells" for one in mine.tolist()
                    ).most_common()
                ),
            )
        )
    return rows


def _busy_share(work: Work, mine: Bool, stretches: list[Stretch]) -> float | None:
    """Part of the time of a phase's stretches in which a device works on it, None without any.

    `mine`, shape (k,), marks the work of the phase. The mean over the devices of the trace.
    """
    edges = sorted((one.start_ns, one.start_ns + one.dur_ns) for one in stretches)
    start, end = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    if not len(start):
        return None
    before = np.r_[start[0], np.maximum.accumulate(end)[:-1]]
    start = np.minimum(np.maximum(start, before), np.maximum(end, before))
    length = np.maximum(end, before) - start
    reached = np.r_[0, np.cumsum(length)]
    if not reached[-1]:
        return None

    def spent(at: Int64) -> Int64:
        """How much of the stretches lies before each point in time."""
        place = np.searchsorted(start, at, side="right") - 1
        inside = np.clip(at - start[np.maximum(place, 0)], 0, length[np.maximum(place, 0)])
        found: Int64 = np.where(place >= 0, reached[place] + inside, 0)
        return found

    seen = mine[work.stretch_row]
    # On a clock that runs in stretches alone, what lies outside of them has no length.
    busy = union_by_group(
        work.stretch_lane[seen],
        spent(work.stretch_start[seen]),
        spent(work.stretch_end[seen]),
        work.lanes,
    )
    return int(busy.sum()) / (int(reached[-1]) * work.lanes)


def _tokens(trace: Trace, calls: Calls, mine: Int64, rounds: Rounds) -> int | None:
    """Query tokens of self attention in one layer, added over the rounds; None where unknown."""
    own = mine[~calls.is_word("kind", "cross")[mine]]
    tokens = calls.sizes["q_tokens"][own]
    if not len(own) or (tokens < 0).any():
        return None
    unit = rounds.units.around(trace, calls.row[own])
    if (unit < 0).any():
        slots = calls.texts["module"][own]
        if (slots < 0).any():
            return None
        return int(tokens[slots == slots[0]].sum())
    _, first = np.unique(unit, return_index=True)
    return int(tokens[first].sum())


def _intensity(
    trace: Trace, calls: Calls, work: Work, group: Int64, count: int
) -> tuple[Int64, Int64, Int64]:
    """FLOPs, bytes, and the time of the work that they are of, by phase; shape (count,) each."""
    flops = np.zeros(count, dtype=np.int64)
    moved = np.zeros(count, dtype=np.int64)
    timed = np.zeros(count, dtype=np.int64)
    call = calls.of_event[work.rows]
    known = (attention_flops(calls) > 0) & (attention_bytes(calls) > 0)
    inside = np.flatnonzero(call >= 0)
    inside = inside[known[call[inside]]]
    _, first = np.unique(call[inside], return_index=True)
    one = inside[first]
    np.add.at(flops, group[one], attention_flops(calls)[call[one]])
    np.add.at(moved, group[one], attention_bytes(calls)[call[one]])
    np.add.at(timed, group[inside], work.time_ns[inside])
    rows, product_flops, product_bytes = products(trace, calls)
    place = np.full(len(trace.events) + 1, NONE, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    at = place[work.op]
    hit = np.flatnonzero(at >= 0)
    _, first = np.unique(at[hit], return_index=True)
    one = hit[first]
    np.add.at(flops, group[one], product_flops[at[one]])
    np.add.at(moved, group[one], product_bytes[at[one]])
    np.add.at(timed, group[hit], work.time_ns[hit])
    return flops, moved, timed


def _served(trace: Trace, step: ServingStep) -> ServedStep:
    return ServedStep(
        name=trace.name_of(step.row if step.told < 0 else step.told)[:500],
        start_ns=int(trace.events.start_ns[step.row]),
        dur_ns=int(trace.events.dur_ns[step.row]),
        phase=step.phase,
        prefills=None if step.prefills < 0 else step.prefills,
        decodes=None if step.decodes < 0 else step.decodes,
        prefill_tokens=step.prefill_tokens,
        decode_tokens=step.decode_tokens,
    )


def _is_without(trace: Trace, calls: Calls) -> bool:
    """Whether a trace is of what has no phases: training, or evaluation by a loss."""
    if is_training(trace):
        return True
    return loss_of(trace) is not None and not (calls.texts["phase"] >= 0).any()


def _sentence(trace: Trace, calls: Calls, rows: list[PhaseRow]) -> str:
    if is_training(trace):
        return "This is training: it has passes, not phases."
    if _is_without(trace, calls):
        return (
            f"A loss is taken ({loss_of(trace)}): this is the forward pass of training or of an "
            "evaluation, which have no phases."
        )
    known = [row for row in rows if row.phase is not None]
    if not known:
        return "Nothing in this trace tells its phases."
    parts = [f"{_percent(row.share)} {row.phase}" for row in known]
    lost = sum(row.share for row in rows if row.phase is None)
    rest = f"; {_percent(lost)} in no phase" if lost else ""
    return "Time by phase: " + ", ".join(parts) + rest + "."


def _percent(share: float) -> str:
    """A share in words, so that no part reads as nothing and none as all."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"
