"""The work of every op of a trace: FLOPs and bytes, a row an op that does any.

Ops nest, and work counts once: the outermost op with a formula counts for all inside it, but those
that are written with other ops (`Formula.wraps`) only where nothing inside counts. A fused
attention call counts as one; an unfused one through its products and its softmax, as it was run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.columns import Calls, Words
from genscope.analysis.classify import BACKWARD, classify
from genscope.analysis.flops.attention import (
    SAYS,
    SAYS_BACKWARD,
    attention_bytes,
    attention_flops,
    causal_unknown,
    varies,
)
from genscope.analysis.flops.formula import COUNTER, MATRIX, MOVES, Formula
from genscope.analysis.flops.inputs import Cost, read_op
from genscope.analysis.flops.nearby import result_shape, with_dtypes
from genscope.analysis.flops.registry import ROWS, is_free, row_of
from genscope.trace.model import NONE, Bool, Int32, Int64, Kind, Trace


def _no_op(op: object) -> Cost | None:
    return None


CALL = Formula("(attention)", SAYS, _no_op, MATRIX, COUNTER + ", causal pairs exactly")
CALL_BACKWARD = Formula("(attention backward)", SAYS_BACKWARD, _no_op, MATRIX, CALL.source)

FORMULAS: tuple[Formula, ...] = (*ROWS, CALL, CALL_BACKWARD)
"""The registry, and what counts attention calls."""

CALL_ROW, BACKWARD_ROW = len(ROWS), len(ROWS) + 1

NO_SHAPES = "its shapes were not recorded"
NO_FIT = "its inputs are not those of the formula"
NO_SIZE = "nothing tells the size of its result"


@dataclass(slots=True)
class Counted:
    """The ops of a trace that do work, in the order of their rows; arrays have shape (k,).

    FLOPs and bytes are -1 where unknown.
    """

    row: Int64
    """The op, or an attention call's row (see `Calls.row`)."""
    formula: Int64
    """Index into FORMULAS."""
    flops: Int64
    moved: Int64
    """Bytes read and written."""
    plain_flops: Int64
    """FLOPs as PyTorch's counter takes them: causal attention with all pairs; 0 for what it does
    not count, -1 where unknown."""
    call: Int64
    """The attention call that is counted as one, -1 for an op."""
    dtype: Int32
    """Index into `words`, -1 where unknown."""
    doubt: Int32
    """What was assumed, or why something is unknown: index into `words`, -1 for nothing."""
    words: Words
    of_event: Int64
    """Shape (n,): the row of this table that an event of the trace belongs to, or -1."""
    free: Bool
    """Shape (n,): ops that are known to do no work of their own."""
    notes: list[tuple[str, int, str]] = field(default_factory=list)
    """Warnings: code, count, message."""

    def __len__(self) -> int:
        return len(self.row)

    @property
    def is_matrix(self) -> Bool:
        """Mask of shape (k,) of the work that matrix units do."""
        units = np.array([one.unit == MATRIX for one in FORMULAS], dtype=np.bool_)
        mask: Bool = units[self.formula]
        return mask


def counted(trace: Trace) -> Counted:
    """Count the work of a trace; once for each, shared by all who ask."""
    if "flops" not in trace.derived:
        trace.derived["flops"] = _count(trace, attention_calls(trace))
    work: Counted = trace.derived["flops"]
    return work


