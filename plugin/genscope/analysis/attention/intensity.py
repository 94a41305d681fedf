"""FLOPs and bytes of attention calls and of the products beside them, for the attention views.

The formulas are those of `genscope.analysis.flops`.
"""

from __future__ import annotations

import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.flops.attention import (
    attention_bytes,
    attention_flops,
    causal_unknown,
    counts_causal,
)
from genscope.analysis.flops.count import counted
from genscope.trace.model import Int64, Trace

__all__ = ["attention_bytes", "attention_flops", "causal_unknown", "counts_causal", "products"]


def products(trace: Trace, calls: Calls) -> tuple[Int64, Int64, Int64]:
    """Rows of the products and convolutions outside attention, their FLOPs and bytes.

    Of shape (p,) each; without those whose shapes or dtypes are not known.
    """
    work = counted(trace)
    mine = (work.call < 0) & work.is_matrix & (work.flops > 0) & (work.moved > 0)
    mine &= calls.of_event[work.row] < 0
    places = np.flatnonzero(mine)
    places = places[np.argsort(work.row[places], kind="stable")]
    return work.row[places], work.flops[places], work.moved[places]
