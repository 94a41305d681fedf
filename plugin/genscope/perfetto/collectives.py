"""The collectives of a rank that end on all ranks of their group at about the same time.

Each has a key that it has on every rank: the group, what is done, and its number in the group. A
broadcast or a send is none of them: one side may be done long before the other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw

from genscope.trace.decode import DECODE_ERRORS, Scalar
from genscope.trace.model import Int64, Kind, Trace

Key = tuple[str, ...]

Ends = Mapping[Key, int]
"""When each collective ended, in the time of its trace."""

_TOGETHER = re.compile("allreduce|allgather|reducescatter|alltoall|barrier")
_KERNEL = re.compile("[nr]ccl", re.IGNORECASE)
_GLOO = "gloo:"
_COMMUNICATION = "record_param_comms"
_WORLD = "the world"
_NUMBER = re.compile(r"\d+")
_FEWEST_INPUTS = 8
_SHORTENED = "..."


class _Recorded(msgspec.Struct, gc=False):
    """What recorders write beside a kernel or op that communicates."""

    what: Scalar = msgspec.field(default=None, name="Collective name")
    group: Scalar = msgspec.field(default=None, name="Process Group Name")
    ranks: Any = msgspec.field(default=None, name="Process Group Ranks")
    size: Scalar = msgspec.field(default=None, name="Group size")
    number: Scalar = msgspec.field(default=None, name="Seq")


_decode = msgspec.json.Decoder(_Recorded).decode


class Collectives:
    """Finds the collectives of a trace; the arguments of its events are given to `add`."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        events = trace.events
        self._kernels = _named(trace, events.is_kind(Kind.KERNEL), _KERNEL.search)
        self._gloo = np.zeros(0, dtype=np.int64)
        if not len(self._kernels) and _is_one_group(trace):
            notes = events.is_kind(Kind.ANNOTATION, Kind.CPU_OP)
            self._gloo = _named(trace, notes, lambda name: name.startswith(_GLOO))
        self._op = trace.links.op[self._kernels].astype(np.int64)
        self._wanted = np.zeros(len(events), dtype=np.bool_)
        self._wanted[self._kernels] = True
        self._wanted[self._op[self._op >= 0]] = True
        self._recorded: dict[int, _Recorded] = {}

    @property
    def need_arguments(self) -> bool:
        """Whether any are recorded in arguments."""
        return bool(len(self._kernels))

    def add(self, group: str | None, events: Sequence[int], texts: Sequence[Raw]) -> None:
        """Take the arguments of the rows `events`; those of others are passed over."""
        rows = np.array(events, dtype=np.int64)
        inside = rows < len(self._wanted)
        inside[inside] = self._wanted[rows[inside]]
        for place in np.flatnonzero(inside).tolist():
            try:
                self._recorded[events[place]] = _decode(texts[place])
            except DECODE_ERRORS:
                continue

    def ends(self) -> Ends:
        """When each collective ended; those that cannot be told apart are left out."""
        end_ns = self._trace.events.end_ns
        numbered: list[tuple[Key, int]] = []
        in_order: dict[Key, list[int]] = {}
        for row, op in zip(self._kernels.tolist(), self._op.tolist(), strict=True):
            found = self._key(row, op)
            if found is not None:
                key, number = found
                if number:
                    numbered.append(((*key, number), int(end_ns[row])))
                else:
                    in_order.setdefault(key, []).append(row)
        for row in self._gloo.tolist():
            what = _kind(self._trace.name_of(row))
            if what:
                dims = int(self._trace.events.dims[row])
                shape = self._trace.strings[dims] if dims >= 0 else ""
                in_order.setdefault((_WORLD, what, shape), []).append(row)
        for key, rows in in_order.items():
            # The n-th is the n-th elsewhere only if both have recorded equally many.
            rows.sort(key=self._trace.events.start_ns.__getitem__)
            for place, row in enumerate(rows):
                numbered.append(((*key, f"{place} of {len(rows)}"), int(end_ns[row])))
        seen = Counter(key for key, _ in numbered)
        return {key: end for key, end in numbered if seen[key] == 1}

    def _key(self, row: int, op: int) -> tuple[Key, str] | None:
        """The group of a kernel's collective and what it does, and its number if that is known."""
        own, around = self._recorded.get(row), self._recorded.get(op)
        inputs = self._inputs(op)

        def first(name: str) -> str:
            values = (getattr(one, name) for one in (own, around) if one is not None)
            return next((str(value) for value in values if value not in (None, "")), "")

        what = _kind(first("what")) or _kind(self._trace.name_of(row))
        ranks, group = first("ranks"), first("group")
        size = first("size") or (inputs[-1] if inputs else "")
        number = _NUMBER.search(first("number") or (inputs[1] if inputs else ""))
        if not ranks or (_SHORTENED in ranks and not group):
            # Other groups of that size may have had a collective of that number.
            if size != str(self._trace.world_size):
                return None
            ranks = _WORLD
        if not what:
            return None
        return (ranks, group, size, what), number[0] if number else ""

    def _inputs(self, op: int) -> list[str]:
        """What the op that is recorded for a collective was given: number, group, rank, …, size."""
        events = self._trace.events
        if op < 0 or self._trace.name_of(op) != _COMMUNICATION or events.inputs[op] < 0:
            return []
        try:
            found = msgspec.json.decode(self._trace.strings[int(events.inputs[op])], type=list[Any])
        except DECODE_ERRORS:
            return []
        return [str(one) for one in found] if len(found) >= _FEWEST_INPUTS else []


def _named(trace: Trace, mask: Any, fits: Any) -> Int64:
    """Rows of `mask` whose name fits."""
    rows = np.flatnonzero(mask)
    names = trace.events.name[rows]
    wanted = [one for one in np.unique(names).tolist() if fits(trace.strings[one])]
    return rows[np.isin(names, wanted)]


def _kind(name: str) -> str:
    found = _TOGETHER.search(name.lower().replace("_", ""))
    return found[0] if found else ""


def _is_one_group(trace: Trace) -> bool:
    """Whether there is no group but that of all ranks, as far as the trace tells."""
    info = trace.metadata.get("distributedInfo")
    groups = info.get("pg_config") if isinstance(info, dict) else None
    sizes = [one.get("pg_size") for one in groups or [] if isinstance(one, dict)]
    several = [size for size in sizes if isinstance(size, int) and size > 1]
    return len(several) <= 1 and all(size == trace.world_size for size in several)
