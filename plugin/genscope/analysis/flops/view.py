"""Adding up the FLOPs and bytes of a trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from genscope.analysis.flops.count import FORMULAS, NO_SHAPES
from genscope.analysis.flops.lines import COUNTED, OVERHEAD, UNKNOWN, Lines, lines_of
from genscope.analysis.flops.results import Flops, FlopsGroup, FlopsOp, UnknownOp
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.steps import step_warnings
from genscope.analysis.work import DEVICE, file_name
from genscope.trace.errors import TraceWarning
from genscope.trace.model import NONE, Bool, Int64, Kind, Trace

ESTIMATE = "an estimate"
NO_FORMULA = "no formula is known for it"
NO_OP = "no op explains it: a graph replay, or its op was not recorded"
NO_TYPES = "its dtypes were not recorded"
NO_SIZES = "its inputs do not tell the size of what it moves"
COMMUNICATION = "communication: its bytes cross a network"


def flops(trace: Trace, selection: Selection = EVERYTHING) -> Flops:
    """Count the floating-point operations of a trace, of what `selection` takes."""
    lines = lines_of(trace, selection)
    spent = np.zeros(3, dtype=np.int64)
    np.add.at(spent, lines.kind, lines.time_ns)
    whole = summed(lines, np.zeros(len(lines.rows), dtype=np.int64), 1)[0]
    unknown = _unknown(lines)
    result = Flops(
        trace=file_name(trace),
        selection=selection,
        base_ns=str(trace.base_ns),
        rank=trace.rank,
        basis=lines.basis,
        basis_sum_ns=int(lines.time_ns.sum()),
        known_ns=int(spent[COUNTED]),
        unknown_ns=int(spent[UNKNOWN]),
        overhead_ns=int(spent[OVERHEAD]),
        flops=whole["flops"],
        matrix_flops=whole["matrix_flops"],
        counter_flops=int(np.maximum(lines.counted.plain_flops[_items(lines)], 0).sum()),
        moved_bytes=whole["moved_bytes"],
        moved_unknown_ns=int(lines.time_ns[(lines.kind != OVERHEAD) & ~lines.has_moved].sum()),
        intensity=whole["intensity"],
        flops_per_s=whole["flops_per_s"],
        categories=_groups(lines, "category"),
        ops=_ops(lines),
        passes=_groups(lines, "pass"),
        components=_groups(lines, "component"),
        phases=_groups(lines, "phase"),
        unknown=unknown,
        sentence="",
        warnings=[*trace.warnings, *step_warnings(trace, selection), *notes(lines)],
    )
    result.sentence = _sentence(result)
    return result


def summed(lines: Lines, group: Int64, count: int) -> list[dict[str, Any]]:
    """Fields of `FlopsFigures` for each of `count` groups; `group` numbers the lines."""
    known = lines.kind == COUNTED
    total = max(int(lines.flops[known].sum()), 1)
    timed = known & (lines.time_ns > 0)
    both = known & lines.has_moved

    def add(values: Int64, mask: Bool) -> list[int]:
        sums = np.zeros(count, dtype=np.int64)
        taken = mask & (group >= 0)
        np.add.at(sums, group[taken], values[taken])
        return [int(one) for one in sums]

    work = add(lines.flops, known)
    columns = zip(
        work,
        add(lines.flops, known & lines.is_matrix),
        add(lines.flops, timed),
        add(lines.moved, lines.has_moved),
        add(np.ones(len(group), dtype=np.int64), lines.item >= 0),
        add(lines.time_ns, timed),
        add(lines.flops, both),
        add(lines.moved, both),
        strict=True,
    )
    return [
        {
            "flops": all_,
            "matrix_flops": matrix,
            "timed_flops": done,
            "moved_bytes": moved,
            "share": all_ / total,
            "calls": calls,
            "time_ns": time,
            "intensity": of_both / bytes_ if bytes_ else None,
            "flops_per_s": done / time * 1e9 if time else None,
        }
        for all_, matrix, done, moved, calls, time, of_both, bytes_ in columns
    ]


def _items(lines: Lines) -> Int64:
    found: Int64 = lines.item[lines.item >= 0]
    return found


def _groups(lines: Lines, scope: str) -> list[FlopsGroup]:
    names, group = lines.groups(scope)
    if not names:
        return []
    lost = np.zeros(len(names), dtype=np.int64)
    unknown = lines.kind == UNKNOWN
    np.add.at(lost, group[unknown], lines.time_ns[unknown])
    rows = [
        FlopsGroup(name=name, unknown_ns=int(lost[place]), **figures)
        for place, (name, figures) in enumerate(
            zip(names, summed(lines, group, len(names)), strict=True)
        )
        if figures["calls"] or lost[place]
    ]
    return sorted(rows, key=lambda row: (-row.flops, -row.moved_bytes, row.name))


def op_names(lines: Lines) -> tuple[list[str], Int64]:
    """Names of the ops that lines belong to, and the number of each line's, -1 without work."""
    has = lines.item >= 0
    found, number = np.unique(lines.trace.events.name[lines.rows[has]], return_inverse=True)
    group = np.full(len(lines.rows), NONE, dtype=np.int64)
    group[has] = number
    return [lines.trace.strings[index] for index in found.tolist()], group


