"""What else differs between two runs than their attention, as warnings in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from genscope.analysis.speedup.match import Aligned, Columns
from genscope.analysis.speedup.side import UNFUSED, Side
from genscope.schema import Workload
from genscope.trace.errors import TraceWarning
from genscope.trace.model import NONE

PAIR_EXTRA = ("unprofiled_median_s", "unprofiled_repeats_s", "pair", "speedup", "outputs_agree")
"""What `collect_pair` adds to the workload of each of the two."""

_MOSTLY = 0.5


def differences(baseline: Side, fused: Side, aligned: Aligned) -> list[TraceWarning]:
    """Return a warning for each thing that makes the two runs differ beside fused attention."""
    return [
        *_basis(baseline, fused),
        *_roles(baseline, fused),
        *_devices(baseline, fused),
        *_dtypes(baseline, fused, aligned),
        *_widths(baseline, fused, aligned),
        *_workload(baseline, fused),
        *_steps(baseline, fused),
        *_compiled(baseline, fused),
        *_libraries(baseline, fused),
        *_outputs(baseline, fused),
        *_alone(aligned),
    ]


def _one(code: str, message: str, count: int = 1) -> TraceWarning:
    return TraceWarning(code=code, count=count, message=message)


def _basis(baseline: Side, fused: Side) -> Iterator[TraceWarning]:
    if baseline.basis != fused.basis:
        yield _one(
            "mixed_basis",
            "One run has device time and the other has none, so only wall times are compared.",
        )


def _roles(baseline: Side, fused: Side) -> Iterator[TraceWarning]:
    before, after = baseline.unfused_share, fused.unfused_share
    if before is None or after is None:
        which = "Neither run has" if before is after else "Only one of the runs has"
        yield _one("no_attention", f"{which} attention calls, so there is none to compare.")
        return
    if before < after:
        yield _one(
            "swapped_runs",
            "The run taken as the baseline computes more of its attention fused than the other: "
            "the two may have been swapped.",
        )
    elif before <= _MOSTLY:
        yield _one(
            "fused_baseline",
            "The baseline computes most of its attention fused as well "
            f"({_words(baseline)}): this is no comparison with unfused attention.",
        )
    left = sum(fused.counted("implementation").get(name, 0) for name in UNFUSED)
    if left and before > after:
        yield _one(
            "not_fused",
            f"{left:,} of {len(fused.calls):,} attention calls of the fused run are not fused.",
            left,
        )


def _words(side: Side) -> str:
    return ", ".join(side.counted("implementation"))


def _devices(baseline: Side, fused: Side) -> Iterator[TraceWarning]:
    before, after = sorted(baseline.devices), sorted(fused.devices)
    if baseline.basis == fused.basis and before != after:
        yield _one(
            "other_device",
            f"The runs are from different devices ({_listed(before)}; {_listed(after)}): part of "
            "the difference is the hardware's.",
        )


def _listed(names: list[str]) -> str:
    counted = {name: names.count(name) for name in names}
    return ", ".join(name if n == 1 else f"{n} × {name}" for name, n in counted.items())


def _dtypes(baseline: Side, fused: Side, aligned: Aligned) -> Iterator[TraceWarning]:
    columns = Columns(baseline.calls, fused.calls)
    first, second = columns.text("dtype")
    mine, theirs = first[aligned.baseline], second[aligned.fused]
    differ = (mine != theirs) & (mine != NONE) & (theirs != NONE)
    if not differ.any():
        return
    pairs, counts = np.unique(np.stack([mine, theirs])[:, differ], axis=1, return_counts=True)
    before, after = pairs[:, counts.argmax()].tolist()
    yield _one(
        "other_dtype",
        f"The data type changed too, not only the attention: {int(differ.sum()):,} of "
        f"{len(mine):,} calls are {columns.word(before)} in the baseline and "
        f"{columns.word(after)} in the fused run. Part of the speedup, in all categories, comes "
        "from that.",
        int(differ.sum()),
    )


def _widths(baseline: Side, fused: Side, aligned: Aligned) -> Iterator[TraceWarning]:
    first, second = baseline.calls.sizes["head_dim"], fused.calls.sizes["head_dim"]
    mine, theirs = first[aligned.baseline], second[aligned.fused]
    differ = (mine != theirs) & (mine != NONE) & (theirs != NONE)
    if differ.any():
        yield _one(
            "other_width",
            f"{int(differ.sum()):,} calls have heads of another width in the fused run (as "
            f"{int(mine[differ][0])} and {int(theirs[differ][0])}): padded for its kernel.",
            int(differ.sum()),
        )


def workload_differences(one: Workload, other: Workload) -> list[str]:
    """Names of the fields that differ, but for what differs in every pair."""
    names = []
    for field in fields(Workload):
        if field.name in ("attention", "extra"):
            continue
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if mine is not None and theirs is not None and mine != theirs:
            names.append(f"{field.name.replace('_', ' ')} ({mine}; {theirs})")
    for name in sorted({*one.extra, *other.extra} - {*PAIR_EXTRA}):
        mine, theirs = one.extra.get(name), other.extra.get(name)
        if mine is not None and theirs is not None and mine != theirs:
            names.append(f"{name[:100]} ({str(mine)[:100]}; {str(theirs)[:100]})")
    return names


def _workload(baseline: Side, fused: Side) -> Iterator[TraceWarning]:
    differ = workload_differences(baseline.document.workload, fused.document.workload)
    if differ:
        yield _one(
            "other_workload",
            f"By their annotations the runs are of different work: {'; '.join(differ)}.",
            len(differ),
        )


def _steps(baseline: Side, fused: Side) -> Iterator[TraceWarning]:
    before, after = len(baseline.step_ns), len(fused.step_ns)
    if before != after:
        yield _one(
            "other_steps",
            f"The baseline has {before} steps and the fused run {after}: compare single steps and "
            "aligned calls, not the whole.",
            abs(before - after),
        )


def _compiled(baseline: Side, fused: Side) -> Iterator[TraceWarning]:
    for what, before, after in (
        ("was compiled (its kernels are generated)", baseline.generated, fused.generated),
        ("replays graphs", baseline.graphs, fused.graphs),
    ):
        if before != after:
            which = "fused run" if after else "baseline"
            yield _one(
                "other_execution",
                f"Only the {which} {what}: part of the difference outside attention is that.",
            )


def _libraries(baseline: Side, fused: Side) -> Iterator[TraceWarning]:
    before, after = baseline.document.libraries, fused.document.libraries
    differ = [
        f"{name[:100]} {before[name][:100]} and {after[name][:100]}"
        for name in sorted({*before} & {*after})
        if before[name] != after[name]
    ]
    if differ:
        yield _one("other_libraries", f"Versions differ: {'; '.join(differ)}.", count=len(differ))


def _outputs(baseline: Side, fused: Side) -> Iterator[TraceWarning]:
    said = [side.document.workload.extra.get("outputs_agree") for side in (baseline, fused)]
    if False in said:
        yield _one("outputs_differ", "The outputs of the two runs did not agree when recorded.")


def _alone(aligned: Aligned) -> Iterator[TraceWarning]:
    before, after = len(aligned.only_baseline), len(aligned.only_fused)
    if before + after:
        yield _one(
            "unaligned_calls",
            f"{before:,} calls of the baseline and {after:,} of the fused run have no counterpart; "
            "they are listed with the reason.",
            before + after,
        )
