"""The blocks of one device over time: which free ends which allocation, and what they are for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genscope.analysis.classify import UNLINKED, classify
from genscope.analysis.memory.results import BEFORE
from genscope.analysis.memory.scores import op_around
from genscope.trace.model import NONE, Bool, Int64, Trace


@dataclass(frozen=True, slots=True)
class Blocks:
    """Events of one device in order of time; arrays have shape (m,) unless said otherwise."""

    at_ns: Int64
    bytes: Int64
    reserved: Int64
    """-1 where unknown."""
    total: Int64
    """Shape (m + 1,): bytes in use before the first event, and after each."""
    ends: Int64
    """The event that ends each allocation, -1 where none does, and for frees."""
    begins: Int64
    """The allocation that each free ends, -1 where it is not recorded, and for allocations."""
    op: Int64
    """Row of the innermost op around each allocation, -1 for none and for frees."""
    category: Int64
    """Index into `names` of the category of each allocation, and of what a free ends."""
    names: list[str]
    """The last one is BEFORE."""
    disagreements: int

    @property
    def is_allocation(self) -> Bool:
        """Mask of the allocations."""
        mask: Bool = self.bytes > 0
        return mask

    def moments(self, at: Int64) -> tuple[Int64, Int64]:
        """Bytes and blocks of each category at moments, as places in `total`, shape (k,).

        Both have shape (k, number of names); blocks of BEFORE are 0.
        """
        held = np.zeros((len(at), len(self.names)), dtype=np.int64)
        blocks = np.zeros_like(held)
        allocated = self.bytes > 0
        freed = self.begins >= 0
        change = np.where(allocated, self.bytes, 0)
        change[freed] = -self.bytes[self.begins[freed]]
        # A block whose address is given out again was freed unseen: it ends there.
        lost = np.flatnonzero(allocated & (self.ends >= 0))
        lost = lost[self.bytes[self.ends[lost]] > 0]
        last = len(self.names) - 1
        for number in range(last):
            mine = self.category == number
            delta = np.where(mine & (allocated | freed), change, 0)
            count = np.where(mine & allocated, 1, np.where(mine & freed, -1, 0))
            gone = lost[mine[lost]]
            np.subtract.at(delta, self.ends[gone], self.bytes[gone])
            np.subtract.at(count, self.ends[gone], 1)
            held[:, number] = np.r_[0, np.cumsum(delta)][at]
            blocks[:, number] = np.r_[0, np.cumsum(count)][at]
        held[:, last] = self.total[at] - held[:, :last].sum(axis=1)
        return held, blocks

    def alive(self, moment: int) -> Int64:
        """Places of the allocations that are alive at a moment, shape (k,)."""
        place = np.arange(len(self.bytes))
        begun = (self.bytes > 0) & (place < moment)
        return np.flatnonzero(begun & ((self.ends == NONE) | (self.ends >= moment)))


def blocks_of(trace: Trace, places: Int64) -> Blocks:
    """Follow the blocks of one device; `places` are its events, shape (m,)."""
    memory = trace.memory
    places = places[np.argsort(memory.at_ns[places], kind="stable")]
    size, address = memory.bytes[places], memory.address[places]
    total, disagreements = _totals(size, memory.allocated[places])
    ends, begins = _pairs(size, address)
    op = np.full(len(places), NONE, dtype=np.int64)
    given = np.flatnonzero(size > 0)
    op[given] = op_around(trace, places[given])
    category, names = _categories(trace, op, given, begins)
    return Blocks(
        at_ns=memory.at_ns[places],
        bytes=size,
        reserved=memory.reserved[places],
        total=total,
        ends=ends,
        begins=begins,
        op=op,
        category=category,
        names=names,
        disagreements=disagreements,
    )


def _totals(size: Int64, told: Int64) -> tuple[Int64, int]:
    """Bytes in use before the first event and after each; the allocator's word where it gave it."""
    own = np.cumsum(size)
    known = np.flatnonzero(told >= 0)
    if not len(known):
        return np.r_[0, own], 0
    # What is not told follows from the last total that was; before the first, from that one.
    last = np.maximum(np.searchsorted(known, np.arange(len(size)), side="right") - 1, 0)
    total = own + (told - own)[known[last]]
    total[known] = told[known]
    first = total[0] - size[0]
    whole: Int64 = np.r_[first, total]
    return whole, int((np.diff(whole) != size).sum())


def _pairs(size: Int64, address: Int64) -> tuple[Int64, Int64]:
    """What ends each allocation, and what each free ends: the next event of the same address."""
    ends = np.full(len(size), NONE, dtype=np.int64)
    begins = np.full(len(size), NONE, dtype=np.int64)
    order = np.argsort(address, kind="stable")
    order = order[address[order] > 0]
    before, after = order[:-1], order[1:]
    same = (address[before] == address[after]) & (size[before] > 0)
    ends[before[same]] = after[same]
    freed = same & (size[after] < 0)
    begins[after[freed]] = before[freed]
    return ends, begins


def _categories(trace: Trace, op: Int64, given: Int64, begins: Int64) -> tuple[Int64, list[str]]:
    classes = classify(trace)
    names = sorted({rule.category for rule in classes.rules} | {UNLINKED})
    of_rule = np.array([names.index(rule.category) for rule in classes.rules] or [0])
    category = np.full(len(op), NONE, dtype=np.int64)
    rows = op[given]
    rule = np.where(rows >= 0, classes.rule[rows], NONE)
    category[given] = np.where(rule >= 0, of_rule[rule], names.index(UNLINKED))
    freed = begins >= 0
    category[freed] = category[begins[freed]]
    return category, [*names, BEFORE]
