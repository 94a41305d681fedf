from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.autograd import profiler as autograd_profiler
from torch.profiler import profile, record_function

from genscope import schema
from genscope.collect import recording as recordings
from genscope.collect import worker
from genscope.collect.annotations import Annotations
from genscope.collect.collector import Collector
from genscope.collect.schedule import Phase, Schedule
from genscope.trace import load
from tests.collectors.traces import names


class Failing(nn.Module):
    def forward(self, value: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("of the model")


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 4), nn.ReLU())


def read(path: str) -> dict[str, Any]:
    trace: dict[str, Any] = json.loads(gzip.decompress(Path(path).read_bytes()))
    return trace


def steps(path: str) -> list[int]:
    found = [name for name in names(read(path), "user_annotation") if name.startswith("Profiler")]
    return sorted(int(name.partition("#")[2]) for name in found)


def note(path: str) -> str:
    return " ".join(schema.loads(read(path)[schema.METADATA_KEY]).notes)


@pytest.fixture(autouse=True)
def nothing_left() -> Any:
    before = (nn.Module.__call__, autograd_profiler.profile._prepare_trace)
    yield
    assert (nn.Module.__call__, autograd_profiler.profile._prepare_trace) == before
    assert not torch.autograd._profiler_enabled()
    left = [one for one in threading.enumerate() if one.name == "genscope-guard"]
    for one in left:
        one.join(10)
    assert not any(one.is_alive() for one in left)
    with profile() as own:
        torch.ones(1)
    assert own.events()


def test_a_block_without_steps_is_one_window(tmp_path: Path) -> None:
    run = model()
    with Collector(run, tmp_path) as collector:
        for _ in range(3):
            run(torch.ones(2, 4))
    (path,) = collector.written
    assert names(read(path)).count("aten::linear") == 3
    assert load(path).events
    assert not collector.is_recording


def test_windows_are_those_of_the_schedule(tmp_path: Path) -> None:
    run = model()
    with Collector(run, tmp_path, wait=1, warmup=2, active=2, repeat=2) as collector:
        for _ in range(20):
            run(torch.ones(2, 4))
            collector.step()
    assert [steps(path) for path in collector.written] == [[3, 4], [8, 9]]
    assert [names(read(path)).count("aten::linear") for path in collector.written] == [2, 2]


def test_the_first_step_is_warm_up_by_default(tmp_path: Path) -> None:
    run = model()
    with Collector(run, tmp_path) as collector:
        for _ in range(5):
            run(torch.ones(2, 4))
            collector.step()
    assert [steps(path) for path in collector.written] == [[1]]


def test_a_window_that_the_block_cuts_short_is_written(tmp_path: Path) -> None:
    with Collector(None, tmp_path, warmup=0, active=10) as collector:
        for _ in range(3):
            torch.ones(2).add(1)
            collector.step()
    (path,) = collector.written
    assert names(read(path)).count("aten::add") == 3


def test_repeat_zero_goes_on(tmp_path: Path) -> None:
    with Collector(None, tmp_path, warmup=0, repeat=0) as collector:
        for _ in range(3):
            torch.ones(2)
            collector.step()
    assert [steps(path) for path in collector.written[:3]] == [[0], [1], [2]]


@pytest.mark.parametrize(
    ("options", "count", "why"),
    [
        ({"wait": 2}, 0, "no calls of step()"),
        ({"wait": 2}, 2, "after 2 steps"),
        ({"warmup": 3}, 2, "after 2 steps"),
    ],
)
def test_says_why_nothing_was_recorded(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    options: dict[str, int],
    count: int,
    why: str,
) -> None:
    with Collector(None, tmp_path, **options) as collector:
        for _ in range(count):
            torch.ones(2)
            collector.step()
    assert collector.written == ()
    assert why in collector.why_nothing
    assert why in caplog.text


def test_several_blocks_with_one_collector(tmp_path: Path) -> None:
    collector = Collector(None, tmp_path)
    for _ in range(2):
        with collector:
            torch.ones(2)
    assert len(set(collector.written)) == 2


