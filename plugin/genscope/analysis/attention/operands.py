"""Where queries and keys come from, as the linear ops and concatenations before a call tell.

A trace has no tensors' names, but the ops between one attention call and the next are few: those
that project queries, keys and values say in their sizes how many tokens they read and how wide
those are, and a concatenation says which lengths it puts together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import msgspec
import numpy as np
import numpy.typing as npt

from genscope.analysis.attention.columns import Calls
from genscope.analysis.chains import parse_dims
from genscope.trace.model import NONE, Int64, Kind, Trace

_MOST = 64
"""Linear ops and concatenations before a call that are looked at."""

_FEW = 5
"""Tokens that an image has beside its positions (class, distillation, registers) at most: what is
joined with so few is still one sequence."""

_LINEAR = {
    "aten::linear": (0, 1),
    "aten::addmm": (1, 2),
    "aten::_addmm_activation": (1, 2),
    "aten::mm": (0, 1),
    "aten::_scaled_mm": (0, 1),
    "aten::_int_mm": (0, 1),
}
"""Ops that multiply tokens by a weight -> places of both among the inputs. The weight of
`aten::linear` is (out, in), that of the others (in, out)."""

_CAT = "aten::cat"


class Source(IntEnum):
    """Where the keys of a call come from, compared with its queries."""

    UNKNOWN = 0
    JOINED = 1
    """Queries and keys are two sequences in one."""
    ADDED = 2
    """Keys are those of the queries' tokens and of another sequence."""
    POOLED = 3
    """Keys are of a sequence, the one query sums it up and is one of its tokens."""
    CACHED = 4
    """Keys were concatenated from earlier ones and those of the queries' tokens."""
    STORED = 5
    """Keys are more than were projected; all projections read the queries' tokens."""
    KEPT = 6
    """No keys were projected for this call."""
    ELSEWHERE = 7
    """Keys were projected from other tokens than queries."""


@dataclass(frozen=True, slots=True)
class Operands:
    """What the ops before each call tell; arrays of shape (c,) and, for `pieces`, (c, 2)."""

    source: npt.NDArray[np.int8]
    """A `Source`."""
    pieces: Int64
    """Lengths that were put together to make queries or keys, -1 where there were none."""

    def is_of(self, *sources: Source) -> npt.NDArray[np.bool_]:
        """Mask of shape (c,) of the calls with one of these sources."""
        mask: npt.NDArray[np.bool_] = np.isin(self.source, [int(one) for one in sources])
        return mask


@dataclass(frozen=True, slots=True)
class Linear:
    """A product of tokens, (rows, width), and a weight, (width, out)."""

    rows: int
    width: int
    out: int


@dataclass(frozen=True, slots=True)
class Cat:
    """Two tensors put together along `dim`."""

    dim: int
    pieces: tuple[tuple[int, ...], tuple[int, ...]]

    @property
    def lengths(self) -> tuple[int, int]:
        """What each has along that dimension."""
        return self.pieces[0][self.dim], self.pieces[1][self.dim]


@dataclass(frozen=True, slots=True)
class _Call:
    batch: int
    heads: int
    kv_heads: int
    q_len: int
    kv_len: int
    head_dim: int
    q_rows: int
    causal: bool

    @property
    def kv_rows(self) -> int:
        return self.batch * self.kv_len if self.q_rows == self.batch * self.q_len else NONE

    @property
    def q_out(self) -> int:
        return self.heads * self.head_dim

    @property
    def kv_out(self) -> int:
        return self.kv_heads * self.head_dim


_Found = tuple[Source, tuple[int, int]]
_NOTHING: _Found = (Source.UNKNOWN, (NONE, NONE))


def find_operands(calls: Calls, marks: Marks) -> Operands:
    """Look at the ops between each call and the one before it on its thread."""
    source = np.zeros(len(calls), dtype=np.int8)
    pieces = np.full((len(calls), 2), NONE, dtype=np.int64)
    shapes, shape_of = _shapes(calls)
    cache: dict[tuple[int, bytes], _Found] = {}
    for place, texts in marks.before(calls):
        key = (int(shape_of[place]), texts.tobytes())
        found = cache.get(key)
        if found is None:
            shape = shapes[key[0]]
            found = _decide(marks.read(texts), shape) if shape else _NOTHING
            cache[key] = found
        if found is not _NOTHING:
            source[place] = found[0]
            pieces[place] = found[1]
    return Operands(source, pieces)


def _shapes(calls: Calls) -> tuple[list[_Call | None], Int64]:
    """Distinct shapes of calls, None where lengths are not known, and the number of each call's."""
    names = ("batch", "heads", "kv_heads", "q_len", "kv_len", "head_dim", "q_tokens")
    table = np.stack([*(calls.sizes[name] for name in names), calls.causal.astype(np.int64)], 1)
    distinct, number = np.unique(table, axis=0, return_inverse=True)
    return [_call(row) for row in distinct.tolist()], number.reshape(-1)


