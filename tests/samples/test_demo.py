"""The demo as a user runs it, with two models of the suite."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from genscope.analysis.paper.results import Taxonomy
from genscope.suite import command, demo, recorded, session, taxonomy
from genscope.suite.plan import plans
from genscope.suite.registry import NAMES, load
from genscope.suite.session import Outcome, Request
from tests.paths import REPOSITORY

MODELS = ("phenaki", "flux")
RUNS = [f"{model}/tiny/{attention}" for model in MODELS for attention in ("math", "flash")]


class Demo(NamedTuple):
    logdir: Path
    said: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    logdir = tmp_path_factory.mktemp("demo") / "runs"
    done = subprocess.run(
        [sys.executable, "-m", "genscope.suite.demo", "-o", logdir, "--models", ",".join(MODELS)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Neither the profiler nor the libraries put lines of theirs between.
    assert done.stderr == ""
    return Demo(logdir, done.stdout)


def traces(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.json.gz"))


def test_each_run_is_one_small_trace(made: Demo) -> None:
    for name in RUNS:
        (trace,) = traces(made.logdir / name)
        assert trace.stat().st_size < 3_000_000


def test_recorded_traces_lie_beside_them(made: Demo) -> None:
    sources = recorded.folders()
    assert len(sources) >= 2
    for source in sources:
        for trace in traces(source):
            copy = made.logdir / "recorded" / source.name / trace.name
            assert copy.read_bytes() == trace.read_bytes()


def test_models_times_and_the_next_step_are_said(made: Demo) -> None:
    assert "[1/2] phenaki: Phenaki, 1.1 M random weights" in made.said
    assert made.said.count("outputs agree") == 2
    assert f"tensorboard --logdir {made.logdir}" in made.said


def test_running_again_keeps_everything_and_needs_no_library(
    made: Demo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.stat().st_mtime_ns for path in traces(made.logdir)}
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert demo.main(["-o", str(made.logdir), "--models", ",".join(MODELS)]) == 0
    assert {path: path.stat().st_mtime_ns for path in traces(made.logdir)} == before
    assert capsys.readouterr().out.count(": kept ") == len(before)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What the demo asks to be recorded, in place of recording."""
    requests: list[Request] = []

    def pretend(request: Request) -> Outcome:
        requests.append(request)
        return Outcome(failed=["muse"] if request.force else [])

    monkeypatch.setattr(session, "run", pretend)
    monkeypatch.setattr(taxonomy, "taxonomy", lambda: Taxonomy(models=[], libraries={}))
    return requests


def test_the_whole_suite_is_asked_for_on_the_cpu(tmp_path: Path, asked: list[Request]) -> None:
    assert demo.main(["-o", str(tmp_path)]) == 0
    whole, *sweeps = asked
    models: Sequence[str] = whole.models
    assert tuple(models) == NAMES
    for request in asked:
        assert (request.scale, request.device) == ("tiny", "cpu")
        assert request.attention == ("math", "flash")
    assert [(request.models, request.sweeps) for request in sweeps] == [
        (["stable-diffusion"], {"image_size": [64, 128]}),
        (["make-a-video"], {"frames": [4, 16]}),
    ]
    assert (tmp_path / "taxonomy.json").is_file()


def test_the_folders_of_further_sizes_are_those_that_are_recorded() -> None:
    for model, sweep in demo.SWEEPS.items():
        for name, sizes in sweep.items():
            made = plans(load(model), Path(model), "tiny", {name: list(sizes.values())})
            assert [plan.folder.name for plan in made] == list(sizes)


def test_a_model_that_fails_is_told_by_the_exit_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: list[Request]
) -> None:
    assert demo.main(["-o", str(tmp_path), "--force"]) == 1
    assert "Ready" not in capsys.readouterr().out


def test_missing_packages_are_named_and_recorded_traces_still_placed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = {"diffusers"}
    monkeypatch.setattr(command, "find_spec", lambda name: None if name in absent else object())
    assert demo.main(["-o", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert "need diffusers: pip install 'genscope[suite]'" in said.err
    assert "Ready" not in said.out
    assert len(traces(tmp_path / "recorded")) >= 2


def test_without_the_checkout_the_recorded_traces_are_said_to_be_absent(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    asked: list[Request],
) -> None:
    monkeypatch.setattr(recorded, "folders", lambda: [])
    assert demo.main(["-o", str(tmp_path)]) == 0
    assert "no GPU traces here" in capsys.readouterr().out


def test_a_logdir_that_is_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs").write_text("not a folder")
    assert demo.main(["-o", str(tmp_path / "runs")]) == 2
    assert f"Cannot write to {tmp_path / 'runs'}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--threads", "0", "must be at least 1"), ("--models", "mouse", "no model is called 'mouse'")],
)
def test_wrong_options_are_refused(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as error:
        demo.main([option, value])
    assert error.value.code == 2
    assert said in capsys.readouterr().err
