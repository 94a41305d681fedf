"""Score matrices of a step: the paper's formula, the calls that were made, what was recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from genscope.analysis.memory.results import Memory
from genscope.analysis.memory.view import memory
from tests.analysis.memory import made

ROWS = made.BATCH * made.HEADS


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    return memory(made.unet(tmp_path_factory.mktemp("sd")))


def test_stable_diffusion_beside_the_formula(found: Memory) -> None:
    similarity = found.similarity
    assert similarity.component == "unet" and similarity.steps == 2
    assert similarity.paper_bytes == 73_239_168
    by_hand = sum(2 * count * q * (q + made.TEXT) for q, count in made.SD_CALLS.items())
    assert similarity.one_head_bytes == by_hand == 183_070_848
    assert similarity.one_head_over_paper == pytest.approx(2.4996, abs=5e-5)
    assert similarity.real_bytes == similarity.recorded_bytes == ROWS * by_hand
    assert similarity.largest_bytes == ROWS * 2 * 4096**2
    assert "2.4996 times the formula" in similarity.sentence
    assert "assumes two calls" in similarity.sentence and "5 are made" in similarity.sentence


def test_stages_of_a_step_add_up(found: Memory) -> None:
    stages = found.stages
    assert [(s.level, s.kind, s.q_len, s.kv_len, s.calls_per_step, s.calls) for s in stages] == [
        (level, kind, q, kv, count, 2 * count)
        for level, (q, count) in enumerate(made.SD_CALLS.items())
        for kind, kv in (("self", q), ("cross", made.TEXT))
    ]
    similarity = found.similarity
    assert sum(stage.paper_bytes or 0 for stage in stages) == similarity.paper_bytes
    assert sum(stage.one_head_bytes for stage in stages) == similarity.one_head_bytes
    assert sum(stage.softmax_bytes or 0 for stage in stages) == similarity.recorded_bytes
    first = stages[0]
    assert first.matrices == ROWS and first.real_call_bytes == ROWS * 2 * 4096**2
    assert first.product_bytes == first.softmax_bytes == 5 * ROWS * 2 * 4096**2
    assert first.fused is False and first.kept_bytes == 5 * ROWS * 4096 * 4


def test_growth_is_that_of_the_paper_only_for_self_attention(found: Memory) -> None:
    exponents = {(fit.of, fit.from_size): round(fit.exponent or 0, 2) for fit in found.growth.fits}
    assert exponents["bytes", 64] == 3.58 and exponents["self_bytes", 64] == 4.0
    assert exponents["bytes", 512] == 3.97
    here = next(point for point in found.growth.points if point.recorded)
    assert here.image_size_px == 512 and here.bytes == found.similarity.one_head_bytes
    assert here.paper_bytes == found.similarity.paper_bytes
    assert here.real_bytes == found.similarity.real_bytes
    assert "77 columns whatever the size" in found.growth.sentence


def test_fused_calls_write_nothing(found: Memory, tmp_path: Path) -> None:
    fused = memory(made.unet(tmp_path, fused=True))
    assert fused.similarity.recorded_bytes is None
    assert fused.similarity.real_bytes == found.similarity.real_bytes
    assert all(stage.fused for stage in fused.stages)
    avoided, written = fused.fused.fused, found.fused.unfused
    assert avoided == written
    assert found.fused.fused.calls == fused.fused.unfused.calls == 0
    queries = 2 * sum(2 * count * q for q, count in made.SD_CALLS.items())
    assert avoided.matrix_bytes == 2 * ROWS * 183_070_848
    assert avoided.traffic_bytes == 4 * avoided.matrix_bytes
    assert avoided.kept_bytes == ROWS * queries * 4
    assert (avoided.largest_bytes, avoided.largest_kept_bytes) == (
        ROWS * 2 * 4096**2,
        ROWS * 4 * 4096,
    )


def test_a_step_that_was_cut_off_is_not_typical(tmp_path: Path) -> None:
    found = memory(made.unet(tmp_path, steps=3, last=3))
    assert found.similarity.steps_differ and found.similarity.steps == 3
    assert found.similarity.one_head_bytes == 183_070_848
    assert [warning.code for warning in found.warnings] == ["steps_differ"]


def test_without_a_text_there_is_no_second_term(tmp_path: Path) -> None:
    found = memory(made.unet(tmp_path, calls={256: 2, 64: 1}, text=0, px=None))
    assert found.similarity.paper_bytes == 2 * (2 * 256**2 + 64**2)
    assert found.similarity.one_head_over_paper == 1
    assert found.similarity.sentence.endswith("They are equal.")
    # Nothing tells pixels: sizes are sides of the latent.
    assert {point.image_size_px for point in found.growth.points} == {None}
    assert [point.latent_side for point in found.growth.points] == [2, 4, 8, 16, 24, 32]


def test_sizes_at_which_a_length_is_no_number_are_left_out(tmp_path: Path) -> None:
    found = memory(made.unet(tmp_path, calls={64: 2, 16: 1}, px=64))
    assert [point.image_size_px for point in found.growth.points] == [64, 128, 256, 512, 768, 1024]
    found = memory(made.unet(tmp_path, calls={64: 2, 16: 1}, px=512))
    assert [point.image_size_px for point in found.growth.points] == [128, 256, 512, 768, 1024]


def test_lengths_of_no_unet_say_why(tmp_path: Path) -> None:
    found = memory(made.unet(tmp_path, calls={4096: 1, 1024: 1, 512: 1}))
    similarity = found.similarity
    assert similarity.paper_bytes is None and similarity.one_head_over_paper is None
    assert "do not shrink by one ratio" in (similarity.paper_reason or "")
    assert similarity.one_head_bytes == 2 * sum(q * (q + 77) for q in (4096, 1024, 512))


def test_a_trace_without_attention_says_so(tmp_path: Path) -> None:
    found = memory(made.loaded(tmp_path, [made.op("aten::mm", [[4, 4], [4, 4]], 0, 5)]))
    assert found.stages == [] and found.similarity.paper_bytes is None
    assert "no attention calls" in (found.similarity.reason or "")
    assert found.growth.points == [] and found.declared is None
    assert "profile_memory=True" in (found.measured.reason or "")
