from __future__ import annotations

import inspect

import pytest
import torch

from genscope.suite.annotate import Range, ranges
from tests.samples.profiling import observe


class Doubler(torch.nn.Module):
    def forward(self, value: torch.Tensor, *, fail: bool = False) -> torch.Tensor:
        if fail:
            raise ValueError("asked to fail")
        return value * 2


def named(doubler: Doubler) -> Range:
    return Range(doubler, "forward", lambda value, **_: f"doubled {len(value)}")


def test_label_is_made_from_the_arguments_of_each_call() -> None:
    doubler = Doubler()

    def run() -> None:
        with ranges(named(doubler)):
            doubler(torch.ones(3))
            doubler(torch.ones(5))

    assert observe("flash", run).ranges == ["doubled 3", "doubled 5"]


def test_result_and_signature_are_those_of_the_method() -> None:
    doubler = Doubler()
    before = inspect.signature(doubler.forward)
    with ranges(named(doubler)):
        assert inspect.signature(doubler.forward) == before
        assert doubler(torch.ones(2)).tolist() == [2, 2]


def test_methods_are_restored_though_a_call_failed() -> None:
    doubler = Doubler()
    with pytest.raises(ValueError, match="asked to fail"), ranges(named(doubler)):
        doubler(torch.ones(1), fail=True)
    assert "forward" not in vars(doubler)


def test_a_method_replaced_before_is_found_again() -> None:
    doubler = Doubler()

    def replaced(value: torch.Tensor) -> torch.Tensor:
        return value * 3

    vars(doubler)["forward"] = replaced
    with ranges(named(doubler)):
        assert doubler(torch.ones(1)).item() == 3
    assert doubler.forward is replaced
