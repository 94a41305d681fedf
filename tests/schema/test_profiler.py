"""Annotations through the profiler of the installed torch, into a file and back."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genscope.schema import METADATA_KEY, PREFIX, Call, Document, dumps, loads, parse
from genscope.trace import Kind, load
from tests.schema import texts
from tests.schema.test_names import name_of

torch = pytest.importorskip("torch")

from genscope.collect import ranges  # noqa: E402 # it needs torch

STORED = ("json", "json.gz")


def recorded(
    path: Path, calls: Sequence[Call], document: Document, *, mirrored: bool, **options: Any
) -> None:
    """Write a trace with a range for every call, and a mark behind them."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, **options) as profile:
        for call in calls:
            with ranges.range_of(name_of(call), mirrored=mirrored):
                torch.ones(1)
        # The document is written whenever it may be the last time: the last one counts.
        torch.autograd._add_metadata_json(METADATA_KEY, dumps(Document()))
        torch.autograd._add_metadata_json(METADATA_KEY, dumps(document))
    profile.export_chrome_trace(str(path))


def read_plainly(path: Path) -> tuple[list[str], object]:
    """Names of our events in order, and the document, by nothing but the standard library."""
    data = path.read_bytes()
    whole = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    events = [one for one in whole["traceEvents"] if one["name"].startswith(PREFIX)]
    events.sort(key=lambda one: (one["ts"], -one["dur"]))
    return [one["name"] for one in events], whole[METADATA_KEY]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    calls=st.lists(texts.calls, max_size=8),
    document=texts.documents,
    mirrored=st.booleans(),
    record_shapes=st.booleans(),
    stored=st.sampled_from(STORED),
)
def test_everything_comes_back(
    calls: list[Call], document: Document, mirrored: bool, record_shapes: bool, stored: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"trace.{stored}"
        recorded(path, calls, document, mirrored=mirrored, record_shapes=record_shapes)
        names, found = read_plainly(path)
        assert [parse(name) for name in names] == calls
        assert repr(loads(found)) == repr(document)

        trace = load(path)
        assert list(trace.warnings) == []
        assert repr(trace.document) == repr(document)
        ours = [
            row for row in trace.events.start_ns.argsort(kind="stable").tolist()
            if trace.name_of(row).startswith(PREFIX)
        ]  # fmt: skip
        assert [parse(trace.name_of(row)) for row in ours] == calls
        assert {Kind(int(trace.events.kind[row])) for row in ours} <= {Kind.ANNOTATION}


def test_every_nasty_text_in_one_file(tmp_path: Path) -> None:
    """The same without chance, so that each of the known traps is met in every run."""
    from genscope.schema import ComponentCall, ModuleCall, Workload

    calls: list[Call] = [ModuleCall(at, text) for at, text in enumerate(texts.NASTY)]
    calls += [ComponentCall(at, text, at) for at, text in enumerate(texts.NASTY)]
    extra: dict[str, str | int | float | bool] = {text: text for text in texts.NASTY}
    extra |= {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf"), "yes": True}
    document = Document(workload=Workload(model='"\\\n', extra=extra), notes=texts.NASTY)
    for record_shapes in (False, True):
        path = tmp_path / f"{record_shapes}.json"
        recorded(path, calls, document, mirrored=False, record_shapes=record_shapes)
        names, found = read_plainly(path)
        assert [parse(name) for name in names] == calls
        assert repr(loads(found)) == repr(document)


def test_the_fallback_writes_the_same_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genscope.schema import AttentionCall, ModuleCall

    monkeypatch.setattr(ranges, "_fast", ranges.choose(object()))
    calls: list[Call] = [ModuleCall(1, 'a"b'), AttentionCall(2, "self", 1, 8, 8)]
    recorded(tmp_path / "trace.json", calls, Document(), mirrored=False)
    names, _ = read_plainly(tmp_path / "trace.json")
    assert [parse(name) for name in names] == calls


@pytest.mark.skipif(
    "GENSCOPE_OTHER_TORCH" not in os.environ,
    reason="GENSCOPE_OTHER_TORCH names no python with another torch (and the test dependencies)",
)
def test_with_another_torch() -> None:
    import subprocess

    root = Path(__file__).parents[2]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    python = environment.pop("GENSCOPE_OTHER_TORCH")
    environment["PYTHONPATH"] = os.pathsep.join(
        str(root / folder) for folder in ("collectors", "plugin")
    )
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__).parent)],
        cwd=root, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
