"""Recording inferences with the collectors: checked, and put in place as a whole."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genscope.collect.collector import Collector
from genscope.collect.pair import Pair, collect_pair
from genscope.collect.switch import WrongAttentionError, attention
from genscope.schema import Workload

WORKER = "cpu"
"""First part of the names of the files written here, unless another is given."""


class NotRecordedError(Exception):
    """There is no trace, for a reason that has nothing to do with the model; the text says it."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A trace that was written."""

    path: Path
    attention_calls: int
    warm_up_s: float
    recorded_s: float
    """Wall time of the inference under the profiler, without writing the file."""


def record(
    name: str,
    folder: Path,
    *,
    model: object,
    warm_up: Callable[[], object],
    run: Callable[[], object],
    strict: bool = True,
    worker: str = WORKER,
    workload: Workload | None = None,
    **options: Any,
) -> Recording:
    """Record `run` with attention computed as `name` says, as one trace in `folder`.

    The trace takes the place of those recorded there before. An interrupted recording leaves
    nothing behind that looks like a trace.

    Args:
        name: One of `genscope.collect.switch.NAMES`.
        folder: Where to write; made if it is not there.
        model: The model or pipeline that `run` calls.
        warm_up: Called before, and not recorded.
        run: What is recorded.
        strict: Refuse a run in which some attention ran otherwise.
        worker: First part of the file's name.
        workload: What is run; its `attention` is filled in.
        options: Of the `Collector`.

    Raises:
        AttentionUnavailableError: This machine has no such attention.
        WrongAttentionError: Another implementation ran, or none. Nothing was written.
        NotRecordedError: The profiler gave no trace, or it could not be written.
    """
    with tempfile.TemporaryDirectory(prefix="genscope-") as scratch:
        collector = Collector(
            model,
            scratch,
            worker=worker,
            workload=replace(workload or Workload(), attention=name),
            **options,
        )
        with attention(name, model, strict=strict, warn=False) as ran:
            start = time.perf_counter()
            warm_up()
            warm_up_s = time.perf_counter() - start
            before = ran.calls
            with collector:
                start = time.perf_counter()
                run()
                recorded_s = time.perf_counter() - start
        if ran.calls == before:
            raise WrongAttentionError(
                f"asked for {name} attention, but no attention was in the recording"
            )
        if not collector.written:
            raise NotRecordedError(collector.why_nothing)
        path = _place(Path(collector.written[-1]), folder)
        return Recording(path, ran.calls - before, warm_up_s, recorded_s)


def record_pair(
    names: tuple[str, str],
    folder: Path,
    *,
    model: object,
    run: Callable[[], object],
    worker: str = WORKER,
    workload: Workload | None = None,
    repeats: int = 3,
    **options: Any,
) -> Pair:
    """Record `run` with baseline and with fused attention, and time both without a profiler.

    The traces go to `folder/<name>` for both names, and take the place of those recorded there
    before; either both are there in the end or what was there remains.

    Args:
        names: Baseline and fused, of `genscope.collect.switch.NAMES`.
        folder: Where to write; made if it is not there.
        model: The model or pipeline that `run` calls.
        run: What is recorded.
        worker: First part of the files' names.
        workload: What is run; its `attention` and times are filled in.
        repeats: Timed runs of each.
        options: Of the `Collector`.

    Raises:
        AttentionUnavailableError: This machine has one of the two not.
        WrongAttentionError: There is no attention, or one of the two ran nowhere.
        NotRecordedError: The profiler gave no trace, or it could not be written.
    """
    baseline, fused = names
    with tempfile.TemporaryDirectory(prefix="genscope-") as scratch:
        pair = collect_pair(
            run,
            scratch,
            baseline=baseline,
            fused=fused,
            model=model,
            repeats=repeats,
            worker=worker,
            workload=workload,
            **options,
        )
        sides = (pair.baseline, pair.fused)
        for side in sides:
            if not side.ran.ran[side.attention]:
                raise WrongAttentionError(str(side.ran))
            if side.trace is None:
                raise NotRecordedError(f"the profiler gave no trace for {side.attention}")
        first, second = (
            replace(side, trace=_place(side.trace, folder / side.attention))
            for side in sides
            if side.trace is not None
        )
        return replace(pair, baseline=first, fused=second)


def _place(trace: Path, folder: Path) -> Path:
    """Move a finished trace into `folder`; it appears there whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    worker = trace.name.partition(".")[0]
    before = list(folder.glob(f"{worker}.*.pt.trace.json.gz"))
    # Another file system, maybe: copy under a name that no one takes for a trace, then rename.
    partial = folder / f"{trace.name}.partial"
    try:
        shutil.copyfile(trace, partial)
        target = folder / trace.name
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    for old in before:
        old.unlink()
    return target
