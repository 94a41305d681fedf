"""The tree of modules that ran: of our collectors' ranges, or of `nn.Module:` frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genscope.analysis.annotations import LONGEST, Annotations, annotations_of
from genscope.schema import ComponentCall, ModuleCall
from genscope.trace.link import MODULE_PREFIX
from genscope.trace.model import NONE, Int64, Trace

_DEEPEST = 64
"""Parts of a qualified name that are looked up; documents are untrusted."""


@dataclass(frozen=True, slots=True)
class ModuleTree:
    """Paths of modules; `parent` and `depth` have one entry a path, `of_row` one a row of work.

    Paths are numbered so that a parent comes before its children; -1 is no module. A name is what
    a path adds to its parent's; `classes` has None where the class is not known apart.
    """

    names: list[str]
    classes: list[str | None]
    components: list[str | None]
    """The annotated component that a module is in."""
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
    found: list[_Node] = []
    known: dict[tuple[int, str, str | None], int] = {}
    seen: dict[tuple[int, int], int] = {}
    node_of = _Nodes(trace, annotations_of(trace))

    def add(name: int, above: int) -> int:
        """Number of the node for a name below the node `above`; names can tell the same one."""
        parent = found[above] if above >= 0 else None
        node = node_of(name, parent)
        if parent is not None and node.is_same(parent):
            return above
        if parent is None:
            for missing in node_of.around(node):
                above = place(missing, above)
        return place(node, above)

    def place(node: _Node, above: int) -> int:
        parent = found[above] if above >= 0 else None
        key = (above, node.path, node.component)
        if key not in known:
            known[key] = len(found)
            node.parent, node.depth = above, parent.depth + 1 if parent else 0
            if parent is not None and parent.path and parent.component == node.component:
                node.name = node.path.removeprefix(f"{parent.path}.")
            found.append(node)
        return known[key]

    # Outer frames start first, so a frame's parent is numbered before it.
    start, end = trace.events.start_ns, trace.events.end_ns
    for row in every[np.lexsort((every, -end[every], start[every]))].tolist():
        around = int(outer[row])
        above = int(number[around]) if around >= 0 else NONE
        name = int(trace.events.name[row])
        if (above, name) not in seen:
            seen[above, name] = add(name, above)
        number[row] = seen[above, name]
    return ModuleTree(
        names=[node.name for node in found],
        classes=[node.class_name for node in found],
        components=[node.component for node in found],
        parent=np.array([node.parent for node in found], dtype=np.int64),
        depth=np.array([node.depth for node in found], dtype=np.int64),
        of_row=np.where(frames >= 0, number[frames], NONE),
    )


@dataclass(slots=True)
class _Node:
    """A module of the tree; `component` is None where it is not known to be in one."""

    name: str
    path: str
    component: str | None = None
    class_name: str | None = None
    parent: int = NONE
    depth: int = 0

    def is_same(self, other: _Node) -> bool:
        """Whether both are one annotated component: its range, and that of its own module."""
        same = self.component is not None and self.component == other.component
        return same and not self.path and not other.path


class _Nodes:
    """Make the node of a frame, by the index of its name and the node around it."""

    def __init__(self, trace: Trace, annotated: Annotations) -> None:
        self._strings = trace.strings
        self._annotated = annotated
        names = {one.id: one.name[:LONGEST] for one in annotated.document.components}
        self._classes = {
            one.name[:LONGEST]: one.class_name[:LONGEST] or None
            for one in annotated.document.components
        }
        self._modules = {
            (names[one.component], one.path): one.class_name[:LONGEST] or None
            for one in annotated.document.modules
            if one.component in names
        }

    def __call__(self, index: int, parent: _Node | None) -> _Node:
        call = self._annotated.calls.get(index)
        if isinstance(call, ComponentCall):
            name = self._annotated.component_name(call)
            return _Node(name, "", name, self._annotated.class_name(call))
        if isinstance(call, ModuleCall):
            return self._module(call, parent)
        name = self._strings[index].removeprefix(MODULE_PREFIX)
        return _Node(name, name)

    def around(self, node: _Node) -> list[_Node]:
        """What is around a module that ran outside its component, the outermost first.

        Such are those that backward computes again.
        """
        if not node.path or node.component is None or node.component not in self._classes:
            return []
        outer = [_Node(node.component, "", node.component, self._classes[node.component])]
        parts = node.path.split(".")
        for count in range(1, min(len(parts), _DEEPEST)):
            path = ".".join(parts[:count])
            if (node.component, path) in self._modules:
                cls = self._modules[node.component, path]
                outer.append(_Node(path, path, node.component, cls))
        return outer

    def _module(self, call: ModuleCall, parent: _Node | None) -> _Node:
        path = self._annotated.module_path(call)
        component = self._annotated.component_of(call)
        if component is None and parent is not None:
            component = parent.component
        if not path and component is None:
            path = f"module {call.module}"
        name = path or component or ""
        return _Node(name, path, component, self._annotated.class_name(call))
