"""torch's own multi-head attention takes the same path with and without us, and is annotated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.collectors.attention.harness import Session, recorded, run, same


class Holder(nn.Module):
    """A model around something sealed."""

    def __init__(self, inner: nn.Module, call: Callable[..., Any]) -> None:
        super().__init__()
        self.inner = inner
        self.before = nn.Linear(16, 16)
        self._call = call

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self._call(self.inner, self.before(inputs[0]), *inputs[1:])


def mha(**options: Any) -> nn.Module:
    return nn.MultiheadAttention(16, 4, **options).eval()


def encoder(**options: Any) -> nn.Module:
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, dropout=0.0, **options)
    return nn.TransformerEncoder(layer, 2).eval()


X, Y = (2, 6, 16), (2, 9, 16)


@pytest.mark.parametrize(
    ("inner", "call", "shapes", "operator", "count", "expected"),
    [
        pytest.param(
            mha(batch_first=True),
            lambda m, x: m(x, x, x, need_weights=False),
            (X,),
            "aten::_native_multi_head_attention",
            1,
            ("native_mha", "self", 2, 4, 6, 6),
            id="fast path",
        ),
        pytest.param(
            mha(),
            lambda m, x: m(x, x, x, need_weights=False),
            (X,),
            "aten::scaled_dot_product_attention",
            1,
            ("sdpa", "self", 6, 4, 2, 2),
            id="slow path",
        ),
        pytest.param(
            mha(batch_first=True),
            lambda m, x, y: m(x, y, y, need_weights=False),
            (X, Y),
            "aten::scaled_dot_product_attention",
            1,
            ("sdpa", "cross", 2, 4, 6, 9),
            id="cross",
        ),
        pytest.param(
            mha(batch_first=True),
            lambda m, x, y: m(x, y, y),
            (X, Y),
            "aten::softmax",
            1,
            ("mha", "cross", 2, 4, 6, 9),
            id="weights",
        ),
        pytest.param(
            mha(batch_first=True, add_bias_kv=True),
            lambda m, x: m(x, x, x, average_attn_weights=False),
            (X,),
            "aten::softmax",
            1,
            ("mha", "self", 2, 4, 6, 7),
            id="weights and bias",
        ),
        pytest.param(
            encoder(),
            lambda m, x: m(x),
            (X,),
            "aten::_transformer_encoder_layer_fwd",
            2,
            ("native_encoder_layer", "self", 2, 4, 6, 6),
            id="encoder, fast",
        ),
        pytest.param(
            encoder(norm_first=True).train(),
            lambda m, x: m(x),
            (X,),
            "aten::scaled_dot_product_attention",
            2,
            ("sdpa", "self", 2, 4, 6, 6),
            id="encoder, training",
        ),
        pytest.param(
            nn.TransformerDecoder(
                nn.TransformerDecoderLayer(16, 4, 32, batch_first=True, dropout=0.0), 1
            ),
            lambda m, x, y: m(x, y),
            (X, Y),
            "aten::scaled_dot_product_attention",
            2,
            ("sdpa", "self", 2, 4, 6, 6),
            id="decoder",
        ),
    ],
)
def test_same_path_same_result(
    inner: nn.Module,
    call: Callable[..., Any],
    shapes: tuple[tuple[int, ...], ...],
    operator: str,
    count: int,
    expected: tuple[Any, ...],
) -> None:
    torch.manual_seed(1)
    model = Holder(inner, call)
    inputs = [torch.randn(shape) for shape in shapes]
    with (
        torch.no_grad() if "fast" in expected[0] or "native" in expected[0] else torch.enable_grad()
    ):
        plain = model(*inputs)
        results: list[Any] = []
        found = run(lambda: [results.append(model(*inputs)) for _ in range(3)], model=model)
    assert all(same(plain, result) for result in results)
    assert found.operators.count(operator) == 3 * count
    assert len(found) == 3 * count
    for one in found[::count]:
        via, kind, batch, heads, q_len, kv_len = expected
        assert (one.site.via, one.site.kind) == (via, kind)
        assert one.lengths == (batch, heads, heads, q_len, kv_len)
        assert one.site.head_dim == 4
        assert one.site.axis == "sequence"
    if count == 2 and kind == "self" and operator.endswith("attention") and len(inputs) == 2:
        assert found[1].site.kind == "cross"


def test_mark_stands_between_the_chain_and_the_output_projection() -> None:
    model = Holder(mha(batch_first=True), lambda m, x: m(x, x, x * 2))
    found = run(lambda: model(torch.randn(X)), model=model)
    names = found.operators
    mark = next(place for place, name in enumerate(names) if name.startswith("genscope.attention"))
    assert names[mark].endswith("chain=1")
    assert "aten::softmax" in names[:mark]
    assert names[:mark].count("aten::bmm") >= 2
    assert "aten::linear" in names[mark:]
    assert "aten::softmax" not in names[mark:]


def test_functional_form_called_by_the_model() -> None:
    class Pool(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.MultiheadAttention(16, 4)
            self.before = nn.Linear(16, 16)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.before(x)
            a = self.inner
            return F.multi_head_attention_forward(
                x[:1], x, x, 16, 4, a.in_proj_weight, a.in_proj_bias, None, None, False, 0.0,
                a.out_proj.weight, a.out_proj.bias, need_weights=False,
            )[0]  # fmt: skip

    model = Pool()
    x = torch.randn(6, 2, 16)
    plain = model(x)
    results: list[torch.Tensor] = []
    found = run(lambda: [results.append(model(x)) for _ in range(2)], model=model)
    assert all(torch.equal(plain, result) for result in results)
    assert [one.lengths for one in found] == [(2, 4, 4, 1, 6)] * 2


def test_nested_tensors_of_the_fast_path() -> None:
    model = Holder(encoder(), lambda m, x, mask: m(x, src_key_padding_mask=mask > 0))
    mask = torch.zeros(2, 6)
    mask[1, 4:] = 1
    x = torch.randn(X)
    with torch.no_grad():
        plain = model(x, mask)
        with Session(model=model) as session, recorded(session) as found:
            result = model(x, mask)
    assert torch.equal(plain, result)
    assert found.operators.count("aten::_transformer_encoder_layer_fwd") == len(found) == 2
    assert {one.site.kind for one in found} == {"self"}
    assert {one.site.heads for one in found} == {4}
