"""The attention calls of one run of a model of the suite, as the analysis reads them back."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch

from genscope.analysis.attention.view import attention
from genscope.suite.models.base import Model, Task
from genscope.suite.record import record
from genscope.trace import load


class Seen(NamedTuple):
    component: str | None
    kind: str | None
    axis: str | None
    batch: int | None
    q_len: int | None
    kv_len: int | None
    causal: bool | None


def seen(model: Model, task: Task, folder: Path) -> list[Seen]:
    """Build `model` at tiny scale, record one run of `task`, and return its calls in order."""
    pipe = model.pipeline("tiny", model.build("tiny"))

    def run() -> torch.Tensor:
        with torch.inference_mode():
            return pipe.run(task)

    made = record("flash", folder, model=pipe.target, warm_up=lambda: None, run=run)
    calls = attention(load(str(made.path))).calls
    return [
        Seen(call.component, call.kind, call.axis, call.batch, call.q_len, call.kv_len, call.causal)
        for call in calls
    ]
