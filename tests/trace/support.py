"""Hand-made traces for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genscope.trace import Kind, Trace, load

Event = dict[str, Any]


def event(
    name: str = "aten::mm",
    *,
    cat: str = "cpu_op",
    ts: float | str = 0,
    dur: float | str = 1,
    pid: int | str = 1,
    tid: int | str = 1,
    args: Mapping[str, object] | None = None,
) -> Event:
    """A slice, as a producer would write it."""
    made: Event = {
        "ph": "X", "cat": cat, "name": name, "pid": pid, "tid": tid, "ts": ts, "dur": dur,
    }  # fmt: skip
    if args is not None:
        made["args"] = dict(args)
    return made


def launch(correlation: int, *, name: str = "cudaLaunchKernel", **fields: Any) -> Event:
    """A runtime call that launches."""
    return event(name, cat="cuda_runtime", args={"correlation": correlation}, **fields)


def kernel(
    correlation: int, *, name: str = "gemm", stream: int = 7, device: int = 0, **fields: Any
) -> Event:
    """A kernel on a stream of a device."""
    args = {"correlation": correlation, "stream": stream, "device": device}
    fields.setdefault("cat", "kernel")
    return event(name, pid=device, tid=stream, args=args, **fields)


def document(events: Sequence[Event], **members: object) -> bytes:
    """The text of a trace: an object with the events last."""
    return json.dumps({"schemaVersion": 1, **members, "traceEvents": list(events)}).encode()


def read(folder: Path, data: bytes | Sequence[Event], name: str = "trace.json") -> Trace:
    """Write text, or events, as a file and load it."""
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else document(data))
    return load(path)


def names(trace: Trace) -> list[str]:
    """Names of the rows, in order."""
    return [trace.name_of(row) for row in range(len(trace.events))]


def kinds(trace: Trace) -> list[Kind]:
    """Kinds of the rows, in order."""
    return [Kind(int(kind)) for kind in trace.events.kind]


def starts(trace: Trace) -> list[int]:
    """Starts of the rows in nanoseconds on the clock of the file (with its base added)."""
    return [int(start) + trace.base_ns for start in trace.events.start_ns]


def durations(trace: Trace) -> list[int]:
    """Durations of the rows in nanoseconds."""
    return [int(value) for value in trace.events.dur_ns]


def codes(trace: Trace) -> dict[str, int]:
    """The warnings: counts by code."""
    return {warning.code: warning.count for warning in trace.warnings}


def row_of(trace: Trace, name: str) -> int:
    """The only row of this name."""
    (row,) = [row for row, one in enumerate(names(trace)) if one == name]
    return row


def linked(trace: Trace, column: str, name: str) -> str | None:
    """Name of what the only event called `name` is linked to by `column`, None for nothing."""
    other = int(getattr(trace.links, column)[row_of(trace, name)])
    return trace.name_of(other) if other >= 0 else None
