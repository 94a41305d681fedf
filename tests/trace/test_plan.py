"""Plans as traces: loops gone through, sizes that grow, and what no plan may hold."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genscope.trace import Kind, TraceError, load
from genscope.trace.plan.document import Body, Growing, Loop, Plan, save
from genscope.trace.plan.marks import LeftOut, made, parse
from genscope.trace.sniff import HEAD_BYTES, looks_like_trace


def planned(*, on_cpu: bool = False) -> Plan:
    """Three rounds of an op in an op, keys growing by 2 a round, then one op more."""
    body = Body(
        depth=[0, 1], kind=[1, 1], name=[0, 1], dims=[3, -1], types=[-1, -1], inputs=[-1, -1]
    )
    last = Body(depth=[0], kind=[1], name=[2], dims=[-1], types=[-1], inputs=[-1])
    return Plan(
        device="a device",
        on_cpu=on_cpu,
        attention="math",
        dtype="float32",
        assumed="at its roof.",
        texts=["aten::linear", "aten::addmm", "aten::relu"],
        growing=[Growing(pieces=["[[", ", 7]]"], first=[5], step=[2])],
        bodies=[body, last],
        loops=[
            Loop(count=3, bodies=[0], at=[0, 2], ns=[[[100, 0]], [[300, 0]]]),
            Loop(count=1, bodies=[1], at=[0], ns=[[[50]]]),
        ],
    )


def test_loops_are_gone_through(tmp_path: Path) -> None:
    save(planned(), tmp_path / "a.plan.json.gz")
    trace = load(tmp_path / "a.plan.json.gz")
    events = trace.events
    ops = np.flatnonzero(events.kind == Kind.CPU_OP)
    names = [trace.name_of(row) for row in ops.tolist()]
    assert names == ["aten::linear", "aten::addmm"] * 3 + ["aten::relu"]
    dims = [trace.strings[index] for index in events.dims[ops].tolist() if index >= 0]
    assert dims == ["[[5, 7]]", "[[7, 7]]", "[[9, 7]]"]
    parents = trace.links.parent[ops].tolist()
    assert parents == [-1, 0, -1, 2, -1, 4, -1]
    kernels = np.flatnonzero(events.kind == Kind.KERNEL)
    assert events.dur_ns[kernels].tolist() == [100, 200, 300, 50]
    assert trace.links.op[kernels].tolist() == [0, 2, 4, 6]
    assert (trace.links.launch[kernels] >= 0).all()
    assert [device.name for device in trace.devices] == ["a device (predicted)"]
    (warning,) = trace.warnings
    assert warning.code == "predicted" and "a device, at its roof." in warning.message


def test_on_a_cpu_the_ops_take_the_time(tmp_path: Path) -> None:
    save(planned(on_cpu=True), tmp_path / "a.plan.json")
    trace = load(tmp_path / "a.plan.json")
    assert not trace.has_device and not trace.devices
    lasts = trace.events.dur_ns.tolist()
    assert [round(one, -1) for one in lasts] == [100, 0, 200, 0, 300, 0, 50]


def test_it_is_found_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.plan.json.gz"
    save(planned(), path)
    assert looks_like_trace(path.read_bytes()[:HEAD_BYTES])
    assert looks_like_trace(gzip.decompress(path.read_bytes())[:HEAD_BYTES])


def _set(found: dict[str, Any], path: str, value: Any) -> None:
    *parts, last = path.split(".")
    at: Any = found
    for part in parts:
        at = at[int(part)] if isinstance(at, list) else at[part]
    if isinstance(at, list):
        at[int(last)] = value
    else:
        at[last] = value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("bodies.0.name", [0]),
        ("bodies.0.name", [0, 99]),
        ("bodies.0.depth", [-1, 0]),
        ("bodies.0.kind", [1, 9]),
        ("loops.0.count", 1 << 40),
        ("loops.0.count", -1),
        ("loops.0.bodies", [7]),
        ("loops.0.at", [2, 0]),
        ("loops.0.ns", [[[1, 2]]]),
        ("loops.1.ns", [[[-5]]]),
        ("growing.0.step", []),
        ("genscope_plan", 99),
        ("texts", 5),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(tmp_path: Path, path: str, value: Any) -> None:
    whole = tmp_path / "a.json"
    save(planned(), whole)
    found = json.loads(whole.read_bytes())
    _set(found, path, value)
    whole.write_text(json.dumps(found, separators=(",", ":")))
    with pytest.raises(TraceError) as error:
        load(whole)
    assert str(whole) in str(error.value) and "\n" not in str(error.value)


def test_marks_are_read_back() -> None:
    left_out = LeftOut(at=40, call=12, other=13, call_at=2, other_at=3)
    assert parse(left_out.name) == left_out
    assert parse(made(7)) == 7
    assert parse("genscope.plan#x") is None
