"""What the attention pages of an HTML report show, in place of what a server would answer.

Answers are by route, and by the ids of the runs asked for, joined by line ends. Lists of calls are
cut: a report with every call of a long recording would be too large to open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genscope.analysis.scaling.results import Contribution
    from genscope.analysis.speedup import Side
    from genscope.analysis.speedup.results import RunPair
    from genscope.trace.model import Trace

MAX_CALLS = 5000
"""Calls in a list, the first by index; each list says how many there are."""

MAX_SOURCES = 4
"""Pairs that every run is predicted from."""

Views = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Attended:
    """The attention of one run: answers by route, and what it contributes to those of several."""

    answers: dict[str, Any]
    side: Side
    scaling: Contribution


def attended(trace: Trace) -> Attended:
    """Look at the attention of one run."""
    from genscope.analysis.attention.phase_view import phases
    from genscope.analysis.attention.record import record_of
    from genscope.analysis.attention.sequence import WHOLE, ordered
    from genscope.analysis.attention.space_time import space_time_of
    from genscope.analysis.attention.view import attention_of, calls_window
    from genscope.analysis.flops.joined import operator_work
    from genscope.analysis.memory.view import memory
    from genscope.analysis.roofline.view import roofline
    from genscope.analysis.scaling import contribution
    from genscope.analysis.speedup import side_of
    from genscope.analysis.windows import Window

    record = record_of(trace)
    return Attended(
        answers={
            "attention": attention_of(record, with_calls=False),
            "calls": calls_window(record, window=Window(count=MAX_CALLS)),
            "sequence": ordered(record).drawn(WHOLE),
            "phases": phases(trace),
            "spatial-temporal": space_time_of(record),
            "roofline": roofline(trace),
            "work": operator_work(trace),
            "memory": memory(trace),
        },
        side=side_of(trace),
        scaling=contribution(trace),
    )


def views(runs: Sequence[tuple[str, Attended]]) -> Views:
    """The answers about all runs, and about those that belong together; the first is the base."""
    from genscope.analysis.speedup import pair_runs, predicted, run_info

    found: Views = {}

    def put(route: str, ids: Sequence[str], answer: Any) -> None:
        found.setdefault(route, {})["\n".join(ids)] = answer

    for name, run in runs:
        for route, answer in run.answers.items():
            put(route, [name], answer)
        put("prediction", [name], predicted(run.side, None))
    pairing = pair_runs([run_info(name, run.side) for name, run in runs])
    pairs = {"pairs": pairing.pairs, "alone": pairing.alone, "errors": [], "tables": []}
    for ids in _orders([name for name, _ in runs]):
        put("pairs", ids, pairs)
        frames = _frames(runs, ids)
        if frames.points:
            put("frames", ids, frames)
    _put_pairs(put, runs, pairing.pairs)
    _put_sweeps(put, runs)
    return found


def _orders(names: Sequence[str]) -> Iterator[list[str]]:
    """The runs with each of them as the base."""
    for base in names:
        yield [base, *(name for name in names if name != base)]


def _frames(runs: Sequence[tuple[str, Attended]], ids: Sequence[str]) -> Any:
    from genscope.analysis.attention.frames import frames_sweep

    answers = {name: run.answers["spatial-temporal"] for name, run in runs}
    return frames_sweep([(name, answers[name]) for name in ids])


def _put_sweeps(put: Any, runs: Sequence[tuple[str, Attended]]) -> None:
    """Set all runs against their sizes; whichever is the base, the pages ask in this order."""
    from genscope.analysis.memory.sweep import memory_growth
    from genscope.analysis.scaling import scaling

    ordered = sorted(runs, key=lambda run: run[0])
    names = [name for name, _ in ordered]
    put("scaling", names, scaling([(name, run.scaling) for name, run in ordered]))
    put("memory-growth", names, memory_growth([(n, run.answers["memory"]) for n, run in ordered]))


def _put_pairs(put: Any, runs: Sequence[tuple[str, Attended]], pairs: Sequence[RunPair]) -> None:
    """Compare the pairs that were found, and the base with every other run."""
    from genscope.analysis.speedup.pair import LISTS, aligned_pair
    from genscope.analysis.windows import Window

    sides = {name: run.side for name, run in runs}
    base = runs[0][0]
    proposed = [(pair.baseline, pair.fused) for pair in pairs]
    by_hand = [(base, name) for name in sides if name != base]
    for place, ids in enumerate(dict.fromkeys([*proposed, *by_hand])):
        pair = aligned_pair(*(sides[name] for name in ids))
        put("speedup", ids, pair.speedup())
        for which in LISTS:
            # A page asks for either by the same route; here nothing but the route tells them apart.
            put(which, ids, pair.window(which, Window(count=MAX_CALLS)))
        if place < min(len(proposed), MAX_SOURCES):
            for name, side in sides.items():
                put("prediction", [name, *ids], pair.prediction(side))
