"""Peak memory by category and step, from what the allocators said while recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from genscope.analysis.devices import device_names
from genscope.analysis.memory.blocks import Blocks, blocks_of
from genscope.analysis.memory.results import (
    BEFORE,
    Block,
    CategoryBytes,
    DeviceMemory,
    Measured,
    MemorySeries,
    StepMemory,
)
from genscope.analysis.modules import components
from genscope.analysis.steps import Steps, steps_of
from genscope.analysis.tree import frames_of, module_tree
from genscope.trace.memory import NAME
from genscope.trace.model import NONE, Int64, Trace

CPU = 0
KINDS: Mapping[int, str] = {
    CPU: "cpu",
    1: "cuda",
    6: "hip",
    9: "xla",
    12: "xpu",
    13: "mps",
    15: "hpu",
    19: "mtia",
    20: "privateuseone",
}
"""Kinds of devices as torch numbers them; ROCm's are cuda."""

_ALLOCATORS = (
    "aten::empty",
    "aten::empty_like",
    "aten::empty_strided",
    "aten::new_empty",
    "aten::new_empty_strided",
    "aten::resize_",
    "aten::resize",
)
"""Ops that allocate for the op around them."""

MOST_STEPS = 200
MOST_POINTS = 2000
MOST_BLOCKS = 20

RECORD_IT = "no allocations were recorded: record with profile_memory=True"
NOT_READ = (
    "the allocator's events of a Perfetto trace are not read: open the profiler's own JSON instead"
)


def measured_of(trace: Trace) -> Measured:
    """What was allocated on each device while recording."""
    memory = trace.memory
    if not len(memory):
        # A native trace has the names of its instants, though not what they carry.
        reason = NOT_READ if NAME in trace.strings else RECORD_IT
        return Measured(devices=[], events=0, reason=reason)
    steps = steps_of(trace)
    devices = []
    for kind, index in np.unique(np.stack([memory.device_type, memory.device]), axis=1).T.tolist():
        places = np.flatnonzero((memory.device_type == kind) & (memory.device == index))
        devices.append(_device(trace, kind, index, blocks_of(trace, places), steps))
    devices.sort(key=lambda one: (-one.peak_bytes, one.device))
    return Measured(devices=devices, events=len(memory), reason=None)


def _device(trace: Trace, kind: int, index: int, blocks: Blocks, steps: Steps) -> DeviceMemory:
    peak = int(blocks.total.argmax())
    size = blocks.bytes
    given, freed = size > 0, size < 0
    unknown = freed & (blocks.begins == NONE)
    listed = _steps(blocks, steps)
    reserved = blocks.reserved[blocks.reserved > 0]
    held, counts = blocks.moments(np.array([peak]))
    alive = blocks.alive(peak)
    names = device_names(trace, [index])
    own = {device.index: device for device in trace.devices}.get(index)
    capacity = own.properties.get("totalGlobalMem") if own is not None and kind != CPU else None
    at_peak = _categories(blocks, held[0], counts[0])
    return DeviceMemory(
        device=_label(kind, index),
        name=names.get(index, "") if kind != CPU else "",
        whole=kind != CPU,
        allocations=int(given.sum()),
        frees=int(freed.sum()),
        allocated_bytes=int(size[given].sum()),
        start_bytes=int(blocks.total[0]),
        end_bytes=int(blocks.total[-1]),
        peak_bytes=int(blocks.total[peak]),
        peak_ns=_moment_ns(blocks, peak),
        peak_step=_step_at(steps, _moment_ns(blocks, peak)),
        reserved_peak_bytes=int(reserved.max()) if len(reserved) else None,
        capacity_bytes=capacity if type(capacity) is int and capacity > 0 else None,
        unknown_frees=int(unknown.sum()),
        unknown_freed_bytes=-int(size[unknown].sum()),
        unfreed_blocks=int((given & (blocks.ends == NONE)).sum()),
        disagreements=blocks.disagreements,
        at_peak=at_peak,
        components_at_peak=_components(trace, blocks, alive),
        largest_blocks=_largest(trace, blocks, alive),
        steps=listed,
        steps_left=max(len(steps) - MOST_STEPS, 0),
        series=_series(blocks, [row.category for row in at_peak]),
    )


def _label(kind: int, index: int) -> str:
    name = KINDS.get(kind, "device" if kind < 0 else f"device of type {kind}")
    return name if kind == CPU or index < 0 else f"{name}:{index}"


def _moment_ns(blocks: Blocks, moment: int) -> int:
    return int(blocks.at_ns[max(moment - 1, 0)])


def _step_at(steps: Steps, at_ns: int) -> str | None:
    inside = np.flatnonzero((steps.start_ns <= at_ns) & (at_ns < steps.end_ns))
    return steps.names[int(inside[0])] if len(inside) else None


