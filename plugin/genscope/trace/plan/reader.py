"""A plan to a `Trace`, which says of itself that it is predicted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np

from genscope.trace.assemble import assemble, warn_of
from genscope.trace.errors import TraceError, TraceWarning
from genscope.trace.model import Trace
from genscope.trace.plan.document import FORMAT, Plan, decode
from genscope.trace.plan.expand import Rows, laid_out, rows_of
from genscope.trace.plan.said import METADATA_KEY
from genscope.trace.source import Limits, Source

_READ = 1 << 20
_START = b'{"genscope_plan":'


@dataclass(slots=True)
class NoFile:
    """Stands for the file of a plan that is in memory alone."""

    path: str = "plan"
    size: int | None = 0
    stored_bytes: int = 0
    text_bytes: int = 0
    truncated: bool = False
    warnings: list[TraceWarning] = field(default_factory=list)


def is_plan(head: bytes) -> bool:
    """Whether a file that begins with `head` (already inflated) is a plan."""
    return head.startswith(_START)


def read(source: Source, limits: Limits) -> Trace:
    """Read a plan. Raises TraceError where it is none."""
    parts: list[bytes] = []
    size = 0
    while part := source.read(_READ):
        parts.append(part)
        size += len(part)
        if size > limits.free_bytes:
            raise TraceError(f"{source.path}: is too large for a plan")
    try:
        plan = decode(b"".join(parts))
    except ValueError as error:
        raise TraceError(f"{source.path}: {error}") from error
    return trace_of(plan, rows_of(plan), source)


def trace_of(plan: Plan, rows: Rows, origin: Source | NoFile) -> Trace:
    """The trace of these rows of a plan."""
    source = cast("Source", origin)
    events, strings, tracks = laid_out(rows, on_cpu=plan.on_cpu)
    device = [] if plan.on_cpu else [{"id": 0, "name": f"{plan.device} (predicted)"}]
    trace = assemble(
        source,
        events=events,
        strings=strings,
        tracks=tracks,
        flows=np.empty((0, 4), dtype=np.int64),
        base_ns=0,
        metadata={
            **plan.metadata,
            "deviceProperties": device,
            METADATA_KEY: {"format": FORMAT, "device": plan.device, "assumed": plan.assumed},
        },
        counts={},
        blocks=[],
    )
    warn_of(
        trace,
        source,
        truncated=source.truncated,
        damage=[],
        unreadable=0,
        dropped=0,
        mended={},
    )
    return trace
