"""A plan to the columns of a trace: loops gone through, times laid one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genscope.trace.model import NONE, Bool, Events, Int32, Int64, Kind, Track
from genscope.trace.plan.document import COLUMNS, Plan

_TICK_NS = 1
"""What beginning and ending an event takes, so that what is in it is told from what follows it."""

CPU = Track(process=0, thread=0, process_name="predicted", thread_name="host")
DEVICE = Track(process=1, thread=7, process_name="predicted", thread_name="stream 7")


@dataclass(slots=True)
class Rows:
    """Events of a plan in the order in which they begin; arrays have shape (n,)."""

    loop: Int64
    round: Int64
    """Of the loop."""
    sample: Int64
    """Place in `Loop.at` at or before the round; 0 without times."""
    body: Int64
    """Place in `Loop.bodies`."""
    event: Int64
    """Place in the body."""
    depth: Int64
    kind: Int64
    texts: Int32
    """Shape (n, 4)."""
    own_ns: Int64
    strings: list[str]

    def __len__(self) -> int:
        return len(self.loop)


def rows_of(plan: Plan, *, sampled: bool = False) -> Rows:
    """Go through the loops of a plan; `sampled` goes through the rounds with times alone."""
    sizes = np.array([len(body.depth) for body in plan.bodies], dtype=np.int64)
    edges = np.concatenate([[0], np.cumsum(sizes)])
    depth = _joined([body.depth for body in plan.bodies])
    kind = _joined([body.kind for body in plan.bodies])
    texts = np.stack(
        [_joined([getattr(body, name) for body in plan.bodies]) for name in COLUMNS], axis=1
    )
    strings = list(plan.texts)
    parts: dict[str, list[Int64]] = {
        name: [] for name in ("loop", "round", "sample", "body", "event", "take", "own", "text")
    }
    for number, loop in enumerate(plan.loops):
        rounds = np.array(loop.at if sampled else range(loop.count), dtype=np.int64)
        if not len(rounds):
            continue
        take = np.concatenate([np.arange(edges[one], edges[one + 1]) for one in loop.bodies])
        which = np.repeat(np.arange(len(loop.bodies)), sizes[loop.bodies])
        event = np.concatenate([np.arange(sizes[one]) for one in loop.bodies])
        count = len(rounds)
        parts["loop"].append(np.full(count * len(take), number, dtype=np.int64))
        parts["round"].append(np.repeat(rounds, len(take)))
        parts["body"].append(np.tile(which, count))
        parts["event"].append(np.tile(event, count))
        parts["take"].append(np.tile(take, count))
        sample, own = _times(loop.at, loop.ns, rounds, len(take))
        parts["sample"].append(np.repeat(sample, len(take)))
        parts["own"].append(own)
        parts["text"].append(_texts(plan, texts[take], rounds, strings))
    if not parts["take"]:
        empty = np.empty(0, dtype=np.int64)
        none = np.empty((0, 4), dtype=np.int32)
        return Rows(empty, empty, empty, empty, empty, empty, empty, none, empty, strings)
    whole = {name: np.concatenate(found) for name, found in parts.items()}
    take = whole["take"]
    return Rows(
        loop=whole["loop"],
        round=whole["round"],
        sample=whole["sample"],
        body=whole["body"],
        event=whole["event"],
        depth=depth[take],
        kind=kind[take],
        texts=whole["text"].astype(np.int32),
        own_ns=whole["own"],
        strings=strings,
    )


def _joined(lists: list[list[int]]) -> Int64:
    return np.array([one for each in lists for one in each], dtype=np.int64)


def _times(
    at: list[int], ns: list[list[list[int]]], rounds: Int64, width: int
) -> tuple[Int64, Int64]:
    """The sample at or before each round, and the times of all its events, interpolated."""
    if not at:
        return np.zeros(len(rounds), dtype=np.int64), np.zeros(len(rounds) * width, dtype=np.int64)
    table = np.array([[one for each in sample for one in each] for sample in ns], dtype=np.float64)
    places = np.array(at, dtype=np.int64)
    low = np.clip(np.searchsorted(places, rounds, side="right") - 1, 0, len(at) - 1)
    high = np.minimum(low + 1, len(at) - 1)
    span = np.maximum(places[high] - places[low], 1)
    part = np.clip((rounds - places[low]) / span, 0, 1)[:, None]
    found = np.rint(table[low] * (1 - part) + table[high] * part).astype(np.int64)
    return low, found.reshape(-1)


def _texts(plan: Plan, texts: Int64, rounds: Int64, strings: list[str]) -> Int64:
    """Texts of a loop's events in each round, those that grow written out; shape (rows, 4)."""
    whole = np.tile(texts, (len(rounds), 1))
    known = len(plan.texts)
    for number in np.unique(texts[texts >= known]).tolist():
        first = len(strings)
        strings.extend(plan.growing[number - known].texts(rounds.tolist()))
        row, column = np.nonzero(texts == number)
        for place in range(len(rounds)):
            whole[place * len(texts) + row, column] = first + place
    return whole


