"""What our collectors wrote, in the breakdown and the overview."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genscope.analysis.annotations import annotations_of
from genscope.analysis.operators import breakdown
from genscope.analysis.overview import overview
from genscope.analysis.results import Operators, Overview
from genscope.analysis.selection import Selection
from genscope.schema import (
    METADATA_KEY,
    AttentionCall,
    Component,
    Document,
    Module,
    Site,
    Workload,
    dumps,
)
from genscope.trace import Trace
from tests.paths import REPOSITORY
from tests.trace.support import Event, document, event, kernel, launch, read

DOCUMENT = Document(
    workload=Workload(model="sd", image_size=(512, 768), batch=2, steps=3, extra={"lora": "x"}),
    components=(
        Component(0, "text_encoder", "CLIPTextModel", parameters=10, parameter_bytes=20),
        Component(1, "unet", "UNet2DConditionModel"),
    ),
    modules=(
        Module(0, "", "UNet2DConditionModel", 1),
        Module(1, "down.0", "DownBlock", 1),
        Module(2, "down.0.norm", "RMSNorm", 1),
    ),
    sites=(Site(0, component=1, module=1, heads=8),),
    peak_memory_bytes=3 << 30,
    libraries={"torch": "2.13"},
    notes=("stopped early",),
)


def component(name: str, ts: float, dur: float) -> Event:
    return event(f"genscope.component#{name}", cat="user_annotation", ts=ts, dur=dur)


def ours(name: str, ts: float, dur: float) -> Event:
    return event(f"genscope.{name}", ts=ts, dur=dur)


def work(
    number: int, ts: float, dur: float, name: str = "aten::mm", on: str = "gemm"
) -> list[Event]:
    """An op, its launch and its kernel."""
    return [
        event(name, ts=ts, dur=3),
        launch(number, ts=ts + 1, dur=1),
        kernel(number, name=on, ts=1000 + ts, dur=dur),
    ]


EVENTS = [
    component("0 text_encoder", 0, 20),
    *work(1, 5, 7),
    component("1 unet step=0", 100, 50),
    ours("module#0", 101, 48),
    ours("module#1 down.0", 110, 30),
    ours("module#2 down.0.norm", 111, 10),
    *work(2, 112, 11),
    ours("attention#0 self q=64 kv=64 b=2", 125, 10),
    *work(3, 126, 13, "aten::scaled_dot_product_attention", "flash_fwd_kernel"),
    component("1 unet step=1", 200, 50),
    ours("module#0", 201, 48),
    *work(4, 205, 17),
    *work(5, 270, 19),
]  # fmt: skip


def loaded(folder: Path, events: list[Event], value: object = None) -> Trace:
    members = {} if value is None else {METADATA_KEY: value}
    return read(folder, document(events, **members))


def annotated(folder: Path) -> Trace:
    return loaded(folder, EVENTS, json.loads(dumps(DOCUMENT)))


def test_components_are_those_annotated(tmp_path: Path) -> None:
    rows = breakdown(annotated(tmp_path)).components
    assert {row.name: row.sum_ns for row in rows} == {
        "text_encoder": 7_000, "unet": 41_000, "(no module)": 19_000,
    }  # fmt: skip


def test_the_tree_has_relative_names_and_classes(tmp_path: Path) -> None:
    rows = breakdown(annotated(tmp_path)).modules
    assert [(row.path, row.name, row.depth, row.class_name, row.sum_ns) for row in rows] == [
        ("text_encoder", "text_encoder", 0, "CLIPTextModel", 7_000),
        ("unet", "unet", 0, "UNet2DConditionModel", 41_000),
        ("unet/down.0", "down.0", 1, "DownBlock", 24_000),
        ("unet/down.0/norm", "norm", 2, "RMSNorm", 11_000),
        ("(no module)", "(no module)", 0, None, 19_000),
    ]


def test_names_alone_do_without_the_document(tmp_path: Path) -> None:
    trace = loaded(tmp_path, EVENTS, {"components": 5})
    assert [warning.code for warning in trace.warnings] == ["annotations_unreadable"]
    result = breakdown(trace)
    assert {row.name: row.sum_ns for row in result.components} == {
        "text_encoder": 7_000, "unet": 41_000, "(no module)": 19_000,
    }  # fmt: skip
    assert [row.path for row in result.modules] == [
        "text_encoder", "unet", "unet/down.0", "unet/down.0/norm", "(no module)",
    ]  # fmt: skip
    assert "annotations_unreadable" in [warning.code for warning in result.warnings]


def test_a_module_that_runs_again_outside_its_component_is_in_its_place(tmp_path: Path) -> None:
    again = [ours("module#2 norm", 290, 10), *work(6, 292, 5)]
    result = breakdown(loaded(tmp_path, [*EVENTS, *again], json.loads(dumps(DOCUMENT))))
    assert {row.name: row.sum_ns for row in result.components}["unet"] == 46_000
    assert {row.path: row.sum_ns for row in result.modules} == {
        "text_encoder": 7_000, "unet": 46_000, "unet/down.0": 29_000, "unet/down.0/norm": 16_000,
        "(no module)": 19_000,
    }  # fmt: skip


def test_modules_of_which_only_the_id_is_known_stay_apart(tmp_path: Path) -> None:
    events = [ours("module#8", 0, 30), ours("module#9", 1, 10), *work(1, 2, 5), *work(2, 20, 3)]
    rows = breakdown(loaded(tmp_path, events)).modules
    assert [(row.path, row.sum_ns) for row in rows] == [
        ("module 8", 8_000), ("module 8/module 9", 5_000),
    ]  # fmt: skip


def test_plain_names_still_make_components(tmp_path: Path) -> None:
    plain = event("vae", cat="user_annotation", ts=260, dur=30)
    trace = loaded(tmp_path, [*EVENTS, plain], json.loads(dumps(DOCUMENT)))
    assert {row.name: row.sum_ns for row in breakdown(trace).components} == {
        "text_encoder": 7_000, "unet": 41_000, "vae": 19_000,
    }  # fmt: skip


def test_a_component_can_be_selected(tmp_path: Path) -> None:
    trace = annotated(tmp_path)
    assert breakdown(trace, Selection(components=("unet",))).basis_sum_ns == 41_000


def test_the_class_of_a_module_decides_what_no_op_does(tmp_path: Path) -> None:
    """An unknown op inside RMSNorm is Normalization, however the module is known."""
    unknown = work(1, 20, 9, "mylib::thing", "mystery")
    around = {
        "ours": ours("module#2 down.0.norm", 10, 30),
        "torch": event("nn.Module: RMSNorm_4", cat="python_function", ts=10, dur=30),
    }
    for name, frame in around.items():
        (tmp_path / name).mkdir()
        trace = loaded(tmp_path / name, [frame, *unknown], json.loads(dumps(DOCUMENT)))
        (row,) = breakdown(trace).categories
        assert row.category == "Normalization", name


def categories(result: Operators) -> dict[str, tuple[int, int, int]]:
    return {row.category: (row.sum_ns, row.busy_ns, row.calls) for row in result.categories}


@pytest.mark.parametrize("device", [True, False])
def test_ranges_change_no_category(device: bool, tmp_path: Path) -> None:
    events = [one for one in EVENTS if device or one["cat"] not in ("kernel", "cuda_runtime")]
    (tmp_path / "plain").mkdir()
    plain = [one for one in events if not one["name"].startswith("genscope.")]
    with_ranges = breakdown(loaded(tmp_path, events, json.loads(dumps(DOCUMENT))))
    without = breakdown(loaded(tmp_path / "plain", plain))
    assert categories(with_ranges) == categories(without)
    assert "Attention" in categories(without)
    assert with_ranges.basis_sum_ns == without.basis_sum_ns


def test_ranges_in_a_real_trace_change_no_category(tmp_path: Path) -> None:
    path = REPOSITORY / "samples" / "traces" / "llm-prefill-qwen1.5-h100" / "h100.pt.trace.json.gz"
    before = json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]
    ranges = [
        {**one, "name": f"genscope.attention#{at} self q=8", "args": {}}
        for at, one in enumerate(before)
        if one.get("cat") == "cpu_op" and ("attention" in one["name"] or "linear" in one["name"])
    ]
    assert ranges
    (tmp_path / "plain").mkdir()
    plain = breakdown(read(tmp_path / "plain", document(before)))
    found = breakdown(read(tmp_path, document([*ranges, *before])))
    assert categories(found) == categories(plain)


def test_steps_are_those_a_component_counts(tmp_path: Path) -> None:
    found = overview(annotated(tmp_path))
    assert [(one.name, one.start_ns, one.dur_ns) for one in found.steps] == [
        ("unet step 0", 100_000, 100_000),
        ("unet step 1", 200_000, 50_000),
    ]
    second = Selection(first_step=1, last_step=1)
    assert breakdown(annotated(tmp_path), second).basis_sum_ns == 17_000


def test_calls_of_one_step_are_one_step_and_a_new_run_begins_anew(tmp_path: Path) -> None:
    steps = [(0, 0), (10, 0), (20, 1), (50, 0), (60, 1)]
    calls = [component(f"1 unet step={step}", ts, 5) for ts, step in steps]
    found = overview(loaded(tmp_path, [*calls, *work(1, 1, 5)])).steps
    assert [(one.index, one.start_ns // 1000, one.dur_ns // 1000) for one in found] == [
        (0, 0, 20), (1, 20, 5), (2, 50, 10), (3, 60, 5),
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "name"), [(1, "unet step 0"), (2, "ProfilerStep#0")])
def test_steps_of_the_profiler_go_first_where_they_divide(
    count: int, name: str, tmp_path: Path
) -> None:
    marks = [
        event(f"ProfilerStep#{n}", cat="user_annotation", ts=150 * n, dur=150) for n in range(count)
    ]
    assert overview(loaded(tmp_path, [*EVENTS, *marks])).steps[0].name == name


def test_the_overview_tells_what_was_run(tmp_path: Path) -> None:
    found = overview(annotated(tmp_path))
    assert found.workload is not None
    assert found.workload.model == "sd"
    assert found.workload.image_size == (512, 768)
    assert found.workload.extra == {"lora": "x"}
    assert found.peak_memory_bytes == 3 << 30
    assert found.libraries == {"torch": "2.13"}
    assert found.notes == ["stopped early"]
    assert [(one.name, one.calls, one.parameters) for one in found.components] == [
        ("text_encoder", 1, 10), ("unet", 2, None),
    ]  # fmt: skip
    assert msgspec.json.decode(msgspec.json.encode(found), type=Overview) == found


def test_a_trace_without_annotations_tells_nothing(tmp_path: Path) -> None:
    trace = loaded(tmp_path, work(1, 0, 5))
    found = overview(trace)
    assert (found.workload, found.components, found.peak_memory_bytes) == (None, [], None)
    assert len(annotations_of(trace).attention.row) == 0


def test_calls_are_columns(tmp_path: Path) -> None:
    mark = ours("attention#1 q=9 kv=7 tokens=30 chain=1", 300, 0)
    trace = loaded(tmp_path, [mark, *EVENTS])
    calls = annotations_of(trace)
    attention = calls.attention
    assert [trace.name_of(row) for row in attention.row.tolist()] == [
        "genscope.attention#0 self q=64 kv=64 b=2",
        "genscope.attention#1 q=9 kv=7 tokens=30 chain=1",
    ]
    assert attention.site.tolist() == [0, 1]
    assert attention.q_len.tolist() == [64, 9]
    assert attention.kv_len.tolist() == [64, 7]
    assert attention.batch.tolist() == [2, -1]
    assert attention.q_tokens.tolist() == [-1, 30]
    assert attention.is_chain.tolist() == [False, True]
    assert calls.components.step.tolist() == [-1, 0, 1]
    assert calls.modules.module.tolist() == [0, 1, 2, 0]
    first = calls.calls[int(trace.events.name[attention.row[0]])]
    assert first == AttentionCall(0, "self", 2, 64, 64)


names = st.one_of(
    st.sampled_from(["component", "module", "attention", "", "other"]).flatmap(
        lambda kind: st.text(max_size=12).map(lambda rest: f"genscope.{kind}#{rest}")
    ),
    st.builds(
        lambda kind, number, rest: f"genscope.{kind}#{number} {rest}",
        st.sampled_from(["component", "module", "attention"]),
        st.integers(0, 10**12),
        st.text(alphabet="ab.%3E=qstep 019-", max_size=20),
    ),
)
hostile = st.lists(st.tuples(names, st.integers(0, 300), st.integers(0, 300)), max_size=8)


@given(hostile, st.sampled_from([None, json.loads(dumps(DOCUMENT)), {"version": 9}, []]))
def test_no_annotation_breaks_a_view(found: list[tuple[str, int, int]], value: object) -> None:
    extra = [event(name, ts=ts, dur=dur) for name, ts, dur in found]
    with tempfile.TemporaryDirectory() as folder:
        trace = loaded(Path(folder), [*EVENTS, *extra], value)
        result = breakdown(trace)
        summary = overview(trace)
    assert result.basis_sum_ns == 67_000
    assert sum(row.sum_ns for row in result.components) == 67_000
    assert msgspec.json.encode(result) and msgspec.json.encode(summary)
