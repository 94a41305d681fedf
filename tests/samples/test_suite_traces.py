"""The recorded runs of the suite: what each view says of each model, and that the views agree.

A view without content for a model has to say why.
"""

from __future__ import annotations

import gzip
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from genscope.analysis.attention.phase_view import phases
from genscope.analysis.attention.results import Attention, AttentionCall
from genscope.analysis.attention.sequence import sequence
from genscope.analysis.attention.space_time import space_time
from genscope.analysis.attention.view import attention
from genscope.analysis.flops.view import flops
from genscope.analysis.memory.view import memory
from genscope.analysis.operators import breakdown
from genscope.analysis.roofline.devices import DeviceRates
from genscope.analysis.roofline.view import roofline
from genscope.analysis.speedup.view import speedup
from genscope.perfetto.native import export_perfetto
from genscope.suite.models.base import Call, Task
from genscope.suite.registry import NAMES, load
from genscope.trace import load as load_trace
from genscope.trace.model import Trace
from tests.paths import REPOSITORY

SUITE = REPOSITORY / "samples" / "traces" / "suite-tiny-cpu"
ATTENTION = ("math", "flash")

ENCODED, DENOISED, PARALLEL = {"encode"}, {"denoise"}, {"parallel_decode"}
GENERATED = {"prefill", "decode"}
PHASES = {
    "llama2": {"llama": GENERATED},
    "imagen": {
        "text_encoder": ENCODED,
        "unet": DENOISED,
        "super_resolution_1": DENOISED,
        "super_resolution_2": DENOISED,
    },
    "stable-diffusion": {"text_encoder": ENCODED, "unet": DENOISED, "vae": ENCODED},
    "muse": {"text_encoder": ENCODED, "transformer": PARALLEL, "super_resolution_1": PARALLEL},
    "parti": {"text_encoder": ENCODED, "decoder": GENERATED, "detokenizer": ENCODED},
    "sdxl": {
        "text_encoder": ENCODED,
        "text_encoder_2": ENCODED,
        "unet": DENOISED,
        "vae": ENCODED,
    },
    "make-a-video": {
        "text_encoder": ENCODED,
        "prior": DENOISED,
        "unet": DENOISED,
        "interpolation": DENOISED,
    },
    "phenaki": {"text_encoder": ENCODED, "transformer": PARALLEL, "vae": ENCODED},
    "llama3": {"llama": GENERATED},
    "flux": {
        "text_encoder": ENCODED,
        "text_encoder_2": ENCODED,
        "transformer": DENOISED,
        "vae": ENCODED,
    },
    "llamagen": {"text_encoder": ENCODED, "transformer": GENERATED, "vqvae": ENCODED},
    "wan": {"text_encoder": ENCODED, "transformer": DENOISED, "vae": ENCODED},
}
"""What each component's attention is for."""

SPACE_AND_TIME = {"make-a-video", "phenaki"}
"""Those that attend along both; what others have instead, the view says."""

CPU = DeviceRates(
    name="a CPU",
    source="made up",
    bandwidth=1e10,
    matrix={"float32": 5e10},
    vector={"float32": 5e10},
)


def trace_of(name: str, how: str) -> Path:
    (path,) = (SUITE / name).glob(f"*/{how}/*.pt.trace.json.gz")
    return path


@lru_cache
def trace(name: str, how: str) -> Trace:
    return load_trace(str(trace_of(name, how)))


@lru_cache
def listed(name: str, how: str) -> Attention:
    return attention(trace(name, how))


def rows(name: str, how: str) -> int:
    """Count the events in a file, each of which has a phase."""
    return gzip.decompress(trace_of(name, how).read_bytes()).count(b'"ph":')


def task(name: str) -> Task:
    return load(name).tasks["tiny"].with_options(Task(tokens=16))


def seen(call: AttentionCall) -> Call:
    return Call(
        str(call.component), str(call.kind), str(call.axis), call.q_len or 0, call.kv_len or 0
    )


every_trace = pytest.mark.parametrize("how", ATTENTION)
every_model = pytest.mark.parametrize("name", NAMES)


def test_the_whole_suite_is_there_and_small() -> None:
    found = {path.relative_to(SUITE).parts[0] for path in SUITE.rglob("*.json.gz")}
    assert found == set(NAMES)
    sizes = [path.stat().st_size for path in SUITE.rglob("*.json.gz")]
    assert len(sizes) == 2 * len(NAMES)
    assert max(sizes) < 3_000_000
    assert sum(sizes) < 7_000_000


def test_origin_and_index_have_the_figures_of_the_files() -> None:
    origin = (SUITE / "ORIGIN.md").read_text(encoding="utf-8")
    for name in NAMES:
        math, flash = (trace_of(name, how) for how in ATTENTION)
        (row,) = [line for line in origin.splitlines() if f"]({name}/{math.parts[-3]})" in line]
        assert row.endswith(f"| {math.stat().st_size:,} / {flash.stat().st_size:,} |")
        assert f"| {rows(name, 'math'):,} / {rows(name, 'flash'):,} |" in row
    whole = sum(path.stat().st_size for path in SUITE.rglob("*.json.gz"))
    events = sum(rows(name, how) for name in NAMES for how in ATTENTION)
    index = (SUITE.parent / "README.md").read_text(encoding="utf-8")
    (row,) = [line for line in index.splitlines() if "(suite-tiny-cpu/ORIGIN.md)" in line]
    assert f"| {whole:,} / " in row
    assert f" | {events:,} |" in row


