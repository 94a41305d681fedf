"""A trace of many attention calls: a denoiser that attends at several lengths, step by step.

python -m tests.benchmarks.calls CALLS PATH
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LENGTHS = (4096, 4096, 1024, 1024, 256, 256, 64, 256, 256, 1024, 1024, 4096, 4096)
"""Query lengths of one step of the denoiser: each attends to itself and to 77 tokens of text."""

_OP = "aten::scaled_dot_product_attention"
_KERNEL = "void pytorch_flash::flash_fwd_kernel<pytorch_flash::Flash_fwd_kernel_traits<64>>"
_CALL_US = 100.0


def events(calls: int) -> Iterator[dict[str, Any]]:
    """Events of so many calls, each of an op, its launch and a kernel, in steps of the model."""
    for number in range(calls):
        start = _CALL_US * number
        place = number % (2 * len(LENGTHS))
        if place == 0:
            duration = _CALL_US * min(2 * len(LENGTHS), calls - number) - 1
            for name in (f"ProfilerStep#{number // (2 * len(LENGTHS))}", "unet"):
                yield {
                    "ph": "X", "cat": "user_annotation", "name": name, "pid": 1, "tid": 1,
                    "ts": start, "dur": duration,
                }  # fmt: skip
        q = LENGTHS[place // 2]
        kv = 77 if place % 2 else q
        shapes = [[2, 8, q, 64], [2, 8, kv, 64], [2, 8, kv, 64], [], [], [], []]
        took = 5.0 + q * kv / 500_000
        args = {"correlation": number + 1, "External id": number + 1}
        yield {
            "ph": "X", "cat": "cpu_op", "name": _OP, "pid": 1, "tid": 1, "ts": start + 1,
            "dur": 30.0, "args": {"External id": number + 1, "Input Dims": shapes},
        }  # fmt: skip
        yield {
            "ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 1, "tid": 1,
            "ts": start + 10, "dur": 5.0, "args": args,
        }  # fmt: skip
        yield {
            "ph": "X", "cat": "kernel", "name": _KERNEL, "pid": 0, "tid": 7, "ts": start + 20,
            "dur": took, "args": {**args, "device": 0, "stream": 7},
        }  # fmt: skip


def write(calls: int, path: Path) -> None:
    """Write the trace, an event a line."""
    devices = json.dumps([{"id": 0, "name": "Device"}])
    with path.open("w", encoding="ascii") as file:
        file.write(f'{{"schemaVersion": 1, "deviceProperties": {devices}, "traceEvents": [\n')
        for place, event in enumerate(events(calls)):
            file.write(("" if place == 0 else ",\n") + json.dumps(event))
        file.write("\n]}\n")


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