def _categories(blocks: Blocks, held: Int64, counts: Int64) -> list[CategoryBytes]:
    whole = int(held.sum())
    rows = [
        CategoryBytes(
            category=name,
            bytes=size,
            blocks=None if name == BEFORE else count,
            share=size / whole if whole else 0.0,
        )
        for name, size, count in zip(blocks.names, held.tolist(), counts.tolist(), strict=True)
        if size
    ]
    return sorted(rows, key=lambda row: (-row.bytes, row.category))


def _where(trace: Trace, rows: Int64) -> tuple[list[str | None], list[str | None]]:
    """Component and module of ops, shape (k,), with -1 for none."""
    at = np.where(rows >= 0, rows, 0)
    frames = np.where(rows >= 0, frames_of(trace, at, at), NONE) if len(rows) else rows
    tree = module_tree(trace, frames)
    names, number = components(trace, rows, tree)
    return (
        [names[one] if one >= 0 else None for one in number.tolist()],
        [tree.path(one) if one >= 0 else None for one in tree.of_row.tolist()],
    )


def _components(trace: Trace, blocks: Blocks, alive: Int64) -> dict[str, int]:
    sums: Counter[str] = Counter()
    component, _ = _where(trace, blocks.op[alive])
    for name, size in zip(component, blocks.bytes[alive].tolist(), strict=True):
        if name is not None:
            sums[name] += size
    return dict(sums.most_common())


def _largest(trace: Trace, blocks: Blocks, alive: Int64) -> list[Block]:
    chosen = alive[np.argsort(-blocks.bytes[alive], kind="stable")[:MOST_BLOCKS]]
    component, module = _where(trace, blocks.op[chosen])
    found = []
    for number, place in enumerate(chosen.tolist()):
        op, end = int(blocks.op[place]), int(blocks.ends[place])
        found.append(
            Block(
                bytes=int(blocks.bytes[place]),
                category=blocks.names[int(blocks.category[place])],
                op=_worker(trace, op),
                component=component[number],
                module=module[number],
                allocated_ns=int(blocks.at_ns[place]),
                freed_ns=int(blocks.at_ns[end]) if end >= 0 else None,
            )
        )
    return found


def _worker(trace: Trace, op: int) -> str | None:
    """Name of an op, or of the one that it allocates for."""
    if op < 0:
        return None
    around = int(trace.links.parent[op])
    while around >= 0 and trace.name_of(op) in _ALLOCATORS:
        op, around = around, int(trace.links.parent[around])
    return trace.name_of(op)


def _steps(blocks: Blocks, steps: Steps) -> list[StepMemory]:
    count = min(len(steps), MOST_STEPS)
    if not count:
        return []
    start, end = steps.start_ns[:count], steps.end_ns[:count]
    first = np.searchsorted(blocks.at_ns, start, side="left")
    last = np.maximum(np.searchsorted(blocks.at_ns, end, side="left"), first)
    moments = np.array(
        [
            low + int(blocks.total[low : high + 1].argmax())
            for low, high in zip(first.tolist(), last.tolist(), strict=True)
        ]
    )
    held, counts = blocks.moments(moments)
    given = np.r_[0, np.cumsum(np.maximum(blocks.bytes, 0))]
    return [
        StepMemory(
            index=number,
            name=steps.names[number],
            start_ns=int(start[number]),
            end_ns=int(end[number]),
            peak_bytes=int(blocks.total[moment]),
            # Nothing was allocated on top of what the step began with.
            peak_ns=int(start[number])
            if moment == first[number]
            else _moment_ns(blocks, int(moment)),
            end_bytes=int(blocks.total[last[number]]),
            allocated_bytes=int(given[last[number]] - given[first[number]]),
            categories=_categories(blocks, held[number], counts[number]),
        )
        for number, moment in enumerate(moments.tolist())
    ]


def _series(blocks: Blocks, order: list[str]) -> MemorySeries:
    """Every moment, or the highest one of each stretch of time."""
    moments = np.arange(1, len(blocks.total))
    if len(moments) > MOST_POINTS:
        begin, end = int(blocks.at_ns[0]), int(blocks.at_ns[-1])
        width = max((end - begin) / (MOST_POINTS - 2), 1.0)
        bucket = ((blocks.at_ns - begin) / width).astype(np.int64)
        by_height = np.lexsort((moments, -blocks.total[1:], bucket))
        first = np.r_[True, np.diff(bucket[by_height]) != 0]
        chosen = moments[by_height[first]]
        moments = np.unique(np.r_[1, chosen, len(blocks.total) - 1])
    held, _ = blocks.moments(moments)
    reserved = blocks.reserved[moments - 1].tolist()
    names = [*order, *(name for name in blocks.names if name not in order)]
    columns = {name: held[:, blocks.names.index(name)] for name in names}
    return MemorySeries(
        at_ns=blocks.at_ns[moments - 1].tolist(),
        allocated_bytes=blocks.total[moments].tolist(),
        reserved_bytes=[value if value > 0 else None for value in reserved],
        categories={name: column.tolist() for name, column in columns.items() if column.any()},
        changes=len(blocks.bytes),
    )
