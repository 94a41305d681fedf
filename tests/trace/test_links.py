"""What belongs to what, on small traces made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genscope.trace import Trace
from tests.trace.support import Event, event, kernel, launch, linked, names, read, row_of


def module(name: str, **fields: Any) -> Event:
    return event(f"nn.Module: {name}", cat="python_function", **fields)


def note(name: str, **fields: Any) -> Event:
    return event(name, cat="user_annotation", **fields)


def flow(phase: str, number: int, ts: float, tid: int) -> Event:
    made = {"ph": phase, "cat": "fwdbwd", "name": "fwdbwd", "id": number, "pid": 1, "tid": tid}
    return {**made, "ts": ts, **({"bp": "e"} if phase == "f" else {})}


def forward_of(trace: Trace, name: str) -> str | None:
    return linked(trace, "forward_op", name)


def test_a_kernel_belongs_to_the_innermost_op_around_its_launch(tmp_path: Path) -> None:
    events = [
        note("step", ts=0, dur=100),
        note("inner note", ts=1, dur=50),
        module("Linear_0", ts=2, dur=40),
        module("Model_0", ts=1, dur=60),
        event("aten::linear", ts=3, dur=30),
        event("aten::addmm", ts=4, dur=20),
        launch(9, ts=5, dur=2),
        event("aten::relu", ts=40, dur=20),
        launch(10, ts=41, dur=2),
        kernel(9, ts=200),
        kernel(10, name="relu_kernel", ts=210),
        kernel(11, name="stray", ts=220),
    ]
    trace = read(tmp_path, events)
    assert linked(trace, "launch", "gemm") == "cudaLaunchKernel"
    assert linked(trace, "op", "gemm") == "aten::addmm"
    assert linked(trace, "parent", "aten::addmm") == "aten::linear"
    assert linked(trace, "annotation", "gemm") == "inner note"
    assert linked(trace, "annotation", "aten::relu") == "inner note"
    assert linked(trace, "module", "gemm") == "nn.Module: Linear_0"
    assert linked(trace, "module", "relu_kernel") == "nn.Module: Linear_0"
    assert linked(trace, "module_parent", "nn.Module: Linear_0") == "nn.Module: Model_0"
    for column in ("launch", "op", "annotation", "module"):
        assert linked(trace, column, "stray") is None


def test_another_thread_or_process_encloses_nothing(tmp_path: Path) -> None:
    events = [
        event("other thread", ts=0, dur=100, tid=2),
        event("other process", ts=0, dur=100, pid=9),
        note("other note", ts=0, dur=100, tid=2),
        launch(9, ts=5, dur=2, tid=1),
        kernel(9, ts=200),
    ]
    trace = read(tmp_path, events)
    assert linked(trace, "launch", "gemm") == "cudaLaunchKernel"
    assert linked(trace, "op", "gemm") is None
    assert linked(trace, "annotation", "gemm") is None


def test_an_op_that_ended_encloses_nothing(tmp_path: Path) -> None:
    events = [
        event("before", ts=0, dur=5),
        launch(9, ts=5, dur=2),
        event("after", ts=8, dur=5),
        kernel(9, ts=9),
    ]
    assert linked(read(tmp_path, events), "op", "gemm") is None


@pytest.mark.parametrize("correlation", [0, -1, None])
def test_no_correlation_is_no_link(correlation: int | None, tmp_path: Path) -> None:
    """ROCm's RCCL kernels carry 0, and so may calls that launch nothing."""
    events = [
        event("op", ts=0, dur=10),
        event("hipMalloc", cat="cuda_runtime", ts=1, args={"correlation": correlation}),
        event("nccl", cat="kernel", ts=20, pid=0, tid=0, args={"correlation": correlation}),
    ]
    trace = read(tmp_path, events)
    assert linked(trace, "launch", "nccl") is None
    assert linked(trace, "op", "nccl") is None


def test_external_id_is_no_correlation(tmp_path: Path) -> None:
    """The two number spaces overlap: a kernel's External id may be another's correlation."""
    events = [
        event("right", ts=0, dur=10, args={"External id": 5}),
        launch(7, ts=1),
        event("wrong", ts=20, dur=10, args={"External id": 7}),
        launch(5, ts=21, name="cudaLaunchKernelExC"),
        event("gemm", cat="kernel", ts=30, pid=0, tid=7, args={"correlation": 7, "External id": 5}),
    ]
    trace = read(tmp_path, events)
    assert linked(trace, "op", "gemm") == "right"
    assert linked(trace, "launch", "gemm") == "cudaLaunchKernel"


