"""The roofline in words and tables: what a device allows, and what to optimise next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genscope.analysis.roofline.devices import DeviceRates, known_devices, named, read_devices
from genscope.analysis.roofline.results import RoofFigures, Roofline
from genscope.cli.document import Column, Document, Limits, Row, Table
from genscope.cli.errors import Unusable
from genscope.cli.formatting import duration, percent, ratio, scaled
from genscope.cli.operators import basis_words
from genscope.trace.errors import TraceError

if TYPE_CHECKING:
    from genscope.trace.model import Trace

CPU = "cpu"
"""What `--device` takes for this machine's CPU, which is then measured."""


def table(path: str) -> list[DeviceRates]:
    """The devices of a file. Raises `Unusable`."""
    try:
        return read_devices(Path(path).read_bytes(), path)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror or error}") from error
    except TraceError as error:
        raise Unusable(str(error)) from error


def result(
    trace: Trace, *, device: str | None = None, devices: Sequence[DeviceRates] = ()
) -> Roofline:
    """The view `roofline`, on the device of this name. Raises `Unusable` where none has it."""
    from genscope.analysis.roofline.view import roofline

    return roofline(trace, device=chosen(device, devices), devices=devices)


def chosen(name: str | None, devices: Sequence[DeviceRates]) -> DeviceRates | None:
    """The device of this name, `cpu` measured now. Raises `Unusable` where none has it."""
    if name is None:
        return None
    if name.lower() == CPU:
        from genscope.analysis.roofline.measure import measure_cpu

        return measure_cpu()
    found = named(name, devices)
    if found is None:
        known = ", ".join(one.name for one in (*devices, *known_devices()))
        raise Unusable(f"no device is called {name!r}; known are {CPU} (measured), {known}")
    return found


def document(result: Roofline, limits: Limits) -> Document:
    """Say what of one trace is bound by what."""
    tables = [
        _groups(title, rows, limits if title == "Components" else None, title == "Categories")
        for title, rows in (
            ("Categories", result.categories),
            ("Components", result.components),
            ("Phases", result.phases),
        )
        if rows
    ]
    if result.ops:
        tables.append(_ops(result, limits))
    if result.capacity:
        tables.append(_capacity(result))
    return Document(
        headline=result.sentence,
        facts=list(_facts(result)),
        tables=tables,
        warnings=[warning.message for warning in result.warnings],
    )


def _facts(result: Roofline) -> Iterator[tuple[str, str]]:
    rank = "" if result.rank is None else f", rank {result.rank}"
    yield "trace", f"{result.trace}{rank}"
    rates = result.device
    if rates is None:
        yield "device", result.device_name or "unknown"
    else:
        yield "device", rates.name
        peaks = [
            f"{dtype} {scaled(rate, 'FLOP/s')}"
            for dtype, rate in rates.matrix.items()
            if dtype in ("bfloat16", "tf32", "float32", "float8")
        ]
        yield "peak rates", f"{', '.join(peaks)}; {scaled(rates.bandwidth, 'B/s')}"
        yield "source", rates.source
        yield "ridge", f"{ratio(result.ridge)} FLOPs a byte"
    whole = result.whole
    yield "intensity", f"{ratio(whole.intensity)} FLOPs a byte"
    yield (
        "reached",
        f"{scaled(whole.flops_per_s, 'FLOP/s')}, {scaled(whole.bytes_per_s, 'B/s')}",
    )
    if whole.saving_ns is not None:
        yield "above the roofline", f"{duration(whole.saving_ns)} of {duration(whole.time_ns)}"
    if whole.bound_ns:
        total = sum(whole.bound_ns.values())
        parts = sorted(whole.bound_ns.items(), key=lambda one: -one[1])
        yield "bound by", ", ".join(f"{name} {percent(spent / total)}" for name, spent in parts)
    yield (
        basis_words(result.basis),
        f"sum {duration(result.basis_sum_ns)}, {percent(whole.covered)} of it with known work",
    )


_COLUMNS = ("time", "FLOPs/byte", "rate", "traffic", "roof", "of roof", "above roof")


def _cells(row: RoofFigures) -> list[str]:
    return [
        duration(row.time_ns),
        ratio(row.intensity),
        scaled(row.flops_per_s, "FLOP/s") if row.flops_per_s else "–",
        scaled(row.bytes_per_s, "B/s"),
        "–" if row.roof_ns is None else duration(row.roof_ns),
        percent(row.efficiency),
        "–" if row.saving_ns is None else duration(row.saving_ns),
    ]


def _groups(
    title: str, rows: Sequence[RoofFigures], limits: Limits | None, coloured: bool
) -> Table:
    shown = rows if limits is None else rows[: 2 * limits.rows]
    left = len(rows) - len(shown)
    return Table(
        title=title,
        columns=[
            Column(title.lower(), text=True),
            *(Column(name) for name in (*_COLUMNS, "covered")),
            Column("bound by", text=True),
        ],
        rows=[
            Row(
                [row.name, *_cells(row), percent(row.covered), row.bound or "–"],
                category=row.name if coloured else None,
            )
            for row in shown
        ],
        caption=f"{left} more" if left else "",
    )


def _ops(result: Roofline, limits: Limits) -> Table:
    shown = result.ops[: 4 * limits.rows]
    left = result.ops_total - len(shown)
    title = "What to optimise next" if result.device is not None else "Ops"
    return Table(
        title=title,
        columns=[
            Column("op", text=True),
            Column("calls"),
            *(Column(name) for name in _COLUMNS),
            Column("bound by", text=True),
            Column("dtype", text=True),
            Column("shapes", text=True, ends=True),
        ],
        rows=[
            Row(
                [
                    row.name,
                    str(row.calls),
                    *_cells(row),
                    row.bound or "–",
                    row.dtype or "–",
                    row.shapes or "–",
                ],
                category=row.category,
            )
            for row in shown
        ],
        caption=f"{left} more" if left > 0 else "",
    )


def _capacity(result: Roofline) -> Table:
    return Table(
        title="Intensity by model capacity",
        columns=[
            Column("component", text=True),
            *(
                Column(name)
                for name in ("parameters", "FLOPs", "calls", "FLOPs/parameter byte", "a call")
            ),
            Column("FLOPs/byte moved"),
        ],
        rows=[
            Row(
                [
                    row.component,
                    scaled(row.parameter_bytes, "B"),
                    scaled(row.flops, "FLOP"),
                    str(row.calls),
                    ratio(row.intensity),
                    ratio(row.intensity_per_call),
                    ratio(row.moved_intensity),
                ]
            )
            for row in result.capacity
        ],
        caption="the paper's definition, of all calls in the trace, beside the usual one",
    )
