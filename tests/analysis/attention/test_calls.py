"""Attention calls as real torch records them, against the tensors that were given to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention
from torch.profiler import ProfilerActivity, profile

from genscope.analysis.attention.results import Attention, AttentionCall
from genscope.analysis.attention.view import attention
from genscope.analysis.attention.where import Where
from genscope.trace import load

ALL = ("forward", "backward", "recompute", "optimizer", "unknown")
Record = Callable[..., Attention]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Profile a call on the CPU and return its attention calls."""

    def run(call: Callable[[], object], **options: Any) -> Attention:
        shapes = options.pop("record_shapes", True)
        with profile(activities=[ProfilerActivity.CPU], record_shapes=shapes) as profiler:
            call()
        path = tmp_path / "trace.json"
        profiler.export_chrome_trace(str(path))
        return attention(load(path), Where(passes=options.pop("passes", ALL)))

    return run


def lengths(call: AttentionCall) -> tuple[int | None, ...]:
    return (call.batch, call.heads, call.kv_heads, call.q_len, call.kv_len, call.head_dim)


def tensors(*sizes: tuple[int, ...], grad: bool = False) -> list[torch.Tensor]:
    return [torch.randn(*size, requires_grad=grad) for size in sizes]


@pytest.mark.parametrize(
    ("backend", "implementation"),
    [(SDPBackend.MATH, "math"), (SDPBackend.FLASH_ATTENTION, "flash")],
)
@pytest.mark.parametrize("causal", [True, False])
def test_sdpa(record: Record, backend: SDPBackend, implementation: str, causal: bool) -> None:
    q, k, v = tensors((2, 3, 40, 16), (2, 3, 40, 16), (2, 3, 40, 16))
    with sdpa_kernel(backend):
        result = record(lambda: scaled_dot_product_attention(q, k, v, is_causal=causal))
    (call,) = result.calls
    assert lengths(call) == (2, 3, 3, 40, 40, 16)
    assert (call.causal, call.mask) == (causal, "causal" if causal else "none")
    assert (call.kind, call.implementation, call.dtype) == ("self", implementation, "float32")
    assert call.device_ns is None
    assert call.cpu_ns > 0


def test_mask_and_cross(record: Record) -> None:
    q, k, v = tensors((2, 3, 40, 16), (2, 3, 77, 16), (2, 3, 77, 16))
    mask = torch.zeros(2, 1, 40, 77)
    (call,) = record(lambda: scaled_dot_product_attention(q, k, v, attn_mask=mask)).calls
    assert lengths(call) == (2, 3, 3, 40, 77, 16)
    assert (call.kind, call.mask) == ("cross", "tensor")


def test_grouped_queries(record: Record) -> None:
    q, k, v = tensors((2, 8, 40, 16), (2, 2, 40, 16), (2, 2, 40, 16))
    (call,) = record(lambda: scaled_dot_product_attention(q, k, v, enable_gqa=True)).calls
    assert lengths(call) == (2, 8, 2, 40, 40, 16)


def test_repeated_keys_are_grouped_queries(record: Record) -> None:
    q, k, v = tensors((2, 8, 40, 16), (2, 2, 40, 16), (2, 2, 40, 16))

    def repeated(x: torch.Tensor) -> torch.Tensor:
        return x[:, :, None].expand(2, 2, 4, 40, 16).reshape(2, 8, 40, 16)

    (call,) = record(lambda: scaled_dot_product_attention(q, repeated(k), repeated(v))).calls
    assert lengths(call) == (2, 8, 2, 40, 40, 16)
    assert call.reason


def test_heads_and_length_swapped(record: Record) -> None:
    """Called with (batch, length, heads, width), as FlashAttention takes them."""
    q, k, v = tensors((2, 40, 3, 16), (2, 77, 3, 16), (2, 77, 3, 16))
    with pytest.raises(RuntimeError):
        scaled_dot_product_attention(q, k, v)
    (call,) = record(lambda: scaled_dot_product_attention(*tensors(*[(2, 40, 3, 16)] * 3))).calls
    # Nothing in the op itself tells: it did attend along 3 of what it took for 40 heads.
    assert (call.heads, call.q_len) == (40, 3)


