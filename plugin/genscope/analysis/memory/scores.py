"""Score matrices as the trace shows them: recorded shapes, and blocks allocated inside calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.chains import PRODUCTS, parse_dims
from genscope.analysis.flops.inputs import Tensor, read_op
from genscope.analysis.memory.runs import MOST_PAIRS
from genscope.trace.model import NONE, Int64, Kind, Trace
from genscope.trace.nest import Nest

_SOFTMAX = re.compile(r"softmax", re.IGNORECASE)
_NO_SCORES = re.compile(r"log_?softmax|backward", re.IGNORECASE)
_CPU = 0


@dataclass(frozen=True, slots=True)
class Scores:
    """Bytes by call, arrays of shape (c,), -1 where the trace shows nothing."""

    product_bytes: Int64
    """Result of the first product."""
    product_elements: Int64
    softmax_bytes: Int64
    """Input of the softmax, of all where a call has several."""
    softmax_dtype: list[str | None]
    allocated_bytes: Int64
    """Sum of the blocks that the call allocated; -1 without recorded allocations."""
    block_bytes: Int64
    """The largest of them."""
    peak_bytes: Int64
    """Most that was held beyond what was there when the call began."""


def scores_of(trace: Trace, calls: Calls) -> Scores:
    """Read what the ops of each call show."""
    count = len(calls)
    product = np.full(count, NONE, dtype=np.int64)
    elements = np.full(count, NONE, dtype=np.int64)
    softmax = np.full(count, NONE, dtype=np.int64)
    dtype: list[str | None] = [None] * count
    read = _Reader(trace)
    of_event = calls.of_event
    for row in _rows(trace, calls, lambda name: name in PRODUCTS):
        call = int(of_event[row])
        if product[call] == NONE and elements[call] == NONE:
            product[call], elements[call] = read.product(row)
    for row in _innermost(trace, _rows(trace, calls, _is_softmax)):
        call = int(of_event[row])
        tensor = read.first(row)
        if tensor is not None and tensor.width:
            softmax[call] = max(softmax[call], 0) + tensor.nbytes
            dtype[call] = tensor.dtype
    allocated, block = _allocated(trace, calls)
    return Scores(product, elements, softmax, dtype, allocated, block, _peaks(trace, calls))


def _is_softmax(name: str) -> bool:
    return bool(_SOFTMAX.search(name) and not _NO_SCORES.search(name[:2000]))


class _Reader:
    """Read the inputs of ops, each distinct text once."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._products: dict[tuple[int, int, int], tuple[int, int]] = {}
        self._firsts: dict[tuple[int, int], Tensor | None] = {}

    def _text(self, index: int) -> str | None:
        return self._trace.strings[index] if index >= 0 else None

    def product(self, row: int) -> tuple[int, int]:
        """Bytes and elements of what a product makes, -1 where unknown."""
        events = self._trace.events
        key = int(events.name[row]), int(events.dims[row]), int(events.types[row])
        if key not in self._products:
            name, dims, types = (self._text(at) for at in key)
            skip = 1 if name == "aten::baddbmm" else 0
            shapes = (parse_dims(dims) if dims else ())[skip : skip + 2]
            op = read_op(name or "", dims, types, None)
            operand = op.tensors[skip] if op is not None and len(op.tensors) > skip else None
            if len(shapes) < 2 or len(shapes[0]) < 2 or len(shapes[1]) < 2:
                self._products[key] = NONE, NONE
            else:
                made = prod(shapes[0][:-1]) * shapes[1][-1]
                width = operand.width if operand is not None else 0
                fits = 0 <= made < MOST_PAIRS
                self._products[key] = (
                    made * width if width and fits else NONE,
                    made if fits else NONE,
                )
        return self._products[key]

    def first(self, row: int) -> Tensor | None:
        """The first tensor that an op takes."""
        events = self._trace.events
        key = int(events.dims[row]), int(events.types[row])
        if key not in self._firsts:
            op = read_op(self._trace.name_of(row), self._text(key[0]), self._text(key[1]), None)
            tensors = op.tensors if op is not None else ()
            self._firsts[key] = next((one for one in tensors if one is not None), None)
        return self._firsts[key]