def _count(trace: Trace, calls: Calls) -> Counted:
    events = trace.events
    ops = np.flatnonzero(events.kind == Kind.CPU_OP)
    own = _rows_of_ops(trace, ops)
    whole = _whole_calls(calls, own, ops)
    in_whole = (calls.of_event >= 0) & np.append(whole, False)[calls.of_event]
    moves = np.array([one.unit == MOVES for one in FORMULAS] + [False])
    # Copies that a call makes are not its own work.
    own[in_whole & ~moves[own]] = NONE
    chosen = _chosen(trace, ops, own)
    places = np.flatnonzero(whole)
    # Loose device events are rows of their own calls; everything else is a CPU op.
    row = np.concatenate([chosen, calls.row[places]])
    formula = np.concatenate(
        [own[chosen], np.where(calls.pass_[places] == BACKWARD, BACKWARD_ROW, CALL_ROW)]
    )
    count = len(row)
    work = Counted(
        row=row,
        formula=formula,
        flops=np.full(count, NONE, dtype=np.int64),
        moved=np.full(count, NONE, dtype=np.int64),
        plain_flops=np.full(count, NONE, dtype=np.int64),
        call=np.concatenate([np.full(len(chosen), NONE, dtype=np.int64), places]),
        dtype=np.full(count, NONE, dtype=np.int32),
        doubt=np.full(count, NONE, dtype=np.int32),
        words=Words(),
        of_event=np.full(len(events), NONE, dtype=np.int64),
        free=_free(trace, ops),
    )
    _fill_ops(trace, work, len(chosen))
    _fill_calls(work, calls, len(chosen))
    _assign(trace, work, calls, ops, len(chosen))
    return work


def _rows_of_ops(trace: Trace, ops: Int64) -> Int64:
    """Row of the registry of each CPU op, shape (n,), -1 where there is none."""
    events = trace.events
    column = np.full(len(trace.strings), NONE, dtype=np.int64)
    for index in np.unique(events.name[ops]).tolist():
        found = row_of(trace.strings[index][:4000])
        column[index] = NONE if found is None else found
    own = np.full(len(events), NONE, dtype=np.int64)
    own[ops] = column[events.name[ops]]
    return own


def _free(trace: Trace, ops: Int64) -> Bool:
    events = trace.events
    column = np.zeros(len(trace.strings), dtype=np.bool_)
    for index in np.unique(events.name[ops]).tolist():
        column[index] = is_free(trace.strings[index][:4000])
    mask = np.zeros(len(events), dtype=np.bool_)
    mask[ops] = column[events.name[ops]]
    return mask


def _whole_calls(calls: Calls, own: Int64, ops: Int64) -> Bool:
    """Mask of shape (c,) of the calls that no product inside them counts."""
    matrix = np.array([one.unit == MATRIX for one in FORMULAS] + [False])
    inside = ops[(calls.of_event[ops] >= 0) & matrix[own[ops]]]
    whole = np.ones(len(calls), dtype=np.bool_)
    whole[calls.of_event[inside]] = False
    whole[calls.chain] = False
    return whole


def _chosen(trace: Trace, ops: Int64, own: Int64) -> Int64:
    """The ops that count, in order."""
    wraps = np.array([one.wraps for one in ROWS] + [False])
    parent = trace.links.parent
    solid = (own >= 0) & ~wraps[own]
    top = np.zeros(len(own), dtype=np.bool_)
    todo, at = ops, parent[ops].astype(np.int64)
    while True:
        inside = at >= 0
        todo, at = todo[inside], at[inside]
        if not len(todo):
            break
        top[todo[solid[at]]] = True
        at = parent[at].astype(np.int64)
    solid &= ~top
    wrapping = (own >= 0) & wraps[own] & ~top
    holds = np.zeros(len(own), dtype=np.bool_)
    at = parent[np.flatnonzero(solid | wrapping)].astype(np.int64)
    while len(at):
        at = np.unique(at[at >= 0])
        at = at[~holds[at]]
        holds[at] = True
        at = parent[at].astype(np.int64)
    found: Int64 = np.flatnonzero(solid | (wrapping & ~holds))
    return found


