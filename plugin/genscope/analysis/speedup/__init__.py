"""What fused attention gains: two runs compared call by call, or one run and a table of speedups.

baseline, fused = trace.load("runs/math"), trace.load("runs/flash")
print(speedup(baseline, fused).sentence)
"""

from __future__ import annotations

from genscope.analysis.speedup.pairs import pair_runs, run_info
from genscope.analysis.speedup.prediction import predict, predicted
from genscope.analysis.speedup.side import Side, side_of
from genscope.analysis.speedup.table import shapes_to_measure, table_of
from genscope.analysis.speedup.view import between, speedup

__all__ = [
    "Side",
    "between",
    "pair_runs",
    "predict",
    "predicted",
    "run_info",
    "shapes_to_measure",
    "side_of",
    "speedup",
    "table_of",
]
