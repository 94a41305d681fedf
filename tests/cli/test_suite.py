from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from genscope.cli.main import main
from genscope.suite import command, session
from genscope.suite.registry import NAMES
from genscope.suite.session import Outcome, Request


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What would be recorded. With float16, muse fails."""
    requests: list[Request] = []

    def pretend(request: Request) -> Outcome:
        requests.append(request)
        fails = ["muse"] if request.dtype == "float16" else []
        return Outcome([name for name in request.models if name not in fails], failed=fails)

    monkeypatch.setattr(session, "run", pretend)
    return requests


def test_list_as_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suite", "list"]) == 0
    assert "stable-diffusion  Stable Diffusion v1" in capsys.readouterr().out
    assert main(["suite", "list", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert tuple(model["name"] for model in found["models"]) == NAMES


def test_options_become_the_request(
    tmp_path: Path, asked: list[Request], capsys: pytest.CaptureFixture[str]
) -> None:
    options = "--models flux,llama2 --attention eager,flash --device cpu --dtype bfloat16"
    sweeps = "--image-size 64,128 --steps 2 --repeats 5 --max-events 1000 --force"
    out = tmp_path / "suite"
    assert main(["suite", "run", *options.split(), *sweeps.split(), "-o", str(out)]) == 0
    (request,) = asked
    assert request.output == out
    assert tuple(request.models) == ("flux", "llama2")
    assert tuple(request.attention) == ("eager", "flash")
    assert (request.device, request.dtype, request.scale) == ("cpu", "bfloat16", "tiny")
    assert request.sweeps == {"image_size": (64, 128), "steps": (2,)}
    assert (request.repeats, request.force, request.options) == (5, True, {"max_events": 1000})
    assert f"2 recorded. Next: tensorboard --logdir {out}" in capsys.readouterr().out


def test_all_models_unless_some_are_named(tmp_path: Path, asked: list[Request]) -> None:
    main(["suite", "run", "-o", str(tmp_path)])
    main(["suite", "run", "--models", "paper", "-o", str(tmp_path)])
    assert tuple(asked[0].models) == NAMES
    assert tuple(asked[1].models) == NAMES[:8]


def test_a_failed_model_is_told_by_the_exit_status(
    tmp_path: Path, asked: list[Request], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["suite", "run", "--models", "muse,flux", "--dtype", "float16", "-o", str(tmp_path)])
    assert left.value.code == 1
    assert "1 recorded, 1 failed" in capsys.readouterr().out


def test_missing_libraries_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec

    def without(name: str) -> Any:
        return None if name in ("diffusers", "transformers") else real(name)

    monkeypatch.setattr(command, "find_spec", without)
    assert main(["suite", "run", "-o", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "genscope: the models of the suite need diffusers and transformers: "
        "pip install 'genscope[suite]'\n"
    )


def test_what_cannot_run_here_ends_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--models", "llama2", "--scale", "paper", "--device", "cpu"]
    assert main(["suite", "run", *options, "-o", str(tmp_path / "suite")]) == 2
    said = capsys.readouterr().err
    assert "REFUSED: 6.7 B parameters" in said
    assert "none of these models can run here" in said


def test_an_output_that_is_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "suite").write_text("")
    assert main(["suite", "run", "--device", "cpu", "-o", str(tmp_path / "suite")]) == 2
    assert f"{tmp_path / 'suite'}: cannot be written to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--models", "mouse", "no model is called 'mouse'; there are llama2"),
        ("--image-size", "64,x", "'x' is no whole number"),
        ("--attention", "math,flash,cudnn", "at most two"),
        ("--scale", "huge", "invalid choice"),
    ],
)
def test_wrong_options_are_refused(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["suite", "run", option, value])
    assert left.value.code == 2
    assert said in capsys.readouterr().err