def _fill_ops(trace: Trace, work: Counted, count: int) -> None:
    """Count each distinct op once: its name, shapes, dtypes and values."""
    events, strings = trace.events, trace.strings
    rows = work.row[:count]
    columns = (events.name, events.dims, events.types, events.inputs)
    table = np.stack([column[rows] for column in columns], axis=1)
    distinct, which = np.unique(table, axis=0, return_inverse=True)
    order = np.argsort(which.reshape(-1), kind="stable")
    edges = np.searchsorted(which.reshape(-1)[order], np.arange(len(distinct) + 1))
    for number, key in enumerate(distinct.tolist()):
        name, *texts = (strings[one] if one >= 0 else None for one in key)
        places = order[edges[number] : edges[number + 1]]
        formula = FORMULAS[int(work.formula[places[0]])]
        op = read_op(name or "", *texts)
        if op is None:
            _set(work, places, formula, None, NO_SHAPES)
            continue
        if any(not one.width for listed in op.lists.values() for one in listed):
            op = with_dtypes(trace, int(rows[places[0]]), op)
        cost = formula.count(op)
        if cost is None or cost.flops is not None:
            _set(work, places, formula, cost, NO_FIT)
            continue
        # What one op does not tell, the ops after it may; so each is asked on its own.
        for place in places.tolist():
            op.output = result_shape(trace, int(rows[place]), op)
            _set(work, np.array([place]), formula, formula.count(op), NO_SIZE)


def _set(work: Counted, places: Int64, formula: Formula, cost: Cost | None, missing: str) -> None:
    if cost is None:
        cost = Cost(None, None, doubt=missing)
    elif cost.flops is None and cost.doubt is None:
        cost = Cost(None, cost.moved, cost.dtype, missing)
    flops = _sane(cost.flops)
    work.flops[places] = flops
    work.moved[places] = _sane(cost.moved)
    plain = flops if formula.source.startswith(COUNTER) else 0
    work.plain_flops[places] = plain
    work.dtype[places] = work.words.number(cost.dtype or None)
    work.doubt[places] = work.words.number(cost.doubt)


def _sane(figure: int | None) -> int:
    """The figure, -1 where it is unknown or comes from inputs that no op can have."""
    return NONE if figure is None or not 0 <= figure < 2**60 else figure


def _fill_calls(work: Counted, calls: Calls, first: int) -> None:
    mine = np.arange(first, len(work))
    places = work.call[mine]
    work.flops[mine] = attention_flops(calls)[places]
    work.moved[mine] = attention_bytes(calls)[places]
    work.plain_flops[mine] = attention_flops(calls, every_pair=True)[places]
    for place, call in zip(mine.tolist(), places.tolist(), strict=True):
        work.dtype[place] = work.words.number(calls.text("dtype", call))
    unknown = mine[work.flops[mine] < 0]
    work.doubt[unknown] = work.words.number(NO_SHAPES)
    for code, mask, message in (
        (
            "causal_unknown",
            causal_unknown(calls),
            "attention calls do not tell whether they are causal; all keys are counted, which is "
            "up to twice too many.",
        ),
        (
            "lengths_bounded",
            varies(calls),
            "attention calls have sequences of several lengths, of which only the longest and "
            "the sum are known; their FLOPs are an upper bound.",
        ),
    ):
        hit = int((mask[places] & (work.flops[mine] >= 0)).sum())
        if hit:
            work.notes.append((code, hit, f"{hit:,} {message}"))


def _assign(trace: Trace, work: Counted, calls: Calls, ops: Int64, first: int) -> None:
    """Say of each op and device event which work it belongs to."""
    of_event, parent = work.of_event, trace.links.parent
    of_call = np.full(len(calls) + 1, NONE, dtype=np.int64)
    of_call[work.call[first:]] = np.arange(first, len(work))
    of_event[:] = of_call[calls.of_event]
    of_event[work.row[:first]] = np.arange(first)
    todo = ops[of_event[ops] == NONE]
    at = parent[todo].astype(np.int64)
    before = of_event.copy()
    while len(todo):
        inside = at >= 0
        todo, at = todo[inside], at[inside]
        # An attention call does not work for the copies inside it, which have a row or none.
        found = np.where(before[at] < first, before[at], NONE)
        of_event[todo] = found
        todo, at = todo[found < 0], parent[at[found < 0]].astype(np.int64)
    device = np.flatnonzero(trace.events.is_device & (of_event == NONE))
    op = classify(trace).op[device]
    found = np.where(op >= 0, of_event[op], NONE)
    # Kernels of a call are in it already; others that its op launches are copies of its own.
    of_event[device] = np.where(found < first, found, NONE)
