"""FLOPs are those of PyTorch's own counter, to the last one, on everything that it counts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from genscope.analysis.flops.count import counted
from tests.analysis.flops.support import recorded
from tests.collectors.models.cases import CASES

MODELS = (
    "stable_diffusion_v1",
    "amused",
    "llama_grouped_query",
    "llama_grouped_query_padded",
    "t5",
    "bart",
    "timesformer",
    "latte",
    "unet3d",
    "multi_query_einsum",
)


def counter(run: Callable[[], object]) -> int:
    """What PyTorch's counter says."""
    with FlopCounterMode(display=False) as mode:
        run()
    return int(mode.get_total_flops())


def plain(run: Callable[[], object]) -> int:
    """What we say of the same ops, by the counter's conventions; all of it must be known."""
    work = counted(recorded(run))
    assert (work.plain_flops >= 0).all(), "an op with shapes has unknown FLOPs"
    return int(work.plain_flops.sum())


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str) -> None:
    """The counter knows no fused attention of CPUs, so it counts the math; we count either."""
    built = CASES[name].build()
    with torch.inference_mode():
        with sdpa_kernel(SDPBackend.MATH):
            expected = counter(built.run)
        contexts: tuple[AbstractContextManager[None], ...] = (
            sdpa_kernel(SDPBackend.MATH),
            nullcontext(),
        )
        for context in contexts:
            with context:
                assert plain(built.run) == expected > 0


def gradients(
    op: Callable[..., torch.Tensor], *sizes: tuple[int, ...], **options: object
) -> Callable[[], None]:
    """A forward and a backward pass of an op on tensors of these sizes."""

    def run() -> None:
        op(*(torch.randn(size, requires_grad=True) for size in sizes), **options).sum().backward()  # type: ignore[no-untyped-call]

    return run


@pytest.mark.parametrize(
    "run",
    [
        gradients(F.conv2d, (2, 4, 9, 9), (6, 4, 3, 3), stride=2, padding=1),
        gradients(F.conv2d, (2, 4, 9, 9), (6, 4, 3, 3), padding="same"),
        gradients(F.conv1d, (2, 4, 9), (6, 4, 3), dilation=2),
        gradients(F.conv3d, (2, 4, 9, 7, 5), (6, 4, 3, 3, 1)),
        gradients(F.conv_transpose2d, (2, 4, 9, 9), (4, 6, 3, 3), stride=2, output_padding=1),
        gradients(F.conv2d, (4, 9, 9), (6, 4, 3, 3)),
        gradients(F.linear, (2, 3, 8), (5, 8), (5,)),
        gradients(torch.matmul, (2, 3, 4, 8), (2, 3, 8, 5)),
    ],
)
def test_forward_and_backward(run: Callable[[], None]) -> None:
    assert plain(run) == counter(run) > 0


def test_gradient_of_a_grouped_weight() -> None:
    """The counter takes every pair of channels for the gradient of the weight, also across groups.

    Forward, the gradient of x and that of the weight take as many multiplications each.
    """
    run = gradients(F.conv2d, (2, 4, 9, 9), (6, 2, 3, 3), stride=2, padding=1, groups=2)
    forward = 2 * 2 * 5 * 5 * 6 * 2 * 3 * 3
    assert plain(run) == 3 * forward
    assert counter(run) == (2 + 2) * forward


def test_training_step() -> None:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    optimizer = torch.optim.AdamW(layer.parameters(), fused=True)
    tokens = torch.randn(2, 6, 16)

    def run() -> None:
        layer(tokens).sum().backward()
        optimizer.step()

    with sdpa_kernel(SDPBackend.MATH):
        assert plain(run) == counter(run) > 0


def test_backward_of_fused_attention() -> None:
    """Seven products in all: the fused backward computes the scores again."""

    def run() -> None:
        q, k, v = (torch.randn(2, 4, n, 8, requires_grad=True) for n in (5, 7, 7))
        F.scaled_dot_product_attention(q, k, v).sum().backward()  # type: ignore[no-untyped-call]

    product = 2 * 2 * 4 * 5 * 7 * 8
    assert plain(run) == 7 * product
    with sdpa_kernel(SDPBackend.MATH):
        assert plain(run) == counter(run) == 6 * product


def test_models_at_their_real_size() -> None:
    """The UNet of Stable Diffusion and LLaMA2-7B, without weights or results."""
    from diffusers import UNet2DConditionModel
    from transformers import LlamaConfig, LlamaForCausalLM

    with torch.device("meta"), torch.inference_mode():
        unet = UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8)
        image = (torch.empty(2, 4, 64, 64), torch.empty(2), torch.empty(2, 77, 768))
        assert round(plain(lambda: unet(*image)) / 1e12, 3) == 1.607
        llama = LlamaForCausalLM(
            LlamaConfig(
                num_hidden_layers=32,
                hidden_size=4096,
                num_attention_heads=32,
                intermediate_size=11008,
            )
        )
        tokens = torch.zeros(1, 2048, dtype=torch.long)
        mask = torch.zeros(1, 1, 2048, 2048)
        run = partial(llama, tokens, attention_mask=mask, position_ids=tokens, use_cache=False)
        assert round(plain(run) / 1e12, 2) == 29.26
