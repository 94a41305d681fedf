"""Which end belongs to which begin: on each track the last one that is still open."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from genscope.trace.model import NONE, Bool, Int64


def pair(lane: npt.NDArray[np.int32], time: Int64, opens: Bool) -> Int64:
    """Return for each begin the index of its end, -1 where it has none; -1 for ends.

    All have shape (k,), in the order of the file, which decides between equal times. An end
    without a begin belongs to nothing.
    """
    partner = np.full(len(lane), NONE, dtype=np.int64)
    order = np.lexsort((time, lane))
    while len(order):
        step = np.where(opens[order], 1, -1).astype(np.int64)
        lanes = lane[order]
        first = np.flatnonzero(np.r_[True, lanes[1:] != lanes[:-1]])
        total = np.cumsum(step)
        sizes = np.diff(np.r_[first, len(order)])
        depth = total - np.repeat(np.r_[0, total[first[1:] - 1]], sizes)
        # An end below everything before it on its lane has no begin; each lane is put a step
        # lower than all before it can reach, so that one running minimum serves all of them.
        drop = np.repeat(np.arange(len(first), dtype=np.int64) * (2 * len(order) + 2), sizes)
        lowest = np.minimum.accumulate(np.minimum(depth, 0) - drop)
        before = np.r_[1, lowest[:-1]]
        before[first] = -drop[first]
        stray = lowest < before
        if not stray.any():
            break
        order = order[~stray]
    else:
        return partner
    # At one depth of a lane begins and ends take turns.
    level = np.where(opens[order], depth, depth + 1)
    by_level = np.lexsort((np.arange(len(order)), level, lanes))
    here, following = by_level[:-1], by_level[1:]
    match = (
        opens[order[here]]
        & ~opens[order[following]]
        & (lanes[here] == lanes[following])
        & (level[here] == level[following])
    )
    partner[order[here[match]]] = order[following[match]]
    return partner
