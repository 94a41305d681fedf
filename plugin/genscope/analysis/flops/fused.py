"""Kernels that torch.compile made: what they do is in their names, how much in their arguments.

`triton_red_fused_add_native_layer_norm_3` adds and normalises each element. The tensors it was
given are its operands and results, each once; the numbers after them are the elements that it goes
over. Both are recorded with the op of the kernel's name around the launch. Which of the fused ops
run on all elements is not told, so the FLOPs are an estimate, the bytes an upper bound where only a
part of an operand is read.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

from genscope.analysis.categories.fused import fused_ops
from genscope.analysis.flops.formula import VECTOR, Formula
from genscope.analysis.flops.inputs import Cost, Op, moved

SAYS = "those of the ops in its name, each on every element"

_COUNTS = {
    "nativelayernorm": 8,
    "nativegroupnorm": 8,
    "nativebatchnorm": 8,
    "nativebatchnormlegit": 8,
    "nativebatchnormlegitnotraining": 4,
    "rmsnorm": 4,
    "fusedrmsnorm": 4,
    "softmax": 5,
    "logsoftmax": 5,
    "safesoftmax": 5,
    "preparesoftmaxonline": 4,
    "sigmoid": 4,
    "silu": 5,
    "gelu": 5,
    "mish": 5,
    "softplus": 3,
    "varmean": 4,
    "var": 4,
    "addcmul": 3,
    "lerp": 3,
    "nativedropout": 3,
    # The bias of a product or a convolution whose result is read.
    "addmm": 1,
    "baddbmm": 1,
    "convolution": 1,
    "linear": 1,
}

_NOTHING = ("Memory", "Embedding", "Attention", "Communication", "Linear", "Convolution")


@lru_cache(maxsize=4096)
def _count(name: str) -> int | None:
    """FLOPs an element of a generated kernel by its name; None for a template, or no such name."""
    from genscope.analysis.categories import ops

    text = name[:4000].lower()
    head, found, rest = text.partition("fused")
    if not found or "_tem_" in head or not head.startswith(("triton_", "cpp_")):
        return None
    total = 0
    for word in fused_ops(rest):
        rule = ops.WORDS.get(word)
        category = "Attention" if rule is None else rule.category
        cast = word in ("tocopy", "convertelementtype")
        total += _COUNTS.get(word, 0 if cast or category in _NOTHING else 1)
    return total


def is_fused(name: str) -> bool:
    """Whether an op is a generated kernel whose work its name tells."""
    return _count(name) is not None


def generated(op: Op) -> Cost | None:
    """Cost of a generated kernel."""
    count, given = _count(op.name), op.given()
    if count is None or not given:
        return None
    sizes = [found for at in range(len(op.values)) if (found := op.ints(at))]
    numbers = [one for listed in sizes for one in listed if one > 0]
    largest = max(given, key=lambda one: one.numel)
    # A loop has one number, a reduction two; more of them are sizes that vary, not lengths alone.
    elements = prod(numbers) if 0 < len(numbers) <= 2 else largest.numel
    elements = min(elements, max(sum(one.numel for one in given), 1))
    return Cost(count * elements, moved(*given), largest.dtype)


FUSED = Formula("(torch.compile)", SAYS, generated, VECTOR, "names of the fused ops", estimate=True)
"""The row of all generated kernels."""
