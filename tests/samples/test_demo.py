from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from genscope.collect.switch import NAMES
from genscope.schema import AttentionCall, ComponentCall, ModuleCall, loads, parse
from genscope.suite import demo, recorded, workloads
from tests.paths import REPOSITORY
from tests.samples.profiling import CALL, OPS

RUNS = ["stable-diffusion/math", "stable-diffusion/flash", "llama/math", "llama/flash"]
# One step of 32 calls, 2 text passes of 4 layers, 1 in the VAE; 4 layers in each of 16 passes.
CALLS = {"stable-diffusion": 32 + 2 * 4 + 1, "llama": 4 * 16}


class Demo(NamedTuple):
    logdir: Path
    said: str


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "genscope.suite.demo", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo as a user runs it, with a single denoising step."""
    logdir = tmp_path_factory.mktemp("demo") / "runs"
    done = run("-o", str(logdir), "--steps", "1", cwd=REPOSITORY)
    assert done.returncode == 0, done.stdout + done.stderr
    return Demo(logdir, done.stdout)


def traces(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.json.gz"))


def load(folder: Path) -> dict[str, Any]:
    (trace,) = traces(folder)
    with gzip.open(trace) as file:
        loaded: dict[str, Any] = json.load(file)
    return loaded


def events(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = load(folder)["traceEvents"]
    return found


@pytest.mark.parametrize("run_name", RUNS)
def test_each_run_is_one_trace_of_what_was_asked(made: Demo, run_name: str) -> None:
    model, attention = run_name.split("/")
    names = Counter(event["name"] for event in events(made.logdir / run_name))
    assert names[CALL] == CALLS[model]
    assert {kind: names[op] for kind, op in OPS.items()} == {
        kind: CALLS[model] if kind == attention else 0 for kind in OPS
    }


@pytest.mark.parametrize("run_name", RUNS)
def test_each_trace_tells_shapes_modules_and_parts(made: Demo, run_name: str) -> None:
    model, attention = run_name.split("/")
    trace = load(made.logdir / run_name)
    found = trace["traceEvents"]
    assert all(len(e["args"]["Input Dims"][0]) == 4 for e in found if e["name"] == CALL)
    # The mirror of a range on a device would be a second event of the same name.
    told = [parse(e["name"]) for e in found if e.get("ph") == "X"]
    parts = Counter(one.name for one in told if isinstance(one, ComponentCall))
    modules = {one.path for one in told if isinstance(one, ModuleCall)}
    calls = [one for one in told if isinstance(one, AttentionCall)]
    assert len(calls) == CALLS[model]
    if model == "llama":
        assert list(parts.values()) == [16]
        assert any(path.endswith("layers.3.self_attn") for path in modules)
        assert [(one.kind, one.q_len, one.kv_len) for one in calls[::4]] == [
            ("self", 512, 512),
            *(("self", 1, 512 + n) for n in range(1, 16)),
        ]
    else:
        assert parts == {"text_encoder": 2, "unet": 1, "vae": 1}
        assert "mid_block.attentions.0" in modules
        assert Counter(one.kind for one in calls) == {"self": 2 * 4 + 16 + 1, "cross": 16}
    metadata = trace["genscope"]
    document = loads(metadata if isinstance(metadata, str) else json.dumps(metadata))
    assert document.workload.attention == attention


def test_files_are_small_enough_to_pass_on(made: Demo) -> None:
    assert all(path.stat().st_size < 3_000_000 for path in traces(made.logdir))


def test_recorded_traces_lie_beside_them(made: Demo) -> None:
    sources = recorded.folders()
    assert len(sources) == 2
    for source in sources:
        (trace,) = traces(source)
        copy = made.logdir / "recorded" / source.name / trace.name
        assert copy.read_bytes() == trace.read_bytes()


def test_every_file_and_the_next_step_are_named(made: Demo) -> None:
    for path in traces(made.logdir):
        assert str(path) in made.said
    assert f"tensorboard --logdir {made.logdir}" in made.said
    assert "all 64 attention calls ran as flash" in made.said


def test_running_again_keeps_everything(
    made: Demo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.stat().st_mtime_ns for path in traces(made.logdir)}
    # Nothing is to be recorded, so nothing has to be installed.
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    assert demo.main(["-o", str(made.logdir)]) == 0
    assert {path: path.stat().st_mtime_ns for path in traces(made.logdir)} == before
    assert capsys.readouterr().out.count(": kept ") == len(before) == 6


def test_only_what_is_missing_or_forced_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, list[str]]] = []

    def pretend(out: Path, model: str, names: list[str], steps: int | None, threads: int) -> int:
        asked.append((model, names))
        return 0

    monkeypatch.setattr(demo, "_record", pretend)
    there = tmp_path / "llama" / "math"
    there.mkdir(parents=True)
    (there / "cpu.1.pt.trace.json.gz").write_bytes(b"")
    assert demo.main(["-o", str(tmp_path)]) == 0
    assert asked == [("stable-diffusion", ["math", "flash"]), ("llama", ["flash"])]
    asked.clear()
    assert demo.main(["-o", str(tmp_path), "--force"]) == 0
    assert asked == [("stable-diffusion", ["math", "flash"]), ("llama", ["math", "flash"])]


def test_missing_packages_are_named_and_recorded_traces_still_placed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name == "diffusers" else object())
    assert demo.main(["-o", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert "install diffusers: pip install 'genscope[suite]'" in said.err
    assert "Ready" not in said.out
    assert len(traces(tmp_path / "recorded")) == 2


def test_without_the_checkout_the_recorded_traces_are_said_to_be_absent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "_record", lambda *_: 0)
    monkeypatch.setattr(recorded, "folders", lambda: [])
    assert demo.main(["-o", str(tmp_path)]) == 0
    assert "no GPU traces here" in capsys.readouterr().out


def test_what_ran_otherwise_is_said_and_the_rest_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    value = torch.ones(1, 2, 8, 4)

    def always_math() -> torch.Tensor:
        with sdpa_kernel(SDPBackend.MATH):
            return scaled_dot_product_attention(value, value, value)

    workload = workloads.Workload(1, "one call", always_math, always_math, None)
    monkeypatch.setattr(workloads, "BUILD", dict.fromkeys(demo.MODELS, lambda steps: workload))
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    assert demo.main(["-o", str(tmp_path)]) == 1
    said = capsys.readouterr()
    for model in demo.MODELS:
        assert f"{model}/flash: NOT RECORDED: asked for flash attention" in said.err
        assert f"{model}/math: warm-up" in said.out
        assert [path.parent.name for path in traces(tmp_path / model)] == ["math"]
    assert "Ready" not in said.out


def test_every_name_that_the_demo_offers_can_be_recorded() -> None:
    assert tuple(workloads.BUILD) == demo.MODELS
    assert set(demo.ATTENTION) <= set(NAMES)


def test_a_logdir_that_is_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs").write_text("not a folder")
    assert demo.main(["-o", str(tmp_path / "runs")]) == 2
    assert f"Cannot write to {tmp_path / 'runs'}" in capsys.readouterr().err


def test_zero_steps_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        demo.main(["--steps", "0"])
    assert error.value.code == 2
    assert "must be at least 1" in capsys.readouterr().err
