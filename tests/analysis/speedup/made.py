"""Attention calls and runs made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genscope.analysis.attention.columns import SIZES, TEXTS, Calls, Words
from genscope.analysis.speedup.side import Side
from genscope.schema import Document, Workload

SD_STEP = (4096, 4096, 1024, 1024, 256, 256, 64, 256, 256, 256, 1024, 1024, 1024, 4096, 4096, 4096)
"""Self attention of a step of Stable Diffusion v1 at 512 x 512."""


def calls(q_len: Sequence[int], **columns: Any) -> Calls:
    """Calls with these query lengths; `columns` are values, or a value a call, by their name."""
    count = len(q_len)
    length = np.asarray(q_len, dtype=np.int64)
    words = Words()

    def column(name: str, default: object) -> np.ndarray[Any, Any]:
        given = columns.get(name, default)
        values = [given] * count if isinstance(given, str | int | None) else list(given)
        return np.array(
            [words.number(one) if isinstance(one, str | None) else int(one) for one in values]
        ).astype(np.int64)

    plain: Mapping[str, object] = {
        "batch": 2, "heads": 8, "kv_heads": 8, "q_len": length, "kv_len": length,
        "q_tokens": -1, "head_dim": 40, "v_head_dim": 40,
    }  # fmt: skip
    text = {"kind": "self", "axis": "spatial", "implementation": "flash", "dtype": "float16"}
    start = np.arange(count, dtype=np.int64) * 1000
    return Calls(
        start_ns=start,
        end_ns=start + 500,
        device_start_ns=start,
        device_end_ns=start + 500,
        device_ns=column("device_ns", 500),
        cpu_ns=column("cpu_ns", 10),
        layout_ns=column("layout_ns", 0),
        row=np.arange(count, dtype=np.int64),
        track=np.zeros(count, dtype=np.int32),
        pass_=column("pass_", 0).astype(np.uint8),
        forward=np.full(count, -1, dtype=np.int64),
        chain=np.zeros(count, dtype=np.bool_),
        causal=column("causal", 0).astype(np.int8),
        layer=np.full(count, -1, dtype=np.int32),
        step=column("step", -1),
        sizes={name: column(name, plain[name]) for name in SIZES},
        texts={name: column(name, text.get(name)).astype(np.int32) for name in TEXTS},
        words=words,
        of_event=np.zeros(0, dtype=np.int32),
    )


def side(found: Calls, **fields: Any) -> Side:
    """A run of these calls on a GPU."""
    attention = int(found.device_ns.sum())
    known: dict[str, Any] = {
        "trace": "made.json",
        "rank": None,
        "basis": "device",
        "devices": ["GPU"],
        "lanes": 1,
        "wall_ns": 3 * attention + 7,
        "sum_ns": 2 * attention,
        "busy_ns": 2 * attention - 3,
        "categories": {"Attention": attention, "Convolution": attention},
        "calls": found,
        "index": np.arange(len(found), dtype=np.int64),
        "time_ns": found.device_ns,
        "attention_ns": found.device_ns,
        "step_ns": np.zeros(0, dtype=np.int64),
        "document": Document(workload=fields.pop("workload", Workload())),
        "generated": False,
        "graphs": False,
        "warnings": [],
    }
    return Side(**{**known, **fields})
