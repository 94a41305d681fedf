"""torch.compile notices nothing: no graph break, no recompilation, whichever came first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch._dynamo
import torch.nn.functional as F
from torch import nn
from torch._dynamo.utils import counters
from torch.nn.functional import scaled_dot_product_attention as imported

from tests.collectors.attention.harness import Session, recorded


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(16, 48)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.project(x).view(2, 6, 3, 2, 8).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v) + imported(q, k, v)
        return y.transpose(1, 2).reshape(2, 6, 16)


class Model(nn.Module):
    def __init__(self, compiled: str) -> None:
        super().__init__()
        self.first = Block()
        self.second: nn.Module = Block()
        if compiled == "wrapped":
            self.second = torch.compile(self.second, backend="eager")  # type: ignore[assignment]
        elif compiled == "in place":
            self.second.compile(backend="eager")
        elif compiled == "function":
            self.run = torch.compile(self.second.__call__, backend="eager")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return getattr(self, "run", self.second)(self.first(x))  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()
    counters.clear()


def compilations() -> tuple[int, int, int]:
    """Graphs made, frames compiled, graph breaks."""
    return (
        counters["stats"]["unique_graphs"],
        counters["frames"]["total"],
        sum(counters["graph_break"].values()),
    )


@pytest.mark.parametrize("compiled", ["wrapped", "in place", "function"])
@pytest.mark.parametrize("first", ["before", "while recording"])
def test_compiled_once_and_never_again(compiled: str, first: str) -> None:
    x = torch.randn(2, 6, 16)
    model = Model(compiled)
    if first == "before":
        expected = model(x)
        assert compilations()[0] == 1
    with Session(model=model) as session, recorded(session) as found:
        during = model(x)
        again = model(x)
    made = compilations()
    assert made[0] == 1
    assert made[2] == 0
    after = model(x)
    with Session(model=model) as session, recorded(session):
        model(x)
    model(x)
    assert compilations() == made
    assert torch.equal(during, after)
    assert torch.equal(during, again)
    if first == "before":
        assert torch.equal(during, expected)
    assert len(found) == 4  # Two calls of the eager block, twice.


def test_guards_hold_without_recompilation_errors() -> None:
    x = torch.randn(2, 6, 16)
    model = torch.compile(Block(), backend="eager", fullgraph=True)
    model(x)
    with torch._dynamo.config.patch(error_on_recompile=True):
        with Session() as session, recorded(session) as found:
            model(x)
        model(x)
    assert found == []


def test_eager_code_that_compiled_code_calls_is_annotated() -> None:
    @torch.compiler.disable
    def eager(x: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(x, x, x)

    @torch.compile(backend="eager")
    def run(x: torch.Tensor) -> torch.Tensor:
        return eager(x + 1) * 2

    x = torch.randn(1, 2, 5, 8)
    run(x)
    made = compilations()
    with Session() as session, recorded(session) as found:
        run(x)
    run(x)
    assert compilations() == made
    assert [call.lengths for call in found] == [(1, 2, 2, 5, 5)]


def test_an_error_in_compiled_code_leaves_the_capture_working() -> None:
    @torch.compile(backend="eager")
    def run(x: torch.Tensor) -> torch.Tensor:
        return x @ torch.ones(3, 3)

    x = torch.randn(1, 2, 5, 8)
    with Session() as session, recorded(session) as found:
        with pytest.raises(Exception, match=r".*"):
            run(x)
        F.scaled_dot_product_attention(x, x, x)
    assert len(found) == 1


def test_scripting_while_recording() -> None:
    def attend(x: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(x, x, x)

    x = torch.randn(1, 2, 5, 8)
    with Session() as session:
        scripted = torch.jit.script(attend)
        traced = torch.jit.trace(attend, (x,))
        assert not session.capture.failed
    assert torch.equal(scripted(x), attend(x))
    assert torch.equal(traced(x), attend(x))
