"""Which category a device event gets, and the rule that is shown for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genscope.analysis.operators import breakdown
from genscope.analysis.results import CategoryRow, Row
from tests.trace.support import Event, event, kernel, launch, read

GEMM = "ampere_sgemm_128x64_tn"
SOFTMAX = "void softmax_warp_forward<float, float, float, 8, false>(float*, float const*)"
SCALE = "void at::native::vectorized_elementwise_kernel<4, at::native::MulFunctor<float>>"
COPY = "Memcpy DtoD (Device -> Device)"
FLASH = "void pytorch_flash::flash_fwd_kernel<Flash_fwd_kernel_traits<64, 128>>"
UNKNOWN = "my_secret_sauce_v2"


def op(name: str, ts: float, dur: float = 10, **args: Any) -> Event:
    return event(name, ts=ts, dur=dur, args=args or None)


def under(name: str, correlation: int, kernel_name: str, ts: float, **args: Any) -> list[Event]:
    """An op with one launch and its kernel of 5 µs."""
    return [
        op(name, ts, 10, **args),
        launch(correlation, ts=ts + 1, dur=1),
        kernel(correlation, name=kernel_name, ts=ts + 100, dur=5),
    ]


def decided(folder: Path, events: list[Event]) -> dict[str, list[tuple[str, str | None]]]:
    """Category and rule of each kernel name of a trace."""
    found: dict[str, list[tuple[str, str | None]]] = {}

    def walk(category: str, row: Row | CategoryRow) -> None:
        for child in row.children:
            if child.level == "kernel":
                found.setdefault(child.name, []).append((category, child.rule))
            walk(category, child)

    for row in breakdown(read(folder, events)).categories:
        walk(row.category, row)
    return found


def category(folder: Path, events: list[Event], name: str) -> set[str]:
    return {category for category, _ in decided(folder, events)[name]}


def test_op_name_decides_before_kernel_name(tmp_path: Path) -> None:
    assert decided(tmp_path, under("aten::convolution", 1, GEMM, 0)) == {
        GEMM: [("Convolution", "op aten::convolution")]
    }


def test_op_without_a_rule_takes_the_category_of_the_op_around_it(tmp_path: Path) -> None:
    events = [op("aten::addmm", 0, 50), *under("mylib::detail", 1, UNKNOWN, 10)]
    assert category(tmp_path, events, UNKNOWN) == {"Linear"}


def test_annotation_decides_where_no_op_does(tmp_path: Path) -> None:
    step = event("nccl:all_reduce", cat="user_annotation", ts=0, dur=50)
    assert category(tmp_path, [step, *under("mylib::x", 1, UNKNOWN, 10)], UNKNOWN) == {
        "Communication"
    }


def test_module_decides_where_no_op_does(tmp_path: Path) -> None:
    module = event("nn.Module: LayerNorm_3", cat="python_function", ts=0, dur=50)
    assert category(tmp_path, [module, *under("mylib::x", 1, UNKNOWN, 10)], UNKNOWN) == {
        "Normalization"
    }


def test_kernel_name_decides_last_and_unknown_is_other(tmp_path: Path) -> None:
    events = [*under("mylib::x", 1, FLASH, 0), *under("mylib::x", 2, UNKNOWN, 20)]
    found = decided(tmp_path, events)
    assert [category for category, _ in found[FLASH]] == ["Attention"]
    assert found[UNKNOWN] == [("Other", "no rule knows it")]


def test_unlinked_keeps_the_category_of_its_name(tmp_path: Path) -> None:
    events = [kernel(8, name=FLASH, ts=0, dur=3), kernel(9, name=UNKNOWN, ts=5, dur=2)]
    result = breakdown(read(tmp_path, events))
    rows = {row.category: row for row in result.categories}
    assert (rows["Attention"].sum_ns, rows["Attention"].unlinked_ns) == (3000, 3000)
    assert (rows["Unlinked"].sum_ns, rows["Unlinked"].unlinked_ns) == (2000, 2000)
    assert result.unlinked_ns == 5000
    assert [warning.code for warning in result.warnings] == ["unlinked"]


def test_replayed_kernels_are_decided_by_their_own_names(tmp_path: Path) -> None:
    events = [
        op("aten::mm", 0, 50),
        launch(1, name="cudaGraphLaunch", ts=10, dur=5),
        kernel(1, name=FLASH, ts=100, dur=5),
        kernel(1, name=SCALE, ts=110, dur=5),
        kernel(1, name=UNKNOWN, ts=120, dur=5),
    ]
    result = breakdown(read(tmp_path, events))
    assert {row.category for row in result.categories} == {"Attention", "Elementwise", "Other"}
    assert {row.host_launches for row in result.categories} == {1}
    assert [row.pass_ for row in result.passes] == ["unknown"]


@pytest.mark.parametrize("start", [0, 3])
def test_attention_is_found_in_the_order_of_kernels_alone(tmp_path: Path, start: int) -> None:
    order = [
        (GEMM, "kernel"),
        (SCALE, "kernel"),
        (SOFTMAX, "kernel"),
        (COPY, "gpu_memcpy"),
        (GEMM, "kernel"),
    ]
    events = [
        kernel(0, name=name, cat=cat, ts=start + 10 * place, dur=5)
        for place, (name, cat) in enumerate(order)
    ]
    found = decided(tmp_path, events)
    assert {category for category, _ in found[GEMM] + found[SCALE] + found[SOFTMAX]} == {
        "Attention"
    }
    assert [category for category, _ in found[COPY]] == ["Memory"]


def test_softmax_after_the_last_product_is_not_attention(tmp_path: Path) -> None:
    events = [
        kernel(0, name=name, ts=10 * place, dur=5)
        for place, name in enumerate([GEMM, SOFTMAX, "void topk_kernel<float>()", GEMM])
    ]
    found = decided(tmp_path, events)
    assert {category for category, _ in found[SOFTMAX]} == {"Softmax"}
    assert {category for category, _ in found[GEMM]} == {"Linear"}


def test_everything_in_an_optimizer_step_but_communication_is_optimizer(tmp_path: Path) -> None:
    nccl = "ncclDevKernel_AllReduce_Sum_f16_RING_LL(ncclDevComm*)"
    events = [
        event("Optimizer.step#AdamW.step", cat="user_annotation", ts=0, dur=100),
        *under("aten::mul_", 1, SCALE, 10),
        *under("c10d::allreduce_", 2, nccl, 30),
        *under("aten::mul_", 3, SCALE, 200),
    ]
    found = decided(tmp_path, events)
    assert {category for category, _ in found[SCALE]} == {"Optimizer", "Elementwise"}
    assert [category for category, _ in found[nccl]] == ["Communication"]
    passes = {row.pass_: row.sum_ns for row in breakdown(read(tmp_path, events)).passes}
    assert passes == {"forward": 5000, "optimizer": 10000}


@pytest.mark.parametrize(
    ("types", "wanted"),
    [
        (["float", "float", "Scalar"], "Memory"),
        (["c10::BFloat16", "float", "Scalar"], "Elementwise"),
    ],
)
def test_copy_between_dtypes_is_a_cast(tmp_path: Path, types: list[str], wanted: str) -> None:
    name = "void at::native::unrolled_elementwise_kernel<direct_copy_kernel_cuda>"
    events = under("aten::copy_", 1, name, 0, **{"Input type": types})
    assert category(tmp_path, events, name) == {wanted}


def test_copies_inside_fused_attention_are_memory(tmp_path: Path) -> None:
    events = [
        op("aten::scaled_dot_product_attention", 0, 100),
        *under("aten::copy_", 1, COPY, 10),
        *under("aten::_flash_attention_forward", 2, FLASH, 30),
        *under("aten::mul", 3, SCALE, 50),
    ]
    found = decided(tmp_path, events)
    assert [category for category, _ in found[COPY]] == ["Memory"]
    assert [category for category, _ in found[FLASH] + found[SCALE]] == ["Attention", "Attention"]


def test_group_norm_is_a_child_of_normalization(tmp_path: Path) -> None:
    events = [
        *under("aten::native_group_norm", 1, "k1", 0),
        *under("aten::layer_norm", 2, "k2", 20),
    ]
    (row,) = breakdown(read(tmp_path, events)).categories
    assert row.category == "Normalization"
    assert {(child.name, child.level) for child in row.children} == {
        ("GroupNorm", "category"),
        ("aten::layer_norm", "op"),
    }


def test_trace_without_ops_or_kernels_says_so(tmp_path: Path) -> None:
    result = breakdown(read(tmp_path, [event("main", cat="user_annotation")]))
    assert result.basis == "cpu_self" and result.categories == []
    assert "no_work" in [warning.code for warning in result.warnings]