def test_copies_and_sets_have_launches(tmp_path: Path) -> None:
    events = [
        event("aten::copy_", ts=0, dur=10),
        event("cudaMemcpyAsync", cat="cuda_runtime", ts=1, args={"correlation": 3}),
        event("cuMemsetD32", cat="cuda_driver", ts=3, args={"correlation": 4}),
        kernel(3, name="Memcpy HtoD", cat="gpu_memcpy", ts=20),
        kernel(4, name="Memset", cat="gpu_memset", ts=30),
    ]
    trace = read(tmp_path, events)
    assert linked(trace, "launch", "Memcpy HtoD") == "cudaMemcpyAsync"
    assert linked(trace, "launch", "Memset") == "cuMemsetD32"
    assert linked(trace, "op", "Memset") == "aten::copy_"


def test_device_annotations_are_no_device_work(tmp_path: Path) -> None:
    events = [
        note("ProfilerStep#1", ts=0, dur=50),
        event("ProfilerStep#1", cat="gpu_user_annotation", pid=0, tid=7, ts=5, dur=90),
        kernel(3, ts=20),
    ]
    trace = read(tmp_path, events)
    assert trace.events.is_device.tolist() == [False, False, True]


def test_one_graph_launch_has_many_kernels(tmp_path: Path) -> None:
    events = [
        event("aten::op", ts=0, dur=5),
        event("CUDAGraph::replay", ts=10, dur=20),
        launch(8, name="cudaGraphLaunch", ts=12, dur=3),
        *(kernel(8, name=f"k{n}", ts=40 + n, dur=1) for n in range(1566)),
        launch(9, ts=1, dur=1),
        kernel(9, name="single", ts=30),
    ]
    trace = read(tmp_path, events)
    call = row_of(trace, "cudaGraphLaunch")
    replayed = [row for row, name in enumerate(names(trace)) if name.startswith("k")]
    assert {int(trace.links.launch[row]) for row in replayed} == {call}
    assert all(trace.links.graph_launch[row] for row in replayed)
    assert not trace.links.graph_launch[row_of(trace, "single")]
    assert linked(trace, "op", "k7") == "CUDAGraph::replay"


def test_streams_and_devices_are_kept_apart(tmp_path: Path) -> None:
    events = [
        kernel(1, name="a", ts=0, stream=7, device=0),
        kernel(2, name="b", ts=0, stream=20, device=0),
        kernel(3, name="c", ts=0, stream=7, device=1),
    ]
    trace = read(tmp_path, events)
    assert trace.events.device.tolist() == [0, 0, 1]
    assert len(set(trace.events.track.tolist())) == 3
    assert [(track.process, track.thread) for track in trace.tracks] == [(0, 7), (0, 20), (1, 7)]


BACKWARD = "autograd::engine::evaluate_function: "


def forward_pass(**more: object) -> list[Event]:
    shared = {"Fwd thread id": 0}
    sdpa = "aten::scaled_dot_product_attention"
    return [
        event("aten::linear", ts=0, dur=10, args={"Sequence number": 1, **shared}),
        event("aten::addmm", ts=1, dur=8, args={"Sequence number": 1, **shared}),
        event(sdpa, ts=20, dur=20, args={"Sequence number": 2, **shared}),
        event("aten::_flash", ts=21, dur=15, args={"Sequence number": 2, **shared}),
    ]


def backward_node(
    name: str, number: int | None, ts: float, *, dur: float = 20, tid: int = 2, thread: int = 1
) -> list[Event]:
    args = {} if number is None else {"Sequence number": number, "Fwd thread id": thread}
    return [
        event(f"{BACKWARD}{name}", ts=ts, dur=dur, tid=tid, args=args),
        event(name, ts=ts + 1, dur=dur - 2, tid=tid, args=args),
        event(f"inside {name}", ts=ts + 2, dur=dur - 4, tid=tid, args={}),
    ]


@pytest.mark.parametrize("tid", [1, 2], ids=["same thread", "another thread"])
def test_backward_finds_forward_by_sequence_number(tid: int, tmp_path: Path) -> None:
    events = [
        *forward_pass(),
        *backward_node("FlashBackward0", 2, 100, tid=tid),
        *backward_node("AddmmBackward0", 1, 130, tid=tid),
        launch(5, ts=133, tid=tid),
        kernel(5, ts=200),
    ]
    trace = read(tmp_path, events)
    # Two forward ops share a number: the innermost is what the node differentiates.
    assert forward_of(trace, "inside FlashBackward0") == "aten::_flash"
    assert forward_of(trace, "FlashBackward0") == "aten::_flash"
    assert forward_of(trace, f"{BACKWARD}FlashBackward0") == "aten::_flash"
    assert forward_of(trace, "inside AddmmBackward0") == "aten::addmm"
    assert linked(trace, "op", "gemm") == "inside AddmmBackward0"
    inside = [name for row, name in enumerate(names(trace)) if trace.links.in_backward[row]]
    assert len(inside) == 6
    assert not trace.links.in_recompute.any()
    assert forward_of(trace, "aten::addmm") is None


