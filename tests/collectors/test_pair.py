"""A pair: two traces of the same call, times without a profiler, and whether outputs agree."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from genscope.collect.pair import Outputs, _compare, collect_pair
from genscope.schema import Workload
from tests.collectors.traces import names, read


class Attends(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Linear(16, 16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.proj(x)
        return F.scaled_dot_product_attention(y, y, y)


def test_two_traces_of_the_same_call(tmp_path: Path) -> None:
    model = Attends().eval()
    seen: list[tuple[float, float, float]] = []
    order: list[bool] = []

    def fn() -> torch.Tensor:
        x = torch.randn(1, 2, 8, 16)
        seen.append((float(x.flatten()[0]), random.random(), 0.0))
        order.append(torch.backends.cuda.flash_sdp_enabled())  # type: ignore[no-untyped-call]
        with torch.inference_mode():
            return model(x)  # type: ignore[no-any-return]

    torch.manual_seed(7)
    random.seed(7)
    before = torch.get_rng_state(), random.getstate()
    pair = collect_pair(
        fn, tmp_path, model=model, warmup=1, repeats=3, workload=Workload(model="tiny")
    )
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == random.getstate()

    # Each call starts from the same seed; the two take turns, the traces come last.
    assert len(set(seen)) == 1
    assert order == [False, True] * (1 + 3 + 1)

    for name, side, op in (
        ("math", pair.baseline, "aten::_scaled_dot_product_attention_math"),
        ("flash", pair.fused, "aten::_scaled_dot_product_flash_attention_for_cpu"),
    ):
        assert side.trace is not None
        assert side.trace.parent == tmp_path / name
        assert len(side.seconds) == 3
        assert side.ran.as_asked
        found = names(read(tmp_path / name))
        assert found.count(op) == found.count("aten::scaled_dot_product_attention") == 1
    assert pair.speedup == pair.baseline.median / pair.fused.median
    assert min(pair.speedups) > 0
    assert pair.outputs.agree
    assert "flash over math" in str(pair)


def test_times_stand_in_the_document(tmp_path: Path) -> None:
    from genscope.schema import loads

    model = Attends()
    x = torch.randn(1, 2, 8, 16)
    pair = collect_pair(lambda: model(x), tmp_path, model=model, repeats=2)
    text = read(tmp_path / "flash")["genscope"]
    document = loads(text if isinstance(text, str) else json.dumps(text))
    assert document.workload.attention == "flash"
    extra = document.workload.extra
    assert extra["unprofiled_median_s"] == pytest.approx(pair.fused.median)
    assert len(str(extra["unprofiled_repeats_s"]).split()) == 2
    assert extra["outputs_agree"] is True


def test_a_model_that_does_not_obey_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    x = torch.randn(2, 8, 16)

    def fn() -> torch.Tensor:
        return F.scaled_dot_product_attention(x, x, x)

    pair = collect_pair(fn, tmp_path, warmup=2, repeats=3)
    assert not pair.fused.ran.as_asked
    told = [r.getMessage() for r in caplog.records if "asked for" in r.getMessage()]
    assert len(told) == 1
    assert "3 dimensions" in told[0]


def test_an_exception_is_the_users_and_restores_the_generators(tmp_path: Path) -> None:
    state = torch.get_rng_state()

    def fn() -> None:
        torch.randn(3)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        collect_pair(fn, tmp_path)
    assert torch.equal(state, torch.get_rng_state())
    assert not list(tmp_path.rglob("*.json*"))


@pytest.mark.parametrize("wrong", [{"baseline": "flash"}, {"repeats": 0}, {"fused": "fast"}])
def test_what_makes_no_sense_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        collect_pair(lambda: None, tmp_path, **wrong)


X = torch.tensor([1.0, -2.0])


@pytest.mark.parametrize(
    ("left", "right", "agree"),
    [
        (X, X + 1e-4, True),
        (X, X + 1e-3, False),
        (X.half(), X.half() + 0.01, True),
        ({"a": [X]}, {"a": [X + 1]}, False),
        (torch.tensor([1, 2]), torch.tensor([1, 3]), False),
        (torch.tensor([1, 2]), torch.tensor([1, 2]), True),
        (X * float("nan"), X * float("nan"), True),
        (X, X * float("nan"), False),
        (X, X[:1], False),
        ("text", "text", None),
    ],
)
def test_outputs_compare_by_the_tolerance_of_their_type(
    left: Any, right: Any, agree: bool | None
) -> None:
    assert _compare(left, right).agree is agree


def test_the_difference_is_the_largest() -> None:
    found = _compare(X.double(), torch.tensor([1.0, -2.5], dtype=torch.float64))
    assert found == Outputs(False, 0.5, 1e-9)
