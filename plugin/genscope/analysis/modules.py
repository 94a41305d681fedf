"""The nn.Module tree of a trace, and the component that each row of work belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from genscope.analysis.results import ModuleRow
from genscope.analysis.tables import by_category, figures
from genscope.analysis.work import Work
from genscope.trace.errors import TraceWarning
from genscope.trace.link import MODULE_PREFIX
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


@dataclass(frozen=True, slots=True)
class ModuleTree:
    """Paths of modules; `parent` and `depth` have one entry a path, `of_row` one a row of work.

    Paths are numbered so that a parent comes before its children; -1 is no module.
    """

    names: list[str]
    parent: Int64
    depth: Int64
    of_row: Int64

    def path(self, number: int) -> str:
        """Names from the outermost module to this one, joined by slashes."""
        parts = []
        while number >= 0:
            parts.append(self.names[number])
            number = int(self.parent[number])
        return "/".join(reversed(parts))


def frames_of(trace: Trace, rows: Int64, op: Int64) -> Int64:
    """Module frame of each row of work; backward ones take their forward op's. Shape (k,)."""
    links = trace.links
    frame = links.module[rows].astype(np.int64)
    missing = (frame == NONE) & (op >= 0)
    forward = links.forward_op[op[missing]]
    frame[missing] = np.where(forward >= 0, links.module[forward], NONE)
    return frame


def module_tree(trace: Trace, frames: Int64) -> ModuleTree:
    """Merge the frames that have the same chain of names; `frames` has shape (k,), -1 for none."""
    outer = trace.links.module_parent
    used = np.unique(frames[frames >= 0])
    reached = [used]
    while len(used):
        used = np.unique(outer[used][outer[used] >= 0]).astype(np.int64)
        reached.append(used)
    every = np.unique(np.concatenate(reached)) if reached else used
    number = np.full(len(trace.events), NONE, dtype=np.int64)
    names: list[str] = []
    parents: list[int] = []
    depths: list[int] = []
    known: dict[tuple[int, int], int] = {}
    # Outer frames start first, so a frame's parent is numbered before it.
    start, end = trace.events.start_ns, trace.events.end_ns
    for row in every[np.lexsort((every, -end[every], start[every]))].tolist():
        around = int(outer[row])
        above = int(number[around]) if around >= 0 else NONE
        key = (above, int(trace.events.name[row]))
        if key not in known:
            known[key] = len(names)
            names.append(trace.strings[key[1]].removeprefix(MODULE_PREFIX))
            parents.append(above)
            depths.append(depths[above] + 1 if above >= 0 else 0)
        number[row] = known[key]
    return ModuleTree(
        names=names,
        parent=np.array(parents, dtype=np.int64),
        depth=np.array(depths, dtype=np.int64),
        of_row=np.where(frames >= 0, number[frames], NONE),
    )


def components(trace: Trace, at: Int64, tree: ModuleTree) -> tuple[list[str], Int64]:
    """Name the component of each row of work; `at`, shape (k,), is where it was asked for.

    An annotation that is named like a component decides, else the outermost module. Returns the
    names and, for each row, its number, -1 where nothing tells.
    """
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
        found[root == one] = number(tree.names[one])

    events = trace.events
    annotations = np.flatnonzero(events.kind == Kind.ANNOTATION)
    wanted = np.zeros(len(trace.strings), dtype=np.bool_)
    for index in np.unique(events.name[annotations]).tolist():
        wanted[index] = _COMPONENT.fullmatch(trace.strings[index]) is not None
    marked = annotations[wanted[events.name[annotations]]]
    known = at >= 0
    if len(marked) and known.any():
        nest = Nest(marked, events.track, events.start_ns, events.end_ns)
        around = np.full(len(at), NONE, dtype=np.int64)
        around[known] = nest.enclosing(events.track[at[known]], events.start_ns[at[known]])
        for index in np.unique(events.name[around[around >= 0]]).tolist():
            hit = (around >= 0) & (events.name[np.maximum(around, 0)] == index)
            found[hit] = number(trace.strings[index])
    return names, found


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