@pytest.mark.parametrize("options", [{"wait": -1}, {"active": 0}, {"repeat": 1.5}])
def test_numbers_that_make_no_schedule(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="whole number"):
        Collector(**options)


def test_phases_of_a_schedule() -> None:
    plan = Schedule(wait=1, warmup=2, active=1, repeat=1)
    idle = Phase.IDLE
    phases = [plan.phase(step) for step in range(6)]
    assert phases == [idle, idle, Phase.WARMUP, Phase.RECORD, idle, idle]
    assert [plan.is_last(step) for step in range(5)] == [False, False, False, True, False]


# Trouble ----------------------------------------------------------------------------------------


def test_the_models_exception_surfaces_and_the_trace_is_written(tmp_path: Path) -> None:
    collector = Collector(Failing(), tmp_path)
    with pytest.raises(RuntimeError, match="of the model") as raised, collector:
        torch.ones(2).add(1)
        Failing()(torch.ones(2))
    assert raised.value.__context__ is None
    (path,) = collector.written
    assert "aten::add" in names(read(path))
    assert "RuntimeError" in note(path)


def test_a_writer_that_fails_masks_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(RuntimeError, match="of the model"),
        Collector(None, tmp_path / "file" / "runs"),
    ):
        Failing()(torch.ones(2))


def broken(*_: object, **__: object) -> None:
    raise RuntimeError("ours is broken")


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (recordings.Recording, "__init__"),
        (recordings.Recording, "start"),
        (recordings.Recording, "stop"),
        (recordings.Recording, "save"),
        (Annotations, "attach"),
        (Annotations, "detach"),
        (Annotations, "describe"),
        (worker, "name"),
    ],
)
@pytest.mark.parametrize("stepped", [False, True])
def test_whatever_breaks_in_here_the_job_goes_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    method: str,
    stepped: bool,
) -> None:
    run = model()
    seen = 0
    works = getattr(owner, method)

    def broken_at_the_end(self: Any) -> None:
        works(self)
        broken()

    at_the_end = method in ("stop", "detach")
    monkeypatch.setattr(owner, method, broken_at_the_end if at_the_end else broken)
    with Collector(run, tmp_path) as collector:
        for _ in range(4):
            run(torch.ones(2, 4))
            seen += 1
            if stepped:
                collector.step()
    assert seen == 4


def test_a_profiler_that_runs_already_is_left_in_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = model()
    with profile() as own, Collector(run, tmp_path) as collector:
        run(torch.ones(2, 4))
        collector.step()
    assert collector.written == ()
    assert "running already" in caplog.text
    assert "aten::linear" in {item.key for item in own.key_averages()}


def test_a_profiler_that_is_started_meanwhile_works(tmp_path: Path) -> None:
    with Collector(None, tmp_path) as collector:
        torch.ones(2).add(1)
        with profile() as own:
            torch.ones(2).sub(1)
        torch.ones(2).mul(1)
    (path,) = collector.written
    assert "aten::add" in names(read(path))
    assert "aten::mul" not in names(read(path))
    assert "another profiler" in note(path)
    assert "aten::sub" in {item.key for item in own.key_averages()}


def test_nested_collectors_give_one_trace(tmp_path: Path) -> None:
    run = model()
    with Collector(run, tmp_path) as outer:
        with Collector(run, tmp_path) as inner:
            run(torch.ones(2, 4))
        with outer:
            run(torch.ones(2, 4))
        run(torch.ones(2, 4))
    assert (len(outer.written), inner.written) == (1, ())
    assert names(read(outer.written[0])).count("aten::linear") == 3


def test_a_range_that_is_open_across_windows(tmp_path: Path) -> None:
    with Collector(None, tmp_path, warmup=0, repeat=3) as collector, record_function("epoch"):
        for _ in range(5):
            torch.ones(2)
            collector.step()
    assert len(collector.written) == 3


