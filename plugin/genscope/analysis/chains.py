"""Unfused attention: the two products, the softmax between them, and what acts on the scores.

A softmax alone can be token sampling or pooling; it is attention where a product before it made
the scores and a product after it takes them in. Shapes decide where they were recorded, else
that nothing but elementwise work stands between. Only CPU ops are looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np

from genscope.analysis.categories import CAST_OPS
from genscope.trace.model import NONE, Bool, Int32, Int64, Kind, Trace

PRODUCTS = ("aten::bmm", "aten::baddbmm", "aten::mm")
_WRAPPERS = (
    "aten::matmul",
    "aten::einsum",
    "aten::softmax",
    "aten::dropout",
    "aten::native_dropout",
    "aten::to",
    "aten::_to_copy",
)
"""Ops that only call the op that works: their own time on the CPU goes with it."""

_SCORE_OPS = re.compile(
    r"aten::(add|sub|mul|div|where|masked_fill|dropout|native_dropout|bernoulli|tanh|clamp|"
    r"copy|_to_copy|to|_softcap|threshold|ge|lt|lerp|sigmoid|fill|maximum|minimum)_?$"
    r"|aten::(__r?(mul|add|sub|div)__|scalar_tensor)$|triton_poi_"
)
_SOFTMAX = re.compile(r"softmax", re.IGNORECASE)
_NOT_SOFTMAX = re.compile(r"log_?softmax|topk|gating|moe|sampl|cross_entropy|backward", re.I)
_PRODUCTS_BEFORE = 12
_PRODUCTS_AFTER = 6


@dataclass(frozen=True, slots=True)
class Chains:
    """The chains of a trace; arrays of shape (c,) hold rows of CPU ops.

    `of_op` has shape (n,): the chain whose computation the op is part of, or -1.
    """

    first_product: Int64
    softmax: Int64
    second_product: Int64
    of_op: Int32


@dataclass(frozen=True, slots=True)
class _Scores:
    """Size of a score matrix: all its elements, and the length of its last dimension."""

    elements: int
    last: int


@lru_cache(maxsize=65_536)
def parse_dims(text: str) -> tuple[tuple[int, ...], ...]:
    """Parse the JSON text of `Input Dims`; inputs that are no tensors give an empty tuple."""
    try:
        dims = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return ()
    if not isinstance(dims, list):
        return ()
    return tuple(
        tuple(entry) if isinstance(entry, list) and all(type(n) is int for n in entry) else ()
        for entry in dims
    )


def _elements(dims: tuple[int, ...]) -> int:
    product = 1
    for size in dims:
        product *= size
    return product


def _ends_with(dims: tuple[int, ...], last: int) -> bool:
    """Whether the last dimensions of a shape, taken together, are `last` long."""
    product = 1
    for size in reversed(dims):
        product *= size
        if product >= last:
            return product == last
    return False


def dtypes_differ(text: str) -> bool:
    """Whether the first two of the JSON text of `Input type` are tensors of different dtypes."""
    try:
        types = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    if not isinstance(types, list) or len(types) < 2:
        return False
    first, second = types[0], types[1]
    tensors = isinstance(first, str) and isinstance(second, str) and first and second
    return bool(tensors and first != second and "Scalar" not in (first, second))


class _Finder:
    """Look up shapes and neighbours of the ops of one trace."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        events = trace.events
        self.ops = np.flatnonzero(events.kind == Kind.CPU_OP)
        self.forward = ~trace.links.in_backward | trace.links.in_recompute
        names = np.unique(events.name[self.ops])
        self._named = {index: trace.strings[index] for index in names.tolist()}
        self._by_time: dict[int, Int64] = {}

    def rows_where(self, test: Callable[[str], object]) -> Int64:
        """Rows of forward CPU ops by a test of their name, in order of track and time."""
        events = self.trace.events
        wanted = np.zeros(len(self.trace.strings), dtype=np.bool_)
        for index, name in self._named.items():
            wanted[index] = bool(test(name))
        rows = self.ops[wanted[events.name[self.ops]] & self.forward[self.ops]]
        return rows[np.lexsort((events.start_ns[rows], events.track[rows]))]

    def by_time(self, track: int) -> Int64:
        """CPU ops of a track in order of their start."""
        if track not in self._by_time:
            events = self.trace.events
            rows = self.ops[events.track[self.ops] == track]
            self._by_time[track] = rows[np.argsort(events.start_ns[rows], kind="stable")]
        return self._by_time[track]

    def dims(self, row: int) -> tuple[tuple[int, ...], ...]:
        """Input dims of an op; empty where none were recorded."""
        index = int(self.trace.events.dims[row])
        return parse_dims(self.trace.strings[index]) if index >= 0 else ()

    def operands(self, row: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Shapes of the two operands of a product, (…, q, d) and (…, d, k)."""
        dims = self.dims(row)
        first = 1 if self.trace.name_of(row) == "aten::baddbmm" else 0
        pair = dims[first : first + 2]
        if len(pair) < 2 or len(pair[0]) not in (2, 3) or len(pair[0]) != len(pair[1]):
            return None
        left, right = pair
        return (left, right) if left[-1] == right[-2] else None

    def product_output(self, row: int) -> _Scores | None:
        """Size of what a product makes."""
        pair = self.operands(row)
        if pair is None:
            return None
        left, right = pair
        return _Scores(_elements(left[:-1]) * right[-1], right[-1])

    def product_input(self, row: int) -> _Scores | None:
        """Size of the left operand of a product."""
        pair = self.operands(row)
        return None if pair is None else _Scores(_elements(pair[0]), pair[0][-1])

    def touches(self, row: int, scores: _Scores) -> bool:
        """Whether an op has an input of the size of the scores, also if seen as height by width."""
        return any(
            _elements(entry) == scores.elements and _ends_with(entry, scores.last)
            for entry in self.dims(row)
            if entry
        )

    def works_on_scores(self, row: int, scores: _Scores | None) -> bool:
        """Whether an op between the products is elementwise work on the scores."""
        name = self.trace.name_of(row)
        if not _SCORE_OPS.match(name):
            return False
        types = int(self.trace.events.types[row])
        if name in CAST_OPS and types >= 0 and not dtypes_differ(self.trace.strings[types]):
            return False
        return scores is None or self.touches(row, scores)


def find(trace: Trace) -> Chains:
    """Find the forward chains of a trace, and every op that belongs to one."""
    finder = _Finder(trace)
    events, parent = trace.events, trace.links.parent
    softmaxes = finder.rows_where(
        lambda name: _SOFTMAX.search(name) and not _NOT_SOFTMAX.search(name[:2000])
    )
    # Of nested ones (aten::softmax, aten::_softmax) the innermost does the work.
    softmaxes = softmaxes[~np.isin(softmaxes, parent[softmaxes])]
    products = finder.rows_where(lambda name: name in PRODUCTS)
    found: list[tuple[int, int, int, _Scores | None]] = []
    if len(softmaxes) and len(products):
        lane = events.track[products]
        for track in np.unique(events.track[softmaxes]).tolist():
            ours = products[lane == track]
            starts = events.start_ns[ours]
            mine = softmaxes[events.track[softmaxes] == track]
            places = np.searchsorted(starts, events.start_ns[mine])
            for row, place in zip(mine.tolist(), places.tolist(), strict=True):
                before = ours[max(0, place - _PRODUCTS_BEFORE) : place].tolist()[::-1]
                after = ours[place : place + _PRODUCTS_AFTER].tolist()
                pair = _pair(finder, row, before, after)
                if pair is not None:
                    found.append((pair[0], row, pair[1], pair[2]))
    of_op = np.full(len(events), NONE, dtype=np.int32)
    if found:
        _mark(finder, found, of_op)
    columns = np.array([chain[:3] for chain in found], dtype=np.int64).reshape(-1, 3)
    return Chains(columns[:, 0], columns[:, 1], columns[:, 2], of_op)


def _pair(
    finder: _Finder, softmax: int, before: list[int], after: list[int]
) -> tuple[int, int, _Scores | None] | None:
    """Find the product that made the scores and the one that takes them in."""
    if not before or not after:
        return None
    outputs = [finder.product_output(row) for row in before]
    if outputs[0] is None and finder.product_input(after[0]) is None:
        return _adjacent(finder, softmax, before[0], after[0])
    has_dims = bool(finder.dims(softmax))
    for second in after:
        scores = finder.product_input(second)
        if scores is None or (has_dims and not finder.touches(softmax, scores)):
            continue
        for first, output in zip(before, outputs, strict=True):
            if output == scores:
                return first, second, scores
    return None


def _adjacent(
    finder: _Finder, softmax: int, first: int, second: int
) -> tuple[int, int, _Scores | None] | None:
    """Without shapes: accept the pair if only work on the scores lies between."""
    trace = finder.trace
    if trace.name_of(first) == "aten::mm" or trace.name_of(second) == "aten::mm":
        return None
    between = _between(finder, first, second)
    for row in between.tolist():
        name = trace.name_of(row)
        if name in PRODUCTS or name.startswith(("aten::addmm", "aten::linear", "aten::conv")):
            return None
    return first, second, None


def _between(finder: _Finder, first: int, second: int) -> Int64:
    """CPU ops on the thread of `first` that start after it and before `second`."""
    events = finder.trace.events
    lane = finder.by_time(int(events.track[first]))
    starts = events.start_ns[lane]
    low = np.searchsorted(starts, events.start_ns[first] + events.dur_ns[first], side="left")
    high = np.searchsorted(starts, events.start_ns[second], side="left")
    return lane[low:high]


def _mark(finder: _Finder, found: list[tuple[int, int, int, _Scores | None]], of_op: Int32) -> None:
    """Give each op of a chain, everything inside it and its mere wrappers the chain's number."""
    trace = finder.trace
    parent = trace.links.parent
    for number, (first, softmax, second, scores) in enumerate(found):
        members = [first, softmax, second]
        for row in _between(finder, first, second).tolist():
            if finder.works_on_scores(row, scores):
                members.append(row)
        for row in members:
            of_op[row] = number
            around = int(parent[row])
            while around >= 0 and trace.name_of(around) in _WRAPPERS:
                of_op[around] = number
                around = int(parent[around])
    _inherit(finder.ops, parent, of_op, trace, _wrapper_mask(trace))


def _wrapper_mask(trace: Trace) -> Bool:
    wanted = np.array([text in _WRAPPERS for text in trace.strings], dtype=np.bool_)
    return wanted[trace.events.name]


def _inherit(ops: Int64, parent: Int32, of_op: Int32, trace: Trace, wrapper: Bool) -> None:
    """Let ops inside a member be part of its chain; the other content of a wrapper is not."""
    todo = ops[(of_op[ops] == NONE) & (parent[ops] >= 0)]
    while len(todo):
        around = parent[todo]
        gained = (of_op[around] >= 0) & ~wrapper[around]
        of_op[todo[gained]] = of_op[around[gained]]
        if not gained.any():
            return
        todo = todo[~gained]
