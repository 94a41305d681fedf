"""Events and document of our collectors, as the reader takes them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genscope.schema import METADATA_KEY, Component, Document, dumps
from genscope.trace import Kind, Trace, load
from genscope.trace.store import open_stored, save
from tests.oracle import recount_text
from tests.trace.support import Event, codes, document, event, kernel, launch, linked, read, row_of

DOCUMENT = Document(components=(Component(0, "unet", "UNet"),))


def annotated(name: str, ts: float, dur: float, **fields: Any) -> Event:
    """A range as the fast way writes it: as an op."""
    return event(f"genscope.{name}", ts=ts, dur=dur, **fields)


EVENTS = [
    event("genscope.component#0 unet step=1", cat="user_annotation", ts=0, dur=100),
    annotated("module#1 mid", 10, 80),
    event("my part", cat="user_annotation", ts=15, dur=60),
    annotated("attention#0 self q=8 kv=8", 20, 40),
    event("aten::scaled_dot_product_attention", ts=22, dur=36),
    event("aten::_flash_attention_forward", ts=24, dur=30),
    launch(1, ts=30, dur=2),
    kernel(1, name="flash_fwd_kernel", ts=200, dur=50),
    event("genscope.component#0 unet step=1", cat="gpu_user_annotation", pid=0, tid=7, ts=200),
]


def with_document(value: object) -> bytes:
    return document(EVENTS, **{METADATA_KEY: value})


def test_ranges_are_annotations_and_no_ops(tmp_path: Path) -> None:
    trace = read(tmp_path, EVENTS)
    kinds = [Kind(int(kind)) for kind in trace.events.kind]
    assert kinds == [
        Kind.ANNOTATION, Kind.ANNOTATION, Kind.ANNOTATION, Kind.ANNOTATION, Kind.CPU_OP,
        Kind.CPU_OP, Kind.RUNTIME, Kind.KERNEL, Kind.DEVICE_ANNOTATION,
    ]  # fmt: skip
    assert linked(trace, "parent", "aten::scaled_dot_product_attention") is None
    assert linked(trace, "op", "flash_fwd_kernel") == "aten::_flash_attention_forward"


def test_the_annotation_around_an_op_is_the_users(tmp_path: Path) -> None:
    trace = read(tmp_path, EVENTS)
    assert linked(trace, "annotation", "aten::scaled_dot_product_attention") == "my part"
    assert linked(trace, "annotation", "flash_fwd_kernel") == "my part"


def test_modules_and_components_are_frames_and_attention_is_none(tmp_path: Path) -> None:
    trace = read(tmp_path, EVENTS)
    assert linked(trace, "module", "flash_fwd_kernel") == "genscope.module#1 mid"
    assert (
        linked(trace, "module_parent", "genscope.module#1 mid")
        == "genscope.component#0 unet step=1"
        == trace.name_of(0)
    )


NN_FRAME = event("nn.Module: Mid_0", cat="python_function", ts=21, dur=38)


@pytest.mark.parametrize(
    ("left_out", "frame"),
    [
        ((), "genscope.module#1 mid"),
        (("genscope.module",), "nn.Module: Mid_0"),
        (("genscope.module", "nn.Module"), "genscope.component#0 unet step=1"),
        (("genscope", "nn.Module"), None),
    ],
)
def test_frames_are_of_one_origin(
    left_out: tuple[str, ...], frame: str | None, tmp_path: Path
) -> None:
    kept = [one for one in [*EVENTS, NN_FRAME] if not one["name"].startswith(left_out or "\0")]
    assert linked(read(tmp_path, kept), "module", "flash_fwd_kernel") == frame


def test_begin_and_end_events_are_annotations_too(tmp_path: Path) -> None:
    name = "genscope.module#1 mid"
    begin = {**event(name, ts=5), "ph": "B"}
    end = {**event(name, ts=90), "ph": "E"}
    trace = read(tmp_path, [event(ts=10, dur=3), begin, end])
    assert trace.events.kind[row_of(trace, name)] == Kind.ANNOTATION
    assert linked(trace, "module", "aten::mm") == name


def test_self_times_are_those_without_the_ranges(tmp_path: Path) -> None:
    on_cpu = EVENTS[:6]
    text = document(on_cpu).decode()
    plain = document([one for one in on_cpu if not one["name"].startswith("genscope")]).decode()
    assert recount_text(text).cpu_self_ns == recount_text(plain).cpu_self_ns
    trace = read(tmp_path, on_cpu)
    ops = trace.events.kind == Kind.CPU_OP
    assert int(trace.events.dur_ns[ops].sum()) == 66_000


@pytest.mark.parametrize("value", [dumps(DOCUMENT), {"components": [
    {"id": 0, "name": "unet", "class_name": "UNet"}]}])  # fmt: skip
def test_the_document_is_read(value: object, tmp_path: Path) -> None:
    trace = read(tmp_path, with_document(value))
    assert trace.document == DOCUMENT
    assert list(trace.warnings) == []


def test_a_large_document_is_kept(tmp_path: Path) -> None:
    notes = tuple(f"{number} " + "x" * 1000 for number in range(2000))
    trace = read(tmp_path, with_document(dumps(Document(notes=notes))))
    assert trace.document is not None
    assert trace.document.notes == notes


@pytest.mark.parametrize(
    "value", [None, 7, "no json", "[" * 10_000, {"components": "all"}, {"modules": [{"id": -1}]}]
)
def test_a_bad_document_is_warned_of(value: object, tmp_path: Path) -> None:
    trace = read(tmp_path, with_document(value))
    assert trace.document is None
    assert codes(trace) == {"annotations_unreadable": 1}
    (warning,) = trace.warnings
    assert "\n" not in warning.message and len(warning.message) < 300
    assert len(trace.events) == len(EVENTS)


def test_a_newer_document_is_read_with_a_warning(tmp_path: Path) -> None:
    value = {"version": 99, "components": [{"id": 0, "name": "unet"}], "graph": [1]}
    trace = read(tmp_path, with_document(value))
    assert trace.document is not None
    assert trace.document.components == (Component(0, "unet"),)
    assert codes(trace) == {"annotations_newer": 1}


def test_without_a_document_nothing_is_said(tmp_path: Path) -> None:
    trace = read(tmp_path, EVENTS)
    assert trace.document is None
    assert list(trace.warnings) == []


def test_a_stored_trace_has_its_document(tmp_path: Path) -> None:
    trace = read(tmp_path, with_document(dumps(DOCUMENT)))
    save(trace, tmp_path / "stored")
    stored: Trace = open_stored(tmp_path / "stored")
    assert stored.document == DOCUMENT
    assert np.array_equal(stored.links.module, trace.links.module)
    assert np.array_equal(stored.events.kind, trace.events.kind)


def test_a_trace_without_annotations_links_as_before(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_bytes(document([NN_FRAME, event(ts=30, dur=4)]))
    trace = load(path)
    assert linked(trace, "module", "aten::mm") == "nn.Module: Mid_0"
    assert linked(trace, "annotation", "aten::mm") is None
