"""Run models under torch's profiler and return their traces as plain JSON."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from tests.collectors.models.cases import CASES


def observe(run: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, dict[str, Any]]:
    """Return the result of `run` and the Chrome trace of it, with shapes."""
    with (
        torch.inference_mode(),
        profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler,
    ):
        result = run()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.json")
        profiler.export_chrome_trace(str(path))
        trace: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result, trace


@lru_cache(maxsize=4)
def recorded(name: str) -> tuple[torch.Tensor, dict[str, Any]]:
    """Return what a model of the matrix gives, and its trace, without any collector."""
    return observe(CASES[name].build().run)
