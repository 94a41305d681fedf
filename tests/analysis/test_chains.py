"""Unfused attention is found in what real torch ops leave in a trace, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.profiler import ProfilerActivity, profile

from genscope.analysis.classify import PASSES, Classes, classify
from genscope.trace import Kind, Trace, load

Record = Callable[..., tuple[Trace, Classes]]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Profile a call on the CPU and classify its trace."""

    def run(call: Callable[[], object], *, shapes: bool = True) -> tuple[Trace, Classes]:
        call()
        with profile(activities=[ProfilerActivity.CPU], record_shapes=shapes) as profiler:
            call()
        path = tmp_path / "trace.json"
        profiler.export_chrome_trace(str(path))
        trace = load(path)
        return trace, classify(trace)

    return run


def categories(trace: Trace, classes: Classes, name: str, pass_: str = "forward") -> list[str]:
    """Category of each op of that name in that pass, in order of time."""
    rows = [
        row
        for row in np.flatnonzero(trace.events.kind == Kind.CPU_OP).tolist()
        if trace.name_of(row) == name and PASSES[int(classes.pass_[row])] == pass_
    ]
    rows.sort(key=lambda row: trace.events.start_ns[row])
    return [classes.rules[int(classes.rule[row])].category for row in rows]


def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """Attention written out: products, scale, mask, softmax in float32, dropout."""
    scores = (q @ k.transpose(-1, -2)) * 0.125
    if mask is not None:
        scores = scores + mask
    weights = torch.softmax(scores.float(), dim=-1).to(q.dtype)
    return functional.dropout(weights, 0.1) @ v


@pytest.mark.parametrize("shapes", [True, False])
def test_chain_of_eager_ops(record: Record, shapes: bool) -> None:
    q, k, v = (torch.randn(2, 4, n, 32).bfloat16() for n in (24, 40, 40))
    mask = torch.zeros(24, 40).bfloat16()
    trace, classes = record(lambda: attention(q, k, v, mask), shapes=shapes)
    assert len(classes.chains.softmax) == 1
    for op in ("aten::bmm", "aten::mul", "aten::add", "aten::_softmax", "aten::dropout"):
        assert set(categories(trace, classes, op)) == {"Attention"}, op
    assert categories(trace, classes, "aten::matmul") == ["Attention", "Attention"]


def test_casts_of_the_scores_are_attention_and_copies_of_keys_are_not(record: Record) -> None:
    q, k, v = (torch.randn(2, 24, 4, 32).bfloat16().transpose(1, 2) for _ in range(3))

    def call() -> torch.Tensor:
        return attention(q.contiguous(), k, v.contiguous())

    trace, classes = record(call)
    copies = [
        (trace.strings[int(trace.events.types[row])], classes.rules[int(classes.rule[row])])
        for row in np.flatnonzero(trace.events.kind == Kind.CPU_OP).tolist()
        if trace.name_of(row) == "aten::copy_" and "24" in trace.strings[trace.events.dims[row]]
    ]
    layout = [rule.category for types, rule in copies if types.count("BFloat16") == 2]
    casts = [rule.category for types, rule in copies if types.count("BFloat16") == 1]
    assert layout and set(layout) == {"Memory"}
    assert casts and set(casts) == {"Attention"}


def test_einsum_with_a_relative_position_bias(record: Record) -> None:
    q, k, v = (torch.randn(3, 16, 8) for _ in range(3))
    table = torch.randn(16, 16, 8)

    def call() -> torch.Tensor:
        scores = torch.einsum("bid,bjd->bij", q, k)
        scores = scores + torch.einsum("bid,ijd->bij", q, table)
        return torch.einsum("bij,bjd->bid", scores.softmax(-1), v)

    trace, classes = record(call)
    assert len(classes.chains.softmax) == 1
    # The bias is a product too, but not one of the two of attention.
    assert sorted(categories(trace, classes, "aten::bmm")) == ["Attention", "Attention", "Linear"]