def test_steps_of_other_threads_count_for_nothing(tmp_path: Path) -> None:
    with Collector(None, tmp_path, warmup=0, active=2) as collector:
        other = threading.Thread(target=collector.step)
        other.start()
        other.join()
        torch.ones(2)
        collector.step()
        collector.step()
    assert [steps(path) for path in collector.written] == [[0, 1]]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_writes_nothing(tmp_path: Path) -> None:
    with Collector(None, tmp_path) as collector:
        child = os.fork()
        if not child:
            try:
                collector.step()
                collector.__exit__(None, None, None)
                os._exit(0 if not os.listdir(tmp_path) and not collector.written else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(os.listdir(tmp_path)) == len(collector.written) == 1


def test_results_are_the_same_with_and_without(tmp_path: Path) -> None:
    def train(step: Callable[[], object]) -> list[torch.Tensor]:
        torch.manual_seed(0)
        run = model()
        optimizer = torch.optim.Adam(run.parameters())
        for _ in range(4):
            run(torch.rand(3, 4)).square().sum().backward()
            optimizer.step()
            step()
        return [parameter.detach() for parameter in run.parameters()]

    plain = train(lambda: None)
    with Collector(None, tmp_path, wait=1, active=1) as collector:
        recorded = train(collector.step)
    assert len(collector.written) == 1
    assert all(map(torch.equal, plain, recorded))


def test_compiled_models_are_compiled_once(tmp_path: Path) -> None:
    from torch._dynamo.utils import counters

    torch._dynamo.reset()
    run = torch.compile(model(), backend="eager")
    function = torch.compile(lambda value: run(value) + 1, backend="eager")
    with torch.no_grad():
        for call in (run, function):
            call(torch.ones(2, 4))
        counters.clear()
        for _ in range(3):
            with Collector(None, tmp_path):
                for call in (run, function, run):
                    call(torch.ones(2, 4))
    assert counters["stats"].get("unique_graphs", 0) == 0
    assert not counters["graph_break"]


INTERRUPTED = """
import sys, time, torch
from genscope.collect.collector import Collector
try:
    with Collector(None, sys.argv[1]):
        torch.ones(3).add(1)
        print("ready", flush=True)
        while True:
            torch.ones(3)
            time.sleep(0.01)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}


def test_ctrl_c_writes_what_there_is_and_surfaces(tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.read() == "interrupted\n"
    (file,) = tmp_path.iterdir()
    assert "aten::add" in names(read(str(file)))
    assert "KeyboardInterrupt" in note(str(file))


ALONE = """
import sys

from importlib.machinery import PathFinder

ABSENT = {
    "numpy", "msgspec", "rich", "isal", "fsspec", "diffusers", "transformers", "accelerate",
    "lightning", "tensorboard",
}
OTHERS = ("genscope.trace", "genscope.analysis", "genscope.cli", "genscope.tensorboard")

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT or name.startswith(OTHERS):
            return None
        return super().find_spec(name, path, target)

sys.meta_path[:] = [Without if finder is PathFinder else finder for finder in sys.meta_path]
import torch
from genscope.collect import collector, launch

model = torch.nn.MultiheadAttention(8, 2)
with collector.Collector(model, sys.argv[1]) as recorded:
    model(*[torch.ones(4, 1, 8)] * 3)
print(*recorded.written)
"""


def test_needs_the_standard_library_and_torch_alone(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ALONE, str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "genscope" not in ran.stderr.replace(str(tmp_path), "")
    assert "aten::linear" in names(read(ran.stdout.strip()))


def test_names_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert worker.name().endswith(f"_{os.getpid()}")
    assert worker.name("mine/here") == "mine_here"
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert worker.name() == "rank3"
    assert worker.name("mine") == "mine_rank3"
    monkeypatch.setenv("RANK", "many")
    assert worker.name().endswith(f"_{os.getpid()}")


def test_the_rank_of_the_environment_is_in_the_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "8")
    with Collector(None, tmp_path) as collector:
        torch.ones(2)
    (path,) = collector.written
    assert os.path.basename(path).startswith("rank3.")
    assert load(path).rank == 3
