from __future__ import annotations

from typing import Any

import pytest
import torch

from genscope.collect.switch import attention
from genscope.suite import llama
from tests.samples.profiling import OPS, observe

SIZE = llama.LlamaSize()


@pytest.fixture(scope="module")
def model() -> Any:
    return llama.build(SIZE)


def test_tokens_follow_the_prompt(model: Any) -> None:
    tokens = llama.run(model, SIZE)
    assert tokens.shape == (1, 64 + 8)
    assert tokens.dtype == torch.int64
    assert torch.equal(tokens[:, :64], llama.prompt(SIZE))


def test_same_seed_gives_the_same_tokens(model: Any) -> None:
    assert torch.equal(llama.run(llama.build(SIZE), SIZE), llama.run(model, SIZE))


def test_building_leaves_the_random_generator_alone() -> None:
    before = torch.get_rng_state()
    llama.build(SIZE)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_end_token_does_not_cut_generation_short() -> None:
    model = llama.build(SIZE)
    first = int(llama.run(model, SIZE)[0, SIZE.prompt_tokens])
    model.generation_config.eos_token_id = first
    assert llama.run(model, SIZE).shape == (1, 64 + 8)


@pytest.mark.parametrize("name", OPS)
def test_attention_calls_are_those_counted_by_hand(model: Any, name: str) -> None:
    seen = observe(name, lambda: llama.run(model, SIZE))
    # The last token is generated, but never fed back.
    passes = [(64, 64), *((1, 64 + n) for n in range(1, 8))]
    expected = [pair for pair in passes for _ in range(SIZE.layers)]
    assert [(query[2], key[2]) for query, key in seen.calls] == expected
    for other, op in OPS.items():
        assert seen.ops[op] == (len(expected) if other == name else 0)


def test_query_heads_share_key_and_value_heads(model: Any) -> None:
    assert model.model.layers[0].self_attn.k_proj.out_features == 2 * 32
    seen = observe("flash", lambda: llama.run(model, SIZE))
    assert {query[1] for query, _ in seen.calls} == {8}


def test_all_implementations_give_the_same_logits(model: Any) -> None:
    def logits(name: str) -> torch.Tensor:
        with torch.inference_mode(), attention(name, model, strict=True):
            out: torch.Tensor = model(llama.prompt(SIZE)).logits
        return out

    expected = logits("math")
    for name in ("flash", "eager"):
        torch.testing.assert_close(logits(name), expected, atol=1e-4, rtol=1e-4)
