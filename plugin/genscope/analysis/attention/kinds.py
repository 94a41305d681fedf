"""Self, cross or joint: told from where keys come from, and how lengths go together over the run.

What the ops before a call project and concatenate is asked first, then the names of modules, then
the lengths. A KV cache makes keys longer than queries without making attention cross: there the
keys of one place in the model grow by the queries of each call.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.operands import Operands, Source
from genscope.trace.model import NONE, Bool, Int64

SELF, CROSS, JOINT = "self", "cross", "joint"

_CROSS_NAMES = re.compile(
    r"cross_?att|encdec|enc_dec|encoder_att|encoder_decoder_att|crossattention|\battn2\b",
    re.IGNORECASE,
)

BY_NAME = "the module's name"
SAME = "as many keys as queries"
GROWING = "keys grow by the queries of each call: a cache"
CONSTANT = "keys do not change with the queries"
OFFSET = "keys are the queries and a constant number more"
ONE_QUERY = "one query a sequence against many keys: a token decoded with a cache"
UNEQUAL = "queries and keys differ in number"
IMAGE_AND_TEXT = "as many queries as an image's positions and a text's tokens together"
AS_JOINED = "as many queries and keys as where two sequences were joined"

_MOST_GAPS = 64
"""Distances between calls that are tried as the length of a round."""

_BY_SOURCE = {
    Source.JOINED: (JOINT, "queries and keys were joined from two sequences"),
    Source.ADDED: (JOINT, "keys are those of the queries' tokens and of another sequence"),
    Source.POOLED: (SELF, "one query sums up a sequence that it is put in front of"),
    Source.CACHED: (SELF, "keys were put behind those of a cache"),
    Source.STORED: (SELF, "a cache: all projections before read the queries' tokens"),
    Source.KEPT: (CROSS, "no keys were projected for this call: kept from before"),
    Source.ELSEWHERE: (CROSS, "keys were projected from other tokens than queries"),
}
"""Kind by where keys come from, and the reason."""


def reason_of(source: Source) -> str:
    """Return how the kind of a call is explained by where its keys come from."""
    return _BY_SOURCE[source][1]


def decide_kinds(
    calls: Calls, slots: Int64, operands: Operands, joint: Mapping[tuple[int, int], int]
) -> Bool:
    """Fill the column `kind`, and say in `reason` what it went by.

    `slots`, shape (c,), numbers the place in the model that each call comes from, -1 where it is
    not known; `joint` has the (component, q_len) of calls on an image and a text. Returns which
    calls, shape (c,), have keys of earlier calls from a cache.
    """
    q, kv, kind = calls.sizes["q_len"], calls.sizes["kv_len"], calls.texts["kind"]
    shaped = np.flatnonzero((q >= 0) & (kv >= 0))
    known = shaped[kind[shaped] < 0]
    if len(known):
        _decide(calls, known, slots, operands, joint)
    return calls.is_word("kind", SELF) & (kv > q) & (q >= 0) & ~operands.is_of(Source.POOLED)


def _decide(
    calls: Calls,
    known: Int64,
    slots: Int64,
    operands: Operands,
    joint: Mapping[tuple[int, int], int],
) -> None:
    q, kv, component = calls.sizes["q_len"], calls.sizes["kv_len"], calls.texts["component"]
    grows = _growing(calls, known, slots)
    relation = _relations(calls, known)
    source, as_joined = _joined_alike(calls, operands)
    named: dict[int, bool] = {}
    said: dict[tuple[int, str], int] = {}
    words, reason = calls.words, calls.texts["reason"]
    for place in known.tolist():
        module = int(calls.texts["module"][place])
        if module not in named:
            named[module] = _is_cross_name(words.text(module) or "")
        told = _BY_SOURCE.get(Source(int(source[place])))
        if told is not None:
            found, why = told
        elif named[module]:
            found, why = CROSS, BY_NAME
        elif as_joined[place]:
            found, why = JOINT, AS_JOINED
        elif q[place] == kv[place] and (int(component[place]), int(q[place])) in joint:
            found, why = JOINT, IMAGE_AND_TEXT
        elif q[place] == kv[place]:
            found, why = SELF, SAME
        elif grows[place]:
            found, why = SELF, GROWING
        else:
            found, why = relation[(int(component[place]), int(q[place]), int(kv[place]))]
        calls.texts["kind"][place] = words.number(found)
        key = (int(reason[place]), why)
        if key not in said:
            before = words.text(key[0])
            said[key] = words.number(f"{before}; {why}" if before else why)
        reason[place] = said[key]


def _joined_alike(calls: Calls, operands: Operands) -> tuple[npt.NDArray[np.int8], Bool]:
    """Sources, and calls of the same sizes as others that were joined; shape (c,) each.

    A model that joins two sequences once attends to both in all layers that follow. One that goes
    on with a cache has joined them to a prompt, and that is one sequence.
    """
    source = operands.source.copy()
    joined = operands.is_of(Source.JOINED)
    alike = np.zeros(len(calls), dtype=np.bool_)
    if not joined.any():
        return source, alike
    heads = np.stack([calls.sizes["heads"], calls.sizes["head_dim"]], axis=1)
    cached = np.unique(heads[operands.is_of(Source.CACHED, Source.STORED)], axis=0)
    prompt = joined & (heads[:, None] == cached[None]).all(axis=2).any(axis=1)
    source[prompt] = Source.UNKNOWN
    joined &= ~prompt
    sizes = np.stack(
        [
            calls.texts["component"].astype(np.int64),
            *(calls.sizes[name] for name in ("batch", "heads", "head_dim", "q_len", "kv_len")),
        ],
        axis=1,
    )
    _, group = np.unique(sizes, axis=0, return_inverse=True)
    group = group.reshape(-1)
    alike = np.isin(group, group[joined]) & (operands.source == Source.UNKNOWN)
    return source, alike & (calls.causal != 1)


def _is_cross_name(path: str) -> bool:
    """Whether the last two names of a path say cross attention; blocks further out hold both."""
    return any(_CROSS_NAMES.search(name) for name in re.split(r"[/.]", path)[-2:])


def _growing(calls: Calls, known: Int64, slots: Int64) -> Bool:
    """Which calls have the keys of the call before them in their place, and their own queries."""
    q, kv = calls.sizes["q_len"], calls.sizes["kv_len"]
    grows = np.zeros(len(calls), dtype=np.bool_)
    for group in _alike(calls, known):
        at = slots[group]
        if (at < 0).any():
            at = _by_round(q[group], kv[group])
        order = np.lexsort((np.arange(len(group)), at))
        rows = group[order]
        same = at[order][1:] == at[order][:-1]
        step = kv[rows][1:] - kv[rows][:-1] == q[rows][1:]
        grows[rows[1:][same & step]] = True
        # The first decoded token follows the prompt's call in the same place, or is the first seen.
        first = np.flatnonzero(same & step)
        starts = rows[first]
        longer = kv[starts] > q[starts]
        grows[starts[longer]] = True
    return grows


def _alike(calls: Calls, known: Int64) -> list[Int64]:
    """Groups of calls that could share a cache: one component, pass, batch and width."""
    keys = np.stack(
        [
            calls.texts["component"][known].astype(np.int64),
            calls.sizes["batch"][known],
            calls.sizes["heads"][known],
            calls.sizes["head_dim"][known],
            calls.pass_[known].astype(np.int64),
        ],
        axis=1,
    )
    _, group = np.unique(keys, axis=0, return_inverse=True)
    group = group.reshape(-1)
    return [known[group == number] for number in range(int(group.max()) + 1)]


def _by_round(q: Int64, kv: Int64) -> Int64:
    """Number the places in a round of calls, where modules are not known.

    The keys reach a new length at the first layer of each round, so the distance between such
    calls is the number of calls in a round.
    """
    count = len(q)
    decode = np.flatnonzero(q < kv)
    if len(decode) < 2:
        return np.arange(count, dtype=np.int64)
    seen: dict[int, int] = {}
    for place in decode.tolist():
        seen.setdefault(int(kv[place]), place)
    lengths = set(kv.tolist())
    firsts = sorted(place for length, place in seen.items() if length - int(q[place]) in lengths)
    gaps = Counter(b - a for a, b in pairwise(firsts) if b > a)
    if not gaps:
        return np.arange(count, dtype=np.int64)
    found = {gap: _follows(q, kv, gap) for gap, _ in gaps.most_common(_MOST_GAPS)}
    period = min(found, key=lambda gap: (-found[gap], gap))
    anchor = firsts[0] % period
    return (np.arange(count, dtype=np.int64) - anchor) % period


def _follows(q: Int64, kv: Int64, gap: int) -> int:
    """How many calls have the keys of the call `gap` before them, and their own queries."""
    grown = kv[gap:] - kv[:-gap] == q[gap:]
    return int((grown & (q[gap:] < kv[gap:])).sum())


def _relations(calls: Calls, known: Int64) -> dict[tuple[int, int, int], tuple[str, str]]:
    """What unequal lengths mean, for each (component, q_len, kv_len)."""
    q, kv = calls.sizes["q_len"], calls.sizes["kv_len"]
    component = calls.texts["component"]
    triples = {(int(component[place]), int(q[place]), int(kv[place])) for place in known.tolist()}
    pairs: dict[int, set[tuple[int, int]]] = {}
    for part, a, b in triples:
        if a != b:
            pairs.setdefault(part, set()).add((a, b))
    found: dict[tuple[int, int, int], tuple[str, str]] = {}
    for part, several in pairs.items():
        offsets = Counter(b - a for a, b in several if b > a)
        constants = Counter(b for _, b in several)
        for a, b in several:
            if a == 1 and len(several) == 1:
                found[(part, a, b)] = (SELF, ONE_QUERY)
            elif constants[b] < 2 and offsets[b - a] >= 2:
                found[(part, a, b)] = (JOINT, OFFSET)
            elif constants[b] >= 2:
                found[(part, a, b)] = (CROSS, CONSTANT)
            else:
                found[(part, a, b)] = (CROSS, UNEQUAL)
    return found


def inherit(calls: Calls, names: tuple[str, ...]) -> None:
    """Give backward calls the words of the forward calls that they differentiate."""
    rows = np.flatnonzero(calls.forward != NONE)
    for name in names:
        column = calls.texts[name]
        missing = rows[column[rows] < 0]
        column[missing] = column[calls.forward[missing]]
