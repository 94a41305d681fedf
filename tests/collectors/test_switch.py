"""The attention switch: what was asked runs, or is reported; everything is as before afterwards."""

from __future__ import annotations

import logging
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import scaled_dot_product_attention as imported
from torch.profiler import profile

from genscope.collect.switch import (
    NAMES,
    AttentionUnavailableError,
    WrongAttentionError,
    attention,
    available,
)

ORIGINAL = F.scaled_dot_product_attention


def flags() -> tuple[object, ...]:
    """All of torch's state that the switch touches."""
    cuda = torch.backends.cuda
    return (
        cuda.math_sdp_enabled(),
        cuda.flash_sdp_enabled(),
        cuda.mem_efficient_sdp_enabled(),
        cuda.cudnn_sdp_enabled(),
        tuple(torch._C._get_sdp_priority_order()),
        torch.backends.mha.get_fastpath_enabled(),
        len(nn.modules.module._global_module_registration_hooks),
    )


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    before = flags()
    yield
    assert flags() == before
    assert F.scaled_dot_product_attention is ORIGINAL
    assert imported is ORIGINAL


def q(*shape: int, **kwargs: Any) -> torch.Tensor:
    return torch.randn(shape or (1, 2, 8, 16), **kwargs)


def ops(call: Any) -> list[str]:
    with profile() as profiler:
        call()
    return [e.name for e in profiler.events() if e.name.startswith("aten::_scaled_dot_product")]


@pytest.mark.parametrize(
    ("name", "op"),
    [
        ("math", "aten::_scaled_dot_product_attention_math"),
        ("flash", "aten::_scaled_dot_product_flash_attention_for_cpu"),
    ],
)
def test_what_is_asked_for_is_what_runs(name: str, op: str) -> None:
    x = q()
    with attention(name, strict=True) as ran:
        assert ops(lambda: F.scaled_dot_product_attention(x, x, x)) == [op]
        assert ops(lambda: imported(x, x, x)) == [op]
    assert ran.as_asked
    assert dict(ran.ran) == {name: 2}
    assert str(ran) == f"asked for {name} attention: all 2 calls ran so"


def test_a_look_is_not_in_the_trace_and_changes_nothing() -> None:
    x = q()
    plain = F.scaled_dot_product_attention(x, x, x)
    with attention("flash"), profile() as profiler:
        watched = F.scaled_dot_product_attention(x, x, x)
    assert torch.equal(plain, watched)
    assert not [e for e in profiler.events() if "choice" in e.name]
    # The profiler goes on recording after a look.
    assert [e for e in profiler.events() if e.name == "aten::scaled_dot_product_attention"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"query": (2, 8, 16), "key": (2, 8, 16), "value": (2, 8, 16)}, "3 dimensions instead"),
        ({"value": (1, 2, 8, 8)}, "v is 8 wide, q and k 16"),
        ({"dropout_p": 0.1}, "dropout is 0.1: call model.eval()"),
        ({"attn_mask": (1, 8, 8)}, "the mask has 3 dimensions"),
    ],
)
def test_a_silent_fall_back_is_counted_with_its_reason(
    changes: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    shapes: dict[str, Any] = dict.fromkeys(("query", "key", "value"), (1, 2, 8, 16)) | changes
    call = {
        name: q(*value) if isinstance(value, tuple) else value for name, value in shapes.items()
    }
    with caplog.at_level(logging.WARNING, "genscope"), attention("flash") as ran:
        seen = ops(lambda: F.scaled_dot_product_attention(**call))
        F.scaled_dot_product_attention(q(), q(), q())
    assert seen == ["aten::_scaled_dot_product_attention_math"]
    assert dict(ran.ran) == {"math": 1, "flash": 1}
    assert not ran.as_asked
    (warning,) = caplog.records
    assert reason in warning.getMessage()
    assert "1 of 2 calls" in warning.getMessage()


def test_a_mask_that_wants_a_gradient_is_the_reason() -> None:
    with attention("flash") as ran:
        F.scaled_dot_product_attention(q(), q(), q(), q(8, 8, requires_grad=True))
    assert "the mask wants a gradient" in str(ran)


def test_another_block_within_is_the_reason() -> None:
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with attention("flash") as ran, sdpa_kernel(SDPBackend.MATH):
        F.scaled_dot_product_attention(q(), q(), q())
    assert "flash is switched off by another block within" in str(ran)


def test_autocast_is_taken_into_account() -> None:
    with attention("flash") as ran, torch.autocast("cpu", torch.bfloat16):
        seen = ops(lambda: F.scaled_dot_product_attention(q(), q(), q()))
    assert seen == ["aten::_scaled_dot_product_flash_attention_for_cpu"]
    assert ran.as_asked


def test_strict_raises_at_the_end() -> None:
    with (
        pytest.raises(WrongAttentionError, match=r"0 of 1 calls ran so; 1 as math \(dropout"),
        attention("flash", strict=True),
    ):
        F.scaled_dot_product_attention(q(), q(), q(), dropout_p=0.5)


def test_strict_does_not_take_the_place_of_the_users_exception() -> None:
    with pytest.raises(KeyError), attention("flash", strict=True):
        F.scaled_dot_product_attention(q(), q(), q(), dropout_p=0.5)
        raise KeyError("mine")


def test_that_nothing_was_seen_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "genscope"), attention("math"):
        torch.ones(1)
    assert "no attention call was seen" in caplog.text
    with pytest.raises(WrongAttentionError), attention("math", strict=True):
        pass


