"""The breakdown of every shared trace: against a plain recount, against itself, and known bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from genscope.analysis.compare import compare
from genscope.analysis.results import Figures, Operators, Row
from tests.loaded import TRACES, operators_of
from tests.oracle import Recount, recount

Both = tuple[Operators, Recount]
Breakdown = Callable[[str], Operators]

CATEGORIES = (
    "Attention", "Convolution", "Linear", "Normalization", "Elementwise", "Embedding", "Softmax",
    "Memory", "Communication", "Optimizer", "Other", "Unlinked",
)  # fmt: skip


@pytest.fixture(params=TRACES)
def both(request: pytest.FixtureRequest, shared_traces: Path) -> Both:
    path = shared_traces / f"{request.param}.json.gz"
    return operators_of(path), recount(path)


@pytest.fixture
def shared(shared_traces: Path) -> Breakdown:
    return lambda name: operators_of(shared_traces / f"{name}.json.gz")


def rows_of(operators: Operators, level: str) -> Iterator[tuple[str, Row]]:
    """All rows of a level, with their category."""

    def walk(category: str, rows: list[Row]) -> Iterator[tuple[str, Row]]:
        for row in rows:
            if row.level == level:
                yield category, row
            yield from walk(category, row.children)

    for top in operators.categories:
        yield from walk(top.category, top.children)


def kernels_named(operators: Operators, part: str) -> dict[str, int]:
    """Device events of the kernels whose name contains `part`, by category."""
    found: Counter[str] = Counter()
    for category, row in rows_of(operators, "kernel"):
        if part in row.name.lower():
            found[category] += row.launches
    return dict(found)


def shares(operators: Operators) -> dict[str, float]:
    """Percent of each category."""
    return {row.category: 100 * row.share for row in operators.categories}


# Against the recount -----------------------------------------------------------------------


def test_totals_are_exact(both: Both) -> None:
    operators, counted = both
    assert operators.device_sum_ns == counted.device_sum_ns
    assert operators.device_busy_ns == counted.device_busy_ns
    assert operators.unlinked_ns == counted.unlinked_ns
    assert operators.wall_ns == counted.wall_ns
    if counted.device_events:
        assert operators.basis == "device"
        assert operators.basis_sum_ns == counted.device_sum_ns
        assert sum(row.launches for row in operators.categories) == counted.device_events
        assert sum(device.sum_ns for device in operators.devices) == counted.device_sum_ns
        assert sum(device.busy_ns for device in operators.devices) == counted.device_busy_ns
    else:
        assert operators.basis == "cpu_self"
        assert operators.basis_sum_ns == sum(counted.cpu_self_ns.values())
        assert operators.devices == []


def test_time_of_every_op_is_exact(both: Both) -> None:
    operators, counted = both
    time: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for _, row in rows_of(operators, "op"):
        time[row.name] += row.sum_ns
        events[row.name] += row.launches
    if counted.device_events:
        assert time == counted.by_op
        assert events == counted.launches_by_op
    else:
        assert time == counted.cpu_self_ns


def test_time_of_every_kernel_is_exact(both: Both) -> None:
    operators, counted = both
    time: Counter[str] = Counter()
    for _, row in rows_of(operators, "kernel"):
        time[row.name] += row.sum_ns
    assert time == counted.by_kernel


# Against itself ----------------------------------------------------------------------------


def test_shares_add_up_to_1(both: Both) -> None:
    operators, _ = both
    assert sum(row.share for row in operators.categories) == pytest.approx(1, abs=1e-9)
    assert sum(row.share for row in operators.passes) == pytest.approx(1, abs=1e-9)
    for row in operators.categories:
        assert row.share == pytest.approx(row.sum_ns / operators.basis_sum_ns, abs=1e-12)


def test_categories_are_those_of_the_vocabulary(both: Both) -> None:
    operators, _ = both
    names = [row.category for row in operators.categories]
    assert len(names) == len(set(names))
    assert set(names) <= set(CATEGORIES)
    sums = [row.sum_ns for row in operators.categories]
    assert sums == sorted(sums, reverse=True)


def test_every_level_adds_up_to_the_one_above(both: Both) -> None:
    operators, _ = both

    def check(parent: Figures, children: list[Row]) -> None:
        if not children:
            return
        for field in ("sum_ns", "unlinked_ns", "launches"):
            total = sum(getattr(child, field) for child in children)
            assert total == getattr(parent, field), (parent, field)
        busy = [child.busy_ns for child in children]
        assert max(busy) <= parent.busy_ns <= min(sum(busy), parent.sum_ns)
        labels = [(child.level, child.name) for child in children]
        assert len(labels) == len(set(labels))
        for child in children:
            check(child, child.children)

    for top in operators.categories:
        assert top.children
        check(top, top.children)
    assert sum(top.sum_ns for top in operators.categories) == operators.basis_sum_ns
    assert sum(top.unlinked_ns for top in operators.categories) == operators.unlinked_ns


def test_every_row_of_an_op_names_the_rule(both: Both) -> None:
    operators, _ = both
    for level in ("op", "kernel"):
        assert all(row.rule for _, row in rows_of(operators, level))


def test_passes_and_components_add_up(both: Both) -> None:
    operators, _ = both
    by_category = {row.category: row.sum_ns for row in operators.categories}
    for rows in (operators.passes, operators.components):
        if not rows:
            continue
        assert sum(row.sum_ns for row in rows) == operators.basis_sum_ns
        assert sum(row.launches for row in rows) == sum(
            row.launches for row in operators.categories
        )
        total: Counter[str] = Counter()
        for row in rows:
            assert sum(row.categories.values()) == row.sum_ns
            total.update(row.categories)
        assert {name: total[name] for name in by_category} == by_category


def test_modules_add_up(both: Both) -> None:
    operators, _ = both
    modules = operators.modules
    if not modules:
        return
    assert "modules_left_out" not in {warning.code for warning in operators.warnings}
    assert sum(row.sum_ns for row in modules if row.depth == 0) == operators.basis_sum_ns
    assert sum(row.self_ns for row in modules) == operators.basis_sum_ns
    inside: Counter[str] = Counter()
    paths = {row.path for row in modules}
    assert len(paths) == len(modules)
    for row in modules:
        assert sum(row.categories.values()) == row.sum_ns
        if row.depth:
            above = row.path[: -len(row.name) - 1]
            assert above in paths
            inside[above] += row.sum_ns
    for row in modules:
        assert row.sum_ns == row.self_ns + inside[row.path], row.path


def test_busy_time_is_no_longer_than_the_sum_and_the_wall(both: Both) -> None:
    operators, _ = both
    for row in operators.categories:
        assert 0 <= row.busy_ns <= row.sum_ns
        assert row.busy_ns <= operators.wall_ns * max(1, len(operators.devices))
    if operators.devices:
        assert max(row.busy_ns for row in operators.categories) <= operators.device_busy_ns


def test_a_trace_compared_with_itself_is_1(both: Both) -> None:
    operators, _ = both
    first, second = compare([("a", operators), ("b", operators)]).runs
    for run in (first, second):
        assert run.relative == pytest.approx(1)
        relative = [bar.relative for bar in run.categories if bar.relative is not None]
        assert sum(relative) == pytest.approx(1)
        assert all(bar.delta_ns == 0 for bar in run.categories)


# Known bars --------------------------------------------------------------------------------


def test_other_stays_below_5_percent(both: Both) -> None:
    operators, _ = both
    assert shares(operators).get("Other", 0.0) < 5
    assert shares(operators).get("Unlinked", 0.0) < 5


def test_qwen_prefill(shared: Breakdown) -> None:
    operators = shared("llm-prefill-qwen1.5-h100")
    assert operators.device_sum_ns / 1e6 == pytest.approx(45.6, abs=0.05)
    assert 100 * operators.unlinked_ns / operators.device_sum_ns == pytest.approx(30.1, abs=0.05)
    assert kernels_named(operators, "flash") == {"Attention": 34}
    assert "Unlinked" not in shares(operators)
    assert "unlinked" in {warning.code for warning in operators.warnings}


def test_sd35(shared: Breakdown) -> None:
    operators = shared("diffusion-sd3.5-mi300x")
    assert operators.device_sum_ns / 1e6 == pytest.approx(712.5, abs=0.05)
    flash = [row for row in rows_of(operators, "kernel") if row[1].name == "attn_fwd"]
    assert {category for category, _ in flash} == {"Attention"}
    total = sum(row.sum_ns for _, row in flash)
    assert 100 * total / operators.device_sum_ns == pytest.approx(29.3, abs=0.05)
    assert shares(operators)["Attention"] == pytest.approx(29.8, abs=0.5)


def test_timesformer(shared: Breakdown) -> None:
    operators = shared("video-timesformer-h100")
    assert operators.device_sum_ns / 1e6 == pytest.approx(158.4, abs=0.05)
    assert shares(operators)["Attention"] == pytest.approx(81.6, abs=0.05)
    assert kernels_named(operators, "flash") == {}
    assert "Softmax" not in shares(operators)


def test_sam_with_and_without_flash(shared: Breakdown) -> None:
    baseline, flash = shared("image-sam-baseline-a100"), shared("image-sam-flash-a100")
    assert baseline.device_sum_ns / 1e6 == pytest.approx(1213, abs=0.5)
    assert flash.device_sum_ns / 1e6 == pytest.approx(525, abs=0.5)
    first, second = compare([("baseline", baseline), ("flash", flash)]).runs
    assert first.relative == 1
    assert second.relative == pytest.approx(0.4326, abs=0.001)
    assert second.speedup == pytest.approx(2.311, abs=0.01)


def test_vllm_graph_kernels_go_by_their_names(shared: Breakdown) -> None:
    operators = shared("llm-vllm-decode-cudagraph")
    replayed = [
        (category, row) for category, row in rows_of(operators, "op") if "graph" in row.name
    ]
    assert len({category for category, _ in replayed}) >= 5
    assert sum(row.launches for _, row in replayed) > 400
    assert shares(operators)["Linear"] > 50
    assert set(kernels_named(operators, "paged_attention")) <= {"Attention"}


def test_megatron_rank_0(shared: Breakdown) -> None:
    operators = shared("training-megatron-tp8-rank0")
    assert shares(operators)["Communication"] == pytest.approx(64.7, abs=0.05)
    assert operators.rank == 0
    assert set(kernels_named(operators, "nccl")) == {"Communication"}
    assert shared("training-megatron-tp8-rank1").rank == 1


def test_cpu_only(shared: Breakdown) -> None:
    operators = shared("cpu-only-rank34")
    assert (operators.basis, operators.device_sum_ns, operators.device_busy_ns) == (
        "cpu_self",
        0,
        0,
    )
    assert operators.unlinked_ns == 0
    assert all(row.launches == 0 for row in operators.categories)


@pytest.mark.parametrize("name", ["training-ns-timestamps-rank0", "training-resnet50-v100"])
def test_training_has_passes(name: str, shared: Breakdown) -> None:
    passes = {row.pass_: row.share for row in shared(name).passes}
    assert passes["backward"] > passes["forward"] > passes["optimizer"] > 0


def test_base_time_is_text(both: Both) -> None:
    """JavaScript's numbers do not hold epoch nanoseconds."""
    operators, _ = both
    assert isinstance(operators.base_ns, str)
    assert int(operators.base_ns) >= 0


def test_depths_of_modules_step_by_one(both: Both) -> None:
    operators, _ = both
    for above, row in pairwise(operators.modules):
        assert row.depth <= above.depth + 1
