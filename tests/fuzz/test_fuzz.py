"""A small, fixed part of what `python -m tests.fuzz.run` does at length."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.check import examine
from tests.fuzz.run import case_of, corpus

TRACES = [
    "cpu-only-rank34",
    "llm-prefill-qwen1.5-h100",
    "llm-vllm-decode-cudagraph",
    "training-megatron-tp8-rank0",
    "training-ns-timestamps-rank0",
    "training-resnet50-v100",
]
SEED = 20
CASES = 300


@pytest.fixture(scope="module")
def made(shared_traces: Path) -> list[bytes]:
    return corpus(shared_traces, TRACES, each=4, seed=SEED)


def test_excerpts_are_whole_traces(made: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    damage = ("repaired", "unreadable", "truncated", "text_after_end", "no_")
    for text in made:
        path.write_bytes(text)
        outcome = examine(path, analyse=True)
        assert outcome.rows
        assert not [code for code in outcome.codes if code.startswith(damage)]


def test_broken_traces_give_a_whole_result_or_a_line(made: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    refused = 0
    for case in range(CASES):
        data, block_bytes = case_of(made, SEED, case)
        path.write_bytes(data)
        try:
            refused += examine(path, analyse=True, block_bytes=block_bytes).refused
        except Exception as error:
            raise AssertionError(f"case {case} of seed {SEED}: {error!r}") from error
    # A fuzzer whose files are all refused, or all whole, tests nothing.
    assert CASES // 20 < refused < CASES // 2
