"""A plan with times, added up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from genscope.analysis.flops.lines import Lines, lines_of
from genscope.analysis.plan.memory import memory_of
from genscope.analysis.plan.results import PlanGroup, PlanResult
from genscope.analysis.roofline.devices import DeviceRates
from genscope.schema import Workload
from genscope.trace.errors import TraceWarning
from genscope.trace.model import Trace
from genscope.trace.plan.document import Plan
from genscope.trace.plan.expand import Rows
from genscope.trace.plan.said import warning

Floats = npt.NDArray[np.float64]


def result(plan: Plan, rows: Rows, trace: Trace, rates: DeviceRates) -> PlanResult:
    """Add up a plan from the rounds that were looked at (`predict` gives them)."""
    weight = _weights(plan, rows)
    lines = lines_of(trace)
    mine = weight[lines.rows]
    time = rows.own_ns[lines.rows] * mine
    flops, moved = lines.flops * mine, lines.moved * mine
    total = float(time.sum())
    plain = np.maximum(lines.counted.plain_flops[lines.item], 0)
    counter = float((plain * mine)[lines.item >= 0].sum())

    def groups(scope: str) -> list[PlanGroup]:
        return _groups(lines, scope, time, flops, moved)

    workload = trace.document.workload if trace.document is not None else Workload()
    makes_pictures = workload.image_size is not None
    categories, phases = groups("category"), groups("phase")
    decodes = any(one.name == "decode" for one in phases)
    first, token = _tokens(plan, rows, weight) if decodes else (None, None)
    found = PlanResult(
        model=workload.model or "model",
        device=f"{plan.device} (predicted)",
        dtype=plan.dtype,
        attention=plan.attention,
        assumed=plan.assumed,
        events=plan.rows(),
        latency_ns=round(total),
        flops=round(float(flops.sum())),
        counter_flops=round(counter),
        moved_bytes=round(float(moved.sum())),
        categories=categories,
        components=groups("component"),
        phases=phases,
        memory=memory_of(plan, rates),
        first_token_ns=first,
        token_ns=token,
        tokens_per_s=1e9 / token if token else None,
        images_per_s=1e9 / total if makes_pictures and total else None,
        sentence="",
        warnings=[warning(plan.device, plan.assumed, plan.rows()), *_guesses(plan)],
    )
    found.sentence = _sentence(found)
    return found


def _weights(plan: Plan, rows: Rows) -> Floats:
    """How many rounds each row that was looked at stands for, shape (rows,)."""
    tables = []
    for loop in plan.loops:
        at = np.array(loop.at or [0])
        rounds = np.arange(loop.count)
        low = np.clip(np.searchsorted(at, rounds, side="right") - 1, 0, len(at) - 1)
        high = np.minimum(low + 1, len(at) - 1)
        part = np.clip((rounds - at[low]) / np.maximum(at[high] - at[low], 1), 0, 1)
        table = np.zeros(len(at))
        np.add.at(table, low, 1 - part)
        np.add.at(table, high, part)
        tables.append(table)
    starts = np.cumsum([0, *(len(one) for one in tables)])
    joined = np.concatenate(tables) if tables else np.empty(0)
    found: Floats = joined[starts[rows.loop] + rows.sample]
    return found


def _groups(
    lines: Lines, scope: str, time: Floats, flops: Floats, moved: Floats
) -> list[PlanGroup]:
    names, group = lines.groups(scope)
    total = max(float(time.sum()), 1.0)
    sums = np.zeros((3, len(names)))
    inside = group >= 0
    for row, values in zip(sums, (time, flops, moved), strict=True):
        np.add.at(row, group[inside], values[inside])
    found = [
        PlanGroup(
            name=name,
            time_ns=round(sums[0][place]),
            share=float(sums[0][place]) / total,
            flops=round(sums[1][place]),
            moved_bytes=round(sums[2][place]),
        )
        for place, name in enumerate(names)
        if sums[:, place].any()
    ]
    return sorted(found, key=lambda one: (-one.time_ns, one.name))


def _tokens(plan: Plan, rows: Rows, weight: Floats) -> tuple[int | None, int | None]:
    """Time to the first token, and per token after it, where sizes grow from token to token."""
    count = len(plan.loops)
    time: Floats = np.zeros(count)
    np.add.at(time, rows.loop, rows.own_ns * weight)
    growing = [
        place for place, loop in enumerate(plan.loops) if len(loop.at) > 1 and loop.count > 2
    ]
    if not growing:
        return None, None
    longest = max(growing, key=lambda place: float(time[place]))
    rounds = plan.loops[longest].count
    return round(float(time[:longest].sum())), round(float(time[longest]) / rounds)


def _guesses(plan: Plan) -> list[TraceWarning]:
    count = sum(plan.guesses.values())
    if not count:
        return []
    named = ", ".join(sorted(plan.guesses))
    return [
        TraceWarning(
            code="guessed",
            count=count,
            message=f"{count:,} values that a plan does not have were asked for and taken for 0 "
            f"({named}): where they decide what runs next, the run may differ.",
        )
    ]


def _sentence(found: PlanResult) -> str:
    top = found.categories[0] if found.categories else None
    share = f", {100 * top.share:.0f} % of it {top.name}" if top is not None else ""
    fits = {True: "fits in memory", False: "does not fit in memory", None: ""}[found.memory.fits]
    return (
        f"Predicted: {found.model} takes {found.latency_ns / 1e6:,.1f} ms on {found.device}{share}"
        f"{'; it ' + fits if fits else ''}."
    )
