"""Traces of a few ops, made by hand or recorded, and what is counted of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from genscope.analysis.flops.count import Counted, counted
from genscope.analysis.flops.inputs import Cost, read_op
from genscope.analysis.flops.registry import ROWS, row_of
from genscope.trace import Trace, load
from tests.trace.support import Event, event

BF16, FLOAT, LONG = "c10::BFloat16", "float", "long int"


def op(
    name: str,
    dims: Sequence[object],
    types: Sequence[object] | str | None = BF16,
    inputs: Sequence[str] | None = None,
    **fields: Any,
) -> Event:
    """An op with its inputs; one dtype stands for that of all tensors."""
    args: dict[str, object] = {"Input Dims": list(dims)}
    if isinstance(types, str):
        types = [types if shape else "" for shape in dims]
    if types is not None:
        args["Input type"] = list(types)
    if inputs is not None:
        args["Concrete Inputs"] = list(inputs)
    return event(name, args=args, **fields)


def cost(
    name: str,
    dims: Sequence[object],
    types: Sequence[object] | str | None = BF16,
    inputs: Sequence[str] | None = None,
) -> Cost | None:
    """What the registry says of one op."""
    args = op(name, dims, types, inputs)["args"]
    place = row_of(name)
    assert place is not None, f"{name} is not in the registry"
    texts = (args["Input Dims"], args.get("Input type"), args.get("Concrete Inputs"))
    found = read_op(name, *(None if text is None else json.dumps(text) for text in texts))
    assert found is not None
    return ROWS[place].count(found)


def recorded(run: Callable[[], object]) -> Trace:
    """Profile a call on the CPU, with shapes and nothing else."""
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:
        run()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.json")
        profiler.export_chrome_trace(str(path))
        return load(path)


def seen(run: Callable[[], object]) -> Counted:
    """Count what a call does."""
    with torch.inference_mode():
        return counted(recorded(run))


def by_op(trace: Trace, work: Counted) -> dict[str, int]:
    """FLOPs of the ops that count, by name."""
    found: dict[str, int] = {}
    for row, flops in zip(work.row.tolist(), work.flops.tolist(), strict=True):
        found[trace.name_of(row)] = found.get(trace.name_of(row), 0) + flops
    return found
