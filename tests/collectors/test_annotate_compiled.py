"""torch.compile beside `annotate`: as many graphs as without, and ranges around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from genscope.collect import annotate
from tests.collectors import small
from tests.collectors.small import TinyModel, seeded
from tests.collectors.support import components, modules, nothing_left, record

dynamo = pytest.importorskip("torch._dynamo")
X = torch.ones(2, 4)


class Breaking(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = TinyModel()

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        hidden = self.inner(hidden)
        dynamo.graph_break()
        result: torch.Tensor = self.inner(hidden)
        return result


class Counted:
    """A backend that counts graphs and runs them as they are."""

    def __init__(self) -> None:
        self.graphs = 0

    def __call__(self, graph: Any, inputs: Any) -> Any:
        self.graphs += 1
        return graph.forward


def _module(model: nn.Module, backend: Counted) -> Any:
    return torch.compile(model, backend=backend)


def _in_place(model: nn.Module, backend: Counted) -> Any:
    model.compile(backend=backend)
    return model


def _function(model: nn.Module, backend: Counted) -> Any:
    return torch.compile(lambda hidden: model(hidden) * 2, backend=backend)


def _child(model: nn.Module, backend: Counted) -> Any:
    for child in model.children():
        child.compile(backend=backend)
    return model


WAYS = {"module": _module, "in place": _in_place, "function": _function, "child": _child}


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    dynamo.reset()
    dynamo.utils.counters.clear()
    yield
    dynamo.reset()


def _breaks() -> int:
    return sum(dynamo.utils.counters["graph_break"].values())


def _counts(
    way: str, kind: type[nn.Module], between: Callable[[nn.Module, Callable[[], Any]], None]
) -> tuple[int, int, torch.Tensor]:
    dynamo.reset()
    dynamo.utils.counters.clear()
    model, backend = seeded(kind), Counted()
    compiled = WAYS[way](model, backend)
    between(model, lambda: compiled(X))
    result: torch.Tensor = compiled(X)
    return backend.graphs, _breaks(), result


def _bare(model: nn.Module, run: Callable[[], Any]) -> None:
    for _ in range(4):
        run()


def _warm(model: nn.Module, run: Callable[[], Any]) -> None:
    run()
    _cold(model, run)


def _cold(model: nn.Module, run: Callable[[], Any]) -> None:
    for _ in range(2):
        with annotate(model):
            run()
            record(run)
            run()


def _unnamed(model: nn.Module, run: Callable[[], Any]) -> None:
    with annotate():
        record(run)
    run()
    with annotate():
        record(run)


@pytest.mark.parametrize("kind", [TinyModel, Breaking])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("when", [_warm, _cold, _unnamed])
def test_no_graph_break_and_no_recompilation_comes_of_it(
    when: Callable[..., None], way: str, kind: type[nn.Module]
) -> None:
    graphs, breaks, plain = _counts(way, kind, _bare)
    assert graphs
    with nothing_left():
        found = _counts(way, kind, when)
    assert found[:2] == (graphs, breaks)
    assert torch.equal(found[2], plain)


def test_what_is_compiled_has_a_range_around_it() -> None:
    model = seeded(TinyModel)
    compiled = torch.compile(model, backend=Counted())

    def run() -> None:
        with nothing_left(model), annotate(compiled):
            compiled(X)
            compiled(X)

    trace = record(run)
    assert components(trace) == ["tiny_model", "tiny_model"]
    assert modules(trace) == []


def test_compiled_blocks_have_ranges_in_a_model_that_is_not() -> None:
    model = seeded(TinyModel)
    for block in model.blocks:
        block.compile(backend=Counted())

    def run() -> None:
        with annotate(model):
            model(X)

    assert modules(record(run)) == ["blocks", "blocks.0", "blocks.1"]


def test_a_compiled_decoder_gives_what_it_gave() -> None:
    model, prompt = small.llama(), small.tokens()
    backend = Counted()
    compiled = torch.compile(model, backend=backend)
    with torch.no_grad():
        plain = compiled(prompt).logits
        graphs, breaks = backend.graphs, _breaks()
        results: list[torch.Tensor] = []
        with nothing_left(model), annotate(compiled):
            record(lambda: results.append(compiled(prompt).logits))
    assert torch.allclose(results[0], plain)
    assert (backend.graphs, _breaks()) == (graphs, breaks)
