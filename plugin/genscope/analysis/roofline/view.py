"""A trace beside the rates of its device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from genscope.analysis.attention import attention_calls
from genscope.analysis.categories import CATEGORIES
from genscope.analysis.flops.lines import COUNTED, OVERHEAD, Lines, lines_of
from genscope.analysis.flops.view import notes, scaled
from genscope.analysis.roofline.capacity import capacities
from genscope.analysis.roofline.devices import DeviceRates, known_devices, of_trace
from genscope.analysis.roofline.results import RoofFigures, Roofline, RoofOp
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.steps import step_warnings
from genscope.analysis.work import DEVICE, file_name
from genscope.trace.errors import TraceWarning
from genscope.trace.model import NONE, Bool, Int64, Kind, Trace

HIGH_SHARE = 0.6
"""Kernels that reach less of either rate wait for something else (Nsight Compute's rule too)."""

LAUNCH_NS = 10_000
"""Kernels shorter than this hardly fill a device, and are about as long as launching them takes."""

MOST_OPS = 2_000

COMPUTE, BANDWIDTH, LAUNCH, NEITHER, TRANSFER = (
    "compute",
    "bandwidth",
    "launch",
    "neither",
    "transfer",
)
BOUNDS = (COMPUTE, BANDWIDTH, LAUNCH, NEITHER, TRANSFER)

_TF32 = ("tf32", "s1688gemm", "s1688fprop", "s1688dgrad", "s1688wgrad")
"""Parts of the names of kernels that round float32 operands to tf32."""

_TRANSFERS = ("memcpy htod", "memcpy dtoh", "memcpy host", "copyhosttodevice", "copydevicetohost")

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class _Roofs:
    """What the rates allow, of each line; arrays of shape (m,), 0 where unknown."""

    compute_ns: Floats
    memory_ns: Floats
    known: Bool
    transfer: Bool
    """Copies between a host and a device, to which the rates do not apply."""

    @property
    def roof_ns(self) -> Floats:
        found: Floats = np.maximum(self.compute_ns, self.memory_ns)
        return found


def roofline(
    trace: Trace,
    selection: Selection = EVERYTHING,
    *,
    device: DeviceRates | None = None,
    devices: Sequence[DeviceRates] = (),
) -> Roofline:
    """Set the work of a trace beside the rates of `device`, or of the device that it names.

    `devices` are looked at before those that come with the package.
    """
    lines = lines_of(trace, selection)
    own = of_trace(trace.devices, devices) if lines.basis == DEVICE else None
    rates = device or own
    taken = (lines.kind == COUNTED) & lines.has_moved & (lines.time_ns > 0)
    roofs = _roofs(lines, rates, taken)
    shapes, of_shape = _by_shape(lines, taken)
    bound = _bounds(lines, roofs, of_shape, len(shapes))
    parts = _Parts(lines, roofs, taken, bound, rates is not None)
    ops = _ops(lines, parts, shapes, of_shape)
    whole = parts.rows(["all"], np.zeros(len(lines.rows), dtype=np.int64))
    name = next((one.name for one in trace.devices if one.name), None)
    result = Roofline(
        trace=file_name(trace),
        selection=selection,
        base_ns=str(trace.base_ns),
        rank=trace.rank,
        basis=lines.basis,
        basis_sum_ns=int(lines.time_ns.sum()),
        device_name=name,
        device=rates,
        as_if=device is not None and device != own,
        devices=[one.name for one in (*devices, *known_devices())],
        ridge=rates.peak / rates.bandwidth if rates is not None else None,
        high_share=HIGH_SHARE,
        launch_ns=LAUNCH_NS,
        whole=whole[0],
        categories=parts.rows(*lines.groups("category")),
        components=parts.rows(*lines.groups("component")),
        phases=parts.rows(*lines.groups("phase")),
        ops=ops[:MOST_OPS],
        ops_total=len(ops),
        capacity=capacities(lines),
        sentence="",
        warnings=[
            *trace.warnings,
            *step_warnings(trace, selection),
            *_warnings(lines, rates, name, roofs, taken),
        ],
    )
    result.sentence = _sentence(result)
    return result


def _roofs(lines: Lines, rates: DeviceRates | None, taken: Bool) -> _Roofs:
    count = len(lines.rows)
    transfer = taken & _with_kernel(lines, _TRANSFERS)
    roofs = _Roofs(np.zeros(count), np.zeros(count), np.zeros(count, dtype=np.bool_), transfer)
    if rates is None:
        return roofs
    taken = taken & ~transfer
    tf32 = _with_kernel(lines, _TF32)
    table = lines.counted
    dtype = np.where(lines.item >= 0, table.dtype[lines.item], NONE)
    for number in np.unique(dtype[taken]).tolist():
        text = table.words.text(int(number))
        mine = taken & (dtype == number)
        for mask, rate in (
            (mine & lines.is_matrix & ~tf32, rates.matrix_rate(text)),
            (mine & lines.is_matrix & tf32, rates.matrix_rate(text, tf32=True)),
            (mine & ~lines.is_matrix, rates.vector_rate(text)),
        ):
            if rate is not None:
                roofs.compute_ns[mask] = lines.flops[mask] / rate * 1e9
                roofs.known[mask] = True
            else:
                roofs.known[mask] = lines.flops[mask] == 0
    roofs.memory_ns[roofs.known] = lines.moved[roofs.known] / rates.bandwidth * 1e9
    roofs.compute_ns[~roofs.known] = 0
    return roofs


def _with_kernel(lines: Lines, parts: Sequence[str]) -> Bool:
    """Mask of shape (m,) of the lines with a device event whose name has one of `parts`."""
    trace, table = lines.trace, lines.counted
    device = np.flatnonzero(trace.events.is_device & (table.of_event >= 0))
    names = np.zeros(len(trace.strings), dtype=np.bool_)
    for index in np.unique(trace.events.name[device]).tolist():
        text = trace.strings[index][:2000].lower()
        names[index] = any(part in text for part in parts)
    found = np.zeros(len(table) + 1, dtype=np.bool_)
    found[table.of_event[device[names[trace.events.name[device]]]]] = True
    found[-1] = False
    mask: Bool = found[lines.item]
    return mask


def _by_shape(lines: Lines, taken: Bool) -> tuple[Int64, Int64]:
    """Group the lines that count by op, shapes, dtypes and category.

    Returns a line of each group, and the group of each line, -1 for the others.
    """
    events, table = lines.trace.events, lines.counted
    here = np.flatnonzero(taken)
    _, category = lines.groups("category")
    rows, item = lines.rows[here], lines.item[here]
    columns = [
        events.name[rows],
        np.where(table.call[item] >= 0, NONE, events.dims[rows]),
        events.types[rows],
        table.flops[item],
        table.moved[item],
        category[here],
    ]
    _, first, number = np.unique(
        np.stack(columns, axis=1), axis=0, return_index=True, return_inverse=True
    )
    group = np.full(len(lines.rows), NONE, dtype=np.int64)
    group[here] = number.reshape(-1)
    return here[first], group


def _bounds(lines: Lines, roofs: _Roofs, group: Int64, count: int) -> Int64:
    """What limits each line, as a place in BOUNDS, decided for all of its shapes together."""
    mine = (group >= 0) & roofs.known

    def add(values: Floats | Int64) -> Floats:
        sums = np.zeros(count, dtype=np.float64)
        np.add.at(sums, group[mine], values[mine])
        return sums

    time, compute, memory = add(lines.time_ns), add(roofs.compute_ns), add(roofs.memory_ns)
    launches = add(lines.launches)
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = np.maximum(compute, memory) / time
        short = (launches > 0) & (time / launches < LAUNCH_NS)
    decided = np.select(
        [(reached >= HIGH_SHARE) & (compute >= memory), reached >= HIGH_SHARE, short],
        [BOUNDS.index(COMPUTE), BOUNDS.index(BANDWIDTH), BOUNDS.index(LAUNCH)],
        BOUNDS.index(NEITHER),
    )
    found = np.full(len(group), NONE, dtype=np.int64)
    found[mine] = decided[group[mine]]
    found[roofs.transfer] = BOUNDS.index(TRANSFER)
    return found


@dataclass(slots=True)
class _Parts:
    """Adds lines up to rows of the result."""

    lines: Lines
    roofs: _Roofs
    taken: Bool
    bound: Int64
    has_rates: bool

    def rows(self, names: list[str], group: Int64) -> list[RoofFigures]:
        """A row for each group that has any time, most time first."""
        if not names:
            return []
        found = self.figures(group, len(names))
        rows = [
            RoofFigures(name=name, **one)
            for name, one in zip(names, found, strict=True)
            if one["time_ns"] or one["covered"] is not None
        ]
        for row in rows:
            row.covered = row.covered or 0.0
        return sorted(rows, key=lambda row: (-row.time_ns, row.name))

    def figures(self, group: Int64, count: int) -> list[dict[str, Any]]:
        """Fields of `RoofFigures` but the name; `covered` is None without any time at all."""
        lines, taken = self.lines, self.taken & (group >= 0)
        working = (lines.kind != OVERHEAD) & (group >= 0)

        def add(values: Floats | Int64, mask: Bool) -> list[int]:
            sums = np.zeros(count, dtype=np.float64)
            np.add.at(sums, group[mask], values[mask])
            return [round(one) for one in sums.tolist()]

        ones = np.ones(len(group), dtype=np.int64)
        roof = self.roofs.roof_ns
        known = taken & self.roofs.known
        above = np.maximum(lines.time_ns - roof, 0)
        limits = [add(lines.time_ns, taken & (self.bound == place)) for place in range(len(BOUNDS))]
        columns = (
            add(ones, taken),
            add(lines.launches, taken),
            add(lines.time_ns, taken),
            add(lines.time_ns, working),
            add(lines.flops, taken),
            add(lines.moved, taken),
            add(roof, known),
            add(lines.time_ns, known),
            add(lines.flops, known),
            add(above, known),
        )
        return [
            self._row(*(column[place] for column in columns), limits=[one[place] for one in limits])
            for place in range(count)
        ]

    def _row(
        self,
        calls: int,
        launches: int,
        time: int,
        all_time: int,
        flops: int,
        moved: int,
        roof: int,
        roofed: int,
        roofed_flops: int,
        above: int,
        *,
        limits: list[int],
    ) -> dict[str, Any]:
        has = self.has_rates and roofed > 0
        bound = {name: spent for name, spent in zip(BOUNDS, limits, strict=True) if spent}
        return {
            "calls": calls,
            "launches": launches,
            "time_ns": time,
            "covered": time / all_time if all_time else None,
            "flops": flops,
            "moved_bytes": moved,
            "intensity": flops / moved if moved else None,
            "flops_per_s": flops / time * 1e9 if time else None,
            "bytes_per_s": moved / time * 1e9 if time else None,
            "roof_ns": roof if has else None,
            "roof_flops_per_s": roofed_flops / roof * 1e9 if has and roof else None,
            "efficiency": roof / roofed if has else None,
            "saving_ns": above if has else None,
            "bound": max(bound, key=lambda name: bound[name]) if bound else None,
            "bound_ns": bound,
        }


def _ops(lines: Lines, parts: _Parts, first: Int64, group: Int64) -> list[RoofOp]:
    trace, table = lines.trace, lines.counted
    _, category = lines.groups("category")
    rows = []
    for line, figures in zip(first.tolist(), parts.figures(group, len(first)), strict=True):
        row, item = int(lines.rows[line]), int(lines.item[line])
        figures["covered"] = 1.0
        rows.append(
            RoofOp(
                name=trace.name_of(row),
                shapes=_shapes(trace, row, int(table.call[item])),
                dtype=table.words.text(int(table.dtype[item])),
                category=CATEGORIES[int(category[line])],
                **figures,
            )
        )
    return sorted(rows, key=lambda row: (-(row.saving_ns or 0), -row.time_ns, row.name))


def _shapes(trace: Trace, row: int, call: int) -> str | None:
    if call >= 0:
        sizes = attention_calls(trace).sizes
        names = ("batch", "heads", "kv_heads", "q_len", "kv_len", "head_dim")
        found = [f"{name} {int(sizes[name][call])}" for name in names if sizes[name][call] >= 0]
        return ", ".join(found) or None
    index = int(trace.events.dims[row])
    return " ".join(trace.strings[index].split())[:500] if index >= 0 else None


def _warnings(
    lines: Lines, rates: DeviceRates | None, name: str | None, roofs: _Roofs, taken: Bool
) -> list[TraceWarning]:
    found = notes(lines)
    if rates is None:
        what = f"the device {name!r}" if name and lines.basis == DEVICE else "this device"
        if lines.basis != DEVICE:
            what = "a CPU"
        found.append(
            TraceWarning(
                code="no_rates",
                count=1,
                message=f"No rates of {what} are known, so nothing tells what its time could be: "
                "name a device with --device (`cpu` measures this one), or describe it in a file "
                "for --devices.",
            )
        )
    lost = int((taken & ~roofs.known & ~roofs.transfer).sum())
    if rates is not None and lost:
        found.append(
            TraceWarning(
                code="no_rate_of_dtype",
                count=lost,
                message=f"{lost:,} ops are of a dtype for which {rates.name} has no rate; they "
                "have no roof.",
            )
        )
    fast = taken & roofs.known & (roofs.roof_ns > 1.05 * np.maximum(lines.time_ns, 1))
    if rates is not None and fast.any() and (lines.trace.events.kind == Kind.KERNEL).any():
        over = int(lines.time_ns[fast].sum())
        found.append(
            TraceWarning(
                code="above_roof",
                count=int(fast.sum()),
                message=f"{int(fast.sum()):,} ops ({_percent(over, lines)}) are faster than the "
                "rates allow: their data came from a cache, or they move less than their operands "
                "are large.",
            )
        )
    return found


def _percent(time: int, lines: Lines) -> str:
    return f"{100 * time / max(int(lines.time_ns.sum()), 1):.1f} % of the time"


def _sentence(result: Roofline) -> str:
    whole = result.whole
    if not whole.time_ns:
        return "There is no work with known FLOPs and bytes in this trace."
    did = f"{scaled(whole.flops_per_s or 0)}FLOP/s at {whole.intensity or 0:.3g} FLOPs a byte"
    if result.device is None:
        return f"{did}; the device's rates are not known."
    share = 100 * (whole.efficiency or 0)
    reached = f"{share:.0f}" if share >= 1 else f"{share:.2g}"
    allows = "would allow" if result.as_if else "allows"
    text = f"{did}: {reached} % of what {result.device.name} {allows} this mix of ops."
    if result.ops and result.ops[0].saving_ns:
        best = result.ops[0]
        text += (
            f" Most could be saved in {best.name[:80]} ({best.category}): "
            f"{100 * (best.saving_ns or 0) / whole.time_ns:.0f} % of the time is above its roof."
        )
    return text
