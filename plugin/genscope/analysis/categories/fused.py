"""Kernels that torch.compile generates: the ops fused into one are listed in its name.

`triton_red_fused_add_native_layer_norm_3` is a reduction (`red`) made of `add` and
`native_layer_norm`. Products, convolutions and attention run inside a kernel only in templates
(`tem`); elsewhere their names mean what feeds them or what follows them, such as the bias.
"""

from __future__ import annotations

import re

from genscope.analysis.categories import ops
from genscope.analysis.categories.vocabulary import Rule, Strength, make_rule

_NAME = re.compile(
    r"(?:^|[^a-z0-9])(?:triton_(?:(?P<kind>[a-z]{2,4})_)?|cpp_|mps_|halide_|pallas_|cutedsl_)"
    r"fused(?P<ops>(?:_\w*)?)"
)
_LONGEST = 12
"""Words in the longest base name."""

_TEMPLATES: dict[str, str] = {
    "flexattention": "Attention",
    "flexattentionbackward": "Attention",
    "flexdecoding": "Attention",
    "scaleddotproductattention": "Attention",
}
"""Template ops that are no ATen op, by squashed name."""

_ORDER = ("Softmax", "Normalization", "Embedding", "Optimizer", "Other", "Elementwise", "Memory")
"""What a kernel that is no template is, if any of its ops is: the first of these."""

_CAST = frozenset({"tocopy", "convertelementtype"})
_MOMENTS = frozenset({"mean", "varmean", "var", "pow", "linalgvectornorm"})
_PRODUCTS = ("Attention", "Convolution", "Linear")


def match_fused(text: str) -> Rule | None:
    """Return the rule of a lower-cased generated name; None for any other name."""
    found = _NAME.search(text)
    if found is None:
        return None
    words = fused_ops(found["ops"])
    if found["kind"] == "tem":
        return _template(words)
    if found["kind"] is None and not words:
        return None
    return _loops(words)


def fused_ops(text: str) -> list[str]:
    """Return the squashed base names that `_add__to_copy_native_layer_norm_3` is made of.

    A base name may hold underscores itself, so at each place the longest known one is taken;
    words that belong to none (the number at the end, a cut name) are skipped.
    """
    words = [word for word in text.split("_") if word]
    result: list[str] = []
    at = 0
    while at < len(words):
        for size in range(min(_LONGEST, len(words) - at), 0, -1):
            key = "".join(words[at : at + size])
            if key in ops.WORDS or key in _TEMPLATES:
                result.append(key)
                break
        else:
            size = 1
        at += size
    return result


def _template(words: list[str]) -> Rule:
    """Return the rule of a template: its product; a matrix product if none is named."""
    for word in words:
        if word in _TEMPLATES:
            return _rule(_TEMPLATES[word], "template flex attention", word)
    for category in ("Convolution", "Linear"):
        for word in words:
            if ops.WORDS[word].category == category:
                return _rule(category, f"template {ops.WORDS[word].pattern}", word)
    return _rule("Linear", "template", "")


def _loops(words: list[str]) -> Rule:
    """Return the rule of a pointwise, reduction or foreach kernel."""
    known = {word: ops.WORDS[word] for word in words if word in ops.WORDS}
    computing = {
        word: rule
        for word, rule in known.items()
        if rule.strength is not Strength.WEAK and rule.category not in _PRODUCTS
    }
    casts = _CAST & computing.keys()
    if "rsqrt" in computing and _MOMENTS & computing.keys():
        return _rule("Normalization", "mean and rsqrt", "rsqrt")
    for category in _ORDER:
        for word, rule in computing.items():
            if word not in casts and rule.category == category:
                if rule.sub:
                    category = f"{category}/{rule.sub}"
                return _rule(category, rule.pattern, word)
    if casts:
        return _rule("Elementwise", "cast", "to_copy")
    if "Attention" in (_TEMPLATES.get(word) for word in words):
        return _rule("Memory", "layout for attention", "")
    if any(rule.category in _PRODUCTS for rule in known.values()):
        return _rule("Elementwise", "bias", "")
    if known:
        return _rule("Memory", "layout", "")
    return _rule("Elementwise", "ops unnamed", "")


def _rule(category: str, label: str, pattern: str) -> Rule:
    return make_rule(category, pattern, f"inductor {label}")
