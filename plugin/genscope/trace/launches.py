"""Which runtime call launched a device event: the one with its correlation, in its process.

Ids are unique within a process only. Where one file holds several (ranks that were merged), an id
may stand for a launch in each of them, so that the process that drives a device is found first,
by the ids that only one of them has.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from genscope.trace.model import NONE, Bool, Events, Int32, Int64, Kind

Shares = npt.NDArray[np.float64]

OWNS = 0.8
"""A process with this share of a device's launches is the one that drives it."""

_SLIGHTLY = 1e-9
_MOST_PAIRS = 1 << 16
"""Beyond so many pairs of devices and processes no owner is looked for."""


def launches(events: Events, device: Int64, process: Int32) -> Int64:
    """Return the row of the runtime call of each of the device events `device`, -1 for none.

    `process`, shape (tracks,), numbers the process of each track. Of several calls with one id in
    a process it is the last one before the event. A call is never taken from a process that is
    known to drive another device.
    """
    calls = np.flatnonzero((events.kind == Kind.RUNTIME) & (events.correlation > 0))
    found = np.full(len(device), NONE, dtype=np.int64)
    known = np.flatnonzero(events.correlation[device] > 0)
    rows = device[known]
    if not len(calls) or not len(rows):
        return found
    if len(np.unique(process[events.track[calls]])) == 1:
        found[known] = _last_before(events, calls, rows)
        return found
    where = process[events.track]
    owner = _owners(events, calls, rows, where)
    of_row = np.full(len(rows), NONE, dtype=np.int64)
    owned = owner != NONE
    of_row[owned] = _last_before(events, calls, rows[owned], where[calls], owner[owned])
    lost = owned & (of_row == NONE)
    free = calls[~np.isin(where[calls], owner[owned])]
    of_row[lost] = _last_before(events, free, rows[lost])
    of_row[~owned] = _last_before(events, calls, rows[~owned])
    found[known] = of_row
    return found


def _last_before(
    events: Events,
    calls: Int64,
    rows: Int64,
    of_call: Int32 | Int64 | None = None,
    of_row: Int32 | Int64 | None = None,
) -> Int64:
    """Call with the id of each row that began last before it, else the first one; shape (k,).

    Only those count whose `of_call`, shape (c,), is the row's `of_row`, shape (k,).
    """
    key, wanted = events.correlation[calls], events.correlation[rows]
    if of_call is not None and of_row is not None:
        # The ids by their rank, so that id and process fit in one number.
        ids, number = np.unique(np.concatenate([key, wanted]), return_inverse=True)
        key, wanted = number[: len(calls)], number[len(calls) :]
        key = key + len(ids) * of_call.astype(np.int64)
        wanted = wanted + len(ids) * of_row.astype(np.int64)
    order = np.lexsort((events.start_ns[calls], key))
    key, start = key[order], events.start_ns[calls[order]]
    first = np.searchsorted(key, wanted, side="left")
    low, high = first.copy(), np.searchsorted(key, wanted, side="right")
    there = low < high
    time = events.start_ns[rows]
    todo = np.flatnonzero(there)
    while len(todo):
        middle = (low[todo] + high[todo]) // 2
        begun = start[middle] <= time[todo]
        low[todo[begun]] = middle[begun] + 1
        high[todo[~begun]] = middle[~begun]
        todo = todo[low[todo] < high[todo]]
    found = np.full(len(rows), NONE, dtype=np.int64)
    found[there] = calls[order[np.maximum(low - 1, first)[there]]]
    return found


def _owners(events: Events, calls: Int64, rows: Int64, where: Int32) -> Int64:
    """Process that drives the device of each row, -1 where that cannot be told; shape (k,)."""
    devices = np.stack([events.device[rows], where[rows]])
    names, group = np.unique(devices, axis=1, return_inverse=True)
    processes, of_call = np.unique(where[calls], return_inverse=True)
    shape = names.shape[1], len(processes)
    unknown = np.full(len(rows), NONE, dtype=np.int64)
    if shape[0] * shape[1] > _MOST_PAIRS:
        return unknown
    group = group.reshape(-1)
    process_of = np.full(len(events), NONE, dtype=np.int64)
    process_of[calls] = of_call
    _, number = np.unique(events.correlation[calls], return_inverse=True)
    pairs = np.unique(number * shape[1] + of_call)
    alone = np.bincount(pairs // shape[1]) == 1
    once = calls[alone[number]]
    votes = _votes(group, _last_before(events, once, rows), process_of, shape)
    owner = np.where(votes.max(axis=1) >= OWNS, votes.argmax(axis=1), NONE)
    blank = votes.sum(axis=1) == 0
    left = ~np.isin(np.arange(shape[1]), owner)
    if blank.any() and left.any() and blank.sum() >= left.sum():
        time = _votes(group, _last_before(events, calls, rows), process_of, shape)
        _share_out(owner, time, blank, left)
    named = np.where(owner == NONE, NONE, processes[np.maximum(owner, 0)])
    return np.asarray(named[group], dtype=np.int64)


def _votes(group: Int64, call: Int64, process_of: Int64, shape: tuple[int, int]) -> Shares:
    """Share of the calls of each group that each process made; shape (groups, processes)."""
    votes: Shares = np.zeros(shape)
    np.add.at(votes, (group[call >= 0], process_of[call[call >= 0]]), 1)
    votes /= np.maximum(votes.sum(axis=1, keepdims=True), 1)
    return votes


def _share_out(owner: Int64, votes: Shares, blank: Bool, left: Bool) -> None:
    """Give each group without evidence one of the processes left, the surest pair first.

    For ranks of which every id occurs in every other one: copies of each other. Of pairs as sure
    as each other those go first that stand at the same place among devices and processes.
    """
    in_order = (np.cumsum(blank) - 1)[:, None] == (np.cumsum(left) - 1)[None, :]
    votes = votes + _SLIGHTLY * in_order
    votes = np.where(blank[:, None] & left[None, :], votes, -1.0)
    for _ in range(int(left.sum())):
        place, process = np.unravel_index(int(votes.argmax()), votes.shape)
        owner[place] = process
        votes[place, :] = votes[:, process] = -1.0
