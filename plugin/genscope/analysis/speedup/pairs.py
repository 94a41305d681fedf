"""Which recorded runs belong together, and which of two is the baseline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from genscope.analysis.speedup.notes import PAIR_EXTRA
from genscope.analysis.speedup.results import Pairing, RunInfo, RunPair
from genscope.analysis.speedup.side import UNFUSED, Side
from genscope.schema import Workload

_ALIKE = 0.01
"""Shares of unfused attention that are too close to tell two runs apart by."""


def run_info(label: str, side: Side) -> RunInfo:
    """What pairing needs to know of a run."""
    workload = side.document.workload
    return RunInfo(
        label=label,
        workload=_key(workload),
        attention=workload.attention,
        rank=side.rank,
        unfused_share=side.unfused_share,
    )


def _key(workload: Workload) -> str:
    """The workload as text, without what differs between the two runs of a pair."""
    if workload == Workload(attention=workload.attention):
        return ""
    plain = asdict(workload)
    del plain["attention"]
    plain["extra"] = {
        name: value for name, value in workload.extra.items() if name not in PAIR_EXTRA
    }
    return json.dumps(plain, sort_keys=True)


def roles(baseline: Side, fused: Side) -> str:
    """Why the one of two runs is the baseline, in words; they were chosen by hand if nothing is."""
    first, second = run_info("", baseline), run_info("", fused)
    if _difference(first, second) > 0:
        return _reason(first, second)
    return "as they were given: the implementations do not tell which is the baseline"


def pair_runs(runs: Sequence[RunInfo]) -> Pairing:
    """Pair runs of one workload and rank that compute attention in different ways.

    Of each workload, the run with the most unfused attention is the baseline (the first of equal
    ones), and each run with clearly less of it is paired with it.
    """
    groups: dict[tuple[str, int | None], list[RunInfo]] = {}
    alone: dict[str, str] = {}
    for run in runs:
        if not run.workload:
            alone[run.label] = "its annotations do not say what was run: choose by hand"
        elif run.unfused_share is None:
            alone[run.label] = "it has no attention calls"
        else:
            groups.setdefault((run.workload, run.rank), []).append(run)
    pairs: list[RunPair] = []
    for members in groups.values():
        if len(members) == 1:
            alone[members[0].label] = "no other run is of the same work"
            continue
        baseline = max(members, key=_unfused)
        for run in members:
            if run is baseline:
                continue
            if _difference(baseline, run) > 0:
                reason = _reason(baseline, run)
                pairs.append(RunPair(baseline=baseline.label, fused=run.label, reason=reason))
            else:
                alone[run.label] = (
                    f"it computes attention as {baseline.label} does, with which it would be paired"
                )
        if not any(pair.baseline == baseline.label for pair in pairs):
            alone[baseline.label] = "no run of the same work computes attention fused"
    return Pairing(pairs=pairs, alone=alone)


def _unfused(run: RunInfo) -> tuple[float, bool]:
    return (run.unfused_share or 0.0, run.attention in UNFUSED)


def _difference(first: RunInfo, second: RunInfo) -> float:
    """How much more of its attention the first computes unfused; what was asked for breaks ties."""
    if first.unfused_share is None or second.unfused_share is None:
        return 0.0
    difference = first.unfused_share - second.unfused_share
    if abs(difference) > _ALIKE:
        return difference
    asked = [run.attention in UNFUSED for run in (first, second)]
    return float(asked[0]) - float(asked[1])


def _reason(baseline: RunInfo, fused: RunInfo) -> str:
    before, after = baseline.unfused_share or 0.0, fused.unfused_share or 0.0
    if before - after > _ALIKE:
        return (
            f"the baseline computes {100 * before:.0f} % of its attention time unfused "
            f"({' or '.join(UNFUSED)}), the other {100 * after:.0f} %"
        )
    return f"the baseline was asked for {baseline.attention} attention"
