"""Sequence, phases and space-time of the public traces, against what their authors ran."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile, record_function

from genscope.analysis.attention.frames import frames_sweep
from genscope.analysis.attention.intensity import attention_flops
from genscope.analysis.attention.phase_view import phases
from genscope.analysis.attention.sequence import Stretch, sequence
from genscope.analysis.attention.serving import read_step
from genscope.analysis.attention.space_time import space_time
from genscope.analysis.attention.where import Where
from genscope.analysis.operators import breakdown
from genscope.trace import Trace, load
from tests import loaded
from tests.analysis.attention.test_shared import calls_of

shared = pytest.mark.skipif(not loaded.TRACES, reason="the shared traces are not here")


def trace_of(name: str) -> Trace:
    return calls_of(name)[0]


def recorded(tmp_path: Path, run: object) -> Trace:
    """Profile a call on the CPU."""
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:
        run()  # type: ignore[operator]
    path = tmp_path / "trace.json"
    profiler.export_chrome_trace(str(path))
    return load(path)


@shared
@pytest.mark.parametrize("name", loaded.TRACES)
def test_phases_add_up(name: str) -> None:
    """To the time of the operator view, with what no phase has in a row of its own."""
    trace = trace_of(name)
    result = phases(trace)
    whole = breakdown(trace)
    assert sum(row.sum_ns for row in result.phases) == result.basis_sum_ns == whole.basis_sum_ns
    attention = {row.category: row.sum_ns for row in whole.categories}.get("Attention", 0)
    assert sum(row.attention_ns for row in result.phases) == attention
    assert math.isclose(sum(row.share for row in result.phases), 1.0) or not result.basis_sum_ns


@shared
def test_phases_of_the_shared_traces() -> None:
    def found(name: str) -> dict[str | None, int]:
        return {row.phase: row.calls for row in phases(trace_of(name)).phases}

    assert found("llm-prefill-qwen1.5-h100") == {None: 10, "prefill": 24}
    assert found("llm-sglang-prefill-decode-mi300x") == {"prefill": 36}
    assert found("llm-vllm-decode-cudagraph") == {"decode": 24}
    assert found("video-timesformer-h100")["encode"] == 24
    diffusion = found("diffusion-sd3.5-mi300x")
    assert (diffusion["encode"], diffusion["denoise"]) == (137, 152)
    training = phases(trace_of("training-resnet50-v100"))
    assert training.training
    assert [row.phase for row in training.phases] == [None]


@shared
def test_denoising_steps_are_counted() -> None:
    result = phases(trace_of("diffusion-sd3.5-mi300x"))
    (pace,) = [pace for pace in result.paces if pace.phase == "denoise"]
    assert pace.rounds == 4
    assert pace.median_ns * 3 < pace.total_ns < pace.median_ns * 5


def test_serving_annotations() -> None:
    extend = read_step("step[EXTEND bs=15 toks=15360]")
    assert extend is not None
    assert (extend.phase, extend.prefills, extend.prefill_tokens) == ("prefill", 15, 15360)
    decode = read_step("step[DECODE bs=32]")
    assert decode is not None
    assert (decode.phase, decode.decodes) == ("decode", 32)
    mixed = read_step("execute_37_context_5(sq900sk900sqsq1sqsk1)_generation_32(sq32sk9sqsq1sqsk1)")
    assert mixed is not None
    assert (mixed.phase, mixed.prefills, mixed.decodes) == ("mixed", 5, 32)
    assert (mixed.prefill_tokens, mixed.decode_tokens) == (900, 32)
    assert read_step("decode") is None


class Cached:
    """Attention of three layers with a cache of keys."""

    def __init__(self) -> None:
        self.keys = [torch.zeros(1, 2, 0, 8) for _ in range(3)]

    def __call__(self, length: int, *, causal: bool = True) -> None:
        for layer in range(3):
            q = torch.randn(1, 2, length, 8)
            self.keys[layer] = torch.cat([self.keys[layer], q], dim=2)
            whole = self.keys[layer]
            torch.nn.functional.scaled_dot_product_attention(
                q, whole, whole, is_causal=causal and whole.shape[2] == length
            )


def phases_in_order(trace: Trace) -> list[tuple[int, str | None]]:
    """(q_len, phase) of each round of three calls."""
    calls = calls_in(trace)
    return [(int(calls[0][at]), calls[1][at]) for at in range(0, len(calls[0]), 3)]


def calls_in(trace: Trace) -> tuple[list[int], list[str | None]]:
    from genscope.analysis.attention import attention_calls

    calls = attention_calls(trace)
    return calls.sizes["q_len"].tolist(), [calls.text("phase", at) for at in range(len(calls))]


def test_chunked_prefill_is_prefill(tmp_path: Path) -> None:
    def run() -> None:
        model = Cached()
        for length in (128, 128, 40, 1, 1, 1, 1):
            model(length)

    assert phases_in_order(recorded(tmp_path, run)) == [
        (128, "prefill"),
        (128, "prefill"),
        (40, "prefill"),
        *[(1, "decode")] * 4,
    ]


def test_speculative_decoding_is_decode(tmp_path: Path) -> None:
    def run() -> None:
        model = Cached()
        for length in (200, 5, 5, 4, 5, 5):
            model(length)

    assert [phase for _, phase in phases_in_order(recorded(tmp_path, run))] == [
        "prefill",
        *["decode"] * 5,
    ]


def test_a_method_called_decode_does_not_decide(tmp_path: Path) -> None:
    """A VAE decodes images; it attends over all of them once."""

    def run() -> None:
        with record_function("decode"):
            image = torch.randn(1, 4, 16, 16)
            feature = torch.nn.functional.conv2d(image, torch.randn(8, 4, 3, 3), padding=1)
            tokens = feature.flatten(2).transpose(1, 2)[:, None]
            torch.nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)

    assert calls_in(recorded(tmp_path, run)) == ([256], ["encode"])


def test_a_sequence_read_again_for_each_token(tmp_path: Path) -> None:
    """Decoding without a cache: every round is one token longer."""

    def run() -> None:
        for length in range(20, 26):
            for _ in range(3):
                x = torch.randn(1, 2, length, 8)
                torch.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True)

    trace = recorded(tmp_path, run)
    assert [phase for _, phase in phases_in_order(trace)] == ["prefill", *["decode"] * 5]
    growth = sequence(trace).growth
    assert growth is not None
    assert (growth.of, growth.calls, growth.by) == ("q_len", 3, 1)


@shared
def test_sequence_filters_and_windows() -> None:
    trace = trace_of("video-timesformer-h100")
    whole = sequence(trace)
    assert whole.period is not None
    assert whole.period.lengths == [8, 3137]
    assert whole.period.repeats == 12
    assert whole.q_range == [8, 3137]
    assert [(level.q_len, level.calls) for level in whole.levels] == [(3137, 12), (8, 12)]
    temporal = sequence(trace, Where(axes=("temporal",)))
    assert temporal.calls == 12
    assert set(temporal.series.q_len) == {8}
    part = sequence(trace, stretch=Stretch(first=4, last=9))
    assert part.series.index == whole.series.index[4:10]
    assert part.period == whole.period


@shared
def test_fewer_points_keep_peaks_and_troughs() -> None:
    trace = trace_of("diffusion-sd3.5-mi300x")
    drawn = sequence(trace, stretch=Stretch(points=16)).series
    assert len(drawn.index) <= 16
    assert (min(drawn.q_len), max(drawn.q_len)) == (77, 16384)
    assert drawn.total == 289


@shared
def test_space_and_time_of_timesformer() -> None:
    result = space_time(trace_of("video-timesformer-h100"))
    by_axis = {row.axis: row for row in result.axes}
    assert result.frames == 8
    # 2 products x 2 FLOPs x 12 layers x batch x heads x q x kv x width, by hand.
    assert by_axis["temporal"].flops == 4 * 12 * 3136 * 12 * 8 * 8 * 64
    assert by_axis["spatial"].flops == 4 * 12 * 8 * 12 * 3137 * 3137 * 64
    assert sum(layer.time_ns for layer in result.layers) == sum(row.time_ns for row in result.axes)


def video(frames: int, positions: int) -> None:
    """Attend along the positions of each frame, then along frames at each position."""
    x = torch.randn(1, frames, positions, 16)
    torch.nn.functional.scaled_dot_product_attention(*[x.transpose(0, 1)] * 3)
    torch.nn.functional.scaled_dot_product_attention(*[x.permute(2, 0, 1, 3)] * 3)


def test_exponents_of_frames(tmp_path: Path) -> None:
    """Spatial attention grows linearly with frames, temporal attention quadratically."""
    runs = []
    for frames in (4, 8, 16):
        (tmp_path / str(frames)).mkdir()
        trace = recorded(tmp_path / str(frames), lambda frames=frames: video(frames, 100))
        runs.append((f"{frames} frames", trace))
    result = frames_sweep([(label, space_time(trace)) for label, trace in runs])
    fits = {(fit.axis, fit.of): fit.exponent for fit in result.fits}
    assert fits["spatial", "flops"] == pytest.approx(1)
    assert fits["temporal", "flops"] == pytest.approx(2)
    (crossover,) = [one for one in result.crossovers if one.of == "flops"]
    # f·n² = n·f² where f = n.
    assert crossover.frames == pytest.approx(100)
    assert not crossover.measured


@shared
@pytest.mark.parametrize("name", ["llm-prefill-qwen1.5-h100", "training-megatron-tp8-rank0"])
def test_causal_flops_count_what_the_mask_leaves(name: str) -> None:
    _, calls = calls_of(name)
    known = np.flatnonzero(calls.has_shape & (calls.causal == 1))
    b, h, q, d = (calls.sizes[one][known] for one in ("batch", "heads", "q_len", "head_dim"))
    assert np.array_equal(attention_flops(calls)[known], 4 * b * h * d * (q * (q + 1) // 2))


def test_a_decoder_grows_though_its_prompt_does_not(tmp_path: Path) -> None:
    from transformers import BartConfig, BartForConditionalGeneration

    from genscope.collect.annotate import annotate

    torch.manual_seed(0)
    sizes = {"encoder_layers": 2, "decoder_layers": 2}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    width = {"d_model": 16, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "vocab_size": 50}
    model = BartForConditionalGeneration(BartConfig(**sizes, **heads, **width)).eval()

    def generate() -> None:
        prompt = torch.arange(4, 11)[None]
        with annotate(model):
            model.generate(prompt, min_new_tokens=12, max_new_tokens=12, num_beams=1)

    # Of so little work, which component takes the most time is chance.
    growth = sequence(recorded(tmp_path, generate), Where(components=("decoder",))).growth
    assert growth is not None
    # Two layers of self attention a token; the prompt's seven keys stay seven between them.
    assert (growth.of, growth.calls, growth.by) == ("kv_len", 2, 1)
    assert (growth.from_length, growth.to_length) == (1, 12)