def test_backward_finds_forward_by_flow(tmp_path: Path) -> None:
    events = [
        *forward_pass(),
        flow("s", 77, 1, 1),
        flow("f", 77, 101, 2),
        flow("s", 78, 21.5, 1),
        flow("f", 78, 131, 2),
        flow("f", 79, 131, 2),
        *backward_node("AddmmBackward0", None, 100),
        *backward_node("FlashBackward0", None, 130),
    ]
    trace = read(tmp_path, events)
    assert forward_of(trace, "inside AddmmBackward0") == "aten::addmm"
    assert forward_of(trace, "inside FlashBackward0") == "aten::_flash"


def test_a_flow_goes_before_a_sequence_number(tmp_path: Path) -> None:
    """Numbers are per thread and repeat; the flow is one edge."""
    events = [
        *forward_pass(),
        event("elsewhere", ts=60, dur=5, tid=9, args={"Sequence number": 1, "Fwd thread id": 0}),
        flow("s", 77, 1, 1),
        flow("f", 77, 101, 2),
        *backward_node("AddmmBackward0", 1, 100),
    ]
    assert forward_of(read(tmp_path, events), "inside AddmmBackward0") == "aten::addmm"


def test_a_backward_node_without_partner_has_none(tmp_path: Path) -> None:
    events = [*forward_pass(), *backward_node("LostBackward0", 99, 100)]
    trace = read(tmp_path, events)
    assert forward_of(trace, "inside LostBackward0") is None
    assert trace.links.in_backward[row_of(trace, "inside LostBackward0")]


def test_sequence_numbers_start_anew_each_step(tmp_path: Path) -> None:
    """Backward takes the latest forward op of its number before it, not a later step's."""

    def later(events: list[Event], by: float, mark: str) -> list[Event]:
        return [{**one, "ts": one["ts"] + by, "name": one["name"] + mark} for one in events]

    step = [*forward_pass(), *backward_node("AddmmBackward0", 1, 100)]
    trace = read(tmp_path, [*later(step, 0, " of step 1"), *later(step, 500, " of step 2")])
    for mark in (" of step 1", " of step 2"):
        assert forward_of(trace, f"inside AddmmBackward0{mark}") == f"aten::addmm{mark}"


def test_recomputed_forward_is_neither_forward_nor_backward(tmp_path: Path) -> None:
    """Activation checkpointing runs forward ops, with new numbers, inside a backward node."""
    events = [
        *forward_pass(),
        *backward_node("CheckpointFunctionBackward", 3, 100, dur=100)[:2],
        event("aten::mul", ts=110, dur=20, tid=2, args={"Sequence number": 4, "Fwd thread id": 0}),
        event("aten::inner", ts=112, dur=5, tid=2),
        *backward_node("MulBackward0", 4, 140),
    ]
    trace = read(tmp_path, events)
    again = [name for row, name in enumerate(names(trace)) if trace.links.in_recompute[row]]
    assert again == ["aten::mul", "aten::inner"]
    assert trace.links.in_backward[row_of(trace, "inside MulBackward0")]


def test_slices_that_overlap_without_nesting(tmp_path: Path) -> None:
    """Clock steps of a microsecond make some: the later one counts as inside."""
    events = [
        event("first", ts=0, dur=10),
        event("second", ts=8, dur=10),
        launch(5, ts=9),
        launch(6, ts=14),
        kernel(5, name="a", ts=30),
        kernel(6, name="b", ts=40),
    ]
    trace = read(tmp_path, events)
    assert linked(trace, "parent", "second") == "first"
    assert linked(trace, "op", "a") == "second"
    assert linked(trace, "op", "b") == "second"


def test_slices_that_start_together(tmp_path: Path) -> None:
    events = [
        event("inner", ts=0, dur=10),
        event("outer", ts=0, dur=20),
        event("empty", ts=0, dur=0),
        launch(5, ts=0),
        kernel(5, ts=30),
    ]
    trace = read(tmp_path, events)
    assert linked(trace, "parent", "inner") == "outer"
    assert linked(trace, "parent", "empty") == "inner"
    assert linked(trace, "op", "gemm") == "inner"


def test_correlations_used_again(tmp_path: Path) -> None:
    """Two recordings in one file: the call before the kernel launched it."""
    events = [
        launch(5, name="cudaLaunchKernel", ts=0),
        kernel(5, name="early", ts=10),
        launch(5, name="cudaLaunchKernelExC", ts=100),
        kernel(5, name="late", ts=110),
    ]
    trace = read(tmp_path, events)
    assert linked(trace, "launch", "early") == "cudaLaunchKernel"
    assert linked(trace, "launch", "late") == "cudaLaunchKernelExC"
