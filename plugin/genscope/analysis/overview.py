"""What limits a run: how busy its devices are, with what, and what they wait for."""

from __future__ import annotations

import numpy as np

from genscope.analysis import gaps as waiting
from genscope.analysis import timeline
from genscope.analysis.categories import CATEGORIES
from genscope.analysis.classify import classify
from genscope.analysis.described import described
from genscope.analysis.devices import device_names
from genscope.analysis.results import DeviceUse, Overview, Step, Waiting
from genscope.analysis.select import selected
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.steps import step_warnings, steps_of, window_ns
from genscope.analysis.strip import lanes_of
from genscope.analysis.tables import category_of_row
from genscope.analysis.work import DEVICE, Work, file_name, gather, wall, work_warnings
from genscope.trace.model import Int64, Trace

BINS = 320
"""Bins of the timeline strip."""

MOSTLY_BUSY = 0.75
"""From this share of wall time on, a device is limited by its work and not by waiting."""

_LIMITED_BY_WORK = {"Communication": "communication", "Memory": "copy"}

_WAITS = {
    "launch": "mostly waiting for the CPU to launch the next kernel",
    "sync": "mostly because the CPU blocks on it and launches more only afterwards",
    "data": "mostly waiting for the CPU to load data",
    "queue": "mostly before kernels that were launched already",
    "unknown": "mostly before kernels whose launch is not in the trace",
}


def overview(trace: Trace, selection: Selection = EVERYTHING) -> Overview:
    """Sum up a trace: use of the devices, timeline by category, idle time by cause.

    A component or pass in the `selection` limits the timeline and the categories; steps limit
    everything. Idle time is always that of the whole device.
    """
    classes = classify(trace)
    whole = gather(trace, classes)
    window = window_ns(trace, selection, wall(trace))
    work = selected(trace, whole, classes, selection)
    category = category_of_row(work, classes)
    sums = np.zeros(len(CATEGORIES), dtype=np.int64)
    np.add.at(sums, category, work.time_ns)
    present = np.unique(category).tolist()
    order = sorted(present, key=lambda number: -sums[number])
    in_window = _within(trace, whole, window) if whole.basis == DEVICE else whole.rows[:0]
    found = waiting.find(trace, in_window, window)
    idle = _waiting(found, window)
    devices = _devices(trace, in_window, window)
    part = bool(selection.components or selection.passes)
    limit, sentence = _limit(trace, work, devices, idle, window, order, sums, part)
    return Overview(
        trace=file_name(trace),
        selection=selection,
        base_ns=str(trace.base_ns),
        rank=trace.rank,
        world_size=trace.world_size,
        basis=work.basis,
        wall_ns=window[1] - window[0],
        basis_sum_ns=int(work.time_ns.sum()),
        unlinked_ns=int(work.time_ns[work.unlinked].sum()),
        devices=devices,
        categories={CATEGORIES[number]: int(sums[number]) for number in order},
        steps=_steps(trace),
        strip=lanes_of(work, category, order).strip(window, BINS),
        waiting=idle,
        gaps=waiting.describe(trace, found),
        limit=limit,
        sentence=sentence,
        warnings=[
            *trace.warnings,
            *step_warnings(trace, selection),
            *work_warnings(trace, work),
        ],
        **described(trace),
    )


def _within(trace: Trace, work: Work, window: tuple[int, int]) -> Int64:
    rows = work.rows
    inside = (trace.events.start_ns[rows] < window[1]) & (trace.events.end_ns[rows] > window[0])
    return rows[inside]


def _steps(trace: Trace) -> list[Step]:
    steps = steps_of(trace)
    return [
        Step(
            index=index,
            name=name,
            start_ns=start,
            dur_ns=end - start,
        )
        for index, (name, start, end) in enumerate(
            zip(steps.names, steps.start_ns.tolist(), steps.end_ns.tolist(), strict=True)
        )
    ]


def _devices(trace: Trace, rows: Int64, window: tuple[int, int]) -> list[DeviceUse]:
    events = trace.events
    indices = np.unique(events.device[rows]).tolist()
    names = device_names(trace, indices)
    span = max(window[1] - window[0], 0)
    used = []
    for index in indices:
        mine = rows[events.device[rows] == index]
        start = np.clip(events.start_ns[mine], *window)
        end = np.clip(events.end_ns[mine], *window)
        merged_start, merged_end = timeline.merge(start, end)
        busy = int((merged_end - merged_start).sum())
        used.append(
            DeviceUse(
                index=index,
                name=names[index],
                sum_ns=int((end - start).sum()),
                busy_ns=busy,
                idle_ns=span - busy,
                busy_share=busy / span if span else 0.0,
                streams=len(np.unique(events.track[mine])),
            )
        )
    return used


def _waiting(found: waiting.Gaps, window: tuple[int, int]) -> list[Waiting]:
    length = found.end - found.start
    devices = len(np.unique(found.device))
    span = max(window[1] - window[0], 1) * max(devices, 1)
    rows = []
    for cause in np.unique(found.cause).tolist():
        mine = found.cause == cause
        total = int(length[mine].sum())
        rows.append(
            Waiting(
                cause=waiting.CAUSES[cause],
                gaps=int(mine.sum()),
                sum_ns=total,
                share=total / span,
            )
        )
    return sorted(rows, key=lambda row: -row.sum_ns)


def _limit(
    trace: Trace,
    work: Work,
    devices: list[DeviceUse],
    idle: list[Waiting],
    window: tuple[int, int],
    order: list[int],
    sums: Int64,
    part: bool,
) -> tuple[str, str]:
    """What limits the run, as a code and as a sentence with its figures.

    Where only `part` of the device's work is looked at, the sentence says whose share it gives.
    """
    total = int(sums.sum())
    if not order or not total:
        return "unknown", "There is no time to break down in this part of the trace."
    name = CATEGORIES[order[0]]
    share = _percent(int(sums[order[0]]) / total)
    if work.basis != DEVICE:
        missing = any(warning.code == "device_part_missing" for warning in trace.warnings)
        if missing:
            return "unknown", (
                "The device part of this trace is missing, so what limits the run cannot be told; "
                f"on the CPU, {name} takes {share} of self time."
            )
        return "cpu", f"The run is on the CPU; {name} takes {share} of CPU self time."
    span = max(window[1] - window[0], 1) * len(devices)
    busy = sum(device.busy_ns for device in devices) / span if devices else 0.0
    what = "The device is" if len(devices) == 1 else f"The {len(devices)} devices are"
    if busy >= MOSTLY_BUSY or not idle:
        limit = _LIMITED_BY_WORK.get(name, "compute")
        whose = "the selected work" if part else "it"
        return limit, f"{what} busy {_percent(busy)} of the time; {name} takes {share} of {whose}."
    cause = idle[0]
    return cause.cause, (
        f"{what} idle {_percent(1 - busy)} of the time, {_WAITS[cause.cause]} "
        f"({_percent(cause.share)}); of {'the selected' if part else 'its'} work {name} takes "
        f"{share}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
