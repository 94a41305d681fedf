"""What is read from the arguments of each attention function."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch._dynamo
import torch.nn.functional as F
from torch import nn
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

from tests.collectors.attention.harness import Call, Session, recorded, run

Q = torch.randn(2, 5, 8, 16)
K = torch.randn(2, 7, 2, 16)


def dense(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *args: Any, **kw: Any) -> Any:
    """Stands in for a kernel; it calls SDPA, as fall-backs of real ones do."""
    q, k, v = (one.transpose(1, 2) for one in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, enable_gqa=True).transpose(1, 2)


def empty(q: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
    return torch.zeros_like(q)


class LowerTriangularMask:
    pass


class SequenceInfo:
    def __init__(self, *lengths: int) -> None:
        self.max_seqlen = max(lengths)
        self.seqstart_py = [0]
        for length in lengths:
            self.seqstart_py.append(self.seqstart_py[-1] + length)


class BlockDiagonalMask:
    q_seqinfo, k_seqinfo = SequenceInfo(3, 2), SequenceInfo(4, 3)


def captured(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str, function: Any, *args: Any, **kw: Any
) -> Call:
    """Call `module.name`, for which `function` stands in, and return the one annotation."""
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        path = ".".join(parts[:end])
        if path not in sys.modules:
            monkeypatch.setitem(sys.modules, path, types.ModuleType(path))
    loaded = sys.modules[module]
    monkeypatch.setattr(loaded, name, function, raising=False)
    with Session() as session, recorded(session) as found:
        getattr(loaded, name)(*args, **kw)
    assert not session.capture.failed
    assert getattr(loaded, name) is function
    assert len(found) == 1
    return found[0]


STARTS = torch.tensor([0, 2, 5]), torch.tensor([0, 3, 7])
BHSD = Q.transpose(1, 2), K.transpose(1, 2), K.transpose(1, 2)


@pytest.mark.parametrize(
    ("module", "name", "function", "args", "kwargs", "lengths", "mask"),
    [
        ("flash_attn", "flash_attn_func", dense, (Q, K, K), {}, (2, 8, 2, 5, 7), "none"),
        ("flash_attn_interface", "flash_attn_func", dense, (Q, K, K), {"causal": True},
         (2, 8, 2, 5, 7), "causal"),
        ("flash_attn", "flash_attn_func", dense, (Q,), {"k": K, "v": K, "window_size": (4, 0)},
         (2, 8, 2, 5, 7), "window"),
        ("flash_attn", "flash_attn_qkvpacked_func", empty, (torch.randn(2, 5, 3, 8, 16),), {},
         (2, 8, 8, 5, 5), "none"),
        ("flash_attn", "flash_attn_kvpacked_func", empty, (Q, torch.randn(2, 7, 2, 2, 16)), {},
         (2, 8, 2, 5, 7), "none"),
        ("flash_attn", "flash_attn_varlen_func", empty,
         (Q.flatten(0, 1)[:5], K.flatten(0, 1)[:7], K.flatten(0, 1)[:7], *STARTS, 3, 4),
         {"causal": True}, (2, 8, 2, 3, 4), "causal"),
        ("flash_attn", "flash_attn_with_kvcache", empty, (Q[:, :1], K, K),
         {"k": K[:, :1], "v": K[:, :1], "cache_seqlens": 4, "causal": True},
         (2, 8, 2, 1, 5), "causal"),
        ("flash_attn", "flash_attn_with_kvcache", empty, (Q[:, :1], K, K),
         {"cache_seqlens": torch.tensor([4, 5])}, (2, 8, 2, 1, None), "none"),
        ("xformers.ops", "memory_efficient_attention", empty, (Q, K[:, :, :1].expand(2, 7, 8, 16),
         K[:, :, :1].expand(2, 7, 8, 16)), {}, (2, 8, 8, 5, 7), "none"),
        ("xformers.ops", "memory_efficient_attention", empty, (Q[:, :, 0], K[:, :, 0], K[:, :, 0]),
         {"attn_bias": LowerTriangularMask()}, (2, 1, 1, 5, 7), "causal"),
        ("xformers.ops", "memory_efficient_attention", empty,
         (Q[:1], K[:1].repeat(1, 1, 4, 1), K[:1].repeat(1, 1, 4, 1), BlockDiagonalMask()), {},
         (2, 8, 8, 3, 4), "tensor"),
        ("sageattention", "sageattn", empty, BHSD, {"is_causal": True}, (2, 8, 2, 5, 7), "causal"),
        ("sageattention", "sageattn", empty, (Q, K, K), {"tensor_layout": "NHD"},
         (2, 8, 2, 5, 7), "none"),
        ("aiter", "flash_attn_func", empty, (Q, K, K), {}, (2, 8, 2, 5, 7), "none"),
    ],
)  # fmt: skip
def test_kernels_of_other_packages(
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    name: str,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    lengths: tuple[int | None, ...],
    mask: str,
) -> None:
    found = captured(monkeypatch, module, name, function, *args, **kwargs)
    assert found.lengths == lengths
    assert found.site.mask == mask
    assert (found.site.head_dim, found.site.v_head_dim) == (16, 16)
    varies = "varlen" in name or any(isinstance(one, BlockDiagonalMask) for one in args)
    assert found.event.q_tokens == (5 if varies else None)


@pytest.mark.parametrize(
    ("args", "kwargs", "lengths", "mask"),
    [
        (BHSD, {"enable_gqa": True}, (2, 8, 2, 5, 7), "none"),
        ((Q, Q, Q, None, 0.0, True), {}, (2, 5, 5, 8, 8), "causal"),
        ((), {"query": Q, "key": Q, "value": Q, "attn_mask": torch.zeros(8, 8)},
         (2, 5, 5, 8, 8), "tensor"),
        ((Q[0], Q[0], Q[0, ..., :4]), {}, (5, 1, 1, 8, 8), "none"),
        ((Q[None], Q[None], Q[None]), {"is_causal": True}, (2, 5, 5, 8, 8), "causal"),
    ],
)  # fmt: skip
def test_sdpa(
    args: tuple[Any, ...], kwargs: dict[str, Any], lengths: tuple[int, ...], mask: str
) -> None:
    with Session() as session, recorded(session) as found:
        F.scaled_dot_product_attention(*args, **kwargs)
    assert [one.lengths for one in found] == [lengths]
    assert found[0].site.mask == mask
    assert found[0].site.causal == (mask == "causal")
    assert found[0].site.dtype == "float32"


def test_sdpa_with_a_causal_bias_is_one_call() -> None:
    from torch.nn.attention.bias import causal_lower_right

    with Session() as session, recorded(session) as found:
        F.scaled_dot_product_attention(*BHSD[:1], BHSD[0], BHSD[0], causal_lower_right(5, 5))
    assert [(one.lengths, one.site.mask) for one in found] == [((2, 8, 8, 5, 5), "causal")]


@pytest.fixture
def forgotten() -> Iterator[None]:
    """Eager flex attention compiles, which other tests take for the user's compiling."""
    yield
    torch._dynamo.reset()


