"""Language models of transformers, run through `generate`: a prompt, then three tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from tests.collectors.models.expect import Built, Call, Case, seeded

TOKENS = 3
VOCABULARY = 50


def _prompt(batch: int, length: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(5, VOCABULARY, (batch, length), generator=seeded(seed))


def _generated(model: Any, tokens: torch.Tensor, **inputs: Any) -> torch.Tensor:
    made: torch.Tensor = model.generate(
        tokens, max_new_tokens=TOKENS, do_sample=False, pad_token_id=0, **inputs
    )
    return made


# Llama: 6 heads over 2 for keys and values; two prompts of 11 tokens.


def _build_llama(*, padded: bool) -> Built:
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=48,
            intermediate_size=64,
            num_hidden_layers=3,
            num_attention_heads=6,
            num_key_value_heads=2,
            max_position_embeddings=32,
            eos_token_id=None,
        )
    ).eval()
    prompt = _prompt(2, 11)
    mask = torch.ones_like(prompt)
    if padded:
        mask[1, :4] = 0

    def run() -> torch.Tensor:
        return _generated(model, prompt, attention_mask=mask)

    return Built(model, run)


def _llama_calls(*, padded: bool) -> list[Call]:
    def call(layer: int, step: int, q: int, kv: int) -> Call:
        return Call(
            "llama",
            f"model.layers.{layer}.self_attn",
            "self",
            "sequence",
            2,
            6,
            q,
            kv,
            8,
            kv_heads=2,
            # With a mask of its own the flag is not needed, and keys are repeated for each head.
            causal=step == 0 and not padded,
            step=step,
            repeated=step == 0 and padded,
        )

    prefill = [call(layer, 0, 11, 11) for layer in range(3)]
    decode = [call(layer, step, 1, 11 + step) for step in (1, 2) for layer in range(3)]
    return [*prefill, *decode]


# T5: a prompt of 9 tokens is encoded once; its keys are kept, so decoding sees them as a cache.


def _build_t5() -> Built:
    torch.manual_seed(0)
    model = T5ForConditionalGeneration(
        T5Config(
            vocab_size=VOCABULARY,
            d_model=24,
            d_kv=7,
            d_ff=32,
            num_layers=2,
            num_decoder_layers=2,
            num_heads=4,
            decoder_start_token_id=0,
            eos_token_id=None,
        )
    ).eval()
    prompt = _prompt(2, 9)
    return Built(model, lambda: _generated(model, prompt))


def _t5_calls() -> list[Call]:
    encoder = [
        Call(
            "text_encoder",
            f"block.{layer}.layer.0.SelfAttention",
            "self",
            "sequence",
            2,
            4,
            9,
            9,
            7,
        )
        for layer in range(2)
    ]
    decoder = [
        Call(
            "decoder",
            f"decoder.block.{layer}.layer.{path}",
            kind,
            "sequence",
            2,
            4,
            1,
            kv,
            7,
            step=step,
        )
        for step in range(TOKENS)
        for layer in range(2)
        for path, kind, kv in (
            ("0.SelfAttention", "self", 1 + step),
            ("1.EncDecAttention", "cross", 9),
        )
    ]
    return [*encoder, *decoder]


# Bart: 9 tokens are encoded, and the answer begins with 4 given ones.


def _build_bart() -> Built:
    torch.manual_seed(0)
    model = BartForConditionalGeneration(
        BartConfig(
            vocab_size=VOCABULARY,
            d_model=40,
            encoder_layers=2,
            decoder_layers=3,
            encoder_attention_heads=4,
            decoder_attention_heads=5,
            encoder_ffn_dim=48,
            decoder_ffn_dim=48,
            max_position_embeddings=32,
            eos_token_id=None,
            forced_eos_token_id=None,
        )
    ).eval()
    prompt, answer = _prompt(2, 9), _prompt(2, 4, seed=1)
    # Without the token that every answer starts with, one more would be put before.
    answer[:, 0] = 2

    def run() -> torch.Tensor:
        return _generated(model, prompt, decoder_input_ids=answer)

    return Built(model, run)


def _bart_calls() -> list[Call]:
    encoder = [
        Call(
            "text_encoder",
            f"layers.{layer}.self_attn",
            "self",
            "sequence",
            2,
            4,
            9,
            9,
            10,
        )
        for layer in range(2)
    ]
    decoder = []
    for step, (q, kv) in enumerate([(4, 4), (1, 5), (1, 6)]):
        for layer in range(3):
            path = f"model.decoder.layers.{layer}"
            decoder += [
                Call(
                    "decoder",
                    f"{path}.self_attn",
                    "self",
                    "sequence",
                    2,
                    5,
                    q,
                    kv,
                    8,
                    causal=step == 0,
                    step=step,
                ),
                Call(
                    "decoder",
                    f"{path}.encoder_attn",
                    "cross",
                    "sequence",
                    2,
                    5,
                    q,
                    9,
                    8,
                    step=step,
                ),
            ]
    return [*encoder, *decoder]


CASES = (
    Case(
        "llama_grouped_query",
        partial(_build_llama, padded=False),
        partial(_llama_calls, padded=False),
    ),
    Case(
        "llama_grouped_query_padded",
        partial(_build_llama, padded=True),
        partial(_llama_calls, padded=True),
    ),
    Case("t5", _build_t5, _t5_calls),
    Case("bart", _build_bart, _bart_calls),
)