def test_chain_of_heads_in_the_batch(record: Record) -> None:
    """As diffusers' baseline does it: (b, n, h·d) to (b·h, n, d), baddbmm, softmax, bmm."""
    x, y = tensors((2, 40, 48), (2, 77, 48))

    def heads(t: torch.Tensor) -> torch.Tensor:
        return t.reshape(2, -1, 3, 16).permute(0, 2, 1, 3).reshape(6, -1, 16)

    def run() -> torch.Tensor:
        q, k, v = heads(x), heads(y), heads(y)
        empty = torch.empty(6, 40, 77)
        scores = torch.baddbmm(empty, q, k.transpose(-1, -2), beta=0, alpha=0.25)
        return torch.bmm(scores.softmax(dim=-1), v)

    (call,) = record(run).calls
    assert lengths(call) == (2, 3, 3, 40, 77, 16)
    assert (call.kind, call.implementation) == ("cross", "eager")


def test_chain_of_matmuls(record: Record) -> None:
    q, k, v = tensors((2, 3, 40, 16), (2, 3, 40, 16), (2, 3, 40, 16))
    (call,) = record(lambda: (q @ k.transpose(-1, -2)).softmax(dim=-1) @ v).calls
    assert lengths(call) == (2, 3, 3, 40, 40, 16)


def test_sampling_and_pooling_are_no_calls(record: Record) -> None:
    x, weight = tensors((4, 100), (100, 50))

    def run() -> torch.Tensor:
        return torch.multinomial((x @ weight).softmax(dim=-1), 1)

    assert record(run).calls == []


@pytest.mark.parametrize("backend", [SDPBackend.MATH, SDPBackend.FLASH_ATTENTION])
def test_backward_names_its_forward(record: Record, backend: SDPBackend) -> None:
    q, k, v = tensors(*[(2, 3, 40, 16)] * 3, grad=True)
    a, b, c = tensors(*[(2, 3, 24, 16)] * 3, grad=True)

    def run() -> None:
        with sdpa_kernel(backend):
            first = scaled_dot_product_attention(q, k, v)
            second = scaled_dot_product_attention(a, b, c)
        (first.sum() + second.sum()).backward()

    calls = record(run).calls
    assert [(call.pass_, call.q_len) for call in calls] == [
        ("forward", 40),
        ("forward", 24),
        ("backward", 24),
        ("backward", 40),
    ]
    assert [call.forward_index for call in calls] == [None, None, 1, 0]
    assert len(record(run, passes=("forward",)).calls) == 2


def test_decode_with_a_cache_is_self(record: Record) -> None:
    """A prompt of 10 tokens, then 5 tokens one by one, over 3 layers, beside cross attention."""
    keys = [torch.randn(1, 2, 10, 8) for _ in range(3)]
    context = torch.randn(1, 2, 13, 8)

    def run() -> None:
        for layer in range(3):
            scaled_dot_product_attention(keys[layer], keys[layer], keys[layer], is_causal=True)
            scaled_dot_product_attention(keys[layer], context, context)
        for _ in range(5):
            for layer in range(3):
                q = torch.randn(1, 2, 1, 8)
                keys[layer] = torch.cat([keys[layer], q], dim=2)
                scaled_dot_product_attention(q, keys[layer], keys[layer])
                scaled_dot_product_attention(q, context, context)

    calls = record(run).calls
    assert [call.kind for call in calls] == ["self", "cross"] * 18
    assert [call.kv_len for call in calls[6::6]] == [11, 12, 13, 14, 15]


def test_without_shapes_says_so(record: Record) -> None:
    q, k, v = tensors(*[(2, 3, 40, 16)] * 3)
    result = record(lambda: scaled_dot_product_attention(q, k, v), record_shapes=False)
    (call,) = result.calls
    assert lengths(call) == (None,) * 6
    assert call.reason and "record_shapes" in call.reason
    assert result.without_shapes == 1


def test_native_multi_head_attention(record: Record) -> None:
    layer = torch.nn.TransformerEncoderLayer(48, 4, batch_first=True).eval()
    x = torch.randn(2, 40, 48)
    with torch.no_grad():
        (call,) = record(lambda: layer(x)).calls
    assert lengths(call) == (2, 4, 4, 40, 40, 12)
    assert (call.kind, call.implementation) == ("self", "native")
