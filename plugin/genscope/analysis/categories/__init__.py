"""Which category a name stands for: tables of rules, and three functions that read them.

Tables: `ops` (PyTorch's ops), `libraries` (ops and kernels of other libraries), `kernels` (vendors'
and PyTorch's kernels), `fused` (what torch.compile generates), `scopes` (annotations, modules).
"""

from genscope.analysis.categories.match import match_kernel, match_op, match_scope
from genscope.analysis.categories.ops import CAST_OPS
from genscope.analysis.categories.vocabulary import CATEGORIES, Rule, Strength

__all__ = [
    "CAST_OPS",
    "CATEGORIES",
    "Rule",
    "Strength",
    "match_kernel",
    "match_op",
    "match_scope",
]
