"""Where in the model a call is: component, module, layer, and the place it has in every round."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.modules import components
from genscope.analysis.tree import module_tree
from genscope.trace.link import MODULE_PREFIX
from genscope.trace.model import NONE, Int64, Trace

_INSTANCE = re.compile(r"(.*)_(\d{1,6})")
_INDEX = re.compile(r"\d{1,6}")

_Pattern = tuple[tuple[str, bool], ...]
"""The names of a path without their numbers, and which had one that counts."""


def decide_places(trace: Trace, calls: Calls) -> Int64:
    """Fill component, module and layer; return the slot of each call, shape (c,), -1 if unknown.

    Calls in one slot come from the same module.
    """
    if not len(calls):
        return np.zeros(0, dtype=np.int64)
    frames = trace.links.module[calls.row].astype(np.int64)
    tree = module_tree(trace, frames)
    paths = np.full(len(tree.names) + 1, NONE, dtype=np.int32)
    layers = np.full(len(tree.names) + 1, NONE, dtype=np.int32)
    for number in range(len(tree.names)):
        paths[number] = calls.words.number(tree.path(number))
    used = np.unique(tree.of_row[tree.of_row >= 0])
    layers[used] = layers_of([tree.path(number) for number in used.tolist()], _lowest(trace))
    calls.texts["module"] = paths[tree.of_row]
    calls.layer = layers[tree.of_row]
    names, found = components(trace, calls.row, tree)
    column = np.array([calls.words.number(name) for name in names] + [NONE], dtype=np.int32)
    calls.texts["component"] = column[found]
    return tree.of_row.astype(np.int64)


def layers_of(paths: Sequence[str], lowest: Mapping[tuple[str, str], int]) -> list[int]:
    """Index of the repeated block that each module is in, -1 where its path tells none.

    Of qualified names (`block.3.layer.0.attention`) the innermost number that tells modules of the
    like apart. Names of instances (`Layer_3/Attention_7`) are counted by class all over the model:
    of those the class that is repeated most in one parent, counted from `lowest`, the first of a
    class in that parent.
    """
    found = [NONE] * len(paths)
    groups: dict[_Pattern, list[int]] = {}
    for place, path in enumerate(paths):
        groups.setdefault(_alike(_names(path)), []).append(place)
    for pattern, members in groups.items():
        parts = [_names(paths[place]) for place in members]
        level, is_repeated = _level_of(pattern, parts)
        if level == NONE:
            continue
        for place, names in zip(members, parts, strict=True):
            number = int(names[level].rpartition("_")[2])
            above = names[level - 1] if level else ""
            first = lowest.get((pattern[level][0], above), 0) if is_repeated else 0
            found[place] = number - first
    return found


def _level_of(pattern: _Pattern, parts: list[list[str]]) -> tuple[int, bool]:
    """Which of the names of alike paths has the index of the block, and whether blocks repeat."""
    levels = [at for at, (_, is_number) in enumerate(pattern) if is_number]
    width = {level: _repeated(parts, level) for level in levels}
    if levels and not pattern[levels[0]][0]:
        return next((at for at in reversed(levels) if width[at] > 1), levels[-1]), False
    # The outermost instance is the model, unless there is nothing else.
    inner = [at for at in levels if at] or [at for at in levels if width[at] > 1]
    if not inner:
        return NONE, False
    most = max(width[at] for at in inner)
    if most == 1:
        return inner[-1], False
    return next(at for at in inner if width[at] == most), True


def _names(path: str) -> list[str]:
    return re.split(r"[./]", path)


def _alike(names: list[str]) -> _Pattern:
    """The names of a path without its numbers: its indices, else those of its instances."""
    if any(_INDEX.fullmatch(name) for name in names):
        return tuple(("", True) if _INDEX.fullmatch(name) else (name, False) for name in names)
    return tuple(
        (match[1], True) if (match := _INSTANCE.fullmatch(name)) else (name, False)
        for name in names
    )


def _repeated(parts: list[list[str]], level: int) -> int:
    """How many names one parent has at a level, at most."""
    below: dict[tuple[str, ...], set[str]] = {}
    for names in parts:
        below.setdefault(tuple(names[:level]), set()).add(names[level])
    return max(len(names) for names in below.values())


def _lowest(trace: Trace) -> dict[tuple[str, str], int]:
    """The first instance of each class in each parent, of all module frames, by their names."""
    outer, name = trace.links.module_parent, trace.events.name
    module = trace.links.module
    frames = np.unique(module[module >= 0]).astype(np.int64)
    pairs: set[tuple[int, int]] = set()
    while len(frames):
        around = outer[frames].astype(np.int64)
        above = np.where(around >= 0, name[around], NONE)
        pairs.update(
            map(tuple, np.unique(np.stack([name[frames], above], axis=1), axis=0).tolist())
        )
        frames = np.unique(around[around >= 0])
    found: dict[tuple[str, str], int] = {}
    for mine, parent in pairs:
        text = trace.strings[mine].removeprefix(MODULE_PREFIX)
        match = _INSTANCE.fullmatch(text)
        if match:
            above_text = trace.strings[parent].removeprefix(MODULE_PREFIX) if parent >= 0 else ""
            key = (match[1], above_text)
            found[key] = min(found.get(key, int(match[2])), int(match[2]))
    return found
