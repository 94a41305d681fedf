"""Modules of torch alone, and a hand-written model that calls no attention function at all."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from tests.collectors.models.expect import (
    CHAIN,
    ENCODER_LAYER,
    MHA,
    SDPA,
    Built,
    Call,
    Case,
    randn,
)

# nn.MultiheadAttention: the answer to need_weights, and whether keys come from elsewhere,
# decide between an unfused chain, SDPA and a single native op.


class _Attending(nn.Module):
    """Attend within a sequence, or from it to a context, in 4 heads of 6.

    The fast path wants an even number of heads.
    """

    def __init__(self, *, weights: bool, batch_first: bool) -> None:
        super().__init__()
        self.weights = weights
        self.attention = nn.MultiheadAttention(24, 4, batch_first=batch_first)

    def forward(self, hidden: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor
        result, _ = self.attention(hidden, context, context, need_weights=self.weights)
        return result


def _build_mha(*, weights: bool, cross: bool, batch_first: bool = False) -> Built:
    torch.manual_seed(0)
    model = _Attending(weights=weights, batch_first=batch_first).eval()
    # Two sequences of 9 tokens, and of 5.
    sizes = [(2, 9), (2, 5)] if batch_first else [(9, 2), (5, 2)]
    hidden, other = (randn(*size, 24, seed=seed) for seed, size in enumerate(sizes))
    context = other if cross else hidden
    return Built(model, lambda: model(hidden, context), {"model": model})


def _mha_calls(*, op: str, cross: bool) -> list[Call]:
    return [
        Call(
            "model",
            "attention",
            "cross" if cross else "self",
            "sequence",
            2,
            4,
            9,
            5 if cross else 9,
            6,
            causal=False if op == SDPA else None,
            op=op,
        )
    ]


def _build_encoder_layer() -> Built:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(24, 4, dim_feedforward=32, batch_first=True)
    model = nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False).eval()
    hidden = randn(2, 9, 24)
    return Built(model, lambda: model(hidden), {"model": model})


def _encoder_layer_calls() -> list[Call]:
    return [
        Call(
            "model",
            f"layers.{layer}",
            "self",
            "sequence",
            2,
            4,
            9,
            9,
            6,
            causal=None,
            op=ENCODER_LAYER,
        )
        for layer in range(2)
    ]


def _build_decoder_layer() -> Built:
    torch.manual_seed(0)
    model = nn.TransformerDecoderLayer(24, 3, dim_feedforward=32, batch_first=True).eval()
    hidden, memory = randn(2, 9, 24), randn(2, 5, 24, seed=1)
    mask = nn.Transformer.generate_square_subsequent_mask(9)
    return Built(
        model,
        lambda: model(hidden, memory, tgt_mask=mask, tgt_is_causal=True),
        {"model": model},
    )


def _decoder_layer_calls() -> list[Call]:
    return [
        Call("model", "self_attn", "self", "sequence", 2, 3, 9, 9, 8, causal=True),
        Call("model", "multihead_attn", "cross", "sequence", 2, 3, 9, 5, 8),
    ]


# Multi-query attention in einsum: 4 heads of queries, one of keys and values.


class _MultiQuery(nn.Module):
    def __init__(self, *, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.to_q = nn.Linear(24, 4 * 6, bias=False)
        self.to_kv = nn.Linear(24, 2 * 6, bias=False)
        self.to_out = nn.Linear(4 * 6, 24, bias=False)

    def forward(self, hidden: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        source = hidden if context is None else context
        query = self.to_q(hidden).unflatten(-1, (4, 6)).transpose(1, 2)
        key, value = self.to_kv(source).chunk(2, dim=-1)
        scores = torch.einsum("bhqd,bkd->bhqk", query * 6**-0.5, key)
        if self.causal:
            hidden_ones = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(hidden_ones, float("-inf"))
        mixed = torch.einsum("bhqk,bkd->bhqd", scores.softmax(dim=-1), value)
        result: torch.Tensor = self.to_out(mixed.transpose(1, 2).flatten(2))
        return result


class _Decoder(nn.Module):
    """Two blocks of causal attention, then attention to a context, and a softmax over tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(30, 24)
        self.inner = nn.ModuleList(_MultiQuery(causal=True) for _ in range(2))
        self.across = nn.ModuleList(_MultiQuery(causal=False) for _ in range(2))
        self.head = nn.Linear(24, 30)

    def forward(self, tokens: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        hidden = self.tokens(tokens)
        for inner, across in zip(self.inner, self.across, strict=True):
            hidden = hidden + inner(hidden)
            hidden = hidden + across(hidden, context)
        chances: torch.Tensor = self.head(hidden).softmax(dim=-1)
        return chances


def _build_einsum() -> Built:
    torch.manual_seed(0)
    model = _Decoder().eval()
    tokens = torch.arange(18).reshape(2, 9)
    context = randn(2, 5, 24)
    return Built(model, lambda: model(tokens, context), {"model": model})


def _einsum_calls() -> list[Call]:
    return [
        Call(
            "model",
            f"{name}.{block}",
            kind,
            "sequence",
            2,
            4,
            9,
            kv,
            6,
            kv_heads=1,
            causal=None,
            op=CHAIN,
        )
        for block in range(2)
        for name, kind, kv in (("inner", "self", 9), ("across", "cross", 5))
    ]


CASES = (
    Case(
        "multihead_with_weights",
        partial(_build_mha, weights=True, cross=False),
        partial(_mha_calls, op=CHAIN, cross=False),
    ),
    Case(
        "multihead_with_weights_cross",
        partial(_build_mha, weights=True, cross=True),
        partial(_mha_calls, op=CHAIN, cross=True),
    ),
    Case(
        "multihead_cross",
        partial(_build_mha, weights=False, cross=True),
        partial(_mha_calls, op=SDPA, cross=True),
    ),
    Case(
        "multihead_fast_path",
        partial(_build_mha, weights=False, cross=False, batch_first=True),
        partial(_mha_calls, op=MHA, cross=False),
    ),
    Case("transformer_encoder_fast_path", _build_encoder_layer, _encoder_layer_calls),
    Case("transformer_decoder_layer", _build_decoder_layer, _decoder_layer_calls),
    Case("multi_query_einsum", _build_einsum, _einsum_calls),
)
