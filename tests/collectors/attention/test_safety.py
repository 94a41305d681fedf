"""Whatever happens, the user's code runs as without us."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from genscope.collect.attention import naming as module
from tests.collectors.attention.harness import Session, recorded, run, same


class Block(nn.Module):
    def __init__(self, written_out: bool) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(16, 48), nn.Linear(16, 16)
        self.drop = nn.Dropout(0.1)
        self.written_out = written_out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, 2, 8)).permute(2, 0, 3, 1, 4)
        if self.written_out:
            y = self.drop((q @ k.mT * 0.3).softmax(-1)) @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v, dropout_p=0.1)
        return x + self.out(y.transpose(1, 2).flatten(2))


class Model(nn.Module):
    def __init__(self, checkpointed: bool | None = None) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block(False), Block(True)])
        self.checkpointed = checkpointed

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            if self.checkpointed is None:
                x = block(x)
            else:
                x = checkpoint(block, x, use_reentrant=self.checkpointed)
        return x


def train(model: nn.Module, steps: int = 3) -> list[torch.Tensor]:
    torch.manual_seed(3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    results = []
    for _ in range(steps):
        x = torch.randn(2, 6, 16, requires_grad=True)
        loss = model(x).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        results += [loss.detach(), x.grad, torch.rand(3)]
    return results + [one.detach().clone() for one in model.parameters()]


@pytest.mark.parametrize("checkpointed", [None, False, True])
def test_training_is_the_same_to_the_last_bit(checkpointed: bool | None) -> None:
    torch.manual_seed(0)
    model = Model(checkpointed)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    expected = train(model)
    model.load_state_dict(state)
    results: list[Any] = []
    found = run(lambda: results.extend(train(model)), model=model)
    assert same(expected, results)
    # With dropout, SDPA is written out inside as well.
    assert len(found) == found.operators.count("aten::softmax")
    assert len(found) == (6 if checkpointed is None else 12)
    assert {one.what for one in found} == {("self", "sequence")}


@pytest.mark.parametrize("setting", ["inference_mode", "no_grad", "autocast", "half"])
def test_settings(setting: str) -> None:
    model = Model().eval()
    for block in model.blocks:
        block.drop.p = 0.0  # type: ignore[union-attr, assignment]
    x = torch.randn(2, 6, 16)
    contexts: dict[str, Any] = {
        "inference_mode": torch.inference_mode,
        "no_grad": torch.no_grad,
        "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
        "half": torch.no_grad,
    }
    if setting == "half":
        model, x = model.bfloat16(), x.bfloat16()

    def call() -> torch.Tensor:
        torch.manual_seed(0)
        with contexts[setting]():
            return model(x)  # type: ignore[no-any-return]

    expected = call()
    results: list[torch.Tensor] = []
    found = run(lambda: results.extend(call() for _ in range(2)), model=model)
    assert same([expected] * 2, results)
    assert len(found) == 4
    assert {one.lengths for one in found} == {(2, 2, 2, 6, 6)}


def test_threads() -> None:
    models = {f"m{place}": Model().eval() for place in range(4)}
    x = torch.randn(2, 6, 16)
    errors: list[BaseException] = []

    def work(model: nn.Module) -> None:
        try:
            for _ in range(5):
                with torch.no_grad():
                    model(x)
        except BaseException as error:
            errors.append(error)

    with Session(**models) as session:
        threads = [threading.Thread(target=work, args=(one,)) for one in models.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert not session.capture.failed
    sites = session.registry.document().sites
    assert {(site.component, site.kind, site.axis) for site in sites} == {
        (number, "self", "sequence") for number in range(4)
    }
    assert len(sites) == 8


def test_a_thread_outside_any_model_is_annotated_without_a_place() -> None:
    x = torch.randn(1, 2, 5, 8)
    with Session() as session:
        thread = threading.Thread(target=lambda: F.scaled_dot_product_attention(x, x, x))
        thread.start()
        thread.join()
    (site,) = session.registry.document().sites
    assert (site.component, site.module, site.kind) == (None, None, "self")


def test_no_tensor_is_kept_alive() -> None:
    kept: list[weakref.ref[torch.Tensor]] = []

    class Watched(Model):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = x * 2
            kept.append(weakref.ref(y))
            y = super().forward(y)
            gc.collect()
            kept.append(weakref.ref(y))
            return y

    model = Watched().eval()
    with Session(model=model), torch.no_grad():
        for _ in range(2):
            result = model(torch.randn(2, 6, 16))
            del result
            gc.collect()
            assert all(one() is None for one in kept)


def test_an_error_of_ours_is_told_once_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise OSError("of ours")

    model = Model().eval()
    x = torch.randn(2, 6, 16)
    torch.manual_seed(0)
    expected = [model(x) for _ in range(2)]
    monkeypatch.setattr(module, "attention_name", broken)
    torch.manual_seed(0)
    with caplog.at_level(logging.WARNING, logger="genscope"), Session(model=model) as session:
        results = [model(x) for _ in range(2)]
    assert same(expected, results)
    assert session.capture.failed
    assert len(caplog.records) == 1
    assert torch._C._len_torch_function_stack() == 0


@pytest.mark.parametrize("error", [RuntimeError, StopIteration])
def test_an_error_of_the_user_surfaces_and_the_next_call_is_annotated(
    error: type[BaseException],
) -> None:
    model = Model().eval()
    x = torch.randn(2, 6, 16)
    raised = error("of the user")
    broken = True

    def stop(*_: Any) -> None:
        if broken:
            raise raised

    model.blocks[1].out.register_forward_pre_hook(stop)  # type: ignore[union-attr]
    with Session(model=model) as session, recorded(session) as found:
        for _ in range(2):
            with pytest.raises(error) as caught:
                model(x)
            assert caught.value is raised
            assert torch._C._len_torch_function_stack() == 0
        before = len(session.registry.document().sites)
        broken = False
        model(x)
        model(x)
    assert before == 2
    assert len(found) == 8
    assert not session.capture.failed


def test_nothing_is_left_after_an_interruption() -> None:
    """torch does not run hooks then, so only the end of the recording can clean up."""

    class Interrupted(Block):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            super().forward(x)
            raise KeyboardInterrupt

    model = Model().eval()
    x = torch.randn(2, 6, 16)
    with pytest.raises(KeyboardInterrupt), Session(model=model):
        model(x)
        model.blocks.append(Interrupted(True))
        model(x)
    assert torch._C._len_torch_function_stack() == 0
    assert all(not one._forward_hooks for one in model.blocks[:2].modules())
    del model.blocks[2]
    assert len(run(lambda: model(x), model=model)) == 2


def test_a_mode_of_the_user_stays_where_it_is() -> None:
    from torch.overrides import TorchFunctionMode

    class Counting(TorchFunctionMode):
        count = 0

        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            Counting.count += 1
            return func(*args, **(kwargs or {}))

    model = Model().eval()
    x = torch.randn(2, 6, 16)

    def calls() -> int:
        Counting.count = 0
        with Counting():
            model(x)
        return Counting.count

    expected = calls()
    with Session(model=model) as session:
        with Counting():
            model(x)
        model(x)
        assert calls() >= expected
    assert not session.capture.failed
    assert calls() == expected


def test_a_change_of_implementation_while_recording_is_noticed() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        image_size=8, patch_size=4,
    )  # fmt: skip
    model = transformers.ViTModel(config).eval()
    x = torch.randn(1, 3, 8, 8)
    with Session(vit=model) as session, recorded(session) as found, torch.no_grad():
        for implementation in ("sdpa", "eager", "sdpa"):
            model.set_attn_implementation(implementation)
            model(x)
            model(x)
    assert [one.site.via for one in found] == ["sdpa"] * 2 + ["chain"] * 2 + ["sdpa"] * 2
    assert {one.what for one in found} == {("self", "spatial")}
