"""A name -> the rule that it matches. Each is meant to be called once per distinct name."""

from __future__ import annotations

import re
from dataclasses import replace

from genscope.analysis.categories import kernels, libraries, ops, scopes
from genscope.analysis.categories.fused import match_fused
from genscope.analysis.categories.vocabulary import NAME_LIMIT, Patterns, Rule, Strength
from genscope.trace.model import Kind

_ENGINE = "autograd::engine::evaluate_function: "
_ANONYMOUS = "(anonymous namespace)::"
_WHOLE = {"Attention": Strength.SCOPE, "Communication": Strength.SCOPE}
_COPY = {Kind.MEMCPY: "kernel memcpy", Kind.MEMSET: "kernel memset"}

_OP_NAMESPACES = Patterns("op", ops.NAMESPACES, _WHOLE)
_OP_DEDICATED = Patterns("op", libraries.DEDICATED, _WHOLE)
_OP_WRAPPERS = Patterns("op", libraries.WRAPPERS, {"Linear": Strength.WEAK})
_OP_KEYWORDS = Patterns("op", libraries.KEYWORDS, _WHOLE)
_KERNEL_COPIES = Patterns("kernel", kernels.COPIES)
_KERNEL_DEDICATED = Patterns("kernel", libraries.DEDICATED)
_KERNEL_TABLES = (
    Patterns("kernel", kernels.VENDORS),
    Patterns("kernel", libraries.KEYWORDS),
    Patterns("kernel", kernels.LAST),
)


def match_op(name: str) -> Rule | None:
    """Return the rule of a cpu_op: an operator, a custom op, an autograd node or function.

    Some producers record annotations as ops, so those are known here too. The engine's wrapper
    around an autograd node is only WEAK: what it adds to the node is the summing of gradients.
    """
    name = name[:NAME_LIMIT].replace(_ANONYMOUS, "")
    node = name.removeprefix(_ENGINE)
    rule = _op(node)
    if rule is not None and len(node) < len(name):
        return replace(rule, strength=Strength.WEAK)
    return rule


def match_scope(name: str) -> Rule | None:
    """Return the rule of a user annotation, an nn.Module frame or a bare module class."""
    name = name[:NAME_LIMIT]
    cls = scopes.module_class(name)
    if cls is not None:
        return scopes.CLASSES.match(cls)
    return _annotation(name.lower()) or (scopes.CLASSES.match(name) if name.isalnum() else None)


def match_kernel(name: str, kind: Kind) -> Rule | None:
    """Return the rule of a device event of kind KERNEL, MEMCPY or MEMSET."""
    if kind in _COPY:
        return Rule("Memory", "", _COPY[kind])
    text = name[:NAME_LIMIT].lower()
    rule = _KERNEL_COPIES.match(text) or match_fused(text) or _KERNEL_DEDICATED.match(text)
    if rule is not None:
        return rule
    for marker, table in kernels.FAMILIES:
        if marker.search(text) and (rule := table.match(text)):
            return rule
    for table in _KERNEL_TABLES:
        if rule := table.match(text):
            return rule
    return None


def _op(name: str) -> Rule | None:
    """Match an op without the engine's prefix: fused, annotation, namespace, word, keyword."""
    text = name.lower()
    rule = match_fused(text) or _annotation(text)
    if rule is not None or ops.NO_RULE.search(text):
        return rule
    namespace, _, base = name.rpartition("::")
    if namespace:
        base = base.partition(".")[0]
    rule = _OP_NAMESPACES.match(text) or _OP_WRAPPERS.match(text) or ops.look_up(base)
    if rule is not None or re.search(r"\s", text):
        return rule  # Text with spaces is a sentence of some wrapper: its words prove nothing.
    return _OP_DEDICATED.match(text) or _OP_KEYWORDS.match(text)


def _annotation(text: str) -> Rule | None:
    return scopes.DECIDING.match(text) or scopes.WEAKER.match(text)
