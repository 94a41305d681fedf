"""Llama in small: transformers' `LlamaForCausalLM` with grouped-query attention, generating."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM


@dataclass(frozen=True, slots=True)
class LlamaSize:
    """How large the model and its task are. The defaults take well under a second on a CPU."""

    prompt_tokens: int = 64
    new_tokens: int = 8
    """Generated tokens: the first by prefill, each further one by one decode pass."""
    layers: int = 4
    width: int = 256
    heads: int = 8
    """Query heads, each `width / heads` wide."""
    kv_heads: int = 2
    """Key and value heads, each shared by `heads / kv_heads` query heads."""
    ffn: int = 704
    vocabulary: int = 2048


def build(size: LlamaSize, *, seed: int = 0) -> Any:
    """Return a `LlamaForCausalLM` of this size on the CPU, in eval mode, float32.

    The weights are random, from `seed`; torch's global generator is left as it was.
    """
    config = LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        intermediate_size=size.ffn,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.kv_heads,
        max_position_embeddings=size.prompt_tokens + size.new_tokens,
        # The baseline is torch's own math path behind the same call, not transformers' eager one.
        attn_implementation="sdpa",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: Any = LlamaForCausalLM(config)
    return model.eval()


def prompt(size: LlamaSize, *, seed: int = 0) -> torch.Tensor:
    """Return random token ids, int64 of shape (1, prompt_tokens), none of them special."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(3, size.vocabulary, (1, size.prompt_tokens), generator=generator)


def run(model: Any, size: LlamaSize, *, seed: int = 0) -> torch.Tensor:
    """Generate greedily, exactly `new_tokens` whatever the model says.

    Returns:
        The prompt and what follows it, int64 of shape (1, prompt_tokens + new_tokens).
    """
    ids = prompt(size, seed=seed)
    with torch.inference_mode():
        tokens: torch.Tensor = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=size.new_tokens,
            # Random weights may well choose the end of the sequence.
            min_new_tokens=size.new_tokens,
            pad_token_id=0,
        )
    return tokens


def parameters(model: Any) -> int:
    """Return the number of weights."""
    return sum(weight.numel() for weight in model.parameters())