def test_the_innermost_block_counts() -> None:
    x = q()
    with attention("math") as outer:
        with attention("flash") as inner:
            F.scaled_dot_product_attention(x, x, x)
        assert ops(lambda: F.scaled_dot_product_attention(x, x, x)) == [
            "aten::_scaled_dot_product_attention_math"
        ]
    assert dict(outer.ran) == {"math": 1}
    assert dict(inner.ran) == {"flash": 1}


@pytest.mark.parametrize("name", ["efficient", "cudnn"])
def test_what_cannot_run_here_is_refused_on_entering(name: str) -> None:
    model = nn.Linear(2, 2)
    with pytest.raises(AttentionUnavailableError, match="model on cpu") as error:
        attention(name, model).__enter__()
    assert "available: math, flash, eager" in str(error.value)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="math, flash, efficient, cudnn, eager"):
        attention("fast")
    assert set(available(nn.Linear(1, 1))) < set(NAMES)


def test_a_state_that_the_user_had_set_comes_back() -> None:
    cuda = torch.backends.cuda
    order = torch._C._get_sdp_priority_order()
    cuda.enable_flash_sdp(False)
    torch._C._set_sdp_priority_order([0, 2, 1, 3, 4])
    try:
        before = flags()
        with pytest.raises(KeyError), attention("flash"):
            raise KeyError
        assert flags() == before
    finally:
        cuda.enable_flash_sdp(True)
        torch._C._set_sdp_priority_order(order)


def test_functions_imported_within_the_block_are_put_back() -> None:
    late = types.ModuleType("imported_late")
    sys.modules["imported_late"] = late
    try:
        with attention("flash"):
            late.attend = F.scaled_dot_product_attention  # type: ignore[attr-defined]
        assert vars(late)["attend"] is ORIGINAL
    finally:
        del sys.modules["imported_late"]


def test_another_layer_may_begin_within_a_block_and_end_after_it() -> None:
    from genscope.collect import verify

    class Other:
        calls = 0
        under: Any = None

        def lower(self) -> None:
            self.under = F.scaled_dot_product_attention
            F.scaled_dot_product_attention = self.attend

        def lift(self) -> None:
            F.scaled_dot_product_attention = self.under

        def attend(self, *args: Any) -> Any:
            self.calls += 1
            return self.under(*args)

    def use() -> None:
        F.scaled_dot_product_attention(q(), q(), q())

    other = Other()
    with attention("flash") as first:
        other.lower()
        verify.ABOVE.append(other)
        use()
    use()
    block = attention("math")
    second = block.__enter__()
    use()
    verify.ABOVE.remove(other)
    other.lift()
    use()
    block.__exit__(None, None, None)
    assert other.calls == 3
    assert dict(first.ran) == {"flash": 1}
    assert dict(second.ran) == {"math": 2}


def test_functions_held_by_the_model_are_watched() -> None:
    class Holds(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attend = ORIGINAL

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.attend(x, x, x)

    model = Holds()
    with attention("flash", model) as ran:
        model(q())
    assert ran.as_asked
    assert model.attend is ORIGINAL


def test_multihead_attention_obeys_instead_of_taking_its_fast_path() -> None:
    layer = nn.MultiheadAttention(16, 2, batch_first=True).eval()
    x = q(1, 8, 16)
    with torch.inference_mode(), attention("flash", strict=True) as ran:
        seen = ops(lambda: layer(x, x, x, need_weights=False))
    assert seen == ["aten::_scaled_dot_product_flash_attention_for_cpu"]
    assert ran.calls == 1


def test_subclasses_are_not_looked_into() -> None:
    from torch.nn.attention.bias import causal_lower_right

    with attention("flash") as ran:
        F.scaled_dot_product_attention(q(), q(), q(), causal_lower_right(8, 8))
    assert ran.calls == ran.ran["unknown"] >= 1 or ran.as_asked


def test_the_users_error_in_a_call_is_torchs_own() -> None:
    with pytest.raises(RuntimeError, match="Expected size"), attention("flash"):
        F.scaled_dot_product_attention(q(1, 2, 8, 16), q(1, 2, 8, 12), q())


def test_scripting_and_tracing_within_a_block() -> None:
    def attend(x: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(x, x, x)

    x = q()
    with attention("flash"):
        scripted = torch.jit.script(attend)
        traced = torch.jit.trace(attend, x)
    assert torch.equal(scripted(x), attend(x))
    assert torch.equal(traced(x), attend(x))
    assert "choice" not in str(traced.graph)


def test_compiled_graphs_are_neither_recompiled_nor_watched() -> None:
    class Attends(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.scaled_dot_product_attention(x, x, x)

    graphs = []

    def backend(graph: Any, _: Any) -> Any:
        graphs.append(graph)
        return graph

    torch._dynamo.reset()
    model = torch.compile(Attends(), backend=backend)
    x = q()
    # Not compiled yet, but will be within the block.
    with attention("math", model) as first:
        model(x)
    with attention("flash") as second:
        model(x)
    model(x)
    torch._dynamo.reset()
    assert len(graphs) == 1
    assert not first.watched
    assert not second.watched
    assert "graphs keep the attention that they were compiled with" in str(first)
    with (
        pytest.raises(WrongAttentionError, match="not watched"),
        attention("flash", torch.compile(Attends(), backend=backend), strict=True),
    ):
        pass


def test_gradients_flow_as_before() -> None:
    def grad() -> torch.Tensor:
        x = torch.ones(1, 2, 8, 16, requires_grad=True)
        F.scaled_dot_product_attention(x * torch.arange(16), x, x).sum().backward()
        assert x.grad is not None
        return x.grad

    plain = grad()
    with attention("flash", strict=True):
        assert torch.equal(grad(), plain)
