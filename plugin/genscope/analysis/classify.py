"""A category for every device event and every CPU op, and the rule that decided it.

In this order: the op around the launch (or what is around that op), then the annotation or
module, then the name of the kernel. An op's name gives way to two contexts that it cannot know:
the score matrix of an unfused attention chain, and the optimizer's step. What a graph launch
replays is decided by kernel name first, since the op around the launch is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from genscope.analysis import chains as attention_chains
from genscope.analysis.annotations import annotations_of
from genscope.analysis.categories import (
    CAST_OPS,
    Rule,
    Strength,
    match_kernel,
    match_op,
    match_scope,
)
from genscope.trace.link import MODULE_PREFIX
from genscope.trace.model import NONE, Bool, Int32, Int64, Kind, Trace
from genscope.trace.nest import Nest

ATTENTION, MEMORY, ELEMENTWISE, OPTIMIZER, SOFTMAX, LINEAR, OTHER, UNLINKED = (
    "Attention",
    "Memory",
    "Elementwise",
    "Optimizer",
    "Softmax",
    "Linear",
    "Other",
    "Unlinked",
)

FORWARD, BACKWARD, RECOMPUTE, OPTIMIZER_PASS, UNKNOWN = range(5)
PASSES = ("forward", "backward", "recompute", "optimizer", "unknown")


@dataclass(frozen=True, slots=True)
class Classes:
    """What was decided for the rows of a trace.

    `rule` has shape (n,): index into `rules`, -1 for rows that are neither device events nor
    CPU ops. `pass_` has shape (n,): index into PASSES. `op` has shape (n,): the CPU op a device
    event is shown under, -1 where there is none; CPU ops name themselves.
    """

    rules: list[Rule]
    rule: Int32
    pass_: npt.NDArray[np.uint8]
    op: Int32
    chains: attention_chains.Chains


class _Rules:
    """Rules by number, so that decisions can be columns."""

    def __init__(self) -> None:
        self.listed: list[Rule] = []
        self._numbers: dict[Rule, int] = {}

    def number(self, rule: Rule | None) -> int:
        """Number of a rule; -1 for none."""
        if rule is None:
            return NONE
        if rule not in self._numbers:
            self._numbers[rule] = len(self.listed)
            self.listed.append(rule)
        return self._numbers[rule]

    def mask(self, category: str) -> Bool:
        """Which rules give `category`; shape (rules + 1,), the last (for -1) false."""
        return np.array([rule.category == category for rule in self.listed] + [False])

    def strength(self, strength: Strength) -> Bool:
        """Which rules have `strength`; shape (rules + 1,), the last (for -1) false."""
        return np.array([rule.strength == strength for rule in self.listed] + [False])


def classify(trace: Trace) -> Classes:
    """Decide the category of every device event and CPU op of a trace; once for each trace."""
    if "classes" not in trace.derived:
        trace.derived["classes"] = _classify(trace)
    classes: Classes = trace.derived["classes"]
    return classes


def _classify(trace: Trace) -> Classes:
    events, links = trace.events, trace.links
    rules = _Rules()
    chains = attention_chains.find(trace)
    ops = np.flatnonzero(events.kind == Kind.CPU_OP)
    device = np.flatnonzero(events.is_device)

    by_op, weak = _decide_ops(trace, rules, ops, chains)
    optimizer = _in_optimizer(trace, rules, np.concatenate([ops, device]))
    optimizer_rule = rules.number(Rule(OPTIMIZER, "", "annotation Optimizer.step"))
    communication = rules.mask("Communication")
    stepping = optimizer & ~communication[by_op]
    by_op[stepping & (events.kind == Kind.CPU_OP)] = optimizer_rule

    rule = np.full(len(events), NONE, dtype=np.int32)
    rule[ops] = by_op[ops]
    kernel = _kernel_rules(trace, rules, device)
    rule[device] = _decide_device(trace, rules, device, by_op, kernel, optimizer, optimizer_rule)
    _by_scope(trace, rules, rule, np.concatenate([ops, device]))
    open_device = device[rule[device] == NONE]
    rule[open_device] = kernel[open_device]
    _kernel_chains(trace, rules, rule, kernel, device)

    op_of_device = np.where(links.graph_launch, NONE, links.op)
    rows = np.concatenate([ops, device])
    fallback = np.full(len(events), NONE, dtype=np.int32)
    fallback[ops] = weak[ops]
    linked = device[op_of_device[device] >= 0]
    fallback[linked] = weak[op_of_device[linked]]
    undecided = rows[rule[rows] == NONE]
    rule[undecided] = fallback[undecided]
    other = rules.number(Rule(OTHER, "", "no rule knows it"))
    lost = rules.number(Rule(UNLINKED, "", "no launch, and no rule knows the name"))
    undecided = rows[rule[rows] == NONE]
    without = events.is_device[undecided] & (links.launch[undecided] == NONE)
    rule[undecided] = np.where(without, lost, other)
    return Classes(rules.listed, rule, _passes(trace, optimizer), op_of_device, chains)


def _rule_column(
    trace: Trace, rules: _Rules, rows: Int64, matches: Callable[[str], Rule | None]
) -> Int32:
    """Match each distinct name of `rows` once; shape (strings,) of rule numbers."""
    column = np.full(len(trace.strings), NONE, dtype=np.int32)
    for index in np.unique(trace.events.name[rows]).tolist():
        column[index] = rules.number(matches(trace.strings[index]))
    return column


def _decide_ops(
    trace: Trace, rules: _Rules, ops: Int64, chains: attention_chains.Chains
) -> tuple[Int32, Int32]:
    """Decide CPU ops by name, by what is around them, and by attention.

    Returns the rule and the weak rule of each row, shape (n,) each, -1 where none applies.
    """
    events, links = trace.events, trace.links
    of_name = _rule_column(trace, rules, ops, match_op)
    in_chain = rules.number(Rule(ATTENTION, "", "chain of product, softmax, product"))
    backward_chain = rules.number(Rule(ATTENTION, "", "backward of an attention op"))
    cast = rules.number(Rule(ELEMENTWISE, "", "copy that changes the dtype"))
    normal, scope, weak_mask = (
        rules.strength(Strength.NORMAL),
        rules.strength(Strength.SCOPE),
        rules.strength(Strength.WEAK),
    )
    own = of_name[events.name]
    own[chains.of_op >= 0] = in_chain
    decided = np.full(len(events), NONE, dtype=np.int32)
    weak = np.full(len(events), NONE, dtype=np.int32)
    whole = np.full(len(events), NONE, dtype=np.int32)
    todo: Int64 = ops
    at: Int64 = ops
    while len(todo):
        rule = own[at]
        for mask, column in ((normal, decided), (weak_mask, weak), (scope, whole)):
            fresh = mask[rule] & (column[todo] == NONE)
            column[todo[fresh]] = rule[fresh]
        outer = links.parent[at].astype(np.int64)
        todo, at = todo[outer >= 0], outer[outer >= 0]

    memory = rules.mask(MEMORY)
    casts = _casts(trace, ops)
    decided[casts[memory[decided[casts]] | (decided[casts] == NONE)]] = cast
    inside = (whole != NONE) & ~memory[decided]
    decided[inside] = whole[inside]

    attention = rules.mask(ATTENTION)
    forward = links.forward_op
    # A product, softmax or scale in backward is attention if what it differentiates was.
    own_or_weak = np.where(decided == NONE, weak, decided)
    of_attention = (
        (forward >= 0) & attention[decided[forward]] & links.in_backward & ~memory[own_or_weak]
    )
    decided[of_attention & (own_or_weak != NONE) & ~attention[decided]] = backward_chain
    return decided, weak


def _casts(trace: Trace, ops: Int64) -> Int64:
    """Copies whose recorded dtypes differ."""
    events = trace.events
    copies = np.array([text in CAST_OPS for text in trace.strings], dtype=np.bool_)
    rows = ops[copies[events.name[ops]] & (events.types[ops] >= 0)]
    changes = np.zeros(len(trace.strings), dtype=np.bool_)
    for index in np.unique(events.types[rows]).tolist():
        changes[index] = attention_chains.dtypes_differ(trace.strings[index])
    return rows[changes[events.types[rows]]]


def _in_optimizer(trace: Trace, rules: _Rules, rows: Int64) -> Bool:
    """Mask of shape (n,) of the `rows` that run inside an optimizer's step."""
    events, links = trace.events, trace.links
    inside = np.zeros(len(events), dtype=np.bool_)
    annotations = np.flatnonzero(events.kind == Kind.ANNOTATION)
    wanted = np.zeros(len(trace.strings), dtype=np.bool_)
    for index in np.unique(events.name[annotations]).tolist():
        rule = match_scope(trace.strings[index])
        wanted[index] = (
            rule is not None and rule.category == OPTIMIZER and rule.strength == Strength.SCOPE
        )
    steps = annotations[wanted[events.name[annotations]]]
    if len(steps):
        at = np.where(events.is_device[rows], links.launch[rows], rows)
        known = at >= 0
        nest = Nest(steps, events.track, events.start_ns, events.end_ns)
        around = nest.enclosing(events.track[at[known]], events.start_ns[at[known]])
        inside[rows[known]] = around >= 0
    return inside


