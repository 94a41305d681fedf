from __future__ import annotations

import pytest

from genscope.analysis.paper.results import ModelTaxonomy
from genscope.suite.taxonomy import taxonomy


@pytest.fixture(scope="module")
def built() -> dict[str, ModelTaxonomy]:
    names = ("stable-diffusion", "muse", "parti", "make-a-video", "phenaki")
    return {model.model: model for model in taxonomy(names).models}


def part(model: ModelTaxonomy, name: str) -> tuple[int, list[int]]:
    (found,) = (one for one in model.components if one.name == name)
    return found.layers, found.widths


def test_transformers_have_the_layers_and_widths_of_table_i(
    built: dict[str, ModelTaxonomy],
) -> None:
    assert part(built["muse"], "transformer") == (48, [2048])
    # What encoder and decoder share counts once.
    assert part(built["parti"], "text_encoder") == (16, [4096])
    assert part(built["parti"], "decoder") == (64, [4096])
    assert part(built["phenaki"], "transformer") == (24, [2048])


def test_unets_attend_where_their_calls_say(built: dict[str, ModelTaxonomy]) -> None:
    diffusion = built["stable-diffusion"]
    assert part(diffusion, "unet") == (16, [320, 640, 1280])
    assert diffusion.attention_sides == [64, 32, 16, 8]
    assert diffusion.main == "unet"
    assert (diffusion.steps, diffusion.image_size, diffusion.frames) == (50, 512, None)
    video = built["make-a-video"]
    assert video.attention_sides == [32, 16, 8]
    assert 16 in video.lengths
    assert part(video, "super_resolution_1") == (0, [])


def test_parameters_add_up(built: dict[str, ModelTaxonomy]) -> None:
    for model in built.values():
        assert model.parameters == sum(one.parameters for one in model.components)
