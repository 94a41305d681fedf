"""Recording one inference with the collectors: checked, and put in place as a whole."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch.profiler import ProfilerActivity

from genscope.collect.collector import Collector
from genscope.collect.switch import WrongAttentionError, attention

WORKER = "cpu"
"""First part of the names of the files written here."""


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

    Raises:
        AttentionUnavailableError: This machine has no such attention.
        WrongAttentionError: Another implementation ran, or none. Nothing was written.
        NotRecordedError: The profiler gave no trace, or it could not be written.
    """
    with tempfile.TemporaryDirectory(prefix="genscope-") as scratch:
        collector = Collector(
            model,
            scratch,
            worker=WORKER,
            workload={"attention": name},
            activities=[ProfilerActivity.CPU],
        )
        with attention(name, model, strict=True, warn=False) as ran:
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


def _place(trace: Path, folder: Path) -> Path:
    """Move a finished trace into `folder`; it appears there whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    before = list(folder.glob(f"{WORKER}.*.pt.trace.json.gz"))
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
