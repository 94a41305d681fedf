"""Traces that the installed torch writes on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genscope.analysis.operators import breakdown
from genscope.trace import Kind, Trace, load
from tests.oracle import recount
from tests.trace.support import names

torch = pytest.importorskip("torch")


def profiled(path: Path, run: Callable[[], object], **options: bool) -> Trace:
    """Profile a run on the CPU and read what was written."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, **options) as profile:
        run()
    profile.export_chrome_trace(str(path))
    return load(path)


def block() -> tuple[object, object]:
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, dropout=0.0)
    return layer, torch.randn(2, 8, 32, requires_grad=True)


@pytest.mark.parametrize("stored", ["json", "json.gz"])
@pytest.mark.parametrize("with_stack", [False, True])
@pytest.mark.parametrize("record_shapes", [False, True])
def test_forward(stored: str, with_stack: bool, record_shapes: bool, tmp_path: Path) -> None:
    layer, inputs = block()
    path = tmp_path / f"trace.{stored}"
    trace = profiled(
        path, lambda: layer(inputs), with_stack=with_stack, record_shapes=record_shapes
    )
    counted = recount(path)
    ops = np.flatnonzero(trace.events.kind == Kind.CPU_OP)
    assert list(trace.warnings) == []
    assert len(trace.events) == counted.slices
    assert int(trace.events.start_ns.sum()) == counted.start_sum_ns
    assert bool((trace.events.dims[ops] >= 0).any()) == record_shapes
    assert bool((trace.links.module >= 0).any()) == with_stack
    assert not trace.has_device
    if record_shapes:
        row = names(trace).index("aten::addmm")
        dims = json.loads(trace.strings[trace.events.dims[row]])
        assert dims[1] == [16, 32]
    operators = breakdown(trace)
    assert operators.basis == "cpu_self"
    assert operators.basis_sum_ns == sum(counted.cpu_self_ns.values())
    assert operators.wall_ns == counted.wall_ns


def test_backward(tmp_path: Path) -> None:
    layer, inputs = block()
    trace = profiled(tmp_path / "trace.json", lambda: layer(inputs).sum().backward())
    links = trace.links
    backward = np.flatnonzero(links.in_backward & (trace.events.kind == Kind.CPU_OP))
    assert len(backward)
    assert not links.in_recompute.any()
    pairs = {
        (trace.name_of(row), trace.name_of(int(links.forward_op[row])))
        for row in backward.tolist()
        if links.forward_op[row] >= 0
    }
    assert ("AddmmBackward0", "aten::addmm") in pairs
    assert ("NativeLayerNormBackward0", "aten::native_layer_norm") in pairs
    passes = {row.pass_: row.sum_ns for row in breakdown(trace).passes}
    assert passes["forward"] > 0
    assert passes["backward"] > 0


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_activation_checkpointing(use_reentrant: bool, tmp_path: Path) -> None:
    layer = torch.nn.Sequential(torch.nn.Linear(16, 16), torch.nn.GELU(), torch.nn.Linear(16, 16))
    inputs = torch.randn(4, 16, requires_grad=True)

    def run() -> None:
        out = torch.utils.checkpoint.checkpoint(layer, inputs, use_reentrant=use_reentrant)
        out.sum().backward()

    trace = profiled(tmp_path / "trace.json", run)
    links = trace.links
    again = [name for row, name in enumerate(names(trace)) if links.in_recompute[row]]
    # Both of the linear layers and the activation ran twice.
    plain = profiled(tmp_path / "plain.json", lambda: layer(inputs).sum().backward())
    assert again.count("aten::gelu") == 1
    assert again.count("aten::addmm") in (1, 2)  # the last product may be left out
    assert names(trace).count("aten::gelu") == 2 * names(plain).count("aten::gelu")
    assert not any(name.endswith("Backward0") for name in again)
    passes = {row.pass_ for row in breakdown(trace).passes}
    assert {"forward", "backward", "recompute"} <= passes


def test_optimizer_step(tmp_path: Path) -> None:
    layer = torch.nn.Linear(8, 8)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    layer(torch.randn(2, 8)).sum().backward()
    trace = profiled(tmp_path / "trace.json", optimizer.step)
    (row,) = [row for row in breakdown(trace).passes if row.pass_ == "optimizer"]
    assert row.sum_ns > 0
    assert set(row.categories) == {"Optimizer"}


def test_a_name_with_quotes_is_kept(tmp_path: Path) -> None:
    """The profiler writes the name as it is, and so a file that is not valid JSON."""

    def run() -> None:
        with torch.profiler.record_function('load "model"'):
            torch.ones(2) + 1

    path = tmp_path / "trace.json"
    trace = profiled(path, run)
    assert "aten::add" in names(trace)
    assert any("load" in name and "model" in name for name in names(trace))
    assert len(trace.events) > 3


def test_threads_are_tracks(tmp_path: Path) -> None:
    layer, inputs = block()
    trace = profiled(tmp_path / "trace.json", lambda: layer(inputs))
    used = {trace.tracks[int(track)].thread for track in trace.events.track}
    assert any(isinstance(thread, int) for thread in used)
