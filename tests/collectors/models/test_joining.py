"""The joining of ops and annotations finds what is missing, doubled or wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.profiler import record_function

from genscope.schema import (
    AttentionCall,
    Component,
    ComponentCall,
    Document,
    Module,
    Site,
    attention_name,
    component_name,
)
from tests.collectors.models.annotated import Annotated, join
from tests.collectors.models.expect import CHAIN, Call, randn
from tests.collectors.models.observe import observe

TABLE = Document(
    components=(Component(id=0, name="unet"),),
    modules=(Module(id=0, path="blocks.0.attn"),),
    sites=(
        Site(
            id=0,
            component=0,
            module=0,
            axis="spatial",
            heads=3,
            kv_heads=3,
            head_dim=8,
            causal=False,
        ),
    ),
)
SAID = Call("unet", "blocks.0.attn", "self", "spatial", 2, 3, 9, 9, 8, step=1)
NAME = attention_name(AttentionCall(site=0, kind="self", batch=2, q_len=9, kv_len=9))
MARK = attention_name(AttentionCall(site=0, kind="self", batch=2, q_len=9, kv_len=9, chain=True))


def _fused() -> torch.Tensor:
    query = randn(2, 3, 9, 8)
    return scaled_dot_product_attention(query, query, query)


def _chain() -> torch.Tensor:
    query = randn(2, 3, 9, 8)
    return (query @ query.mT).softmax(dim=-1) @ query


def _joined(run: Any) -> tuple[list[Annotated], int]:
    def in_component() -> torch.Tensor:
        with record_function(component_name(ComponentCall(component=0, name="unet", step=1))):
            result: torch.Tensor = run()
        return result

    return join(observe(in_component)[1])


def test_a_range_around_an_op_speaks_of_it() -> None:
    def run() -> torch.Tensor:
        with record_function(NAME):
            return _fused()

    [one], annotations = _joined(run)
    assert annotations == 1
    assert not list(one.disagreements(TABLE, SAID))
    assert list(one.disagreements(TABLE, replace(SAID, q=8))) == ["q 9, not 8"]
    assert list(one.disagreements(TABLE, replace(SAID, step=0))) == ["step 1, not 0"]
    assert list(one.disagreements(TABLE, replace(SAID, module="attn.0"))) == [
        "module blocks.0.attn, not attn.0"
    ]


def test_a_mark_after_a_chain_speaks_of_it() -> None:
    def run() -> torch.Tensor:
        result = _chain()
        with record_function(MARK):
            pass
        return result + _chain()

    [first, second], annotations = _joined(run)
    assert annotations == 1
    assert (first.op.op, first.op.rows, first.op.kv) == (CHAIN, 2 * 3 * 9, 9)
    assert not list(first.disagreements(TABLE, SAID))
    assert list(second.disagreements(TABLE, SAID)) == ["0 annotations"]


def test_what_is_missing_or_doubled_is_found() -> None:
    def run() -> torch.Tensor:
        with record_function(NAME), record_function(NAME):
            result = _fused()
        with record_function(NAME):
            pass
        return result + _fused()

    [doubled, missing], annotations = _joined(run)
    assert annotations == 3
    assert list(doubled.disagreements(TABLE, SAID)) == ["2 annotations"]
    assert list(missing.disagreements(TABLE, SAID)) == ["0 annotations"]
