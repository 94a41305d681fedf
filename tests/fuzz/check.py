"""What must hold of any file, however broken: a whole result, or one line that says why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pytest

from genscope.analysis.operators import breakdown
from genscope.analysis.results import Operators
from genscope.trace import Trace, TraceError, blocks, load


@dataclass
class Outcome:
    """How a file was taken: the warnings, or that it was refused."""

    refused: bool = False
    codes: dict[str, int] = field(default_factory=dict)
    rows: int = 0


def examine(path: Path, *, analyse: bool, block_bytes: int | None = None) -> Outcome:
    """Load a file, and break it down; AssertionError where the result contradicts itself."""
    with pytest.MonkeyPatch.context() as patch:
        if block_bytes is not None:
            patch.setattr(blocks, "BLOCK_BYTES", block_bytes)
        try:
            trace = load(path)
        except TraceError as error:
            message = str(error)
            assert message.startswith(str(path)), message
            assert message.isprintable(), message
            return Outcome(refused=True)
    check_trace(trace)
    warnings = trace.warnings
    if analyse:
        operators = breakdown(trace)
        check_operators(trace, operators)
        warnings = operators.warnings
    return Outcome(codes={one.code: one.count for one in warnings}, rows=len(trace.events))


def check_trace(trace: Trace) -> None:
    """Starts and durations are times, and every reference leads somewhere."""
    events, links = trace.events, trace.links
    count = len(events)
    assert all(len(getattr(events, name)) == count for name in events.__slots__)
    assert all(len(getattr(links, name)) == count for name in links.__slots__)
    if not count:
        return
    assert events.start_ns.min() == 0
    assert events.dur_ns.min() >= 0
    assert events.end_ns.min() >= 0
    for column in (events.name, events.dims, events.types, events.inputs):
        assert column.min() >= -1
        assert column.max() < len(trace.strings)
    assert events.name.min() >= 0
    assert 0 <= events.track.min() <= events.track.max() < len(trace.tracks)
    for name in ("parent", "launch", "op", "annotation", "module", "module_parent", "forward_op"):
        column = getattr(links, name)
        assert -1 <= column.min() <= column.max() < count, name
    assert not (links.parent == np.arange(count)).any()


def check_operators(trace: Trace, operators: Operators) -> None:
    """Parts add up to the whole, and the whole can be written as JSON."""
    total = operators.basis_sum_ns
    device = trace.events.is_device
    assert operators.basis == ("device" if device.any() else "cpu_self")
    if device.any():
        assert total == operators.device_sum_ns == int(trace.events.dur_ns[device].sum())
    for rows in (operators.categories, operators.passes, operators.components):
        assert not rows or sum(row.sum_ns for row in rows) == total
        assert all(row.busy_ns >= 0 for row in rows)
    for top in operators.categories:
        assert sum(row.sum_ns for row in top.children) == top.sum_ns
    if total:
        assert abs(sum(row.share for row in operators.categories) - 1) < 1e-6
    assert 0 <= operators.unlinked_ns <= max(total, 0)
    assert operators.wall_ns >= 0
    msgspec.json.decode(msgspec.json.encode(operators))
