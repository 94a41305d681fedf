from __future__ import annotations

from dataclasses import replace

import pytest

from genscope.analysis.paper import structure
from genscope.analysis.paper.figures import Call
from genscope.analysis.paper.measures import MEASURES
from genscope.analysis.paper.results import Component, ModelTaxonomy
from genscope.analysis.paper.runs import BASELINE, FUSED, Runs, exponent
from tests.analysis.paper.made import STABLE_DIFFUSION, in_roles, roof, run, self_and_text

SD = run("stable-diffusion", self_and_text(STABLE_DIFFUSION * 3), image_size=512)


def test_bytes_of_similarity_matrices_are_those_counted_by_hand() -> None:
    (found,) = structure.memory(Runs([SD]))
    # 183,070,848 bytes a step in the calls; 73,239,168 by the formula at depth 3.
    assert found.value == pytest.approx(183_070_848 / 73_239_168)
    assert "183,070,848" in found.why
    assert "73,239,168" in found.why


def test_memory_grows_with_less_than_the_fourth_power_because_of_the_text() -> None:
    swept = [
        replace(
            SD,
            label=str(size),
            image_size=size,
            calls=self_and_text([n * size**2 // 512**2 for n in STABLE_DIFFUSION]),
        )
        for size in (64, 128, 256, 512)
    ]
    (found,) = structure.memory_growth(Runs(swept))
    assert found.value == pytest.approx(3.58, abs=0.01)
    (buckets,) = structure.buckets(Runs(swept))
    assert buckets.words == "shifting right"
    assert "512 pixels: 4096, 1024, 256, 64" in buckets.why


def test_runs_with_other_steps_are_no_points_of_a_sweep() -> None:
    other = replace(SD, label="other", image_size=256, steps=9)
    assert structure.memory_growth(Runs([SD, other])) == []


@pytest.mark.parametrize(
    ("model", "calls", "words"),
    [
        ("stable-diffusion", self_and_text(STABLE_DIFFUSION * 2), "U-shaped cycles"),
        ("stable-diffusion", self_and_text([64, 256, 64, 1024, 256, 64]), "varying"),
        ("muse", [Call("transformer", "self", "spatial", 2, 256, 256, None)] * 9, "constant"),
        (
            "parti",
            [
                call
                for kept in range(1, 9)
                for call in [
                    Call("decoder", "self", "sequence", 1, 1, kept, "decode"),
                    Call("decoder", "cross", "sequence", 1, 1, 128, "decode"),
                ]
                * 4
            ],
            "growing",
        ),
    ],
)
def test_shape_of_lengths(model: str, calls: list[Call], words: str) -> None:
    (found,) = structure.lengths(Runs([run(model, calls)]))
    assert found.words == words


def test_lengths_vary_by_4_a_stage_and_64_in_all() -> None:
    (found,) = structure.variation(Runs([SD]))
    assert found.value == 64
    assert "4x from one stage to the next" in found.why


def test_space_and_time_are_swapped_between_length_and_batch() -> None:
    pair = [
        Call("unet", "joint", "spatial", 2 * 16, 64, 141, "denoise"),
        Call("unet", "self", "temporal", 2 * 64, 16, 16, "denoise"),
    ]
    (found,) = structure.dimensions(Runs([run("make-a-video", pair)]))
    assert found.words == "swapped"
    wrong = [pair[0], replace(pair[1], batch=64)]
    (found,) = structure.dimensions(Runs([run("make-a-video", wrong)]))
    assert found.words == "not swapped"


def test_sizes_come_from_the_taxonomy_at_paper_scale_alone() -> None:
    muse = ModelTaxonomy(
        model="muse",
        scale="paper",
        parameters=8_000_000_000,
        main="transformer",
        components=[
            Component(
                name="text_encoder", parameters=5 * 10**9, layers=24, widths=[4096], channels=[]
            ),
            Component(
                name="transformer", parameters=3 * 10**9, layers=48, widths=[2048], channels=[]
            ),
        ],
        steps=24,
        image_size=512,
        frames=None,
        attention_sides=[16],
        lengths=[256],
    )
    built = Runs([], [muse])
    assert [one.value for one in structure.parameters(built)] == [3.0]
    assert [one.value for one in structure.layers(built)] == [48.0]
    assert [one.value for one in structure.widths(built)] == [2048.0]
    muse.scale = "tiny"
    assert structure.parameters(Runs([], [muse])) == []


def test_growth_compares_attention_with_convolution_in_each_role() -> None:
    def at(size: int, role: str, attention: float, convolution: float) -> tuple[object, str]:
        times = {"Attention": int(size**attention), "Convolution": int(size**convolution)}
        return replace(SD, label=f"{role}{size}", image_size=size, time_ns=times), role

    runs = in_roles(
        *(at(size, BASELINE, 4, 2) for size in (64, 128, 256)),  # type: ignore[arg-type]
        *(at(size, FUSED, 1.5, 2) for size in (64, 128, 256)),  # type: ignore[arg-type]
    )
    (before,), (after,) = MEASURES["growth_baseline"](runs), MEASURES["growth_fused"](runs)
    assert before.value == pytest.approx(2, abs=0.01)
    assert after.value == pytest.approx(-0.5, abs=0.01)
    assert before.same is True
    assert after.same is True


def test_exponent_needs_two_sizes_and_values_above_zero() -> None:
    assert exponent([1, 2, 4], [3, 12, 48]) == pytest.approx(2)
    assert exponent([2, 2], [3, 4]) is None
    assert exponent([1, 2], [0, 4]) is None
    assert exponent([], []) is None


def test_intensity_of_diffusion_is_beside_that_of_the_language_model() -> None:
    runs = [
        run("llama2", roof=roof(10)),
        run("imagen", roof=roof(900)),
        run("sdxl", roof=roof(40)),
        run("muse", roof=roof(9000)),
    ]
    (found,) = MEASURES["intensity"](Runs(runs))
    assert found.value == 90
    assert found.same is True
    assert MEASURES["intensity"](Runs(runs[1:])) == []
