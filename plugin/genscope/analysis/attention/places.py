"""Where in the model a call is: component, module, layer, and the place it has in every round."""

from __future__ import annotations

import re

import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.modules import components
from genscope.analysis.tree import module_tree
from genscope.trace.model import NONE, Int64, Trace

_NUMBER = re.compile(r"(?:^|[._/])(\d{1,6})(?=$|[._/])")
_INSTANCE = re.compile(r"_(\d{1,6})$")


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
        path = tree.path(number)
        paths[number] = calls.words.number(path)
        layers[number] = _layer(path)
    calls.texts["module"] = paths[tree.of_row]
    calls.layer = layers[tree.of_row]
    names, found = components(trace, calls.row, tree)
    column = np.array([calls.words.number(name) for name in names] + [NONE], dtype=np.int32)
    calls.texts["component"] = column[found]
    return tree.of_row.astype(np.int64)


def _layer(path: str) -> int:
    """Number of the layer that a module path names; -1 where it names none.

    The last number of a qualified name (`layers.3.self_attn`), else the number of the innermost
    instance (`DecoderLayer_3/Attention_3`).
    """
    dotted = _NUMBER.findall(path.replace("/", "."))
    if dotted and "." in path:
        return int(dotted[-1])
    instance = _INSTANCE.search(path)
    return int(instance[1]) if instance else NONE
