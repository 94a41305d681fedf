"""A trace whose names would be markup if a page took them for it."""

from __future__ import annotations

import json
from pathlib import Path

RUNS = ("<img src=x onerror=hurt=1>", "<img src=x onerror=hurt=2>")
OP = '"><img src=x onerror="window.hurt=1">'
KERNEL = "<script>window.hurt=1</script>{a|rich}<svg onload=window.hurt=1>"
COMPONENT = "nn.Module: <iframe srcdoc='<script>parent.hurt=1</script>'>_0"


def write(logdir: Path) -> None:
    """Write it below `logdir` twice, in folders of hostile names."""

    def slice_(cat: str, name: str, ts: int, dur: int, **args: object) -> dict[str, object]:
        tid = 7 if cat == "kernel" else 1
        pid = 0 if cat == "kernel" else 1
        event = {"ph": "X", "cat": cat, "name": name, "pid": pid, "tid": tid}
        return {**event, "ts": ts, "dur": dur, "args": args}

    events = [
        slice_("python_function", COMPONENT, 0, 100),
        slice_("cpu_op", OP, 10, 50),
        slice_("cuda_runtime", "cudaLaunchKernel", 20, 5, correlation=1),
        slice_("kernel", KERNEL, 40, 30, correlation=1, device=0, stream=7),
        slice_("kernel", "ampere_sgemm_128x64_tn", 80, 10, correlation=2, device=0, stream=7),
    ]
    for run in RUNS:
        folder = logdir / run
        folder.mkdir(parents=True)
        path = folder / "worker0.pt.trace.json"
        path.write_text(json.dumps({"schemaVersion": 1, "traceEvents": events}))