def _call(row: list[int]) -> _Call | None:
    if min(row[:6]) < 0:
        return None
    batch, heads, kv_heads, q_len, kv_len, head_dim, q_rows, causal = row
    return _Call(batch, heads, kv_heads, q_len, kv_len, head_dim, q_rows, causal == 1)


class Marks:
    """The linear ops and concatenations of a trace outside attention, by track and start.

    Of mark `m`, `told[text[m]]` is what it tells, None for nothing.
    """

    def __init__(self, trace: Trace, calls: Calls) -> None:
        events, strings, parent = trace.events, trace.strings, trace.links.parent
        number = {text: at for at, text in enumerate(strings) if text in _LINEAR or text == _CAT}
        rows = np.flatnonzero(
            (events.kind == Kind.CPU_OP)
            & np.isin(events.name, list(number.values()))
            & (events.dims >= 0)
            & (calls.of_event < 0)
        )
        linear = number.get("aten::linear", -2)
        # A linear op is one, however it is made: aten::linear calls aten::matmul and aten::addmm.
        around = parent[rows]
        for _ in range(2):
            inside = (around >= 0) & (events.name[np.maximum(around, 0)] == linear)
            rows, around = rows[~inside], parent[np.maximum(around[~inside], 0)]
        rows = rows[np.lexsort((events.start_ns[rows], events.track[rows]))]
        is_cat = events.name[rows] == number.get(_CAT, -2)
        low = np.where(is_cat, events.inputs[rows] + 1, events.name[rows]).astype(np.int64)
        key = (events.dims[rows].astype(np.int64) * (len(strings) + 1) + low) * 2 + is_cat
        _, first, text = np.unique(key, return_index=True, return_inverse=True)
        self.track = events.track[rows]
        self.start_ns = events.start_ns[rows]
        self.text = text.reshape(-1).astype(np.int32)
        self.told = [
            _read(
                strings[int(events.name[row])],
                strings[int(events.dims[row])],
                strings[int(events.inputs[row])] if events.inputs[row] >= 0 else "",
            )
            for row in rows[first].tolist()
        ]

    def before(self, calls: Calls) -> Iterator[tuple[int, npt.NDArray[np.int32]]]:
        """Give each call that has any with the texts between it and the call before it."""
        order = np.lexsort((calls.start_ns, calls.track))
        for track in np.unique(calls.track).tolist():
            lane = slice(*np.searchsorted(self.track, [track, track + 1]))
            start_ns, text = self.start_ns[lane], self.text[lane]
            mine = order[calls.track[order] == track]
            if not len(start_ns) or not len(mine):
                continue
            high = np.searchsorted(start_ns, calls.start_ns[mine])
            ends = np.maximum.accumulate(calls.end_ns[mine])
            low = np.searchsorted(start_ns, np.r_[np.int64(-(1 << 62)), ends[:-1]])
            low = np.maximum(low, high - _MOST)
            for place, a, b in zip(mine.tolist(), low.tolist(), high.tolist(), strict=True):
                if a < b:
                    yield place, text[a:b]

    def read(self, texts: npt.NDArray[np.int32]) -> list[Linear | Cat]:
        """Return what texts tell, those that tell nothing left out."""
        found = (self.told[one] for one in texts.tolist())
        return [one for one in found if one is not None]


def _read(name: str, dims: str, inputs: str) -> Linear | Cat | None:
    if name == _CAT:
        return _read_cat(dims, inputs)
    sizes = parse_dims(dims)
    left, right = _LINEAR[name]
    if len(sizes) <= right or not sizes[left] or len(sizes[right]) != 2:
        return None
    tokens, weight = sizes[left], sizes[right]
    rows = 1
    for size in tokens[:-1]:
        rows *= size
    return Linear(rows, tokens[-1], weight[0] if name == "aten::linear" else weight[1])


def _read_cat(dims: str, inputs: str) -> Cat | None:
    """Read a concatenation of two tensors that are alike in all but one dimension."""
    try:
        given, values = msgspec.json.decode(dims), msgspec.json.decode(inputs)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(given, list) or not given or not isinstance(given[0], list):
        return None
    parts = [tuple(one) for one in given[0] if isinstance(one, list)]
    if len(parts) != 2 or len(parts[0]) != len(parts[1]) or len(parts[0]) not in (2, 3, 4):
        return None
    if not all(type(size) is int for part in parts for size in part):
        return None
    told = values[1] if isinstance(values, list) and len(values) > 1 else None
    if not isinstance(told, str) or told.removeprefix("-") not in ("0", "1", "2", "3", "4"):
        return None
    dim = int(told) % len(parts[0])
    if any(a != b for at, (a, b) in enumerate(zip(*parts, strict=True)) if at != dim):
        return None
    return Cat(dim, (parts[0], parts[1]))


def _decide(marks: list[Linear | Cat], call: _Call) -> _Found:
    linears = [one for one in marks if isinstance(one, Linear)]
    if call.q_len == call.kv_len:
        found = _joined(marks, call)
        if found is not None and not call.causal:
            return Source.JOINED, found
        if _other_width(linears, call):
            return Source.ELSEWHERE, (NONE, NONE)
        return _NOTHING
    return _unequal(marks, linears, call)


