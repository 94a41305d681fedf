"""Every shared trace, counted again by plain `json` and loops."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from genscope.trace import Kind, Trace
from tests.loaded import TRACES, trace_of
from tests.oracle import GRAPH_REPLAY, NO_LAUNCH, NO_OP, Recount, recount

EPOCH_NS = 10**18
"""Later than this, a start is counted from 1970 and not from the start of the recording."""

Both = tuple[Trace, Recount]


@pytest.fixture(params=TRACES)
def both(request: pytest.FixtureRequest, shared_traces: Path) -> Both:
    path = shared_traces / f"{request.param}.json.gz"
    return trace_of(path), recount(path)


def label(trace: Trace, row: int) -> str:
    """What the recount calls the op of a device event."""
    links = trace.links
    if links.launch[row] < 0:
        return NO_LAUNCH
    if links.graph_launch[row]:
        return GRAPH_REPLAY
    return trace.name_of(links.op[row]) if links.op[row] >= 0 else NO_OP


def test_every_slice_is_kept_and_nothing_is_reported_as_damaged(both: Both) -> None:
    trace, counted = both
    assert len(trace.events) == counted.slices
    assert sum(n for key, n in trace.counts.items() if key.startswith("X/")) == counted.slices
    assert {key.removeprefix("X/"): n for key, n in trace.counts.items() if key[0] == "X"} == dict(
        counted.kinds
    )
    assert trace.warnings == []


def test_starts_are_exact(both: Both) -> None:
    trace, counted = both
    since_epoch = counted.first_ns > EPOCH_NS
    base = 0 if since_epoch else int(trace.metadata.get("baseTimeNanoseconds") or 0)
    assert trace.base_ns == counted.first_ns + base
    assert trace.events.start_ns.min() == 0
    assert int(trace.events.start_ns.sum()) == counted.start_sum_ns


def test_device_time_is_exact(both: Both) -> None:
    trace, counted = both
    device = trace.events.is_device
    assert int(device.sum()) == counted.device_events
    assert int(trace.events.dur_ns[device].sum()) == counted.device_sum_ns
    by_name: Counter[str] = Counter()
    for row in np.flatnonzero(device):
        by_name[trace.name_of(row)] += int(trace.events.dur_ns[row])
    assert by_name == counted.by_kernel


def test_launches_and_unlinked_time_are_exact(both: Both) -> None:
    trace, counted = both
    device = np.flatnonzero(trace.events.is_device)
    launch = trace.links.launch[device]
    assert int((launch < 0).sum()) == counted.unlinked_events
    assert int(trace.events.dur_ns[device[launch < 0]].sum()) == counted.unlinked_ns
    assert len(np.unique(launch[launch >= 0])) == counted.host_launches


def test_device_time_of_every_op_is_exact(both: Both) -> None:
    trace, counted = both
    by_op: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for row in np.flatnonzero(trace.events.is_device):
        by_op[label(trace, row)] += int(trace.events.dur_ns[row])
        events[label(trace, row)] += 1
    assert by_op == counted.by_op
    assert events == counted.launches_by_op


def test_self_time_of_every_op_is_exact(both: Both) -> None:
    trace, counted = both
    own: Counter[str] = Counter()
    for row in np.flatnonzero(trace.events.kind == Kind.CPU_OP):
        duration, parent = int(trace.events.dur_ns[row]), int(trace.links.parent[row])
        own[trace.name_of(row)] += duration
        if parent >= 0:
            own[trace.name_of(parent)] -= duration
    assert own == counted.cpu_self_ns


def test_links_point_at_what_they_say(both: Both) -> None:
    trace, _ = both
    events, links = trace.events, trace.links
    device = np.flatnonzero(events.is_device)
    for column, kinds in (
        ("parent", (Kind.CPU_OP,)),
        ("launch", (Kind.RUNTIME,)),
        ("op", (Kind.CPU_OP,)),
        ("annotation", (Kind.ANNOTATION,)),
        ("module", (Kind.PYTHON,)),
        ("module_parent", (Kind.PYTHON,)),
        ("forward_op", (Kind.CPU_OP,)),
    ):
        target = getattr(links, column)
        assert target.shape == (len(events),)
        assert target.min() >= -1
        assert events.is_kind(*kinds)[target[target >= 0]].all(), column
    linked = device[links.launch[device] >= 0]
    assert (events.correlation[linked] == events.correlation[links.launch[linked]]).all()
    assert not (links.launch[~events.is_device] >= 0).any()


@pytest.mark.parametrize("name", ["training-ns-timestamps-rank0", "cpu-only-rank34"])
def test_backward_nodes_are_named_after_their_forward_op(name: str, shared_traces: Path) -> None:
    """Recorded runs check the links: `AddmmBackward0` differentiates `aten::addmm`."""
    trace = trace_of(shared_traces / f"{name}.json.gz")
    nodes = 0
    for row in np.flatnonzero(trace.links.in_backward).tolist():
        node = re.fullmatch(
            r"autograd::engine::evaluate_function: (\w+)Backward\d", trace.name_of(row)
        )
        if node is None:
            continue
        nodes += 1
        forward = int(trace.links.forward_op[row])
        assert forward >= 0, trace.name_of(row)
        assert node[1].lower() in trace.name_of(forward).replace("_", "").lower()
        assert trace.events.start_ns[forward] < trace.events.start_ns[row]
    assert nodes >= 40
