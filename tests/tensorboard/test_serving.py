"""The plugin in a real TensorBoard, as a user starts it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.paths import in_ci, torch_tb_profiler
from tests.tensorboard.support import DATA, trace_text, until, write

FILE = "host.1.pt.trace.json"


@contextlib.contextmanager
def tensorboard(folder: Path, *arguments: str, beside: Path | None = None) -> Iterator[str]:
    """Run TensorBoard in `folder` on a free port; yields its address, without a slash behind.

    With what is installed in the folder `beside` as well.
    """
    log = folder / "tensorboard.log"
    command = [sys.executable, "-m", "tensorboard.main", "--port", "0", "--host", "127.0.0.1"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if beside is not None:
        more = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
        environment["PYTHONPATH"] = os.pathsep.join([str(beside), *more])
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [*command, *arguments], cwd=folder, env=environment, stdout=out, stderr=out
        )
    try:

        def address() -> re.Match[str] | None:
            text = log.read_text(errors="replace")
            assert process.poll() is None, text
            return re.search(r"http://127\.0\.0\.1:\d+[^\s]*", text)

        yield until(address, bool)[0].rstrip("/")
    finally:
        process.terminate()
        process.wait()


def get(url: str) -> tuple[int, Any]:
    with urllib.request.urlopen(url) as response:
        return response.status, json.loads(response.read())


@pytest.mark.parametrize(
    ("arguments", "prefix", "run"),
    [
        (["--logdir", "runs"], "", f"base/{FILE}"),
        (["--logdir", "runs", "--load_fast=false"], "", f"base/{FILE}"),
        (["--logdir", "runs", "--path_prefix", "/team/tb"], "/team/tb", f"base/{FILE}"),
        (["--logdir_spec", "mine:runs/base"], "", f"mine/{FILE}"),
    ],
    ids=["default", "slow loader", "path prefix", "logdir spec"],
)
def test_tensorboard(tmp_path: Path, arguments: list[str], prefix: str, run: str) -> None:
    write(tmp_path / "runs" / "base" / FILE, trace_text(3))
    write(tmp_path / "stray.1.pt.trace.json")
    with tensorboard(tmp_path, *arguments) as address:
        assert address.endswith(prefix)
        data = f"{address}{DATA}"
        runs = get(f"{data}/runs")[1]["runs"]
        assert [found["id"] for found in runs] == [run]

        url = f"{data}/operators?{urllib.parse.urlencode({'run': run})}"
        _, result = until(lambda: get(url), lambda got: got[0] != 202)
        assert result["device_sum_ns"] == 3 * 50_000

        listing = until(
            lambda: get(f"{address}/data/plugins_listing")[1]["genscope"],
            lambda tab: tab["enabled"],
        )
        assert listing["tab_name"] == "GenScope"
        module = listing["loading_mechanism"]["module_path"]
        assert module == f"{prefix}{DATA}/index.js"
        with urllib.request.urlopen(f"{address.removesuffix(prefix)}{module}") as response:
            assert "render" in response.read().decode()


def test_beside_torch_tb_profiler(tmp_path: Path) -> None:
    """Both plugins on one logdir: both are listed, and ours answers."""
    beside = torch_tb_profiler()
    if beside is None:
        assert not in_ci(), "make has not installed torch-tb-profiler"
        pytest.importorskip("torch_tb_profiler")
    write(tmp_path / "runs" / "base" / FILE, trace_text(3))
    with tensorboard(tmp_path, "--logdir", "runs", beside=beside) as address:
        listing = until(
            lambda: get(f"{address}/data/plugins_listing")[1],
            lambda tabs: tabs["genscope"]["enabled"],
        )
        assert "pytorch_profiler" in listing
        url = f"{address}{DATA}/overview?run=base/{FILE}"
        _, result = until(lambda: get(url), lambda got: got[0] != 202)
        assert result["categories"] == {"Linear": 3 * 50_000}


def test_an_empty_logdir(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with tensorboard(tmp_path, "--logdir", "runs") as address:
        assert get(f"{address}/data/plugins_listing")[1]["genscope"]["enabled"] is False
        runs = get(f"{address}{DATA}/runs")[1]
        assert runs["runs"] == []
        assert "There is no trace under" in runs["message"]