def _decide_device(
    trace: Trace,
    rules: _Rules,
    device: Int64,
    by_op: Int32,
    of_kernel: Int32,
    optimizer: Bool,
    optimizer_rule: int,
) -> Int32:
    """Rule of each device event as far as its op, or the optimizer's step, decides; shape (d,)."""
    events, links = trace.events, trace.links
    op = np.where(links.graph_launch[device], NONE, links.op[device])
    found = np.where(op >= 0, by_op[op], NONE).astype(np.int32)
    communication = rules.mask("Communication")
    found[optimizer[device] & ~communication[found]] = optimizer_rule
    # A cache write or copy that an attention op launches itself, without an op of its own.
    kernel = of_kernel[device]
    memory = rules.mask(MEMORY)
    writes = (op >= 0) & memory[kernel] & rules.strength(Strength.SCOPE)[found]
    writes &= rules.mask(ATTENTION)[found] & (events.kind[device] == Kind.KERNEL)
    found[writes] = kernel[writes]
    # Where no dtypes were recorded, the kernel's name tells a cast from a copy.
    copies = np.array([text in CAST_OPS for text in trace.strings], dtype=np.bool_)
    unsure = (op >= 0) & copies[events.name[op]] & memory[found] & (events.types[op] < 0)
    unsure &= rules.mask(ELEMENTWISE)[kernel]
    found[unsure] = kernel[unsure]
    return found


