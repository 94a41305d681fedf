"""The rates of the CPU this runs on, found by a short benchmark.

A second of one matrix product and one copy, repeated; run only where somebody asks for it.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from time import perf_counter

import numpy as np

from genscope.analysis.roofline.devices import DeviceRates

_SIZE = 1024
_COPIED = 64 * 2**20
_SECONDS = 0.3


def measure_cpu() -> DeviceRates:
    """Measure this CPU with the threads that numpy uses (`OMP_NUM_THREADS`), in about a second.

    Rates of its matrix products stand for those of its vector units too, which do them.
    """
    rates = {
        name: 2 * _SIZE**3 / _fastest(_product(dtype))
        for name, dtype in (("float32", np.float32), ("float64", np.float64))
    }
    source = np.ones(_COPIED, dtype=np.uint8)
    target = np.empty_like(source)
    bandwidth = 2 * _COPIED / _fastest(lambda: np.copyto(target, source))
    return DeviceRates(
        name=f"this CPU ({platform.processor() or platform.machine()})",
        source=f"measured: product of {_SIZE} x {_SIZE} matrices, copy of 64 MiB",
        bandwidth=bandwidth,
        matrix=rates,
        vector=rates,
    )


def _product(dtype: type[np.float32] | type[np.float64]) -> Callable[[], object]:
    left = np.ones((_SIZE, _SIZE), dtype=dtype)
    result = np.empty_like(left)
    return lambda: np.matmul(left, left, out=result)


def _fastest(run: Callable[[], object]) -> float:
    """Seconds of the fastest of several runs."""
    run()
    best, end = float("inf"), perf_counter() + _SECONDS
    while (start := perf_counter()) < end or best == float("inf"):
        run()
        best = min(best, perf_counter() - start)
    return best
