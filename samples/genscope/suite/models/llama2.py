"""LLaMA2 7B, the paper's language model (arXiv:2307.09288), by transformers."""

from __future__ import annotations

from genscope.suite.models.base import Task
from genscope.suite.models.language import language_model

MODEL = language_model(
    sizes={
        "tiny": {
            "width": 256,
            "layers": 4,
            "heads": 8,
            "kv_heads": 8,
            "ffn": 704,
            "vocabulary": 2048,
            "positions": 4096,
        },
        "paper": {
            "width": 4096,
            "layers": 32,
            "heads": 32,
            "kv_heads": 32,
            "ffn": 11008,
            "vocabulary": 32000,
            "positions": 4096,
        },
    },
    # A prompt long enough for attention to weigh something in prefill.
    tasks={"tiny": Task(prompt=512, tokens=16), "paper": Task(prompt=2048, tokens=128)},
)