def laid_out(rows: Rows, *, on_cpu: bool) -> tuple[Events, list[str], list[Track]]:
    """Lay events one after the other: the columns of a trace, its strings and tracks.

    On a CPU the ops take the time themselves. Else each op that takes any launches a kernel of that
    time, and lasts as long.
    """
    count = len(rows)
    start, end = _spans(rows)
    strings = rows.strings
    is_kernel = np.zeros(count, dtype=np.bool_) if on_cpu else rows.own_ns > 0
    launched = np.flatnonzero(is_kernel)
    more = len(launched)
    total = count + 2 * more
    launch = _interned(strings, "cudaLaunchKernel")
    names, which = np.unique(rows.texts[launched, 0], return_inverse=True)
    called = np.array(
        [_interned(strings, f"{strings[one]} (predicted)") for one in names.tolist()],
        dtype=np.int32,
    )
    correlation = np.arange(1, more + 1, dtype=np.int64)

    def column(
        of_ops: Int64 | Int32, of_launches: Int64 | int, of_kernels: Int64 | Int32 | int
    ) -> Int64:
        found = np.empty(total, dtype=np.int64)
        found[:count] = of_ops
        found[count : count + more] = of_launches
        found[count + more :] = of_kernels
        return found

    def nothing(kind: type[np.signedinteger] = np.int64) -> Int64:
        return np.full(total, NONE, dtype=kind)

    none = np.full(count, NONE, dtype=np.int64)
    zero = np.zeros(count, dtype=np.int64)
    texts = rows.texts
    events = Events(
        start_ns=column(start, start[launched], start[launched]),
        dur_ns=column(end - start, 1, rows.own_ns[launched]),
        kind=column(rows.kind, Kind.RUNTIME, Kind.KERNEL).astype(np.uint8),
        name=column(
            texts[:, 0], launch, called[which] if more else np.empty(0, dtype=np.int64)
        ).astype(np.int32),
        track=column(zero, 0, 1).astype(np.int32),
        correlation=column(none, correlation, correlation),
        external_id=nothing(),
        sequence=nothing(),
        forward_thread=nothing(),
        device=column(none, NONE, 0).astype(np.int32),
        dims=column(texts[:, 1], NONE, NONE).astype(np.int32),
        types=column(texts[:, 2], NONE, NONE).astype(np.int32),
        inputs=column(texts[:, 3], NONE, NONE).astype(np.int32),
    )
    return events, strings, [CPU] if on_cpu else [CPU, DEVICE]


def _spans(rows: Rows) -> tuple[Int64, Int64]:
    """Start and end of each event: its own time comes before that of what is in it."""
    count = len(rows)
    begun = np.arange(count, dtype=np.int64)
    before = np.concatenate([[0], np.cumsum(rows.own_ns)])
    behind = _behind(rows.depth)
    start = before[:-1] + _TICK_NS * (2 * begun - rows.depth)
    end = before[behind] + _TICK_NS * (2 * behind - rows.depth)
    return start, end


def _behind(depth: Int64) -> Int64:
    """Place of the first event behind each that is not in it."""
    count = len(depth)
    found = np.full(count, count, dtype=np.int64)
    for level in range(int(depth.max(initial=0)) + 1):
        mine = np.flatnonzero(depth == level)
        edges = np.append(np.flatnonzero(depth <= level), count)
        found[mine] = edges[np.searchsorted(edges, mine, side="right")]
    return found


def _interned(strings: list[str], text: str) -> int:
    strings.append(text)
    return len(strings) - 1


def samples(count: int, *, grows: bool, most: int = 17) -> list[int]:
    """Rounds of a loop whose times are worked out: one, or some from the first to the last."""
    if not grows or count <= 1:
        return [0]
    found = np.unique(np.rint(np.linspace(0, count - 1, min(count, most))).astype(np.int64))
    return [int(one) for one in found]


def grows(plan: Plan, loop_bodies: list[int]) -> Bool | bool:
    """Whether sizes in these bodies differ from round to round."""
    known = len(plan.texts)
    return any(
        one >= known
        for body in loop_bodies
        for one in (*plan.bodies[body].dims, *plan.bodies[body].inputs)
    )