@every_model
@every_trace
def test_calls_are_those_that_the_sizes_tell(name: str, how: str) -> None:
    assert [seen(call) for call in listed(name, how).calls] == load(name).calls("tiny", task(name))


@every_model
@every_trace
def test_attention_takes_the_same_time_in_operators_attention_and_phases(
    name: str, how: str
) -> None:
    calls = listed(name, how)
    operators = breakdown(trace(name, how))
    by_category = {row.category: row.sum_ns for row in operators.categories}
    found = phases(trace(name, how))
    assert sum(by_category.values()) == operators.basis_sum_ns == found.basis_sum_ns
    assert by_category["Attention"] == calls.category_ns > 0
    assert sum(row.attention_ns for row in found.phases) == calls.category_ns
    # Copies inside a call are Memory; a fused one makes none.
    assert calls.time_ns >= calls.category_ns
    assert how == "math" or calls.time_ns == calls.category_ns


@every_model
@every_trace
def test_every_call_has_the_phase_of_its_component(name: str, how: str) -> None:
    calls = listed(name, how).calls
    told: dict[str | None, set[str | None]] = {}
    for call in calls:
        told.setdefault(call.component, set()).add(call.phase)
    assert told == PHASES[name]
    rows = {row.phase: row.calls for row in phases(trace(name, how)).phases if row.calls}
    assert rows == Counter(call.phase for call in calls)


@every_model
@every_trace
def test_sequences_are_those_of_the_calls(name: str, how: str) -> None:
    calls = listed(name, how).calls
    found = sequence(trace(name, how))
    assert found.calls == len(calls)
    assert found.without_shapes == 0
    lengths = [call.q_len or 0 for call in calls]
    assert found.q_range == [min(lengths), max(lengths)]
    assert found.time_ns == listed(name, how).time_ns
    assert found.sentence


@every_model
@every_trace
def test_flops_of_attention_are_those_of_its_calls_and_of_the_roofline(name: str, how: str) -> None:
    counted = flops(trace(name, how))
    under = roofline(trace(name, how), device=CPU)
    of_calls = sum(call.flops or 0 for call in listed(name, how).calls)
    assert {row.name: row.flops for row in counted.categories}["Attention"] == of_calls > 0
    assert {row.name: row.flops for row in under.categories}["Attention"] == of_calls
    assert under.whole.flops == counted.flops
    # Every op has a formula; what has not is listed.
    assert counted.unknown_ns == 0
    assert {one.missing for one in counted.unknown} <= {"bytes"}
    assert under.whole.roof_ns
    assert under.whole.roof_ns > 0


@every_model
def test_flops_are_those_of_torchs_counter(name: str) -> None:
    """It follows another run of the model, with math attention: the fused op of a CPU counts 0."""
    model = load(name)
    pipeline = model.pipeline("tiny", model.build("tiny"))
    with (
        torch.inference_mode(),
        sdpa_kernel(SDPBackend.MATH),
        FlopCounterMode(display=False) as counter,
    ):
        pipeline.run(task(name))
    assert flops(trace(name, "math")).counter_flops == counter.get_total_flops() > 0


@every_model
def test_score_matrices_are_those_of_the_calls(name: str) -> None:
    calls = listed(name, "math").calls
    bytes_of = {"float32": 4, "bfloat16": 2, None: 0}
    matrices = [
        (c.batch or 0) * (c.heads or 0) * (c.q_len or 0) * (c.kv_len or 0) * bytes_of[c.dtype]
        for c in calls
    ]
    found = memory(trace(name, "math"))
    assert found.fused.unfused.matrix_bytes == sum(matrices) > 0
    assert memory(trace(name, "flash")).fused.fused.matrix_bytes == sum(matrices)
    unet = "diffusion" in name or name in ("sdxl", "imagen", "make-a-video")
    assert (found.similarity.parameters is not None) == unet
    assert unet or found.similarity.reason or found.similarity.paper_reason


@every_model
def test_both_runs_align_call_by_call(name: str) -> None:
    found = speedup(trace(name, "math"), trace(name, "flash"))
    assert found.aligned == len(listed(name, "flash").calls)
    assert found.unaligned == []
    assert found.end_to_end
    assert found.module
    assert found.amdahl


@every_model
def test_space_and_time_are_told_apart_or_it_is_said_why_not(name: str) -> None:
    found = space_time(trace(name, "flash"))
    calls = listed(name, "flash").calls
    assert {row.axis: row.calls for row in found.axes} == Counter(call.axis for call in calls)
    assert sum(row.time_ns for row in found.axes) == listed(name, "flash").time_ns
    assert sum(row.flops for row in found.axes) == sum(call.flops or 0 for call in calls)
    axes = {row.axis for row in found.axes}
    assert ({"spatial", "temporal"} <= axes) == (name in SPACE_AND_TIME)
    said = {warning.code for warning in found.warnings}
    assert ("no_space_and_time" in said) == (name not in SPACE_AND_TIME)


@every_model
def test_perfetto_shows_the_same_calls(name: str, tmp_path: Path) -> None:
    target = tmp_path / "trace.pftrace"
    export_perfetto(trace(name, "flash"), str(target))
    again = attention(load_trace(str(target)))
    assert [seen(call) for call in again.calls] == [seen(c) for c in listed(name, "flash").calls]
    assert again.category_ns == pytest.approx(listed(name, "flash").category_ns, rel=1e-3)
