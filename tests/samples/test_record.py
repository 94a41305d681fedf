from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn.attention import sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from genscope.suite.record import ATTENTION, WrongAttentionError, op_counts, record


def attend() -> torch.Tensor:
    value = torch.ones(1, 2, 8, 4)
    return scaled_dot_product_attention(value, value, value)


def nothing() -> None:
    pass


def add() -> torch.Tensor:
    return torch.ones(2) + 1


@pytest.mark.parametrize("attention", ATTENTION)
def test_one_trace_with_what_was_asked(tmp_path: Path, attention: str) -> None:
    made = record(attention, tmp_path / "run", warm_up=nothing, run=attend)
    assert list((tmp_path / "run").iterdir()) == [made.path]
    assert made.path.name.endswith(".pt.trace.json.gz")
    assert made.attention_calls == 1
    assert op_counts(made.path)[ATTENTION[attention].op] == 1


def test_warm_up_runs_with_the_same_attention_but_is_not_recorded(tmp_path: Path) -> None:
    made = record("math", tmp_path, warm_up=attend, run=attend)
    assert made.attention_calls == 1


def test_another_implementation_is_refused_and_named(tmp_path: Path) -> None:
    def otherwise() -> None:
        attend()
        with sdpa_kernel(ATTENTION["flash"].backend):
            attend()

    with pytest.raises(WrongAttentionError, match=r"of 2 calls 1 ran.*1 x \S*flash_attention"):
        record("math", tmp_path, warm_up=nothing, run=otherwise)
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_attention_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongAttentionError, match="no aten::scaled_dot_product_attention"):
        record("math", tmp_path, warm_up=nothing, run=add)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:Flash attention:UserWarning")
def test_attention_that_the_machine_lacks_is_refused(tmp_path: Path) -> None:
    def unavailable() -> None:
        # Wider values than keys, which the flash kernels do not take.
        query, value = torch.ones(1, 2, 8, 4), torch.ones(1, 2, 8, 8)
        scaled_dot_product_attention(query, query, value)

    with pytest.raises(WrongAttentionError, match="flash attention is not available"):
        record("flash", tmp_path, warm_up=unavailable, run=attend)


def test_other_failures_of_the_model_come_through(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("out of luck")

    with pytest.raises(RuntimeError, match="out of luck"):
        record("flash", tmp_path, warm_up=fail, run=attend)
    with pytest.raises(RuntimeError, match="out of luck"):
        record("flash", tmp_path, warm_up=nothing, run=fail)
    assert list(tmp_path.iterdir()) == []


def test_a_new_recording_takes_the_place_of_the_old_one_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "mine.pt.trace.json.gz"
    theirs.write_bytes(b"kept")
    old = record("math", tmp_path, warm_up=nothing, run=attend)
    new = record("math", tmp_path, warm_up=nothing, run=attend)
    assert old.path != new.path
    assert sorted(tmp_path.iterdir()) == sorted([theirs, new.path])
