"""Find the attention calls of a trace: ops, unfused chains, and device events that stand alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genscope.analysis.attention.chain_shapes import NO_SHAPES, read_chain
from genscope.analysis.attention.columns import SIZES, TEXTS, Calls, Words
from genscope.analysis.attention.loose import loose_calls
from genscope.analysis.attention.nearby import Nearby
from genscope.analysis.attention.signatures import (
    Shape,
    implementation_of,
    read_op,
    signature_of,
)
from genscope.analysis.categories import Strength, match_op
from genscope.analysis.classify import ATTENTION, BACKWARD, MEMORY, Classes
from genscope.trace.model import NONE, Bool, Int32, Int64, Kind, Trace

_UNKNOWN_OP = "an attention op whose operands are not known"
_GUESSED = "operands taken to be the first three inputs, the smaller dimension to be heads"


@dataclass(slots=True)
class _Found:
    """Calls as they are found, in lists that become columns."""

    row: list[int]
    shape: list[Shape]
    chain: list[bool]
    forward: list[int]


def find(trace: Trace, classes: Classes) -> Calls:
    """Find the attention calls of a trace, of all passes, in order of their start.

    Kind, axis, phase and place are left unknown here.
    """
    call_of = np.full(len(trace.events), NONE, dtype=np.int32)
    found = _Found([], [], [], [])
    attention = _mask_of(classes, ATTENTION)
    memory = _mask_of(classes, MEMORY)
    _whole_ops(trace, found, call_of)
    layout_of = _chains(trace, classes, found, call_of)
    near = Nearby(trace)
    found.shape = [
        near.corrected(row, shape, chain=chain)
        for row, shape, chain in zip(found.row, found.shape, found.chain, strict=True)
    ]
    _backward(trace, classes, found, call_of, attention)
    device = np.flatnonzero(trace.events.is_device)
    op = classes.op[device]
    linked = op >= 0
    inside = device[linked]
    outer = call_of[op[linked]]
    call_of[inside[attention[inside]]] = outer[attention[inside]]
    layout_of[inside[memory[inside]]] = np.where(
        outer[memory[inside]] >= 0, outer[memory[inside]], layout_of[op[linked]][memory[inside]]
    )
    for rows, shape in loose_calls(trace, device[attention[device] & (call_of[device] == NONE)]):
        call_of[rows] = len(found.row)
        found.row.append(int(rows[0]))
        found.shape.append(shape)
        found.chain.append(False)
        found.forward.append(NONE)
    return _columns(trace, classes, found, call_of, layout_of)


def _mask_of(classes: Classes, category: str) -> Bool:
    """Mask of shape (n,) of the rows of a category."""
    of_rule = np.array([rule.category == category for rule in classes.rules] + [False])
    mask: Bool = of_rule[classes.rule]
    return mask


def _whole_ops(trace: Trace, found: _Found, call_of: Int32) -> None:
    """Take each outermost op that is attention as a whole, with everything inside it."""
    events = trace.events
    ops = np.flatnonzero(events.kind == Kind.CPU_OP)
    known = np.zeros(len(trace.strings), dtype=np.bool_)
    for index in np.unique(events.name[ops]).tolist():
        known[index] = _is_call(trace.strings[index])
    hit = ops[known[events.name[ops]]]
    if not len(hit):
        return
    outermost = _outermost(trace, hit)
    roots = np.unique(outermost)
    number = np.full(len(events), NONE, dtype=np.int32)
    number[roots] = np.arange(len(roots)) + len(found.row)
    call_of[hit] = number[outermost]
    shapes: dict[int, Shape] = {}
    # Outer before inner: what the outer op tells goes first.
    order = hit[np.lexsort((-events.end_ns[hit], events.start_ns[hit]))]
    read = _Read(trace)
    for row, call in zip(order.tolist(), call_of[order].tolist(), strict=True):
        shape = read(row)
        shapes[call] = read.filled(shapes[call], shape) if call in shapes else shape
    for root in roots.tolist():
        found.row.append(root)
        found.shape.append(read.named(root, shapes[int(number[root])]))
        found.chain.append(False)
        found.forward.append(NONE)
    _inherit(trace, ops, call_of)


def _is_call(name: str) -> bool:
    if signature_of(name) is not None:
        return True
    rule = match_op(name)
    return rule is not None and rule.category == ATTENTION and rule.strength is Strength.SCOPE


def _outermost(trace: Trace, hit: Int64) -> Int64:
    """The outermost of `hit` around each of them, itself included; shape as `hit`."""
    parent = trace.links.parent
    member = np.zeros(len(trace.events), dtype=np.bool_)
    member[hit] = True
    best: Int64 = hit.copy()
    at = parent[hit].astype(np.int64)
    todo = np.flatnonzero(at >= 0)
    while len(todo):
        rows = at[todo]
        best[todo] = np.where(member[rows], rows, best[todo])
        at[todo] = parent[rows]
        todo = todo[at[todo] >= 0]
    return best


def _inherit(trace: Trace, ops: Int64, call_of: Int32) -> None:
    """Let every op inside a call be part of it."""
    parent = trace.links.parent
    todo = ops[(call_of[ops] == NONE) & (parent[ops] >= 0)]
    at = parent[todo].astype(np.int64)
    while len(todo):
        hit = call_of[at] >= 0
        call_of[todo[hit]] = call_of[at[hit]]
        more = ~hit & (parent[at] >= 0)
        todo, at = todo[more], parent[at[more]].astype(np.int64)


class _Read:
    """Read ops, each distinct text once; what is alike is one object."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._known: dict[tuple[int, int, int, int], Shape] = {}
        self._filled: dict[tuple[int, int], Shape] = {}
        self._named: dict[tuple[int, int], Shape] = {}

    def __call__(self, row: int) -> Shape:
        events, strings = self._trace.events, self._trace.strings
        key = (
            int(events.name[row]),
            int(events.dims[row]),
            int(events.types[row]),
            int(events.inputs[row]),
        )
        if key not in self._known:
            name, *texts = (strings[at] if at >= 0 else None for at in key)
            self._known[key] = read_op(name or "", *texts)
        return self._known[key]

    def filled(self, outer: Shape, inner: Shape) -> Shape:
        """Fill in a shape of this reader with another of it."""
        key = (id(outer), id(inner))
        if key not in self._filled:
            self._filled[key] = outer.filled(inner)
        return self._filled[key]

    def named(self, row: int, shape: Shape) -> Shape:
        """Add to a shape of this reader what the name of the op in `row` tells."""
        key = (int(self._trace.events.name[row]), id(shape))
        if key not in self._named:
            self._named[key] = _named(self._trace.name_of(row), shape)
        return self._named[key]


