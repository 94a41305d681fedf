"""The module tree of a trace, and the component that each row of work belongs to.

Both come from our collectors' annotations where a trace has them, else from `nn.Module:` frames
and from annotations that are named as pipelines name their parts.
"""

from __future__ import annotations

import re

import numpy as np

from genscope.analysis.annotations import annotations_of
from genscope.analysis.results import ModuleRow
from genscope.analysis.tables import by_category, figures
from genscope.analysis.tree import ModuleTree, frames_of, module_tree
from genscope.analysis.work import Work
from genscope.schema import ComponentCall
from genscope.trace.errors import TraceWarning
from genscope.trace.model import NONE, Int64, Kind, Trace
from genscope.trace.nest import Nest

_COMPONENT = re.compile(
    r"(text_encoder|image_encoder|unet|transformer|vae|vqvae|prior|decoder|movq|vocoder|"
    r"super_resolution|controlnet|safety_checker)(_\d+)?$"
)
"""Names of annotations that are components, as pipelines name their parts."""

NO_MODULE = "(no module)"

MAX_MODULES = 4000
"""Modules beyond these, the smallest by time, are left out of a result, with a warning."""


def components(trace: Trace, at: Int64, tree: ModuleTree) -> tuple[list[str], Int64]:
    """Name the component of each row of work; `at`, shape (k,), is where it was asked for.

    The innermost annotation of a component decides, ours or one that is named like a component,
    else the outermost module. Returns the names and, for each row, its number, -1 where nothing
    tells.
    """
    events = trace.events
    names: list[str] = []
    numbers: dict[str, int] = {}

    def number(name: str) -> int:
        if name not in numbers:
            numbers[name] = len(names)
            names.append(name)
        return numbers[name]

    found = np.full(len(at), NONE, dtype=np.int64)
    root = tree.of_row.copy()
    while len(tree.parent):
        up = (root >= 0) & (tree.parent[root] >= 0)
        if not up.any():
            break
        root[up] = tree.parent[root[up]]
    for one in np.unique(root[root >= 0]).tolist():
        found[root == one] = number(tree.components[one] or tree.names[one])

    marked, named = _marked(trace)
    known = at >= 0
    around = np.full(len(at), NONE, dtype=np.int64)
    nest = Nest(marked, events.track, events.start_ns, events.end_ns)
    around[known] = nest.enclosing(events.track[at[known]], events.start_ns[at[known]])
    for index in np.unique(events.name[around[around >= 0]]).tolist():
        hit = (around >= 0) & (events.name[np.maximum(around, 0)] == index)
        found[hit] = number(named[index])
    return names, found


def _marked(trace: Trace) -> tuple[Int64, dict[int, str]]:
    """Rows of the annotations that are components, and the component of each of their names."""
    events = trace.events
    rows = np.flatnonzero(events.kind == Kind.ANNOTATION)
    annotated = annotations_of(trace)
    named = {}
    for index in np.unique(events.name[rows]).tolist():
        call = annotated.calls.get(index)
        if isinstance(call, ComponentCall):
            named[index] = annotated.component_name(call)
        elif _COMPONENT.fullmatch(trace.strings[index]):
            named[index] = trace.strings[index]
    return rows[np.isin(events.name[rows], list(named))], named


def module_rows(
    trace: Trace, work: Work, category: Int64, total: int
) -> tuple[list[ModuleRow], list[ModuleRow], list[TraceWarning]]:
    """Components and modules of the work, those inside each other as a tree of paths.

    `category`, shape (k,), numbers the category of each row. A module's figures include what is
    inside it. Both lists end with what no module or component has.
    """
    frames = frames_of(trace, work.rows, work.op)
    tree = module_tree(trace, frames)
    return (
        _component_rows(trace, work, category, tree, total),
        *_tree_rows(work, category, tree, total),
    )


def row_components(trace: Trace, work: Work, tree: ModuleTree) -> tuple[list[str], Int64]:
    """Component of each row of work: names, and a number a row, shape (k,).

    The last name is NO_MODULE, for rows that nothing tells; no names where it would be alone.
    """
    at = np.where(work.launch >= 0, work.launch, work.op)
    forward = np.where(work.op >= 0, trace.links.forward_op[work.op], NONE)
    at = np.where(forward >= 0, forward, at)
    names, group = components(trace, at, tree)
    if not names:
        return [], group
    return [*names, NO_MODULE], np.where(group < 0, len(names), group)


def _component_rows(
    trace: Trace, work: Work, category: Int64, tree: ModuleTree, total: int
) -> list[ModuleRow]:
    names, group = row_components(trace, work, tree)
    if not names:
        return []
    sums = work.figures(group, len(names))
    split = by_category(work, group, len(names), category)
    rows = [
        ModuleRow(
            path=name,
            name=name,
            depth=0,
            self_ns=int(sums.sum_ns[place]),
            categories=split[place],
            **figures(sums, place, total),
        )
        for place, name in enumerate(names)
        if split[place]
    ]
    return sorted(rows, key=lambda row: (row.name == NO_MODULE, -row.sum_ns))


def _tree_rows(
    work: Work, category: Int64, tree: ModuleTree, total: int
) -> tuple[list[ModuleRow], list[TraceWarning]]:
    count = len(tree.names)
    if not count:
        return [], []
    own = np.zeros(count, dtype=np.int64)
    inside = tree.of_row >= 0
    np.add.at(own, tree.of_row[inside], work.time_ns[inside])
    rows: dict[int, ModuleRow] = {}
    at = tree.of_row.copy()
    for depth in range(int(tree.depth.max()), -1, -1):
        deeper = (at >= 0) & (tree.depth[at] > depth)
        at[deeper] = tree.parent[at[deeper]]
        group = np.where((at >= 0) & (tree.depth[at] == depth), at, NONE)
        sums = work.figures(group, count)
        split = by_category(work, group, count, category)
        for number in np.unique(group[group >= 0]).tolist():
            rows[number] = ModuleRow(
                path=tree.path(number),
                name=tree.names[number],
                class_name=tree.classes[number],
                depth=depth,
                self_ns=int(own[number]),
                categories=split[number],
                **figures(sums, number, total),
            )
    kept = sorted(sorted(rows, key=lambda n: -rows[n].sum_ns)[:MAX_MODULES])
    listed = [rows[number] for number in kept]
    without = np.where(inside, NONE, 0)
    if (without == 0).any():
        sums = work.figures(without, 1)
        listed.append(
            ModuleRow(
                path=NO_MODULE,
                name=NO_MODULE,
                depth=0,
                self_ns=int(sums.sum_ns[0]),
                categories=by_category(work, without, 1, category)[0],
                **figures(sums, 0, total),
            )
        )
    left = len(rows) - len(kept)
    if not left:
        return listed, []
    message = f"{left:,} modules with the least time are not listed."
    return listed, [TraceWarning(code="modules_left_out", count=left, message=message)]
