"""Kind, axis and heads follow from where tokens come from, not from names or lengths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.collectors.attention.harness import Session, recorded, run


class Layer(nn.Module):
    """Attention with projections; keys from `y`, or from both, one after the other."""

    def __init__(self, width: int = 16, heads: int = 2) -> None:
        super().__init__()
        self.qkv = nn.ModuleList(nn.Linear(width, width) for _ in range(3))
        self.heads = heads

    def forward(self, x: torch.Tensor, y: torch.Tensor | None = None, joint: bool = False) -> Any:
        y = x if y is None else y
        y = torch.cat([y, x], dim=1) if joint else y
        q, k, v = (
            project(one).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for project, one in zip(self.qkv, (x, y, y), strict=True)
        )
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


class Model(nn.Module):
    def __init__(self, body: Callable[..., Any]) -> None:
        super().__init__()
        self.layer = Layer()
        self.patch = nn.Conv2d(4, 16, 1)
        self.embed = nn.Embedding(32, 16)
        self.body = body

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.body(self, *args, **kwargs)


def image(model: Any, sample: torch.Tensor) -> torch.Tensor:
    return model.patch(sample).flatten(2).transpose(1, 2)  # type: ignore[no-any-return]


def frames(model: Any, sample: torch.Tensor, first: str) -> torch.Tensor:
    """(batch, tokens of a frame, frames, features), from either order of channels and frames."""
    if first == "channels":
        sample = sample.transpose(1, 2)
    b = sample.shape[0]
    return image(model, sample.flatten(0, 1)).unflatten(0, (b, -1))


TEXT = torch.randn(2, 9, 16)
IMAGE = torch.randn(2, 4, 3, 3)


@pytest.mark.parametrize(
    ("body", "args", "expected"),
    [
        pytest.param(
            lambda m, x: m.layer(image(m, x)), (IMAGE,), ("self", "spatial"), id="image"
        ),
        pytest.param(
            lambda m, x, context: m.layer(image(m, x), context),
            (IMAGE, TEXT),
            ("cross", "spatial"),
            id="positional context, as long as the image",
        ),
        pytest.param(
            lambda m, x, context: m.layer(image(m, x), context, True),
            (IMAGE, TEXT),
            ("joint", "spatial"),
            id="keys of text and image",
        ),
        pytest.param(
            lambda m, x, context: m.layer(torch.cat([context, image(m, x)], 1)),
            (IMAGE, TEXT),
            ("joint", "spatial"),
            id="one sequence of text and image",
        ),
        pytest.param(
            lambda m, x, context: m.layer(torch.cat([context, image(m, x)], 1)[:, 9:]),
            (IMAGE, TEXT),
            ("self", "spatial"),
            id="the image cut out of it again",
        ),
        pytest.param(
            lambda m, x: m.layer(
                torch.cat([torch.zeros(1, 1, 16).expand(2, -1, -1), image(m, x)], 1)
            ),
            (IMAGE,),
            ("self", "spatial"),
            id="class token",
        ),
        pytest.param(
            lambda m, x: m.layer(m.embed(x)),
            (torch.ones(2, 9, dtype=torch.long),),
            ("self", "sequence"),
            id="text",
        ),
        pytest.param(
            lambda m, x: m.layer(m.embed(x), m.embed(x)),
            (torch.ones(2, 9, dtype=torch.long),),
            ("cross", "sequence"),
            id="one text as two streams",
        ),
        pytest.param(
            lambda m, x: m.layer(m.embed(x).flatten(1, 2)),
            (torch.ones(2, 3, 3, dtype=torch.long),),
            ("self", "spatial"),
            id="image tokens",
        ),
        pytest.param(
            lambda m, x: m.layer(nn.Parameter(torch.randn(1, 5, 16)).expand(2, -1, -1), x),
            (TEXT,),
            ("cross", "sequence"),
            id="learned queries",
        ),
        pytest.param(
            lambda m, x: m.layer(x.roll(1, 1)[:, ::2], x), (TEXT,), ("self", "sequence"),
            id="fewer queries",
        ),
    ],
)  # fmt: skip
def test_kind_and_axis(body: Any, args: Any, expected: tuple[str, str]) -> None:
    model = Model(body)
    found = run(lambda: [model(*args) for _ in range(2)], model=model)
    assert [one.what for one in found] == [expected] * 2
    assert all(one.lengths[1:3] == (2, 2) for one in found)
    assert not any(one.site.reason.startswith("by ") for one in found)


@pytest.mark.parametrize("first", ["channels", "frames"])
@pytest.mark.parametrize("count", [4, 9])
def test_axis_of_video_where_all_lengths_are_equal(first: str, count: int) -> None:
    """`count` is as many frames as channels, or as pixels."""

    def body(m: Any, sample: torch.Tensor) -> None:
        x = frames(m, sample, first)
        b = x.shape[0]
        m.layer(x.flatten(0, 1))
        m.layer(x.transpose(1, 2).flatten(0, 1))
        m.layer(x.flatten(1, 2))
        y = torch.cat([torch.zeros(b, 1, 16), x.transpose(1, 2).flatten(1, 2)], 1)[:, 1:]
        m.layer(y.reshape(b * 9, count, 16))

    shape = (2, 4, count, 3, 3) if first == "channels" else (2, count, 4, 3, 3)
    model = Model(body)
    found = run(lambda: [model(torch.randn(shape)) for _ in range(2)], model=model)
    axes = ["spatial", "temporal", "spatiotemporal", "temporal"]
    assert [one.site.axis for one in found] == axes * 2
    assert {one.site.kind for one in found} == {"self"}
    assert "frames in the batch" in found[0].site.reason


def test_a_cache_makes_no_self_attention_cross_and_cached_cross_attention_stays_cross() -> None:
    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(32, 16)
            self.key, self.query = nn.Linear(16, 16), nn.Linear(16, 16)

        def forward(self, ids: torch.Tensor, past_key_values: list[torch.Tensor]) -> torch.Tensor:
            x = self.embed(ids)
            own, other = past_key_values
            k = torch.cat([own, self.key(x)], dim=1)[:, None]
            y = F.scaled_dot_product_attention(self.query(x)[:, None], k, k)
            z = other[:, None]
            return F.scaled_dot_product_attention(y, z, z)

    model = Decoder()
    found = run(
        lambda: model(
            torch.ones(2, 1, dtype=torch.long), [torch.randn(2, 5, 16), torch.randn(2, 6, 16)]
        ),
        model=model,
    )
    assert [one.what for one in found] == [("self", "sequence"), ("cross", "sequence")]


def test_grouped_queries_however_they_are_passed() -> None:
    """Repeated keys, a flag, or heads packed into the place of queries: 8 heads share 2."""

    class Grouped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q, self.k = nn.Linear(16, 64), nn.Linear(16, 16)

        def forward(self, x: torch.Tensor, way: str) -> Any:
            b, n, _ = x.shape
            q = self.q(x).view(b, n, 8, 8).transpose(1, 2)
            k = self.k(x).view(b, n, 2, 8).transpose(1, 2)
            if way == "flag":
                return F.scaled_dot_product_attention(q, k, k, enable_gqa=True)
            if way == "repeated":
                k = k[:, :, None].expand(b, 2, 4, n, 8).reshape(b, 8, n, 8)
            elif way == "packed":
                q = q.reshape(b, 2, 4, 8)
            return F.scaled_dot_product_attention(q, k, k)

    for ways in (["flag"], ["repeated"], ["packed"], ["repeated", "packed", "flag"]):
        model = Grouped()
        with Session(model=model) as session, recorded(session) as found:
            for way in ways * 2:
                model(torch.randn(2, 1 if way == "packed" else 5, 16), way)
        lengths = [(2, 8, 2, n, n) for n in (1 if way == "packed" else 5 for way in ways * 2)]
        assert [one.lengths for one in found] == lengths


def test_a_shared_module_is_told_apart_by_its_turn() -> None:
    def body(m: Any, sample: torch.Tensor) -> None:
        x = frames(m, sample, "channels")
        m.layer(x.flatten(0, 1))
        m.layer(x.transpose(1, 2).flatten(0, 1))

    model = Model(body)
    sample = torch.randn(1, 4, 9, 3, 3)
    found = run(lambda: [model(sample) for _ in range(3)], model=model)
    assert [one.site.axis for one in found] == ["spatial", "temporal"] * 3


def test_what_was_found_out_holds_in_later_recordings() -> None:
    model = Model(lambda m, x, context: m.layer(image(m, x), context))
    run(lambda: model(IMAGE, TEXT), model=model)
    seen: list[int] = []
    model.patch.register_forward_pre_hook(
        lambda *_: seen.append(torch._C._len_torch_function_stack())
    )
    found = run(lambda: model(IMAGE, TEXT), model=model)
    assert seen == [0]
    assert [one.what for one in found] == [("cross", "spatial")]
    assert found[0].path == "layer"


def test_ways_of_calling_are_looked_into_one_by_one() -> None:
    class Coder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down, self.up, self.layer = nn.Conv2d(3, 16, 1), nn.Conv2d(4, 16, 1), Layer()

        def encode(self, x: torch.Tensor) -> Any:
            return self.layer(self.down(x).flatten(2).mT)

        def decode(self, x: torch.Tensor) -> Any:
            return self.layer(self.up(x).flatten(2).mT)

    model = Coder()
    with Session(vae=model) as session, recorded(session) as found:
        for method, channels in (("encode", 3), ("decode", 4), ("decode", 4)):
            x = torch.randn(1, channels, 3, 3)
            session.method("vae", model, lambda m=method, x=x: getattr(model, m)(x), x)
    assert [one.what for one in found] == [("self", "spatial")] * 3
    assert session.capture.owners(model) == {"layer"}
