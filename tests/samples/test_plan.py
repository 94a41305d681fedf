"""A plan does what a recorded run does, op for op; recorded are the samples of this repository."""

from __future__ import annotations

import gzip
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import nn

from genscope.analysis.attention.view import attention
from genscope.analysis.flops.count import counted
from genscope.analysis.flops.view import flops
from genscope.analysis.operators import breakdown
from genscope.analysis.plan.model import Model, fitted
from genscope.analysis.plan.predict import predict
from genscope.analysis.roofline.devices import DeviceRates, known_devices
from genscope.suite.meta.plan import asked, plan
from genscope.suite.meta.run import NotPlannedError
from genscope.trace import Trace, load
from genscope.trace.plan.document import Plan, save
from genscope.trace.plan.expand import rows_of
from genscope.trace.plan.reader import NoFile, trace_of
from tests.paths import REPOSITORY

SUITE = REPOSITORY / "samples" / "traces" / "suite-tiny-cpu"
RATES = DeviceRates(
    name="a CPU", source="", bandwidth=1e10, matrix={"float32": 1e11}, vector={"float32": 1e10}
)
H100 = next(one for one in known_devices() if one.name == "NVIDIA H100 SXM5")

Work = Counter[tuple[str, str, int]]


def work(trace: Trace) -> Work:
    """Ops that compute, with their shapes and FLOPs; in place or not is one op."""
    table, events = counted(trace), trace.events
    return Counter(
        (
            trace.name_of(row).rstrip("_"),
            trace.strings[events.dims[row]].replace(" ", "") if events.dims[row] >= 0 else "",
            flops,
        )
        for row, flops in zip(table.row.tolist(), table.flops.tolist(), strict=True)
        if flops
    )


@cache
def on_cpu(model: str, attention: str, tokens: int | None = None) -> Plan:
    return plan(
        asked(
            {"tokens": tokens} if tokens else {},
            what=model,
            scale="tiny",
            attention=attention,
            device="cpu",
            device_name="a CPU",
            dtype="float32",
        )
    )


@pytest.mark.parametrize(
    ("model", "folder", "name", "tokens"),
    [
        ("llama2", "tiny", "math", None),
        ("stable-diffusion", "tiny", "flash", None),
        ("parti", "tiny-16tokens", "flash", 16),
    ],
)
def test_a_plan_has_the_ops_of_a_recorded_run(
    model: str, folder: str, name: str, tokens: int | None
) -> None:
    (recorded,) = (SUITE / model / folder / name).glob("*.json.gz")
    made = on_cpu(model, name, tokens)
    planned = work(trace_of(made, rows_of(made), NoFile()))
    assert planned == work(load(recorded))


def test_calls_that_repeat_are_left_out_and_put_in_again() -> None:
    made = on_cpu("parti", "flash")
    assert made.calls_left_out > 40 and made.calls_made < 25
    assert max(loop.count for loop in made.loops) > 50
    calls = attention(trace_of(made, rows_of(made), NoFile())).calls
    lengths = [call.kv_len for call in calls if call.component == "decoder" and call.kind == "self"]
    assert lengths == [kept for kept in range(1, 65) for _ in range(6)]


def test_a_plan_is_read_as_a_trace_that_says_it_is_predicted(tmp_path: Path) -> None:
    made = plan(
        asked({}, what="llama2", scale="tiny", attention="flash", device_name="NVIDIA H100 SXM5")
    )
    result = predict(made, Model(rates=H100))
    path = tmp_path / "plan.json.gz"
    save(made, path)
    trace = load(path)
    assert [one.code for one in trace.warnings] == ["predicted"]
    found = breakdown(trace)
    assert found.basis == "device" and found.unlinked_ns == 0
    assert found.device_sum_ns == pytest.approx(result.latency_ns, rel=1e-3)
    assert {one.category: one.sum_ns for one in found.categories} == pytest.approx(
        {one.name: one.time_ns for one in result.categories}, rel=0.02, abs=20
    )
    assert flops(trace).flops == result.flops
    assert result.token_ns and result.first_token_ns and result.memory.fits
    assert load(path).events.start_ns[0] == 0
    save(made, tmp_path / "again.json.gz")
    assert path.read_bytes() == (tmp_path / "again.json.gz").read_bytes()
    assert gzip.decompress(path.read_bytes()).startswith(b'{"genscope_plan":1')


