"""What is said by hand about each model is what its raw trace holds, with no collector about."""

from __future__ import annotations

import pytest

from tests.collectors.models.cases import CASES
from tests.collectors.models.count import attention_ops, nested
from tests.collectors.models.observe import recorded


@pytest.mark.parametrize("name", CASES)
def test_the_ops_of_a_trace_are_the_calls_written_by_hand(name: str) -> None:
    _, trace = recorded(name)
    ops, calls = attention_ops(nested(trace)), CASES[name].calls()
    assert len(ops) == len(calls)
    wrong = [
        f"{index} {call.component} {call.module}: {op.disagreement(call)}"
        for index, (op, call) in enumerate(zip(ops, calls, strict=True))
        if op.disagreement(call)
    ]
    assert not wrong


def test_a_softmax_without_its_products_is_not_counted() -> None:
    _, trace = recorded("multi_query_einsum")
    softmaxes = [raw for raw in trace["traceEvents"] if raw.get("name") == "aten::_softmax"]
    assert len(softmaxes) == 5
    assert len(attention_ops(nested(trace))) == 4
