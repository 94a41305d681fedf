"""`annotate` changes no result, lets errors through, and leaves nothing behind."""

from __future__ import annotations

import copy
import inspect
import io
import logging
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.profiler import record_function

from genscope.collect import annotate
from genscope.collect.calls import ComponentCalls
from genscope.collect.hooks import Entries
from genscope.collect.metadata import Writer
from genscope.collect.patches import Patches
from tests.collectors import small
from tests.collectors.small import Coder, Raising, TinyModel, seeded
from tests.collectors.support import components, modules, nothing_left, record

X = torch.ones(2, 4)


def _trained(model: nn.Module, run: Callable[[], torch.Tensor]) -> list[torch.Tensor]:
    """The result of a forward pass and the gradients of all weights, from one seed."""
    torch.manual_seed(3)
    model.zero_grad(set_to_none=True)
    result = run()
    result.float().square().mean().backward()
    return [result.detach(), *(w.grad for w in model.parameters() if w.grad is not None)]


def _same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return len(one) == len(other) and all(map(torch.equal, one, other))


MODELS: dict[str, Callable[[], tuple[nn.Module, Callable[[], torch.Tensor]]]] = {}


def _case(make: Callable[[], tuple[nn.Module, Callable[[], torch.Tensor]]]) -> Any:
    MODELS[make.__name__] = make
    return make


@_case
def plain() -> tuple[nn.Module, Callable[[], torch.Tensor]]:
    model = seeded(TinyModel).train()
    return model, lambda: model(X)


@_case
def unet() -> tuple[nn.Module, Callable[[], torch.Tensor]]:
    model, inputs = small.unet().train(), small.unet_inputs()
    return model, lambda: model(**inputs).sample


@_case
def llama() -> tuple[nn.Module, Callable[[], torch.Tensor]]:
    model, prompt = small.llama().train(), small.tokens()
    return model, lambda: model(prompt).logits


@_case
def encoder_with_dropout() -> tuple[nn.Module, Callable[[], torch.Tensor]]:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3, batch_first=True)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    return model, lambda: model(torch.ones(2, 5, 8))


@pytest.mark.parametrize("name", MODELS)
def test_forward_and_backward_are_bit_identical(name: str) -> None:
    model, run = MODELS[name]()
    bare = _trained(model, run)
    for named in (model, None):
        with nothing_left(model), annotate(named):
            idle = _trained(model, run)
            recorded: list[list[torch.Tensor]] = []
            for _ in range(2):
                record(lambda found=recorded: found.append(_trained(model, run)))  # type: ignore[misc]
        assert _same(bare, idle)
        assert all(_same(bare, found) for found in recorded)


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), SystemExit(3)])
@pytest.mark.parametrize("named", [True, False])
def test_an_error_of_the_model_surfaces_as_it_is(error: BaseException, named: bool) -> None:
    model = seeded(Raising, error)

    def run() -> None:
        with nothing_left(model), annotate(model if named else None):
            model(X)

    def recorded() -> None:
        with pytest.raises(type(error)) as caught:
            run()
        assert caught.value is error

    trace = record(recorded)
    assert components(trace) == ["raising"]
    assert modules(trace) == ["inner"]


def test_after_an_error_that_was_caught_places_are_right() -> None:
    model, other = seeded(Raising, KeyboardInterrupt()), seeded(TinyModel)

    def run() -> None:
        with annotate([model, other]):
            for _ in range(2):
                with pytest.raises(KeyboardInterrupt):
                    model(X)
                other(X)

    trace = record(run)
    assert components(trace) == ["raising", "tiny_model"] * 2
    assert modules(trace) == ["inner", "blocks", "blocks.0", "blocks.1"] * 2


BROKEN: dict[str, tuple[Any, str]] = {
    "going in": (Patches, "install"),
    "going out": (Patches, "uninstall"),
    "entering a component": (ComponentCalls, "_enter"),
    "leaving a component": (ComponentCalls, "_leave"),
    "finding modules": (Entries, "add_modules"),
    "writing": (Writer, "write"),
}