def _named(name: str, shape: Shape) -> Shape:
    """Add what the name alone tells, and say why lengths are missing where they are."""
    implementation = shape.implementation
    if implementation is None:
        implementation = implementation_of(name)
    reason = shape.reason
    if shape.q_len is None and reason is None:
        reason = NO_SHAPES if signature_of(name) is not None else _UNKNOWN_OP
    elif reason is None and signature_of(name) is None:
        reason = _GUESSED
    return Shape(implementation=implementation, reason=reason).filled(shape)


def _chains(trace: Trace, classes: Classes, found: _Found, call_of: Int32) -> Int32:
    """Take each unfused chain that is not inside an op which is a call as a whole.

    Returns, for each row, the chain call whose mere wrappers it sits in: copies made for the
    products are the call's layout work.
    """
    chains = classes.chains
    layout_of = np.full(len(trace.events), NONE, dtype=np.int32)
    free = call_of[chains.softmax] == NONE
    if not len(free):
        return layout_of
    number = np.full(len(free) + 1, NONE, dtype=np.int32)
    number[:-1][free] = np.arange(int(free.sum())) + len(found.row)
    member = chains.of_op >= 0
    mine = number[np.where(member, chains.of_op, len(free))]
    take = member & (call_of == NONE)
    call_of[take] = mine[take]
    for place in np.flatnonzero(free).tolist():
        found.row.append(int(chains.first_product[place]))
        found.shape.append(read_chain(trace, chains, place))
        found.chain.append(True)
        found.forward.append(NONE)
    ops = np.flatnonzero(trace.events.kind == Kind.CPU_OP)
    inside = call_of.copy()
    _inherit(trace, ops, inside)
    rest = (inside >= 0) & (call_of == NONE)
    layout_of[rest] = inside[rest]
    return layout_of


def _backward(
    trace: Trace, classes: Classes, found: _Found, call_of: Int32, attention: Bool
) -> None:
    """Make one backward call of all that differentiates one forward call."""
    events, links = trace.events, trace.links
    ops = np.flatnonzero((events.kind == Kind.CPU_OP) & links.in_backward & ~links.in_recompute)
    if not len(ops) or not len(found.row):
        return
    forward = links.forward_op[ops]
    of_forward = np.where(forward >= 0, call_of[forward], NONE)
    is_forward = np.zeros(len(found.row) + 1, dtype=np.bool_)
    is_forward[:-1] = classes.pass_[np.array(found.row)] != BACKWARD
    hit = (of_forward >= 0) & is_forward[of_forward] & attention[ops]
    rows = ops[hit][np.argsort(of_forward[hit], kind="stable")]
    groups, counts = np.unique(of_forward[hit], return_counts=True)
    bounds = np.concatenate([[0], np.cumsum(counts)]).tolist()
    for place, call in enumerate(groups.tolist()):
        members = rows[bounds[place] : bounds[place + 1]]
        # An op that was found as a call by itself becomes this one.
        already = sorted({int(one) for one in call_of[members] if one >= 0})
        if already:
            target = already[0]
        else:
            target = len(found.row)
            start = members[np.argmin(events.start_ns[members])]
            found.row.append(int(start))
            found.shape.append(found.shape[call])
            found.chain.append(found.chain[call])
            found.forward.append(NONE)
        found.forward[target] = call
        found.shape[target] = _of_forward(found.shape[target], found.shape[call])
        loose = members[call_of[members] == NONE]
        call_of[loose] = target
    _inherit(trace, ops, call_of)