def test_flex_attention(forgotten: None) -> None:
    def causal(b: Any, h: Any, q: Any, k: Any) -> Any:
        return q >= k

    q = torch.randn(1, 4, 128, 16)
    mask = create_block_mask(causal, None, None, 128, 128, device="cpu")

    class Model(nn.Module):
        def forward(self, x: torch.Tensor) -> Any:
            return flex_attention(x, x[:, :2], x[:, :2], block_mask=mask, enable_gqa=True)

    model = Model()
    expected = model(q)
    results: list[torch.Tensor] = []
    found = run(lambda: [results.append(model(q)) for _ in range(2)], model=model)
    assert [one.lengths for one in found] == [(1, 4, 2, 128, 128)] * 2
    assert {(one.site.via, one.site.mask) for one in found} == {("flex", "causal")}
    assert all(torch.equal(expected, result) for result in results)


def test_kernels_that_diffusers_loads_from_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    dispatch = pytest.importorskip("diffusers.models.attention_dispatch")
    backend = dispatch.AttentionBackendName.FLASH_HUB
    config = dispatch._HUB_KERNELS_REGISTRY[backend]
    monkeypatch.setattr(config, "kernel_fn", empty)
    with Session() as session, recorded(session) as found:
        config.kernel_fn(Q, K, K)
    assert [one.lengths for one in found] == [(2, 8, 2, 5, 7)]
    assert config.kernel_fn is empty


def test_functions_that_transformers_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    utils = pytest.importorskip("transformers.modeling_flash_attention_utils")
    monkeypatch.setattr(utils, "_flash_fn", dense)
    with Session() as session, recorded(session) as found:
        utils._flash_fn(Q, K, K, causal=True)
    assert [(one.site.via, one.lengths) for one in found] == [("flash_attn", (2, 8, 2, 5, 7))]
    assert utils._flash_fn is dense


def test_a_call_that_cannot_be_read_goes_through() -> None:
    class Odd:
        @classmethod
        def __torch_function__(
            cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            return "handled"

    with Session() as session, recorded(session) as found:
        assert F.scaled_dot_product_attention(Odd(), Odd(), Odd()) == "handled"  # type: ignore[arg-type]
    assert found == []
    assert not session.capture.failed