@pytest.mark.parametrize(
    ("model", "task", "component", "phase", "tflop"),
    [
        ("stable-diffusion", {"steps": 1}, "unet", None, 1.607),
        ("llama2", {"tokens": 1, "prompt": 2048}, None, "prefill", 29.26 - 0.537 + 0.0003),
    ],
)
def test_flops_at_paper_scale(
    model: str, task: dict[str, int], component: str | None, phase: str | None, tflop: float
) -> None:
    made = plan(asked(task, what=model, scale="paper", attention="math"))
    trace = trace_of(made, rows_of(made), NoFile())
    table = counted(trace)
    names = Counter[str]()
    for row, number in zip(table.row.tolist(), table.plain_flops.tolist(), strict=True):
        names[component_at(trace, row)] += max(number, 0)
    total = names[component] if component else sum(names.values())
    # All but the last position go without the product that gives the scores of words.
    assert total / 1e12 == pytest.approx(tflop, rel=2e-3)


def component_at(trace: Trace, row: int) -> str:
    frame = int(trace.links.module[row])
    while frame >= 0:
        name = trace.name_of(frame)
        if name.startswith("genscope.component#"):
            return name.split()[1]
        frame = int(trace.links.module_parent[frame])
    return ""


def test_efficiency_comes_from_measured_runs() -> None:
    (measured,) = (SUITE / "llama2" / "tiny" / "math").glob("*.json.gz")
    trace = load(measured)
    result = predict(on_cpu("llama2", "math"), fitted([trace], RATES))
    took = breakdown(trace).basis_sum_ns
    assert "1 measured run" in result.assumed
    assert result.latency_ns == pytest.approx(took, rel=0.35)


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(64, 64)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        value = self.inner(value)
        if value.sum() > 0:
            value = value + 1
        return value


def branching() -> object:
    model = Branching()
    return model, lambda: model(torch.zeros(4, 64, device="meta")).to("cpu").numpy()


def encoder() -> object:
    model = nn.TransformerEncoderLayer(64, 4, dim_feedforward=128, batch_first=True)
    return model, lambda: model(torch.zeros(2, 32, 64, device="meta"))


def nothing() -> object:
    return Branching()


def test_a_function_of_the_users_is_followed() -> None:
    made = plan(asked({}, what=f"{__name__}:branching", device_name="NVIDIA H100 SXM5"))
    result = predict(made, Model(rates=H100))
    assert result.memory.parameters == 64 * 65
    assert result.memory.weight_bytes == 2 * 64 * 65
    assert "guessed" in [one.code for one in result.warnings]
    assert {"Linear"} <= {one.name for one in result.categories}


def test_what_a_users_function_makes_has_the_dtype_of_the_plan() -> None:
    made = plan(asked({}, what=f"{__name__}:encoder", device_name="NVIDIA H100 SXM5"))
    result = predict(made, Model(rates=H100))
    tokens, width = 2 * 32, 64
    linear = 2 * tokens * (4 * width * width + 2 * width * 128)
    assert result.counter_flops == linear + 4 * tokens * 32 * width
    assert result.memory.weight_bytes == 2 * result.memory.parameters


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("llama9", "no model of the suite"),
        (f"{__name__}:absent", "has no function absent"),
        (f"{__name__}:nothing", "must return"),
        ("/nowhere/x.py:f", "no such file"),
    ],
)
def test_what_cannot_be_planned_is_told(what: str, words: str) -> None:
    with pytest.raises(NotPlannedError, match=words):
        plan(asked({}, what=what))