def _by_scope(trace: Trace, rules: _Rules, rule: Int32, rows: Int64) -> None:
    """Let the module or the annotation decide what no op decided, the inner one first."""
    events, links = trace.events, trace.links
    class_of = _module_classes(trace)
    for column in (links.module, links.annotation):
        outer = links.module_parent if column is links.module else None
        todo = rows[(rule[rows] == NONE) & (column[rows] >= 0) & ~links.graph_launch[rows]]
        at = column[todo]
        if not len(todo):
            continue
        frames = column[column >= 0]
        if outer is not None:
            frames = np.unique(np.concatenate([frames, outer[outer >= 0]]))
        of_name = _rule_column(
            trace, rules, frames.astype(np.int64), lambda name: match_scope(class_of(name))
        )
        while len(todo):
            found = of_name[events.name[at]]
            rule[todo] = found
            if outer is None:
                break
            more = (found == NONE) & (outer[at] >= 0)
            todo, at = todo[more], outer[at[more]]


def _module_classes(trace: Trace) -> Callable[[str], str]:
    """Make what turns the name of an annotated module into a frame of its class."""
    annotated = annotations_of(trace)
    classes = {
        trace.strings[index]: annotated.class_name(call) for index, call in annotated.calls.items()
    }

    def class_of(name: str) -> str:
        known = classes.get(name, "")
        return name if known == "" else f"{MODULE_PREFIX}{known or ''}_0"

    return class_of


def _kernel_rules(trace: Trace, rules: _Rules, device: Int64) -> Int32:
    """Rule that the name of each device event gives; shape (n,), -1 elsewhere."""
    events = trace.events
    found = np.full(len(events), NONE, dtype=np.int32)
    for kind in (Kind.KERNEL, Kind.MEMCPY, Kind.MEMSET):
        rows = device[events.kind[device] == kind]
        column = _rule_column(trace, rules, rows, partial(match_kernel, kind=kind))
        found[rows] = column[events.name[rows]]
    return found


def _kernel_chains(trace: Trace, rules: _Rules, rule: Int32, kernel: Int32, device: Int64) -> None:
    """Find product, softmax, product among kernels that only their names decided.

    On one stream, with nothing but elementwise and copy kernels between; for graph replays and
    traces without CPU ops.
    """
    events = trace.events
    softmax, linear = rules.mask(SOFTMAX), rules.mask(LINEAR)
    between = rules.mask(ELEMENTWISE) | rules.mask(MEMORY)
    named = device[(rule[device] == kernel[device]) & (kernel[device] != NONE)]
    if not softmax[rule[named]].any():
        return
    chain = rules.number(Rule(ATTENTION, "", "kernels in sequence: product, softmax, product"))
    scores = rules.mask(ELEMENTWISE)
    order = device[np.lexsort((events.start_ns[device], events.track[device]))]
    decided = rule[order]
    lane = events.track[order]
    by_name = np.isin(order, named)
    for place in np.flatnonzero(softmax[decided] & by_name).tolist():
        ends: list[int] = []
        for step in (-1, 1):
            at = place + step
            while (
                0 <= at < len(order)
                and lane[at] == lane[place]
                and by_name[at]
                and between[decided[at]]
                and abs(at - place) <= 6
            ):
                at += step
            if 0 <= at < len(order) and lane[at] == lane[place] and by_name[at]:
                ends.append(at)
        if len(ends) == 2 and linear[decided[ends[0]]] and linear[decided[ends[1]]]:
            inside = np.arange(ends[0], ends[1] + 1)
            members = [*inside[scores[decided[inside]]].tolist(), *ends, place]
            rule[order[members]] = chain


def _passes(trace: Trace, optimizer: Bool) -> npt.NDArray[np.uint8]:
    """Pass of each row; unknown for device events that no op, or a graph, launched."""
    events, links = trace.events, trace.links
    found = np.full(len(events), FORWARD, dtype=np.uint8)
    at = np.where(events.is_device, links.op, np.arange(len(events)))
    linked = at >= 0
    found[linked & links.in_backward[at]] = BACKWARD
    found[linked & links.in_recompute[at]] = RECOMPUTE
    found[optimizer] = OPTIMIZER_PASS
    lost = events.is_device & ((links.launch == NONE) | links.graph_launch)
    found[lost & (found == FORWARD)] = UNKNOWN
    return found
