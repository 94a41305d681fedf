"""The layer of a call is the block of the model that repeats, however its modules are named."""

from __future__ import annotations

import pytest

from genscope.analysis.attention.places import layers_of
from tests import loaded
from tests.analysis.attention.test_shared import calls_of


@pytest.mark.skipif(not loaded.TRACES, reason="the shared traces are not here")
def test_layers_of_timesformer_have_two_attentions_each() -> None:
    _, calls = calls_of("video-timesformer-h100")
    assert calls.layer.tolist() == [layer for layer in range(12) for _ in range(2)]
    assert calls.is_word("axis", "temporal").tolist() == [True, False] * 12


@pytest.mark.skipif(not loaded.TRACES, reason="the shared traces are not here")
def test_layers_of_each_text_encoder_count_from_their_first() -> None:
    """The second CLIP of Stable Diffusion 3 has 32 layers: instances 12 to 43 of their class."""
    _, calls = calls_of("diffusion-sd3.5-mi300x")
    for component, count in [("CLIPTextModelWithProjection_1", 32), ("T5EncoderModel_0", 24)]:
        mine = calls.layer[calls.is_word("component", component)]
        assert mine.tolist() == [*range(count), *range(count)]
    # Its blocks were compiled into one, so that no module tells the layer.
    assert set(calls.layer[calls.is_word("phase", "denoise")].tolist()) == {-1}


def layers(*paths: str) -> list[int]:
    return layers_of(paths, {})


def test_layers_of_qualified_names() -> None:
    t5 = [f"t5/encoder.block.{block}.layer.0.SelfAttention" for block in range(3)]
    t5 += [f"t5/decoder.block.{block}.layer.1.EncDecAttention" for block in range(3)]
    assert layers(*t5) == [0, 1, 2, 0, 1, 2]
    video = [
        f"encoder.layer.{layer}.{axis}attention"
        for layer in range(2, 4)
        for axis in ("temporal_", "")
    ]
    assert layers(*video) == [2, 2, 3, 3]
    swin = [f"layers.{stage}.blocks.{block}.attn" for stage in (0, 1) for block in (0, 1, 2)]
    assert layers(*swin) == [0, 1, 2, 0, 1, 2]
    assert layers("super_resolution_1/mid.attentions.0", "text_encoder/layers.5.self_attn") == [
        0,
        5,
    ]


def test_layers_of_instances() -> None:
    stacks = [f"T5_0/Stack_0/Block_{one}/Attention_{one}" for one in range(3)]
    stacks += [f"T5_0/Stack_1/Block_{one}/Attention_{one}" for one in range(3, 6)]
    lowest = {("Block", "Stack_0"): 0, ("Block", "Stack_1"): 3}
    assert layers_of(stacks, lowest) == [0, 1, 2, 0, 1, 2]
    assert layers("Model_0", "Vae_0/Middle_0/Attention_0") == [-1, 0]
    assert layers("Block_0", "Block_1") == [0, 1]
    # Of a model with attention in some layers, the others count too.
    some = [f"Model_0/Layer_{one}/Attention_{one // 4}" for one in (3, 7, 11)]
    assert layers_of(some, {("Layer", "Model_0"): 0}) == [3, 7, 11]


def test_odd_names_tell_no_layer() -> None:
    assert layers("", "Foo_#", "a/#.#", "encoder", "x_99999999/y") == [-1] * 5
