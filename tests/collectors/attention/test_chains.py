"""Attention that is written out is found; what only looks like it is not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.collectors.attention.harness import Session, recorded, run, same

B, H, N, M, D = 2, 4, 5, 7, 8
INNER = H * D


class Attention(nn.Module):
    """Projections around a core that is to be recognised."""

    def __init__(self, core: Callable[..., torch.Tensor], kv_heads: int = H) -> None:
        super().__init__()
        self.q = nn.Linear(16, INNER)
        self.k = nn.Linear(16, kv_heads * D)
        self.v = nn.Linear(16, kv_heads * D)
        self.out = nn.Linear(INNER, 16)
        self._core = core
        self._kv_heads = kv_heads

    def forward(self, x: torch.Tensor, encoder_hidden_states: torch.Tensor) -> torch.Tensor:
        y = encoder_hidden_states
        q = self.q(x).view(B, N, H, D).transpose(1, 2)
        k = self.k(y).view(B, M, self._kv_heads, D).transpose(1, 2)
        v = self.v(y).view(B, M, self._kv_heads, D).transpose(1, 2)
        return self.out(self._core(q, k, v).transpose(1, 2).reshape(B, N, INNER))


def plain(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(D), dim=-1) @ v


def method(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    scores = q.matmul(k.mT).mul_(0.5).masked_fill(torch.zeros(N, M).bool(), -1e9)
    return scores.softmax(-1).to(v.dtype).matmul(v)


def functional(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    scores = torch.matmul(q, k.transpose(2, 3)) + torch.zeros(1, 1, N, M)
    weights = F.dropout(F.softmax(scores, dim=-1, dtype=torch.float32), p=0.0)
    return torch.matmul(weights, v)


def three_dimensional(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    q, k, v = (one.reshape(B * H, -1, D) for one in (q, k, v))
    scores = torch.baddbmm(torch.empty(B * H, N, M), q, k.transpose(1, 2), beta=0, alpha=0.3)
    return torch.bmm(scores.softmax(dim=-1), v).view(B, H, N, D)


def einsum(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    weights = torch.einsum("bhid,bhjd->bhij", q * 0.3, k).softmax(dim=-1)
    return torch.einsum("b h i j, b h j d -> b h i d", weights, v)


def einsum_heads_last(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    q, k, v = (one.transpose(1, 2) for one in (q, k, v))
    weights = torch.einsum("...ihd,...jhd->...hij", q, k).softmax(dim=-1)
    return torch.einsum("...hij,...jhd->...ihd", weights, v).transpose(1, 2)


def multi_query(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    k, v = k.squeeze(1), v.squeeze(1)
    weights = torch.einsum("b h i d, b j d -> b h i j", q, k).softmax(dim=-1)
    return torch.einsum("b h i j, b j d -> b h i d", weights, v)


def repeated(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return plain(q, k.repeat_interleave(2, dim=1), v.repeat_interleave(2, dim=1))


def values_first(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    weights = torch.bmm(q.reshape(B * H, N, D), k.reshape(B * H, M, D).permute(0, 2, 1)).softmax(
        dim=2
    )
    out = torch.bmm(v.reshape(B * H, M, D).permute(0, 2, 1), weights.permute(0, 2, 1))
    return out.permute(0, 2, 1).view(B, H, N, D)


def mixed_heads(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    mix = nn.Parameter(torch.eye(H))
    scores = torch.einsum("b h i j, h g -> b g i j", q @ k.mT, mix)
    return scores.softmax(-1) @ v


@pytest.mark.parametrize(
    ("core", "kv_heads", "mask"),
    [
        (plain, H, "none"),
        (method, H, "tensor"),
        (functional, H, "tensor"),
        (three_dimensional, H, "none"),
        (einsum, H, "none"),
        (einsum_heads_last, H, "none"),
        (multi_query, 1, "none"),
        (repeated, 2, "none"),
        (values_first, H, "none"),
        (mixed_heads, H, "none"),
    ],
)
def test_every_call_is_found_with_its_true_lengths(
    core: Callable[..., torch.Tensor], kv_heads: int, mask: str
) -> None:
    torch.manual_seed(0)
    model = Attention(core, kv_heads)
    inputs = torch.randn(B, N, 16), torch.randn(B, M, 16)
    expected = model(*inputs)
    results: list[Any] = []
    found = run(lambda: [results.append(model(*inputs)) for _ in range(3)], model=model)
    assert all(same(expected, result) for result in results)
    assert [one.lengths for one in found] == [(B, H, kv_heads, N, M)] * 3
    for one in found:
        assert one.event.chain
        assert (one.site.kind, one.site.head_dim, one.site.v_head_dim) == ("cross", D, D)
        assert (one.site.mask, one.site.via) == (mask, "chain")


def test_the_mark_stands_right_after_the_last_product() -> None:
    model = Attention(plain)
    inputs = torch.randn(B, N, 16), torch.randn(B, M, 16)
    names = run(lambda: [model(*inputs) for _ in range(2)], model=model).operators
    for place, name in enumerate(names):
        if name.startswith("genscope.attention"):
            before = [one for one in names[:place] if one in ("aten::bmm", "aten::linear")]
            assert before[-1] == "aten::bmm"
            assert names[place + 1] in ("aten::transpose", "aten::permute")


def pooling(x: torch.Tensor) -> Any:
    """Weights for a sum over places that no query has asked for."""
    convolved = F.conv1d(x.transpose(1, 2), torch.randn(1, 16, 1))
    return torch.einsum("bin,bnc->bic", convolved.softmax(dim=-1), x)


def router(x: torch.Tensor) -> Any:
    gates = torch.softmax(x @ nn.Parameter(torch.randn(16, 5)), dim=-1)
    return gates @ torch.randn(5, 16)


def sampling(x: torch.Tensor) -> Any:
    return torch.multinomial((x @ torch.randn(16, 9))[:, -1].softmax(-1), 1)


def classification(x: torch.Tensor) -> Any:
    return F.linear(x, torch.randn(3, 16)).softmax(-1)


def soft_embedding(x: torch.Tensor) -> Any:
    table = nn.Parameter(torch.randn(9, 16))
    return (x @ table.t()).softmax(-1) @ table


def products_without_softmax(x: torch.Tensor) -> Any:
    return (x @ x.mT) @ x


@pytest.mark.parametrize(
    "core",
    [pooling, router, sampling, classification, soft_embedding, products_without_softmax],
)
def test_what_is_no_attention_is_not_annotated(core: Callable[[torch.Tensor], Any]) -> None:
    class Model(nn.Module):
        def forward(self, x: torch.Tensor) -> Any:
            return core(x)

    model = Model()
    assert run(lambda: [model(torch.randn(2, 6, 16)) for _ in range(2)], model=model) == []


def test_chains_in_a_part_that_is_watched_do_not_slow_the_rest() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.written = Attention(plain)
            self.fused = Attention(F.scaled_dot_product_attention)

        def forward(self, x: torch.Tensor, encoder_hidden_states: torch.Tensor) -> torch.Tensor:
            return self.fused(self.written(x, encoder_hidden_states), encoder_hidden_states)

    model = Model()
    inputs = torch.randn(B, N, 16), torch.randn(B, M, 16)
    model(*inputs)
    seen: list[int] = []
    model.fused.q.register_forward_pre_hook(
        lambda *_: seen.append(torch._C._len_torch_function_stack())
    )
    with Session(model=model) as session, recorded(session) as found:
        for _ in range(3):
            model(*inputs)
    assert seen == [1, 0, 0]
    assert [one.site.via for one in found] == ["chain", "sdpa"] * 3


def test_attention_in_a_backward_recomputation() -> None:
    model = Attention(plain)
    x = torch.randn(B, N, 16, requires_grad=True)
    y = torch.randn(B, M, 16)
    from torch.utils.checkpoint import checkpoint

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, x: torch.Tensor, encoder_hidden_states: torch.Tensor) -> Any:
            return checkpoint(self.inner, x, encoder_hidden_states, use_reentrant=False)

    outer = Outer()
    outer(x, y).sum().backward()
    expected, x.grad = x.grad, None
    with Session(model=outer) as session, recorded(session) as found:
        outer(x, y).sum().backward()
        first, x.grad = x.grad, None
        outer(x, y).sum().backward()
    assert torch.equal(expected, first)  # type: ignore[arg-type]
    assert torch.equal(expected, x.grad)  # type: ignore[arg-type]
    assert found.operators.count("aten::softmax") == len(found) == 4
    assert {one.site.kind for one in found} == {"cross"}
