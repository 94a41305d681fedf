from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from genscope.collect.switch import AttentionUnavailableError, WrongAttentionError
from genscope.suite import record as recording
from genscope.suite.record import NotRecordedError, Recording
from tests.samples.profiling import OPS


def attend() -> torch.Tensor:
    value = torch.ones(1, 2, 8, 4)
    return scaled_dot_product_attention(value, value, value)


def nothing() -> None:
    pass


def record(name: str, folder: Path, **calls: object) -> Recording:
    given = {"model": None, "warm_up": nothing, "run": attend} | calls
    return recording.record(name, folder, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", OPS)
def test_one_trace_with_what_was_asked(tmp_path: Path, name: str) -> None:
    made = record(name, tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == [made.path]
    assert made.path.name.startswith("cpu.")
    assert made.path.name.endswith(".pt.trace.json.gz")
    assert made.attention_calls == 1
    with gzip.open(made.path) as file:
        ops = Counter(event["name"] for event in json.load(file)["traceEvents"])
    assert {op: ops[op] for op in OPS.values()} == {
        op: int(other == name) for other, op in OPS.items()
    }


def test_warm_up_runs_with_the_same_attention_but_is_not_recorded(tmp_path: Path) -> None:
    made = record("math", tmp_path, warm_up=attend)
    assert made.attention_calls == 1


def test_another_implementation_is_refused_and_named(tmp_path: Path) -> None:
    def otherwise() -> None:
        attend()
        with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
            attend()

    with pytest.raises(WrongAttentionError, match="1 of 2 calls ran so; 1 as flash"):
        record("math", tmp_path, run=otherwise)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("warm_up", [nothing, attend])
def test_a_run_without_attention_is_refused(tmp_path: Path, warm_up: object) -> None:
    with pytest.raises(WrongAttentionError, match="asked for math attention, but no"):
        record("math", tmp_path, warm_up=warm_up, run=lambda: torch.ones(2) + 1)
    assert list(tmp_path.iterdir()) == []


def test_attention_that_the_machine_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AttentionUnavailableError, match="available: math, flash"):
        record("efficient", tmp_path, model=nn.Linear(1, 1))


def test_a_kernel_that_cannot_serve_a_call_is_refused_with_the_reason(tmp_path: Path) -> None:
    def unavailable() -> None:
        # Wider values than keys, which the flash kernels do not take.
        query, value = torch.ones(1, 2, 8, 4), torch.ones(1, 2, 8, 8)
        scaled_dot_product_attention(query, query, value)

    with pytest.raises(WrongAttentionError, match="v is 8 wide, q and k 4"):
        record("flash", tmp_path, run=unavailable)
    assert list(tmp_path.iterdir()) == []


def test_failures_of_the_model_come_through(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("out of luck")

    with pytest.raises(RuntimeError, match="out of luck"):
        record("flash", tmp_path, warm_up=fail)
    with pytest.raises(RuntimeError, match="out of luck"):
        record("flash", tmp_path, run=fail)
    assert list(tmp_path.iterdir()) == []


def test_without_a_trace_the_collectors_reason_is_told(tmp_path: Path) -> None:
    from torch.profiler import profile

    with profile(), pytest.raises(NotRecordedError, match="another profiler"):
        record("math", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_new_recording_takes_the_place_of_the_old_one_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "mine.pt.trace.json.gz"
    theirs.write_bytes(b"kept")
    old = record("math", tmp_path)
    new = record("math", tmp_path)
    assert old.path != new.path
    assert sorted(tmp_path.iterdir()) == sorted([theirs, new.path])
