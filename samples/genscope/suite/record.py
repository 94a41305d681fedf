"""Recording one inference: torch.profiler around it, and a look at what came out."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.profiler import ProfilerActivity, profile, tensorboard_trace_handler

WORKER = "cpu"
"""First part of the names of the files written here."""

_CALL = "aten::scaled_dot_product_attention"
_CHOICES = "aten::_scaled_dot_product_"


@dataclass(frozen=True, slots=True)
class Attention:
    """A way to compute attention on the CPU: how to ask for it, the op by which it shows."""

    backend: SDPBackend
    op: str


ATTENTION = {
    "math": Attention(SDPBackend.MATH, "aten::_scaled_dot_product_attention_math"),
    "flash": Attention(
        SDPBackend.FLASH_ATTENTION, "aten::_scaled_dot_product_flash_attention_for_cpu"
    ),
}


class WrongAttentionError(Exception):
    """Attention did not run as it was asked to; the text says what ran."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A trace that was written."""

    path: Path
    attention_calls: int
    warm_up_s: float
    recorded_s: float
    """Wall time of the inference under the profiler, without writing the file."""


def record(
    attention: str,
    folder: Path,
    *,
    warm_up: Callable[[], object],
    run: Callable[[], object],
) -> Recording:
    """Record `run` with attention computed as `ATTENTION[attention]`, as one trace in `folder`.

    The trace takes the place of those recorded there before. An interrupted recording leaves
    nothing behind that looks like a trace.

    Raises:
        WrongAttentionError: Another implementation ran, or none. Nothing was written.
    """
    with (
        tempfile.TemporaryDirectory(prefix="genscope-") as scratch,
        sdpa_kernel(ATTENTION[attention].backend),
    ):
        start = time.perf_counter()
        try:
            warm_up()
        except RuntimeError as error:
            if "No available kernel" in str(error):
                raise WrongAttentionError(f"{attention} attention is not available") from error
            raise
        warm_up_s = time.perf_counter() - start
        recorded_s = _profiled(run, scratch)
        (trace,) = Path(scratch).iterdir()
        calls = _check(attention, op_counts(trace))
        return Recording(_place(trace, folder), calls, warm_up_s, recorded_s)


def op_counts(trace: Path) -> Counter[str]:
    """Return how often each op occurs in a gzipped trace."""
    with gzip.open(trace, "rb") as file:
        events = json.load(file)["traceEvents"]
    return Counter(event["name"] for event in events if event.get("cat") == "cpu_op")


def _profiled(run: Callable[[], object], folder: str) -> float:
    profiler = profile(
        activities=[ProfilerActivity.CPU],
        record_shapes=True,
        # Stacks bring the nn.Module frames, in a file two to three times as large.
        with_stack=True,
        on_trace_ready=tensorboard_trace_handler(folder, worker_name=WORKER, use_gzip=True),
    )
    with profiler:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start


def _check(attention: str, ops: Counter[str]) -> int:
    """Return the number of attention calls, all of which ran as asked."""
    wanted = ATTENTION[attention].op
    calls = ops[_CALL]
    others = {op: n for op, n in ops.items() if op.startswith(_CHOICES) and op != wanted}
    if not calls:
        raise WrongAttentionError(
            f"asked for {attention} attention, but no {_CALL} is in the trace (torch "
            f"{torch.__version__})"
        )
    if others or ops[wanted] != calls:
        ran = ", ".join(f"{n} x {op}" for op, n in sorted(others.items())) or "something unknown"
        raise WrongAttentionError(
            f"asked for {attention} attention, but of {calls} calls {ops[wanted]} ran as {wanted}; "
            f"also ran: {ran} (torch {torch.__version__})"
        )
    return calls


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