def _of_forward(own: Shape, forward: Shape) -> Shape:
    """A backward call has the lengths of what it differentiates."""
    return Shape(implementation=own.implementation).filled(forward).filled(own)


def _columns(
    trace: Trace, classes: Classes, found: _Found, call_of: Int32, layout_of: Int32
) -> Calls:
    events = trace.events
    count = len(found.row)
    row = np.array(found.row, dtype=np.int64)
    members = np.flatnonzero(call_of >= 0)
    ops = members[events.kind[members] == Kind.CPU_OP]
    device = members[events.is_device[members]]
    copies = np.flatnonzero((layout_of >= 0) & events.is_device)
    has_device = trace.has_device
    start = events.start_ns[row].copy() if count else np.zeros(0, dtype=np.int64)
    end = events.end_ns[row].copy() if count else np.zeros(0, dtype=np.int64)
    np.minimum.at(start, call_of[ops], events.start_ns[ops])
    np.maximum.at(end, call_of[ops], events.end_ns[ops])
    big = np.iinfo(np.int64).max
    device_start = np.full(count, big, dtype=np.int64)
    device_end = np.full(count, NONE, dtype=np.int64)
    np.minimum.at(device_start, call_of[device], events.start_ns[device])
    np.maximum.at(device_end, call_of[device], events.end_ns[device])
    device_start[device_start == big] = NONE
    device_ns = np.zeros(count, dtype=np.int64)
    np.add.at(device_ns, call_of[device], events.dur_ns[device])
    layout_ns = np.zeros(count, dtype=np.int64)
    np.add.at(layout_ns, layout_of[copies], events.dur_ns[copies])
    if not has_device:
        device_ns[:] = NONE
        layout_ns[:] = NONE
    words = Words()
    # Most calls share their shape with others.
    distinct = {id(shape): shape for shape in found.shape}
    place = {key: at for at, key in enumerate(distinct)}
    which = np.array([place[id(shape)] for shape in found.shape], dtype=np.int64)
    shapes = list(distinct.values())
    sizes = {
        name: np.array([_size(getattr(one, name)) for one in shapes], dtype=np.int64)[which]
        for name in SIZES
    }
    texts = {
        name: np.array([words.number(getattr(one, name, None)) for one in shapes], dtype=np.int32)[
            which
        ]
        for name in TEXTS
    }
    causal = np.array(
        [NONE if one.causal is None else int(one.causal) for one in shapes], dtype=np.int8
    )[which]
    calls = Calls(
        start_ns=start,
        end_ns=end,
        device_start_ns=device_start,
        device_end_ns=device_end,
        device_ns=device_ns,
        cpu_ns=_cpu_time(trace, ops, call_of, count),
        layout_ns=layout_ns,
        row=row,
        track=events.track[row] if count else np.zeros(0, dtype=np.int32),
        pass_=classes.pass_[row] if count else np.zeros(0, dtype=np.uint8),
        forward=np.array(found.forward, dtype=np.int64),
        chain=np.array(found.chain, dtype=np.bool_),
        causal=causal,
        layer=np.full(count, NONE, dtype=np.int32),
        step=np.full(count, NONE, dtype=np.int64),
        sizes=sizes,
        texts=texts,
        words=words,
        of_event=call_of,
    )
    return _ordered(calls)


def _size(value: int | None) -> int:
    return NONE if value is None or not 0 <= value < 1 << 62 else value


def _cpu_time(trace: Trace, ops: Int64, call_of: Int32, count: int) -> Int64:
    """Inclusive time of the outermost ops of each call, shape (count,)."""
    events, parent = trace.events, trace.links.parent
    around = parent[ops]
    outer = (around < 0) | (call_of[np.maximum(around, 0)] != call_of[ops])
    time = np.zeros(count, dtype=np.int64)
    np.add.at(time, call_of[ops[outer]], events.dur_ns[ops[outer]])
    return time


def _ordered(calls: Calls) -> Calls:
    """Sort the calls by their start."""
    order = np.lexsort((calls.row, calls.start_ns))
    place = np.full(len(order) + 1, NONE, dtype=np.int64)
    place[order] = np.arange(len(order))
    return calls.taken(order, place)