def _ops(lines: Lines) -> list[FlopsOp]:
    names, group = op_names(lines)
    table = lines.counted
    rows = []
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(len(names) + 1))
    for place, figures in enumerate(summed(lines, group, len(names))):
        mine = order[edges[place] : edges[place + 1]]
        mine = mine[lines.kind[mine] == COUNTED]
        if not len(mine):
            continue
        items = lines.item[mine]
        formula = FORMULAS[int(table.formula[items[0]])]
        doubts = np.unique(table.doubt[items[table.doubt[items] >= 0]]).tolist()
        assumed = len(mine) if formula.estimate else int((table.doubt[items] >= 0).sum())
        first = table.words.text(doubts[0]) if doubts else None
        rows.append(
            FlopsOp(
                op=names[place],
                formula=formula.says,
                source=formula.source,
                unit=formula.unit,
                assumed=assumed,
                assumption=first or (ESTIMATE if assumed else None),
                **figures,
            )
        )
    return sorted(rows, key=lambda row: (-row.flops, -row.moved_bytes, row.op))


def _unknown(lines: Lines) -> list[UnknownOp]:
    """What has no known work, by the name of its op, or else of its kernel."""
    trace = lines.trace
    missing = (lines.kind == UNKNOWN) | ((lines.kind == COUNTED) & ~lines.has_moved)
    communication, category = lines.groups("category")
    network = communication.index("Communication")
    table: dict[tuple[str, str, str], list[int]] = {}
    for place in np.flatnonzero(missing).tolist():
        row, item = int(lines.rows[place]), int(lines.item[place])
        op = int(lines.work.op[place])
        kind = "flops" if lines.kind[place] == UNKNOWN else "bytes"
        if category[place] == network:
            reason = COMMUNICATION
        elif item >= 0:
            said = lines.counted.words.text(int(lines.counted.doubt[item]))
            untyped = kind == "bytes" and trace.events.types[row] < 0
            reason = NO_TYPES if untyped else said or NO_SIZES
        else:
            reason = NO_OP if op < 0 else NO_FORMULA
        name = trace.name_of(op if item < 0 and op >= 0 else row)
        found = table.setdefault((name, kind, reason), [0, 0])
        found[0] += 1
        found[1] += int(lines.time_ns[place])
    total = max(int(lines.time_ns.sum()), 1)
    rows = [
        UnknownOp(
            name=name, missing=kind, reason=reason, calls=calls, time_ns=time, share=time / total
        )
        for (name, kind, reason), (calls, time) in table.items()
    ]
    return sorted(rows, key=lambda row: (-row.time_ns, -row.calls, row.name))


def notes(lines: Lines) -> list[TraceWarning]:
    """What to know about the FLOPs of a trace."""
    found = [
        TraceWarning(code=code, count=count, message=message)
        for code, count, message in lines.counted.notes
    ]
    trace = lines.trace
    ops = trace.events.kind == Kind.CPU_OP
    if ops.any() and not (trace.events.dims[ops] >= 0).any():
        found.append(
            TraceWarning(
                code="no_shapes",
                count=int(ops.sum()),
                message="No shapes were recorded, and without them no FLOPs can be counted: "
                "profile with record_shapes=True.",
            )
        )
    total = max(int(lines.time_ns.sum()), 1)
    lost = int(lines.time_ns[lines.kind == UNKNOWN].sum())
    if lost:
        calls = int((lines.kind == UNKNOWN).sum())
        found.append(
            TraceWarning(
                code="unknown_work",
                count=calls,
                message=f"The work behind {100 * lost / total:.1f} % of the time is not known; "
                "its ops and kernels are listed, and count neither FLOPs nor bytes.",
            )
        )
    doubt = lines.counted.words.find(NO_SHAPES)
    items = _items(lines)
    without = int((lines.counted.doubt[items] == doubt).sum())
    if without and not any(one.code == "no_shapes" for one in found):
        found.append(
            TraceWarning(
                code="ops_without_shapes",
                count=without,
                message=f"{without:,} ops and attention calls have no shapes.",
            )
        )
    return found


def _sentence(result: Flops) -> str:
    if not result.flops:
        return "No FLOPs can be counted in this trace."
    top: Sequence[FlopsGroup] = [row for row in result.categories if row.flops]
    named = f"{top[0].name} is {100 * top[0].share:.0f} % of them" if top else ""
    known = 100 * (result.known_ns + result.overhead_ns) / max(result.basis_sum_ns, 1)
    what = "device time" if result.basis == DEVICE else "CPU time"
    return (
        f"{scaled(result.flops)}FLOP; {named}. They are those of the ops behind {known:.0f} % of "
        f"{what}."
    )


def scaled(value: float) -> str:
    """A number with the prefix of its unit: `2.9 T`; the unit follows at once."""
    for power, prefix in ((15, "P"), (12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if value >= 10**power:
            return f"{value / 10**power:.4g} {prefix}"
    return f"{value:.4g} "