def test_scores_seen_as_height_by_width(record: Record) -> None:
    q, k, v = (torch.randn(2, 25, 8) for _ in range(3))
    bias = torch.randn(2, 5, 5, 5, 1)

    def call() -> torch.Tensor:
        scores = torch.bmm(q, k.transpose(1, 2))
        scores = (scores.view(2, 5, 5, 5, 5) + bias).view(2, 25, 25)
        return torch.bmm(scores.softmax(-1), v)

    trace, classes = record(call)
    assert categories(trace, classes, "aten::add") == ["Attention"]


def test_backward_of_a_chain_is_attention(record: Record) -> None:
    q, k, v = (torch.randn(2, 4, 24, 32, requires_grad=True) for _ in range(3))
    trace, classes = record(lambda: attention(q, k, v).sum().backward())
    assert set(categories(trace, classes, "aten::bmm", "backward")) == {"Attention"}
    assert categories(trace, classes, "aten::_softmax_backward_data", "backward") == ["Attention"]
    assert "Elementwise" in categories(trace, classes, "aten::add_", "backward") + categories(
        trace, classes, "torch::autograd::AccumulateGrad", "backward"
    )


def test_math_and_fused_attention_forward_and_backward(record: Record) -> None:
    q, k, v = (torch.randn(2, 4, 24, 32, requires_grad=True) for _ in range(3))
    for backend, forward, backward in (
        (SDPBackend.MATH, "aten::bmm", "aten::bmm"),
        (
            SDPBackend.FLASH_ATTENTION,
            "aten::_scaled_dot_product_flash_attention_for_cpu",
            "aten::_scaled_dot_product_flash_attention_for_cpu_backward",
        ),
    ):

        def call(backend: SDPBackend = backend) -> None:
            with sdpa_kernel(backend):
                functional.scaled_dot_product_attention(q, k, v).sum().backward()

        trace, classes = record(call)
        assert set(categories(trace, classes, forward)) == {"Attention"}
        assert set(categories(trace, classes, backward, "backward")) == {"Attention"}


def test_fast_path_of_multihead_attention(record: Record) -> None:
    layer = torch.nn.MultiheadAttention(64, 4, batch_first=True).eval()
    x = torch.randn(2, 10, 64)

    def call() -> None:
        with torch.inference_mode():
            layer(x, x, x, need_weights=True)

    trace, classes = record(call)
    assert set(categories(trace, classes, "aten::bmm")) == {"Attention"}
    projections = categories(trace, classes, "aten::addmm") + categories(
        trace, classes, "aten::linear"
    )
    assert projections and set(projections) == {"Linear"}


def test_sampling_and_routing_are_not_attention(record: Record) -> None:
    head, embed = torch.nn.Linear(64, 100), torch.nn.Embedding(100, 64)
    x = torch.randn(2, 64)

    def call() -> None:
        with torch.inference_mode():
            state = x
            for _ in range(3):
                token = torch.multinomial(torch.softmax(head(state), -1), 1)[:, 0]
                state = torch.bmm(embed(token)[None], torch.eye(64)[None])[0]

    trace, classes = record(call)
    assert len(classes.chains.softmax) == 0
    assert set(categories(trace, classes, "aten::_softmax")) == {"Softmax"}
    assert set(categories(trace, classes, "aten::bmm")) == {"Linear"}


def test_recomputed_attention_is_told_from_forward_and_backward(record: Record) -> None:
    from torch.utils.checkpoint import checkpoint

    layer = torch.nn.Linear(32, 32)
    x = torch.randn(2, 4, 24, 32, requires_grad=True)

    def block(value: torch.Tensor) -> torch.Tensor:
        return torch.relu(layer(attention(value, value, value)))

    trace, classes = record(lambda: checkpoint(block, x, use_reentrant=False).sum().backward())
    assert categories(trace, classes, "aten::_softmax") == ["Attention"]
    assert categories(trace, classes, "aten::_softmax", "recompute") == ["Attention"]
    assert categories(trace, classes, "aten::_softmax", "backward") == []
    assert set(categories(trace, classes, "aten::bmm", "recompute")) == {"Attention"}
