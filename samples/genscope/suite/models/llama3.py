"""Llama 3 8B (arXiv:2407.21783), by transformers: four query heads share one of keys and values."""

from __future__ import annotations

from genscope.suite.models.base import Task
from genscope.suite.models.language import language_model

MODEL = language_model(
    sizes={
        "tiny": {
            "width": 256,
            "layers": 4,
            "heads": 8,
            "kv_heads": 2,
            "ffn": 896,
            "vocabulary": 2048,
            "positions": 8192,
            "theta": 500000.0,
        },
        "paper": {
            "width": 4096,
            "layers": 32,
            "heads": 32,
            "kv_heads": 8,
            "ffn": 14336,
            "vocabulary": 128256,
            "positions": 8192,
            "theta": 500000.0,
        },
    },
    tasks={"tiny": Task(prompt=512, tokens=16), "paper": Task(prompt=4096, tokens=128)},
)
