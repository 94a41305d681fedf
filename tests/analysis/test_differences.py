"""What changed between two runs adds up on every level, down to the kernel."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from pathlib import Path

import msgspec
import pytest

from genscope.analysis.compare import compare
from genscope.analysis.differences import differences, flat
from genscope.analysis.results import CategoryRow, Difference, Operators, Row
from tests.cli.made import MS, node, operators
from tests.loaded import TRACES, operators_of
from tests.oracle import recount

PAIR = ("image-sam-baseline-a100", "image-sam-flash-a100")


def adds_up(rows: list[Difference], base_ns: int, run_ns: int) -> None:
    assert sum(row.base_sum_ns for row in rows) == base_ns
    assert sum(row.sum_ns for row in rows) == run_ns
    assert sum(row.delta_ns for row in rows) == run_ns - base_ns
    changes = [abs(row.delta_ns) for row in rows]
    assert changes == sorted(changes, reverse=True)
    for row in rows:
        assert row.delta_ns == row.sum_ns - row.base_sum_ns
        if row.children:
            adds_up(row.children, row.base_sum_ns, row.sum_ns)


@pytest.mark.parametrize("other", ["image-sam-flash-a100", "video-timesformer-h100"])
def test_differences_of_recorded_runs_add_up(shared_traces: Path, other: str) -> None:
    base, run = (operators_of(shared_traces / f"{n}.json.gz") for n in (PAIR[0], other))
    found = differences(base, run)
    adds_up(found, base.basis_sum_ns, run.basis_sum_ns)
    for level in ("category", "op", "kernel"):
        change = sum(row.delta_ns for _, row in flat(found, level))
        assert change == run.basis_sum_ns - base.basis_sum_ns


def test_kernels_are_those_that_the_files_hold(shared_traces: Path) -> None:
    paths = [shared_traces / f"{name}.json.gz" for name in PAIR]
    found: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for _, row in flat(differences(*(operators_of(path) for path in paths)), "kernel"):
        assert row.level == "kernel"
        found[0][row.name] += row.base_sum_ns
        found[1][row.name] += row.sum_ns
    for sums, path in zip(found, paths, strict=True):
        assert +sums == +recount(path).by_kernel


def test_swapping_the_runs_turns_every_sign(shared_traces: Path) -> None:
    runs = [operators_of(shared_traces / f"{name}.json.gz") for name in TRACES[1:4]]
    for first, second in permutations(runs, 2):
        if first.basis != second.basis:
            continue
        there = dict(_named(differences(first, second)))
        back = dict(_named(differences(second, first)))
        assert there.keys() == back.keys()
        for names, row in there.items():
            turned = back[names]
            assert row.delta_ns == -turned.delta_ns
            assert (row.calls, row.base_calls) == (turned.base_calls, turned.calls)
            assert (row.launches, row.base_launches) == (turned.base_launches, turned.launches)


def _named(rows: list[Difference]) -> list[tuple[tuple[str, ...], Difference]]:
    return [((*above, row.name), row) for above, row in flat(rows, "kernel")]


BASE = operators({"Linear": 190 * MS, "Attention": 640 * MS, "Softmax": 3})
FUSED = operators({"Attention": 95 * MS, "Memory": 80 * MS, "Linear": 190 * MS})


def test_a_row_of_one_run_alone_is_zero_in_the_other() -> None:
    attention, memory, softmax, linear = differences(BASE, FUSED)
    assert [row.name for row in (attention, memory)] == ["Attention", "Memory"]
    assert (memory.base_sum_ns, memory.sum_ns, memory.delta_ns) == (0, 80 * MS, 80 * MS)
    assert (memory.base_calls, memory.calls, memory.speedup) == (0, 1, None)
    assert (softmax.sum_ns, softmax.delta_ns, softmax.speedup) == (0, -3, None)
    assert (linear.delta_ns, linear.speedup) == (0, 1)
    (op,) = attention.children
    (kernel,) = op.children
    assert (op.level, op.name) == ("op", "aten::attention")
    assert (kernel.level, kernel.name) == ("kernel", "attention_kernel")
    assert kernel.delta_ns == -545 * MS and kernel.speedup == 640 / 95


def test_an_op_named_like_a_sub_category_is_a_row_of_its_own() -> None:
    """Rows are paired by level and name, and rows that share both are added up."""

    def run(*children: Row) -> Operators:
        total = sum(row.sum_ns for row in children)
        figures = {"busy_ns": total, "unlinked_ns": 0, "share": 1.0, "launches": 1}
        row = CategoryRow(
            category="Normalization", children=list(children), sum_ns=total, host_launches=1,
            calls=1, **figures,
        )  # fmt: skip
        return msgspec.structs.replace(BASE, categories=[row], basis_sum_ns=total)

    group = node("GroupNorm", "category", 5, 9, node("aten::group_norm", "op", 5, 9))
    op = node("GroupNorm", "op", 4, 9)
    (found,) = differences(run(group), run(op, op))
    adds_up([found], 5, 8)
    by_level = {row.level: (row.base_sum_ns, row.sum_ns, row.calls) for row in found.children}
    assert by_level == {"category": (5, 0, 0), "op": (0, 8, 2)}


def test_a_comparison_has_the_differences_of_all_but_the_base() -> None:
    cpu = operators({"Linear": 5 * MS}, basis="cpu_self")
    base, fused, same, other = compare(
        [("base", BASE), ("fused", FUSED), ("same", BASE), ("cpu", cpu)]
    ).runs
    assert base.differences == [] and other.differences == []
    adds_up(fused.differences, BASE.basis_sum_ns, FUSED.basis_sum_ns)
    assert {row.delta_ns for row in same.differences} == {0}
    assert [row.name for row in same.differences] == ["Attention", "Linear", "Softmax"]
