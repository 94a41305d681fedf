"""Which modules are components, and what they are called."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from genscope.collect.components import clean, find, owner_of, snake_case
from tests.collectors import small
from tests.collectors.models.cases import CASES
from tests.collectors.small import Coder, TinyModel, seeded


def names(*args: Any, **options: Any) -> list[str]:
    return [part.name for part in find(*args, **options).parts]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("stable_diffusion_v1", ["vae", "text_encoder", "unet"]),
        ("stable_diffusion_xl", ["vae", "text_encoder", "text_encoder_2", "unet"]),
        ("amused", ["vqvae", "text_encoder", "transformer"]),
        ("flux", ["vae", "transformer"]),
    ],
)
def test_a_pipeline_names_its_components(case: str, expected: list[str]) -> None:
    assert sorted(names(CASES[case].build().target)) == sorted(expected)


class _Pipeline:
    """Like a pipeline of diffusers."""

    def __init__(self, **components: Any) -> None:
        self.components = components
        vars(self).update(components)

    def __call__(self) -> None:
        raise NotImplementedError


class _SuperResolutionPipeline(_Pipeline):
    pass


def test_later_pipelines_that_enlarge_have_numbered_denoisers() -> None:
    text, parts = seeded(TinyModel), [seeded(TinyModel) for _ in range(4)]
    pipes = [
        _Pipeline(text_encoder=text, unet=parts[0]),
        _SuperResolutionPipeline(text_encoder=text, unet=parts[1]),
        _SuperResolutionPipeline(text_encoder=None, unet=parts[2]),
        _Pipeline(text_encoder=text, unet=parts[3]),
    ]
    assert names(pipes) == [
        "text_encoder",
        "unet",
        "super_resolution_1",
        "super_resolution_2",
        "unet_2",
    ]
    named = {"base": pipes[0], "refiner": _Pipeline(unet=parts[3], vae=parts[1])}
    assert names(named) == ["base_text_encoder", "base", "refiner", "refiner_vae"]


def test_names_that_are_given_go_before_those_of_the_pipeline() -> None:
    unet, vae = seeded(TinyModel), seeded(Coder)
    pipe = _Pipeline(unet=unet, vae=vae)
    assert names(pipe, {"mine": unet}) == ["mine", "vae"]
    assert names(pipe, {"inner": "unet.blocks.0"}) == ["inner", "unet", "vae"]


def test_a_model_named_as_a_whole_is_one_component() -> None:
    model = small.llama()
    assert names(model) == ["llama"]
    assert names(model, {"mine": model}) == ["mine"]
    assert names([model, model]) == ["llama"]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("t5", ["text_encoder", "decoder"]),
        ("bart", ["text_encoder", "decoder"]),
        ("clip", ["image_encoder", "text_encoder", "clip"]),
        ("vit", ["vit"]),
        ("timesformer", ["timesformer"]),
    ],
)
def test_models_of_transformers_have_names_by_themselves(case: str, expected: list[str]) -> None:
    assert names(CASES[case].build().target) == expected


def test_models_of_diffusers_have_names_by_themselves() -> None:
    assert names(small.unet()) == ["unet"]
    assert names(torch.compile(small.unet())) == ["unet"]
    assert names([small.unet(), seeded(TinyModel)]) == ["unet", "tiny_model"]


class _Whole(nn.Module):
    def __init__(self, *children: str) -> None:
        super().__init__()
        for child in children:
            self.add_module(child, TinyModel())


def test_children_with_well_known_names_are_components_where_there_are_two() -> None:
    assert names(_Whole("unet", "vae", "other")) == ["unet", "vae", "_whole"]
    assert names(_Whole("transformer", "other")) == ["_whole"]


def test_the_owner_of_a_module_is_the_outermost_or_its_pipeline() -> None:
    model = _Whole("first", "second")
    assert owner_of(model.first.blocks[0]) is model  # type: ignore[union-attr, index]
    assert owner_of(model) is model


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("module.layers.0", "layers.0"),
        ("_orig_mod.module.layers.0._checkpoint_wrapped_module.mlp", "layers.0.mlp"),
        ("_fsdp_wrapped_module.layers.0._fsdp_wrapped_module", "layers.0"),
        ("modules.module_list.0", "modules.module_list.0"),
        ("module", ""),
    ],
)
def test_qualified_names_lose_what_wrappers_add(path: str, expected: str) -> None:
    assert clean(path) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("TinyModel", "tiny_model"), ("GPT2Model", "gpt2_model"), ("MLP", "mlp")],
)
def test_snake_case(name: str, expected: str) -> None:
    assert snake_case(name) == expected
