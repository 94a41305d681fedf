"""What fused attention avoids: score matrices that are never written, and what is kept instead."""

from __future__ import annotations

import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.where import FORWARD_PASSES, in_passes
from genscope.analysis.memory.results import Fused, FusedTotals
from genscope.analysis.memory.stages import Matrices
from genscope.analysis.memory.words import size
from genscope.trace.model import Int64

PASSES_OVER = 4
"""How often a baseline goes over a matrix: written, read and written by the softmax, read."""


def fused_of(calls: Calls, matrices: Matrices) -> Fused:
    """Add up the forward calls, those that are fused and those that are not."""
    forward = in_passes(calls, FORWARD_PASSES)
    fused = _totals(matrices, np.flatnonzero(forward & matrices.fused))
    unfused = _totals(matrices, np.flatnonzero(forward & matrices.unfused))
    other = int((forward & ~matrices.fused & ~matrices.unfused).sum())
    return Fused(
        fused=fused, unfused=unfused, other_calls=other, sentence=_sentence(fused, unfused)
    )


def _totals(matrices: Matrices, places: Int64) -> FusedTotals:
    known = places[(matrices.real[places] >= 0) & (matrices.kept[places] >= 0)]
    real = matrices.real[known]
    largest = int(real.argmax()) if len(known) else 0
    # Python's whole numbers do not overflow, whatever sizes a file claims.
    total = sum(real.tolist())
    return FusedTotals(
        calls=len(places),
        calls_unknown=len(places) - len(known),
        matrix_bytes=total,
        traffic_bytes=PASSES_OVER * total,
        kept_bytes=sum(matrices.kept[known].tolist()),
        largest_bytes=int(real[largest]) if len(known) else 0,
        largest_kept_bytes=int(matrices.kept[known[largest]]) if len(known) else 0,
    )


def _sentence(fused: FusedTotals, unfused: FusedTotals) -> str:
    parts = []
    if fused.matrix_bytes:
        parts.append(
            f"Fused attention avoids {size(fused.matrix_bytes)} of score matrices and "
            f"{size(fused.traffic_bytes)} of reading and writing them, at most "
            f"{size(fused.largest_bytes)} at once, and keeps {size(fused.kept_bytes)} instead."
        )
    if unfused.matrix_bytes:
        parts.append(
            f"{unfused.calls:,} calls are not fused: they write {size(unfused.matrix_bytes)} of "
            f"score matrices, {size(unfused.largest_bytes)} at once; fused, they would keep "
            f"{size(unfused.kept_bytes)}."
        )
    return " ".join(parts) or "No call whose score matrices are known."
