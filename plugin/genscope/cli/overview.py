"""The overview in words and tables: what limits the run, and where its device waits."""

from __future__ import annotations

from collections.abc import Iterator

from genscope.analysis.results import Gap, Overview, Workload
from genscope.cli.document import Bar, Column, Document, Limits, Row, Segment, Table
from genscope.cli.formatting import amount, duration, percent, plural, size
from genscope.cli.operators import basis_words, largest

CAUSES = {
    "launch": "the CPU had not launched the next kernel yet",
    "sync": "the CPU waited for the device before it went on",
    "data": "the CPU was loading data",
    "queue": "the next kernel was launched, but had not started",
    "unknown": "the next kernel's launch is not in the trace",
}
"""What each cause of waiting means."""


def document(result: Overview, limits: Limits) -> Document:
    """Say what limits the run of one trace."""
    tables = [_components(result)] if result.components else []
    tables += [_devices(result)] if len(result.devices) > 1 else []
    tables += [_waiting(result)] if result.waiting else []
    tables += [_gaps(result, limits)] if result.gaps else []
    total = result.basis_sum_ns
    segments = [Segment(name, ns / total) for name, ns in result.categories.items() if total]
    return Document(
        headline=result.sentence,
        facts=list(_facts(result)),
        bars=[Bar("", segments)] if segments else (),
        tables=tables,
        warnings=[warning.message for warning in result.warnings],
    )


def _facts(result: Overview) -> Iterator[tuple[str, str]]:
    rank = "" if result.rank is None else f", rank {result.rank}"
    of = f" of {result.world_size}" if rank and result.world_size is not None else ""
    yield "trace", f"{result.trace}{rank}{of}"
    if result.workload:
        yield "workload", ", ".join(_workload(result.workload))
    if len(result.devices) == 1:
        (device,) = result.devices
        yield "device", f"{device.name or 'unknown device'}, {plural(device.streams, 'stream')}"
        yield "busy", f"{duration(device.busy_ns)}, {percent(device.busy_share)} of wall time"
        yield "idle", duration(device.idle_ns)
    yield "wall time", duration(result.wall_ns)
    yield basis_words(result.basis), f"sum {duration(result.basis_sum_ns)}"
    yield "categories", largest(result.categories)
    if result.unlinked_ns:
        yield "unlinked", f"{duration(result.unlinked_ns)}: its launch is not in the trace"
    if result.steps:
        yield "steps", str(len(result.steps))
    if result.peak_memory_bytes is not None:
        yield "peak memory", size(result.peak_memory_bytes)
    if result.libraries:
        yield "recorded with", ", ".join(f"{name} {of}" for name, of in result.libraries.items())
    for note in result.notes:
        yield "note", note


def _workload(workload: Workload) -> Iterator[str]:
    """What was run, in the order in which people say it."""
    if workload.model:
        yield workload.model
    if workload.image_size:
        height, width = workload.image_size
        yield f"{height}×{width} pixels"
    for count, noun in (
        (workload.frames, "frame"),
        (workload.prompt_length, "prompt token"),
        (workload.steps, "step"),
    ):
        if count is not None:
            yield plural(count, noun)
    if workload.batch is not None:
        yield f"batch {workload.batch}"
    yield from filter(None, (workload.dtype, workload.device))
    if workload.attention:
        yield f"attention {workload.attention}"
    if workload.training is not None:
        yield "training" if workload.training else "inference"
    for name, value in workload.extra.items():
        yield f"{name} {value}"


def _components(result: Overview) -> Table:
    return Table(
        title="Components",
        columns=[
            Column("component", text=True),
            Column("class", text=True),
            *(Column(title) for title in ("parameters", "memory", "calls")),
            Column("dtype", text=True),
            Column("device", text=True),
        ],
        rows=[
            Row(
                [
                    component.name,
                    component.class_name or "–",
                    "–" if component.parameters is None else amount(component.parameters),
                    "–" if component.parameter_bytes is None else size(component.parameter_bytes),
                    str(component.calls),
                    component.dtype or "–",
                    component.device or "–",
                ]
            )
            for component in result.components
        ],
        caption="memory is that of the parameters; calls counts those in the trace.",
    )


def _devices(result: Overview) -> Table:
    return Table(
        title="Devices",
        columns=[
            Column("device", text=True),
            *(Column(title) for title in ("busy", "idle", "busy share", "streams")),
        ],
        rows=[
            Row(
                [
                    f"{device.index}: {device.name or 'unknown device'}",
                    duration(device.busy_ns),
                    duration(device.idle_ns),
                    percent(device.busy_share),
                    str(device.streams),
                ]
            )
            for device in result.devices
        ],
        caption="busy counts overlapping device events once; busy and idle add up to wall time.",
    )


def _waiting(result: Overview) -> Table:
    return Table(
        title="Where the device waits",
        columns=[
            Column("cause", text=True),
            *(Column(title) for title in ("gaps", "idle", "of wall")),
            Column("meaning", text=True, ends=True),
        ],
        rows=[
            Row(
                [
                    row.cause,
                    str(row.gaps),
                    duration(row.sum_ns),
                    percent(row.share),
                    CAUSES.get(row.cause, ""),
                ]
            )
            for row in result.waiting
        ],
    )


def _gaps(result: Overview, limits: Limits) -> Table:
    shown = result.gaps[: limits.rows]
    several = len(result.devices) > 1
    columns = [Column("before → after", text=True)]
    columns += [Column("device")] if several else []
    columns += [Column("at"), Column("time"), Column("the CPU was in", text=True, ends=True)]
    caption = "at counts from the first event of the trace."
    if len(result.gaps) > len(shown):
        caption = f"The {len(shown)} largest of {len(result.gaps)} (--rows N shows more); {caption}"
    return Table(
        title="Largest gaps",
        columns=[*columns, Column("reason", text=True, ends=True)],
        rows=[Row(_gap(gap, several=several)) for gap in shown],
        caption=caption,
    )


def _gap(gap: Gap, *, several: bool) -> list[str]:
    around = f"{gap.before or '(start)'} → {gap.after or '(end)'}"
    place = [str(gap.device)] if several else []
    doing = f"{duration(gap.cpu[0].overlap_ns)} {gap.cpu[0].name}" if gap.cpu else ""
    return [around, *place, duration(gap.start_ns), duration(gap.dur_ns), doing, gap.reason]
