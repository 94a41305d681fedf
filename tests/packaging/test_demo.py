"""`make demo`, from recording to the pages that it serves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.packaging.serving import get, served
from tests.paths import REPOSITORY, in_ci


def test_the_demo_serves_what_it_records_beside_the_gpu_traces(tmp_path: Path) -> None:
    if not (REPOSITORY / ".venv" / ".genscope-installed").is_file():
        assert not in_ci(), "the environment was not made by make"
        pytest.skip("`make demo` would install into .venv; `make test` has done so already")
    runs = tmp_path / "runs"
    models = ("sdxl", "llama2")
    command = ["make", "demo", f"RUNS={runs}", "HOST=127.0.0.1", "PORT=0"]
    command.append(f"MODELS={','.join(models)}")
    with served(command, cwd=REPOSITORY, log=tmp_path / "log") as address:
        _, page = get(f"{address}/data/plugin/genscope/index.js")
        assert b"render" in page
        _, body = get(f"{address}/data/plugin/genscope/runs")
        found = {run["run"] for run in json.loads(body)["runs"]}
    recorded = {f"recorded/{path.parent.name}" for path in REPOSITORY.glob("samples/traces/*/*.gz")}
    assert len(recorded) >= 2
    made = {f"{model}/tiny/{attention}" for model in models for attention in ("math", "flash")}
    assert found == made | recorded