@pytest.mark.parametrize("place", BROKEN)
def test_an_error_of_ours_is_logged_once_and_ends_the_annotations(
    place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = seeded(TinyModel)
    plain = model(X)
    owner, name = BROKEN[place]
    before = getattr(owner, name)
    broken = []

    def fail(*args: Any, **kwargs: Any) -> Any:
        if name == "uninstall":
            before(*args, **kwargs)
        broken.append(place)
        raise RuntimeError("ours")

    results: list[torch.Tensor] = []

    def run() -> None:
        with annotate(model):
            results.extend(model(X) for _ in range(3))

    with nothing_left(model), caplog.at_level(logging.WARNING, "genscope"):
        monkeypatch.setattr(owner, name, fail)
        record(run)
        monkeypatch.undo()
    assert broken
    assert len(results) == 3
    assert all(torch.equal(result, plain) for result in results)
    assert len(caplog.records) == (0 if name == "uninstall" else 1)


def test_an_error_of_ours_in_the_midst_of_the_model_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = seeded(TinyModel)
    plain = model(X)

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("ours")

    results = []

    def run() -> None:
        with annotate(model) as annotation:
            model(X)
            monkeypatch.setattr("genscope.collect.hooks.range_of", fail)
            results.append(model(X))
            assert annotation.fuse.blown

    import genscope.collect.hooks as hooks

    monkeypatch.setattr(hooks, "range_of", hooks.range_of)
    with nothing_left(model):
        record(run)
    assert torch.equal(results[0], plain)
    assert len(caplog.records) == 1


def test_an_error_of_ours_does_not_hide_that_of_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = ValueError("mine")
    model = seeded(Raising, error)

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("ours")

    def run() -> None:
        with annotate(model), pytest.raises(ValueError) as caught:
            model(X)
        assert caught.value is error

    monkeypatch.setattr(ComponentCalls, "_leave", fail)
    record(run)


def test_copies_and_pickles_made_meanwhile_are_as_ever() -> None:
    model, coder = seeded(TinyModel), seeded(Coder)
    plain = model(X)
    made: list[Any] = []

    def run() -> None:
        with annotate([model, coder]):
            model(X)
            made.append(copy.deepcopy(model))
            made.append(pickle.loads(pickle.dumps(model)))
            made.append(copy.deepcopy(coder))
            buffer = io.BytesIO()
            torch.save(model, buffer)
            assert b"genscope" not in buffer.getvalue()
            for one in made[:2]:
                assert torch.equal(one(X), plain)

    record(run)
    for one in made:
        with torch.no_grad():
            for weight in one.parameters():
                weight.zero_()
        assert not one(X).any()
        assert vars(one).keys() == vars(type(one)()).keys()
    assert torch.equal(model(X), plain)


def test_replicas_of_a_model_use_their_own_weights() -> None:
    model = seeded(TinyModel)
    results = []

    def run() -> None:
        with annotate(model):
            model(X)
            replica = model._replicate_for_data_parallel()
            replica.out = seeded(nn.Linear, 4, 4)
            replica.out.weight.data.zero_()
            replica.out.bias.data.zero_()
            results.append(replica(X))

    record(run)
    assert not results[0].any()


def test_signatures_are_kept() -> None:
    model = small.unet()
    before = {name: inspect.signature(getattr(model, name)) for name in ("forward", "__call__")}

    def run() -> None:
        with annotate(model):
            model(**small.unet_inputs())
            after = {name: inspect.signature(getattr(model, name)) for name in before}
            assert after == before

    record(run)


def test_what_others_have_put_over_ours_stays() -> None:
    class Own(TinyModel):
        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            return super().forward(hidden)

    model = seeded(Own)
    with annotate(model):
        inner = Own.forward

        def over(self: Any, hidden: torch.Tensor) -> torch.Tensor:
            return inner(self, hidden) + 1

        Own.forward = over  # type: ignore[method-assign]
    assert Own.forward is over
    plain = seeded(TinyModel)(X)
    assert torch.equal(model(X), plain + 1)
    assert components(record(lambda: model(X))) == []


def test_a_method_that_stands_on_the_object_itself_is_put_back() -> None:
    model = seeded(Coder)
    original = model.decode

    def decode(hidden: torch.Tensor) -> torch.Tensor:
        with record_function("theirs"):
            result: torch.Tensor = original(hidden)
        return result

    model.decode = decode

    def run() -> None:
        with nothing_left(model), annotate(model):
            model.decode(X)

    assert components(record(run)) == ["coder"]
    assert model.decode is decode


def test_scripted_and_traced_modules_run() -> None:
    scripted = torch.jit.script(seeded(TinyModel))
    model = nn.Sequential(scripted, seeded(TinyModel)).eval()
    plain = model(X)
    results: list[Any] = []

    def run() -> None:
        with annotate(model):
            results.append(model(X))
            results.append(torch.jit.trace(model[1], X)(X))
            results.append(torch.fx.symbolic_trace(model[1])(X))
            results.append(make_fx(model[1])(X)(X))

    with nothing_left(model):
        record(run)
    assert torch.equal(results[0], plain)
    assert all(torch.allclose(result, model[1](X)) for result in results[1:])


@pytest.mark.parametrize("fast", [True, False])
def test_fast_paths_are_taken_as_ever(fast: bool) -> None:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=fast)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    hidden = torch.ones(2, 5, 8)

    def run() -> None:
        with torch.inference_mode(), annotate(model):
            for _ in range(2):
                model(hidden)

    trace = record(run)
    names = [event["name"] for event in trace["traceEvents"]]
    assert names.count("aten::_transformer_encoder_layer_fwd") == (4 if fast else 0)
