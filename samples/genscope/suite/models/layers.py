"""Transformer blocks for the models that no library has. All attention is torch's own function."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    """Multi-head attention: to itself, or to a context of `context` channels."""

    def __init__(self, width: int, heads: int, context: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_kv = nn.Linear(context or width, 2 * width, bias=False)
        self.to_out = nn.Linear(width, width, bias=False)

    def forward(self, hidden: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        """Take (batch, tokens, width) and perhaps (batch, others, context); return the first."""
        source = hidden if context is None else context
        keys, values = self.to_kv(source).chunk(2, dim=-1)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.to_q(hidden), keys, values)
        )
        mixed = F.scaled_dot_product_attention(query, key, value)
        out: torch.Tensor = self.to_out(mixed.transpose(1, 2).flatten(2))
        return out


class FeedForward(nn.Sequential):
    """Two linear layers with a GELU between them."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__(
            nn.Linear(width, inner, bias=False), nn.GELU(), nn.Linear(inner, width, bias=False)
        )


class Block(nn.Module):
    """Attention to itself, then to a context if there is one, then feed-forward, all pre-norm."""

    def __init__(self, width: int, heads: int, ffn: int, context: int | None = None) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.cross_norm = nn.LayerNorm(width) if context else None
        self.cross_attention = Attention(width, heads, context) if context else None
        self.norm_2 = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, ffn)

    def forward(self, hidden: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        """Take (batch, tokens, width) and the context; return the first's shape."""
        hidden = hidden + self.attention(self.norm_1(hidden))
        if self.cross_attention is not None and self.cross_norm is not None:
            hidden = hidden + self.cross_attention(self.cross_norm(hidden), context)
        out: torch.Tensor = hidden + self.feed_forward(self.norm_2(hidden))
        return out
