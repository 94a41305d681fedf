"""SDPA is seen however it was imported, and everything is put back as it was."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from tests.collectors.attention.harness import Session, recorded, run

REGISTRY: dict[str, Callable[..., torch.Tensor]] = {"sdpa": scaled_dot_product_attention}
LISTED = [scaled_dot_product_attention]
PARTIAL = functools.partial(scaled_dot_product_attention, is_causal=False)


def closed() -> Callable[..., torch.Tensor]:
    inner = F.scaled_dot_product_attention

    def attend(*args: torch.Tensor) -> torch.Tensor:
        return inner(*args)

    return attend


CLOSURE = closed()


def defaulted(
    *args: torch.Tensor, attend: Callable[..., torch.Tensor] = scaled_dot_product_attention
) -> torch.Tensor:
    return attend(*args)


class Processor:
    """Keeps the function as an object that is no module does."""

    attend = staticmethod(scaled_dot_product_attention)
    bare = scaled_dot_product_attention

    def __init__(self) -> None:
        self.own = scaled_dot_product_attention
        self.table = {"a": scaled_dot_product_attention}


class Hidden:
    """Keeps the function where nobody looks."""

    __slots__ = ("deep",)

    def __init__(self) -> None:
        self.deep = ((scaled_dot_product_attention,),)


WAYS: dict[str, Callable[[Any], Callable[..., torch.Tensor]]] = {
    "attribute": lambda m: F.scaled_dot_product_attention,
    "long attribute": lambda m: torch.nn.functional.scaled_dot_product_attention,
    "from torch._C._nn": lambda m: torch._C._nn.scaled_dot_product_attention,
    "from-import": lambda m: scaled_dot_product_attention,
    "registry": lambda m: REGISTRY["sdpa"],
    "list": lambda m: LISTED[0],
    "partial": lambda m: PARTIAL,
    "closure": lambda m: CLOSURE,
    "default": lambda m: defaulted,
    "instance of the module": lambda m: m.own,
    "closure of the module": lambda m: m.closure,
    "class of a processor": lambda m: m.processor.attend,
    "builtin in a class": lambda m: m.processor.bare,
    "instance of a processor": lambda m: m.processor.own,
    "table of a processor": lambda m: m.processor.table["a"],
    "hidden": lambda m: m.hidden.deep[0][0],
    "operator": lambda m: torch.ops.aten.scaled_dot_product_attention,
}


class Model(nn.Module):
    def __init__(self, way: str) -> None:
        super().__init__()
        self.project = nn.Linear(8, 8)
        self.own = scaled_dot_product_attention
        self.closure = closed()
        self.processor = Processor()
        self.hidden = Hidden()
        self.way = way

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.project(x).unsqueeze(1)
        return WAYS[self.way](self)(x, x, x)


@pytest.mark.parametrize("way", WAYS)
def test_seen_once_however_imported(way: str) -> None:
    model = Model(way)
    x = torch.randn(2, 5, 8)
    expected = model(x)
    results: list[torch.Tensor] = []
    found = run(lambda: [results.append(model(x)) for _ in range(3)], model=model)
    assert [one.lengths for one in found] == [(2, 1, 1, 5, 5)] * 3
    assert {one.site.via for one in found} == {"sdpa"}
    assert all(torch.equal(expected, result) for result in results)
    # The same without a model that was named, where no object of it can be searched.
    assert WAYS[way](model).__class__ is not None


def snapshot() -> dict[str, Any]:
    places: dict[str, Any] = {
        f"torch.nn.functional.{name}": value for name, value in vars(F).items()
    }
    places |= {f"nn.{name}": value for name, value in vars(torch._C._nn).items()}
    places |= {f"torch.{name}": value for name, value in vars(torch).items()}
    places |= {f"jit.{name}": value for name, value in vars(torch.jit).items()}
    for kind in (nn.MultiheadAttention, nn.TransformerEncoder, nn.TransformerEncoderLayer):
        places |= {f"{kind.__name__}.{name}": value for name, value in vars(kind).items()}
    if "torch._dynamo.eval_frame" in sys.modules:
        frame = sys.modules["torch._dynamo.eval_frame"]
        places |= {f"dynamo.{name}": value for name, value in vars(frame).items()}
    places |= {f"here.{name}": value for name, value in globals().items()}
    places |= {f"class.{name}": value for name, value in vars(Processor).items()}
    places["registry"] = REGISTRY["sdpa"]
    places["list"] = LISTED[0]
    places["partial"] = (PARTIAL.func, PARTIAL.args, tuple(PARTIAL.keywords.items()))
    places["cell"] = CLOSURE.__closure__[0].cell_contents  # type: ignore[index]
    places["defaults"] = defaulted.__kwdefaults__["attend"]
    return places


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [
        name
        for name in before.keys() | after.keys()
        if before.get(name) is not after.get(name)
        and name != "partial"
        and before.get(name) != after.get(name)
    ]


def test_nothing_is_left_behind() -> None:
    model = Model("attribute")
    hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()]
    before = snapshot()
    with Session(model=model) as session:
        model(torch.randn(2, 5, 8))
        assert F.scaled_dot_product_attention is not before["registry"]
        session.capture.install()  # Once is enough.
    session.capture.uninstall()  # As it is here.
    after = snapshot()
    assert differences(before, after) == []
    assert before["partial"] == after["partial"]
    assert model.own is model.processor.own is scaled_dot_product_attention
    assert hooks == [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()]
    assert torch._C._len_torch_function_stack() == 0


def test_nothing_is_left_after_an_error_in_the_model() -> None:
    class Broken(Model):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            super().forward(x)
            raise KeyError("of the user")

    before = snapshot()
    model = Broken("attribute")
    with pytest.raises(KeyError, match="of the user"), Session(model=model):
        model(torch.randn(2, 5, 8))
    assert differences(before, snapshot()) == []
    assert torch._C._len_torch_function_stack() == 0


def test_a_module_loaded_while_recording_keeps_nothing_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Session():
        late = types.ModuleType("late_module")
        monkeypatch.setitem(sys.modules, "late_module", late)
        exec("from torch.nn.functional import scaled_dot_product_attention as f", vars(late))
    assert vars(late)["f"] is scaled_dot_product_attention


def test_what_a_user_replaced_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    original = F.scaled_dot_product_attention

    def own(*args: Any) -> Any:
        return ours(*args)

    with Session():
        ours = F.scaled_dot_product_attention
        monkeypatch.setattr(F, "scaled_dot_product_attention", own)
    assert F.scaled_dot_product_attention is own
    x = torch.randn(1, 1, 4, 8)
    assert torch.equal(own(x, x, x), original(x, x, x))
    monkeypatch.undo()
    F.scaled_dot_product_attention = original


def test_a_function_of_the_user_is_seen_where_no_model_is_named() -> None:
    x = torch.randn(2, 1, 5, 8)
    with Session() as session, recorded(session) as found:
        for way in ("attribute", "from-import", "registry", "list", "partial", "closure"):
            WAYS[way](None)(x, x, x)
    assert len(found) == 6
    assert {one.site.component for one in found} == {None}


def test_errors_of_the_call_are_those_of_torch() -> None:
    x = torch.randn(1, 1, 4, 8)
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((), {}),
        ((x,), {}),
        ((x, x, torch.randn(3, 3)), {}),
        ((x, x, x), {"nothing": 1}),
        (("a", "b", "c"), {}),
    ]
    for args, kwargs in calls:
        with pytest.raises(Exception) as expected:
            F.scaled_dot_product_attention(*args, **kwargs)
        with Session() as session, pytest.raises(type(expected.value)) as raised:
            F.scaled_dot_product_attention(*args, **kwargs)
        assert str(raised.value) == str(expected.value)
        assert not session.capture.failed
