from __future__ import annotations

import gzip
import json
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from genscope.trace import load
from tests.collectors import programs

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2")
"""What the command `torchrun` runs."""

TRAINING = """
import torch, torch.distributed as dist

dist.init_process_group("gloo")
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 4))
for _ in range(3):
    model(torch.ones(2, 4)).sum().backward()
dist.destroy_process_group()
"""


def recorded(folder: Path) -> dict[int, Path]:
    """The traces of a folder by the rank that their names tell."""
    files = programs.traces(folder)
    assert all(file.name.endswith(".pt.trace.json.gz") for file in files)
    return {int(file.name.partition(".")[0].removeprefix("rank")): file for file in files}


def check(folder: Path) -> None:
    files = recorded(folder)
    assert sorted(files) == [0, 1]
    bases = set()
    for rank, file in files.items():
        trace = load(file)
        assert trace.rank == rank
        text = json.loads(gzip.decompress(file.read_bytes()))
        bases.add(text["baseTimeNanoseconds"])
        info = text["distributedInfo"]
        assert (info["rank"], info["world_size"], info["backend"]) == (rank, 2, "gloo")
        names = [event["name"] for event in text["traceEvents"]]
        assert names.count("aten::linear") == 3
    # One clock, so that the two can be laid beside each other.
    assert len(bases) == 1


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(TRAINING)
    return tmp_path


def test_two_ranks_write_two_traces(script: Path) -> None:
    ran = programs.run(
        script, "-m", "genscope.collect", "run", "-o", "runs", "train.py", command=TORCHRUN
    )
    assert ran.returncode == 0, ran.stderr
    check(script / "runs")
    assert ran.stderr.count("tensorboard --logdir") == 1


def test_the_installed_command_under_torchrun(script: Path) -> None:
    command = shutil.which("genscope", path=sysconfig.get_path("scripts"))
    if command is None:
        pytest.skip("the command genscope is not installed")
    ran = programs.run(script, command, "run", "-o", "runs", "train.py", command=TORCHRUN)
    assert ran.returncode == 0, ran.stderr
    check(script / "runs")


def test_several_implementations_under_torchrun(script: Path) -> None:
    # Each needs a group of processes of its own, and the store of the first is still there.
    arguments = ("--attention", "math,flash", "-o", "runs", "train.py")
    ran = programs.run(script, "-m", "genscope.collect", "run", *arguments, command=TORCHRUN)
    assert ran.returncode == 0, ran.stderr
    check(script / "runs" / "math")
    check(script / "runs" / "flash")


def test_a_rank_that_fails_fails_the_job(script: Path) -> None:
    (script / "train.py").write_text(TRAINING + "raise SystemExit(dist.is_initialized() + 3)\n")
    ran = programs.run(
        script, "-m", "genscope.collect", "run", "-o", "runs", "train.py", command=TORCHRUN
    )
    assert ran.returncode != 0
    assert "exitcode" in ran.stderr
