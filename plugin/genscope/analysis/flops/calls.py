"""The work of each attention call: FLOPs and bytes, and how fast it was done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genscope.analysis.attention.columns import Calls
from genscope.analysis.classify import ATTENTION, classify
from genscope.analysis.flops.attention import attention_bytes, attention_flops
from genscope.analysis.flops.count import counted
from genscope.trace.model import NONE, Bool, Int64, Trace

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CallWork:
    """Arrays of shape (c,), a row a call."""

    flops: Int64
    """-1 where unknown; so is `moved_bytes`."""
    moved_bytes: Int64
    flops_per_s: Floats
    """Over the device time of the call, its CPU time where there is no device; NaN if unknown."""
    intensity: Floats
    """FLOPs over bytes moved; NaN if unknown."""

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        columns = (self.flops, self.moved_bytes, self.flops_per_s, self.intensity)
        return sum(column.nbytes for column in columns)


def work_of_calls(trace: Trace, calls: Calls) -> CallWork:
    """Count each call: a fused one by its sizes, another by the ops that it is made of.

    Added up they are what the FLOPs view says of the category Attention.
    """
    table, classes = counted(trace), classify(trace)
    of_rule = np.array([rule.category == ATTENTION for rule in classes.rules] + [False])
    # Copies inside a call are of another category, and no part of it.
    inner = (table.call == NONE) & of_rule[classes.rule[table.row]]
    call = np.where(inner, calls.of_event[table.row], NONE).astype(np.int64)
    inside = np.flatnonzero(call >= 0)
    count = len(calls)
    made = calls.chain.copy()
    made[call[inside[table.is_matrix[inside]]]] = True
    inside = inside[made[call[inside]]]
    flops = np.where(made, _sums(table.flops, call, inside, count), attention_flops(calls))
    moved = np.where(made, _sums(table.moved, call, inside, count), attention_bytes(calls))
    return CallWork(
        flops=flops,
        moved_bytes=moved,
        flops_per_s=_ratio(flops, _time(calls), ~_lacks(table.flops, call, inside, count)) * 1e9,
        intensity=_ratio(flops, moved, ~_lacks(table.moved, call, inside, count)),
    )


def no_work(count: int) -> CallWork:
    """The work of calls that nobody had counted: unknown."""
    unknown, no_rate = np.full(count, NONE, dtype=np.int64), np.full(count, np.nan)
    return CallWork(unknown, unknown, no_rate, no_rate)


def _time(calls: Calls) -> Int64:
    return np.where(calls.device_ns == NONE, calls.cpu_ns, calls.device_ns)


def _sums(values: Int64, call: Int64, inside: Int64, count: int) -> Int64:
    """Known values of the ops at `inside` added up by call, -1 where none is known."""
    known = inside[values[inside] >= 0]
    sums = np.zeros(count, dtype=np.int64)
    np.add.at(sums, call[known], values[known])
    sums[np.bincount(call[known], minlength=count) == 0] = NONE
    return sums


def _lacks(values: Int64, call: Int64, inside: Int64, count: int) -> Bool:
    """Mask of the calls of which some op's value is not known."""
    mask: Bool = np.bincount(call[inside[values[inside] < 0]], minlength=count) > 0
    return mask


def _ratio(top: Int64, bottom: Int64, good: Bool) -> Floats:
    known = good & (top >= 0) & (bottom > 0)
    found = np.full(len(top), np.nan)
    found[known] = top[known] / bottom[known]
    return found
