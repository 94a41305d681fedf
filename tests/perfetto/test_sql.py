"""The PerfettoSQL package says of an export what the analyses say of the trace.

Asked over sqlite3, and of the real trace_processor where TRACE_PROCESSOR_BIN names one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.intensity import attention_flops
from genscope.perfetto.native import export_perfetto
from genscope.perfetto.sql import PACKAGE, modules, pasteable
from tests.loaded import operators_of, trace_of
from tests.perfetto.sqlite import Database

NAMES = ("llm-prefill-qwen1.5-h100", "llm-vllm-decode-cudagraph", "cpu-only-rank34")

Rows = list[tuple[Any, ...]]
Query = Callable[[str], Rows]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


@cache
def exported(source: Path, folder: Path) -> Path:
    path = folder / f"{source.name.removesuffix('.json.gz')}.pftrace"
    export_perfetto(trace_of(source), str(path))
    return path


@cache
def database(source: Path, folder: Path) -> Database:
    return Database(exported(source, folder), modules())


def of_sqlite(path: Path) -> Iterator[Query]:
    yield Database(path, modules()).query


def of_trace_processor(path: Path) -> Iterator[Query]:
    """The real one, by the `perfetto` package."""
    binary = os.environ.get("TRACE_PROCESSOR_BIN")
    if not binary:
        pytest.skip("TRACE_PROCESSOR_BIN names no trace_processor, so none was asked")
    api = pytest.importorskip("perfetto.trace_processor")
    config = api.TraceProcessorConfig(bin_path=binary, add_sql_packages=[str(PACKAGE)])
    with api.TraceProcessor(trace=str(path), config=config) as processor:
        for name in modules():
            processor.query(f"INCLUDE PERFETTO MODULE genscope.{name}")
        yield lambda sql: [tuple(vars(row).values()) for row in processor.query(sql)]


@pytest.fixture(params=[of_sqlite, of_trace_processor], ids=["sqlite", "trace_processor"])
def query(request: pytest.FixtureRequest, source: Path, folder: Path) -> Iterator[Query]:
    yield from request.param(exported(source, folder))


@pytest.fixture(params=NAMES)
def source(request: pytest.FixtureRequest, shared_traces: Path) -> Path:
    return shared_traces / f"{request.param}.json.gz"


def test_categories_are_those_of_the_report(query: Query, source: Path) -> None:
    found = query(
        "SELECT category, sum_ns, share, unlinked_ns, slices FROM genscope_categories"
        " WHERE sum_ns > 0 ORDER BY sum_ns DESC, category"
    )
    report = operators_of(source)
    rows = sorted(report.categories, key=lambda row: (-row.sum_ns, row.category))
    assert [row[:2] for row in found] == [(r.category, r.sum_ns) for r in rows if r.sum_ns]
    assert [row[2] for row in found] == pytest.approx([r.share for r in rows if r.sum_ns])
    assert [row[3] for row in found] == [r.unlinked_ns for r in rows if r.sum_ns]
    if report.basis == "device":
        assert [row[4] for row in found] == [r.launches for r in rows if r.sum_ns]


def test_attention_calls_are_those_of_the_report(query: Query, source: Path) -> None:
    calls = attention_calls(trace_of(source))
    found = query(
        "SELECT call, q_len, kv_len, heads, batch, device_ns, kind, axis, phase, implementation"
        " FROM genscope_attention ORDER BY call"
    )
    assert [row[0] for row in found] == list(range(len(calls)))
    sizes = [calls.sizes[name] for name in ("q_len", "kv_len", "heads", "batch")]
    for place, column in enumerate([*sizes, calls.device_ns], 1):
        known = [None if value < 0 else value for value in column.tolist()]
        assert [row[place] for row in found] == known
    for place, name in enumerate(("kind", "axis", "phase", "implementation"), 6):
        texts = [calls.words.text(int(one)) for one in calls.texts[name]]
        assert [row[place] for row in found] == texts


def test_sequence_lengths_add_up(query: Query, source: Path) -> None:
    calls = attention_calls(trace_of(source))
    known = calls.has_shape & (calls.sizes["q_len"] >= 0)
    counted = dict(query("SELECT q_len, SUM(calls) FROM genscope_sequence_lengths GROUP BY q_len"))
    forward = known & np.isin(calls.pass_, (0, 4))
    lengths, counts = np.unique(calls.sizes["q_len"][forward], return_counts=True)
    assert counted == dict(zip(lengths.tolist(), counts.tolist(), strict=True))
    steps = query("SELECT ts, dur FROM genscope_sequence_length_over_time ORDER BY ts")
    assert len(steps) == int(forward.sum())
    for (ts, dur), following in pairwise(steps):
        assert ts + dur == following[0]
    assert all(dur is None for _, dur in steps[-1:])


def test_flops_of_calls_are_those_of_the_analysis(query: Query, source: Path) -> None:
    flops = attention_flops(attention_calls(trace_of(source)))
    found = query(
        "SELECT genscope_attention_flops("
        "  batch, heads, q_len, kv_len, head_dim, v_head_dim, causal) AS flops"
        " FROM genscope_attention ORDER BY call"
    )
    assert [row[0] for row in found] == [None if f < 0 else f for f in flops.tolist()]


def test_categories_by_phase_add_up_to_the_whole(query: Query, source: Path) -> None:
    by_phase = query("SELECT phase, category, sum_ns FROM genscope_categories_by_phase")
    assert sum(row[2] for row in by_phase) == operators_of(source).basis_sum_ns
    phases = {row[0] for row in query("SELECT phase FROM genscope_phases")}
    assert {row[0] for row in by_phase} - {None} <= phases
    middle = query(
        "SELECT phase, genscope_phase_at(ts + dur / 2) AS at FROM genscope_phases WHERE dur > 1"
    )
    assert {row[1] for row in middle} <= phases
    assert [row[0] for row in query("SELECT genscope_phase_at(-5) AS at")] == [None]


def test_steps_modules_and_components_can_be_asked(query: Query, source: Path) -> None:
    steps = query("SELECT step, dur FROM genscope_steps ORDER BY ts")
    assert [row[0] for row in steps] == list(range(len(steps)))
    modules_found = query("SELECT path, name FROM genscope_modules")
    assert all(path == name or path.endswith(name) for path, name in modules_found)
    assert query("SELECT component, class, step FROM genscope_components") == []


# Functions that give tables, and the package itself ---------------------------------------------


def test_a_stretch_of_the_trace_counts_what_lies_inside(source: Path, folder: Path) -> None:
    asked = database(source, folder)
    ((first, last),) = asked.query("SELECT MIN(ts), MAX(ts + dur) FROM genscope_category_slice")
    whole = {c: n for c, n, _ in asked.table("genscope_categories_between", ts=first, ts_end=last)}
    expected = dict(
        asked.query("SELECT category, sum_ns FROM genscope_categories WHERE sum_ns > 0")
    )
    assert whole == expected
    middle = (first + last) // 2
    parts = [
        asked.table("genscope_categories_between", ts=first, ts_end=middle),
        asked.table("genscope_categories_between", ts=middle, ts_end=last),
    ]
    for category, sum_ns in expected.items():
        assert sum(n for part in parts for c, n, _ in part if c == category) == sum_ns


def test_calls_of_a_phase(source: Path, folder: Path) -> None:
    asked = database(source, folder)
    for (phase,) in asked.query("SELECT DISTINCT phase FROM genscope_attention"):
        if phase is not None:
            found = asked.table("genscope_attention_of_phase", phase=phase)
            expected = asked.query(f"SELECT id FROM genscope_attention WHERE phase = '{phase}'")
            assert [row[0] for row in found] == [row[0] for row in expected]


def test_schemas_name_the_columns_that_are_there(source: Path, folder: Path) -> None:
    asked = database(source, folder)
    assert asked.schemas
    for name, columns in asked.schemas.items():
        assert asked.columns(name) == columns, name


def test_the_package_can_be_found_and_pasted() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "genscope.perfetto.sql"], capture_output=True, text=True, check=True
    ).stdout
    assert said == pasteable()
    assert "INCLUDE" not in said
    for view in ("genscope_attention", "genscope_categories"):
        assert f"PERFETTO VIEW {view}(" in said
    assert said.index("VIEW genscope_category_slice(") < said.index("genscope_category_slice\n")
    where = subprocess.run(
        [sys.executable, "-m", "genscope.perfetto.sql", "--path"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert {path.name for path in Path(where).glob("*.sql")} == {
        f"{name}.sql" for name in modules()
    }
    assert Path(where).name == "genscope"