def _unequal(marks: list[Linear | Cat], linears: list[Linear], call: _Call) -> _Found:
    """Source of keys that differ from queries in number."""
    rest = call.kv_len - call.q_len
    if rest > 0:
        if _read_together(marks, call):
            # One query that sums up a sequence is one of its tokens.
            source = Source.POOLED if call.q_len == 1 else Source.ADDED
            return source, (rest, call.q_len)
        projects_rest = _projects_both(linears, call, call.batch * rest)
        for one in marks:
            if (
                isinstance(one, Cat)
                and _is_of_heads(one, call)
                and sum(one.lengths) == (call.kv_len)
            ):
                if projects_rest and call.q_len in one.lengths:
                    return Source.ADDED, (rest, call.q_len)
                if one.lengths == (rest, call.q_len):
                    return Source.CACHED, (rest, call.q_len)
    if any(one.rows == call.kv_rows for one in linears):
        return Source.ELSEWHERE, (NONE, NONE)
    own = [one for one in linears if one.rows == call.q_rows]
    if len(own) != len(linears) or not own:
        return _NOTHING
    if rest > 0 and _projects_all(own, call):
        return Source.STORED, (NONE, NONE)
    if len(own) <= 2 and own[-1].out == call.q_out:
        # What ends the call before, and the queries' projection.
        return Source.KEPT, (NONE, NONE)
    return _NOTHING


def _joined(marks: list[Linear | Cat], call: _Call) -> tuple[int, int] | None:
    """Lengths of two sequences that were put into one, as far as queries and keys read it."""
    of_heads = 0
    pieces: tuple[int, int] | None = None
    for one in marks:
        if isinstance(one, Linear):
            if pieces is not None and one.rows == call.q_rows:
                return pieces
        elif sum(one.lengths) == call.q_len and min(one.lengths) > _FEW:
            if _is_of_tokens(one, call):
                pieces = one.lengths
            elif _is_of_heads(one, call):
                of_heads += 1
                if of_heads == 2:
                    return one.lengths
    return None


def _read_together(marks: list[Linear | Cat], call: _Call) -> bool:
    """Whether the queries' tokens and others were put into one sequence, which keys then read."""
    width = NONE
    for one in marks:
        if isinstance(one, Linear):
            if one.rows == call.kv_rows and one.width == width:
                return True
        elif (
            sum(one.lengths) == call.kv_len
            and call.q_len in one.lengths
            and _is_of_tokens(one, call)
        ):
            width = one.pieces[0][2]
    return False


def _is_of_tokens(cat: Cat, call: _Call) -> bool:
    """Whether sequences, (batch, length, width) or (length, batch, width), are put together."""
    return (
        len(cat.pieces[0]) == 3 and cat.dim in (0, 1) and cat.pieces[0][1 - cat.dim] == call.batch
    )


def _is_of_heads(cat: Cat, call: _Call) -> bool:
    """Whether queries or keys, split into heads, are put together along their length."""
    size = cat.pieces[0]
    return (
        len(size) == 4
        and cat.dim in (1, 2)
        and size[0] == call.batch
        and size[3 - cat.dim] in (call.heads, call.kv_heads)
        and size[3] == call.head_dim
    )


def _other_width(linears: list[Linear], call: _Call) -> bool:
    """Whether keys and values were projected from wider or narrower tokens than queries."""
    if len(linears) >= 3:
        q, k, v = linears[-3:]
        if (
            (q.out, k.out, v.out) == (call.q_out, call.kv_out, call.kv_out)
            and {one.rows for one in (q, k, v)} == {call.q_rows}
            and k.width == v.width != q.width
        ):
            return True
    if len(linears) >= 2:
        q, both = linears[-2:]
        return (
            (q.out, both.out) == (call.q_out, 2 * call.kv_out)
            and q.rows == both.rows == call.q_rows
            and q.width != both.width
        )
    return False


def _projects_both(linears: list[Linear], call: _Call, rest_rows: int) -> bool:
    """Whether the last projections are of queries, and of keys and values of two sequences."""
    added, own = 2 * call.kv_out, call.q_out + 2 * call.kv_out
    rest = mine = 0
    for one in linears[-5:][::-1]:
        if one.rows == call.q_rows and mine < own:
            mine += one.out
        elif one.rows == rest_rows and one.out in (call.kv_out, added):
            rest += one.out
        else:
            return False
        if (mine, rest) == (own, added):
            return True
    return False


def _projects_all(own: list[Linear], call: _Call) -> bool:
    """Whether the last projections are of queries, keys and values."""
    outs = [one.out for one in own]
    each = [call.q_out, call.kv_out, call.kv_out]
    return outs[-1] == sum(each) or outs[-3:] == each or outs[-2:] == [call.q_out, 2 * call.kv_out]
