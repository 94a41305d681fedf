"""Recording the suite, with models of one attention call in place of the real ones."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from genscope.suite import session
from genscope.suite.errors import UnavailableError
from genscope.suite.models.base import Components, Model, Pipeline, Scale, Task
from genscope.suite.session import Outcome, Request
from genscope.trace import load


class One(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Linear(4, 4)

    def forward(self, value: Tensor) -> Tensor:
        value = self.weight(value)
        return scaled_dot_product_attention(value, value, value)


@dataclass
class Fakes:
    """Models by name; `fails` raises when it runs, `breaks` when it is built."""

    built: list[str] = field(default_factory=list)
    ran: list[Task] = field(default_factory=list)

    def load(self, name: str) -> Model:
        def components(scale: Scale) -> Components:
            self.built.append(name)
            if name == "muse":
                raise RuntimeError("cannot be built\nat all")
            return {"unet": One()}

        def pipeline(scale: Scale, components: Components) -> Pipeline:
            def run(task: Task) -> Tensor:
                self.ran.append(task)
                if name == "parti":
                    raise torch.cuda.OutOfMemoryError("out of memory")
                out: Tensor = components["unet"](torch.ones(1, 2, task.image_size or 8, 4))
                return out

            return Pipeline(components, run)

        def check(scale: Scale, task: Task) -> None:
            if task.image_size == 13:
                raise ValueError("13 is not liked")

        usual = Task(tokens=2, prompt=3) if name == "llama2" else Task(steps=2, image_size=8)
        return Model(components, pipeline, {"tiny": usual, "paper": usual}, lambda *_: [], check)


@dataclass
class Said:
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Fakes:
    made = Fakes()
    monkeypatch.setattr(session, "load", made.load)
    return made


def run(folder: Path, *models: str, said: Said | None = None, **options: Any) -> Outcome:
    said = said or Said()
    given = {"device": "cpu", "repeats": 1, "say": said.out.append, "complain": said.err.append}
    return session.run(Request(folder, models, **{**given, **options}))


def traces(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*.pt.trace.json.gz")):
        found.setdefault(str(path.parent.relative_to(folder)), []).append(path.name)
    return found


def test_every_model_is_recorded_with_both_and_says_what_it_was(
    tmp_path: Path, fakes: Fakes
) -> None:
    said = Said()
    outcome = run(tmp_path, "sdxl", "llama2", said=said)
    assert outcome.recorded == ["llama2/tiny", "sdxl/tiny"]
    assert list(traces(tmp_path)) == [
        f"{model}/tiny/{name}" for model in ("llama2", "sdxl") for name in ("flash", "math")
    ]
    assert not said.err
    assert "8 x 8 px, 2 steps: math " in said.out[-1]
    assert "outputs agree" in said.out[-1]
    (path,) = (tmp_path / "sdxl" / "tiny" / "flash").iterdir()
    document = load(str(path)).document
    assert document is not None
    workload = document.workload
    assert (workload.model, workload.attention, workload.steps) == ("sdxl", "flash", 2)
    assert workload.image_size == (8, 8)
    assert workload.extra["scale"] == "tiny"
    assert workload.extra["pair"] == "math flash"
    assert float(workload.extra["unprofiled_median_s"]) > 0


def test_what_is_there_is_passed_over_and_what_is_missing_recorded(
    tmp_path: Path, fakes: Fakes
) -> None:
    run(tmp_path, "sdxl", "llama2")
    before = traces(tmp_path)
    fakes.built.clear()
    said = Said()
    assert run(tmp_path, "sdxl", "llama2", said=said).kept == ["llama2/tiny", "sdxl/tiny"]
    assert not fakes.built
    assert all("kept" in line for line in said.out)
    (half,) = (tmp_path / "sdxl" / "tiny" / "flash").iterdir()
    half.unlink()
    outcome = run(tmp_path, "sdxl", "llama2")
    assert (outcome.recorded, outcome.kept) == (["sdxl/tiny"], ["llama2/tiny"])
    after = traces(tmp_path)
    assert after.keys() == before.keys()
    assert all(len(names) == 1 for names in after.values())
    assert run(tmp_path, "sdxl", force=True).recorded == ["sdxl/tiny"]


def test_models_that_fail_are_told_and_do_not_stop_the_rest(tmp_path: Path, fakes: Fakes) -> None:
    said = Said()
    outcome = run(tmp_path, "muse", "parti", "sdxl", said=said)
    assert outcome.failed == ["muse", "parti/tiny"]
    assert outcome.recorded == ["sdxl/tiny"]
    assert said.err == [
        "[1/3] muse: NOT RECORDED: RuntimeError: cannot be built",
        "  parti/tiny: NOT RECORDED: the GPU's memory is full; --attention flash, or a smaller "
        "task, needs less",
    ]
    assert {path.split("/")[0] for path in traces(tmp_path)} == {"sdxl"}


def test_a_sweep_records_each_value_once_and_models_without_it_once(
    tmp_path: Path, fakes: Fakes
) -> None:
    said = Said()
    sweeps = {"image_size": (8, 13, 16), "steps": (2, 3)}
    outcome = run(tmp_path, "llama2", "sdxl", sweeps=sweeps, said=said)
    assert outcome.recorded == [
        "llama2/tiny",
        "sdxl/tiny",
        "sdxl/tiny-3steps",
        "sdxl/tiny-16px",
        "sdxl/tiny-3steps-16px",
    ]
    assert outcome.failed == ["sdxl/tiny-13px", "sdxl/tiny-3steps-13px"]
    assert "13 x 13 px, 2 steps: 13 is not liked" in said.err[0]
    assert fakes.built == ["llama2", "sdxl"]


def test_a_recording_that_a_limit_would_cut_is_told_before_and_ended_there(
    tmp_path: Path, fakes: Fakes
) -> None:
    said = Said()
    run(tmp_path, "sdxl", said=said, options={"max_events": 1}, attention=("flash",))
    (line,) = said.err
    assert line.startswith("  tiny: the recording will end early, after about 4% of a run: ")
    (path,) = (tmp_path / "sdxl" / "tiny" / "flash").iterdir()
    document = load(str(path)).document
    assert document is not None
    assert any("the limit is 1 (max_events)" in note for note in document.notes)


def test_one_attention_alone(tmp_path: Path, fakes: Fakes) -> None:
    assert run(tmp_path, "sdxl", attention=("flash",)).recorded == ["sdxl/tiny"]
    assert list(traces(tmp_path)) == ["sdxl/tiny/flash"]


def test_another_dtype_has_a_folder_of_its_own(tmp_path: Path) -> None:
    request = Request(tmp_path, ("sdxl",), device="cpu", dtype="bfloat16")
    assert request.place() == "cpu-bfloat16"
    assert Request(tmp_path, device="cpu").place() == ""


def test_paper_scale_on_a_cpu_is_refused_with_the_memory_that_it_needs(tmp_path: Path) -> None:
    said = Said()
    with pytest.raises(UnavailableError, match="--scale tiny runs anywhere"):
        run(tmp_path, "llama2", scale="paper", said=said)
    (line,) = said.err
    told = re.search(r"6\.7 B parameters in bfloat16 and (\S+) GiB of results that live at", line)
    assert told is not None
    cache = 2 * 32 * 4096 * (2048 + 128) * 2 / 2**30
    assert cache < float(told[1]) < 3 * cache
    assert "need about 17 GiB of GPU memory, and this would run on the CPU" in line
    assert "use --scale tiny, or a machine with a GPU" in line
    assert not traces(tmp_path)


def test_attention_or_devices_that_are_not_here_are_refused(tmp_path: Path, fakes: Fakes) -> None:
    with pytest.raises(UnavailableError, match="cudnn attention cannot run on cpu; there are math"):
        run(tmp_path, "sdxl", attention=("math", "cudnn"))
    if not torch.cuda.is_available():
        with pytest.raises(UnavailableError, match="no GPU"):
            run(tmp_path, "sdxl", device="cuda")
    assert not fakes.ran


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to(tmp_path: Path, fakes: Fakes) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        run(tmp_path / "runs", "sdxl")