def _rows(trace: Trace, calls: Calls, test: Callable[[str], bool]) -> list[int]:
    """Rows of ops inside calls by a test of their name, in order of their start."""
    events = trace.events
    inside = np.flatnonzero((calls.of_event >= 0) & (events.kind == Kind.CPU_OP))
    wanted = np.zeros(len(trace.strings), dtype=np.bool_)
    for index in np.unique(events.name[inside]).tolist():
        wanted[index] = test(trace.strings[index])
    rows = inside[wanted[events.name[inside]]]
    found: list[int] = rows[np.argsort(events.start_ns[rows], kind="stable")].tolist()
    return found


def _innermost(trace: Trace, rows: list[int]) -> list[int]:
    """Of ops inside each other those that do the work, or that at least tell shapes."""
    told = [row for row in rows if trace.events.dims[row] >= 0]
    around = set()
    parent = trace.links.parent
    for row in told:
        at = int(parent[row])
        while at >= 0:
            around.add(at)
            at = int(parent[at])
    return [row for row in told if row not in around]


# Allocations ------------------------------------------------------------------------------------


def _device_events(trace: Trace) -> Int64:
    """Places of the memory events of the devices that compute: the CPU only if it is alone."""
    kind = trace.memory.device_type
    other = np.flatnonzero(kind != _CPU)
    return other if len(other) else np.arange(len(kind))


def op_around(trace: Trace, places: Int64) -> Int64:
    """Row of the innermost op around memory events, -1 for none; shape (k,)."""
    events, memory = trace.events, trace.memory
    ops = np.flatnonzero(events.kind == Kind.CPU_OP)
    nest = Nest(ops, events.track, events.start_ns, events.end_ns)
    return nest.enclosing(memory.track[places], memory.at_ns[places])


def _allocated(trace: Trace, calls: Calls) -> tuple[Int64, Int64]:
    """Sum and largest of the blocks that each call allocated."""
    memory = trace.memory
    if not len(memory):
        nothing = np.full(len(calls), NONE, dtype=np.int64)
        return nothing, nothing.copy()
    total = np.zeros(len(calls), dtype=np.int64)
    largest = np.zeros(len(calls), dtype=np.int64)
    places = _device_events(trace)
    places = places[memory.bytes[places] > 0]
    row = op_around(trace, places)
    call = np.where(row >= 0, calls.of_event[row], NONE)
    inside = call >= 0
    np.add.at(total, call[inside], memory.bytes[places[inside]])
    np.maximum.at(largest, call[inside], memory.bytes[places[inside]])
    return total, largest


def _peaks(trace: Trace, calls: Calls) -> Int64:
    """Most that each call held beyond what was there at its start, on its own thread."""
    memory = trace.memory
    if not len(memory):
        return np.full(len(calls), NONE, dtype=np.int64)
    peaks = np.zeros(len(calls), dtype=np.int64)
    places = _device_events(trace)
    track = memory.track[places]
    for lane in np.unique(track).tolist():
        mine = places[track == lane]
        mine = mine[np.argsort(memory.at_ns[mine], kind="stable")]
        held = np.cumsum(memory.bytes[mine])
        at_ns = memory.at_ns[mine]
        here = np.flatnonzero(calls.track == lane)
        first = np.searchsorted(at_ns, calls.start_ns[here], side="left")
        behind = np.searchsorted(at_ns, calls.end_ns[here], side="right")
        some = behind > first
        here, first, behind = here[some], first[some], behind[some]
        if not len(here):
            continue
        bounds = np.stack([first, behind], axis=1).reshape(-1)
        # reduceat takes no bound at the very end.
        most = np.maximum.reduceat(np.r_[held, np.iinfo(np.int64).min], bounds)[::2]
        before = np.where(first > 0, held[np.maximum(first - 1, 0)], 0)
        peaks[here] = np.maximum(most - before, 0)
    return peaks
