from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

from genscope.suite import recorded
from tests.paths import REPOSITORY

TRACES = REPOSITORY / "samples" / "traces"
NAMES = ["llm-prefill-qwen1.5-h100", "video-timesformer-h100"]
FIELD = re.compile(r"^\| (?P<name>[\w -]+) \| (?P<value>.+) \|$", re.MULTILINE)


def origin(folder: Path) -> dict[str, str]:
    text = (folder / "ORIGIN.md").read_text(encoding="utf-8")
    return {field["name"]: field["value"].strip("`") for field in FIELD.finditer(text)}


def test_every_folder_with_a_trace_of_a_gpu_is_found() -> None:
    assert recorded.folders() == [TRACES / name for name in NAMES]


def test_runs_of_the_suite_are_not_put_beside_those_that_the_demo_records() -> None:
    origins = {path.parent.name for path in TRACES.glob("*/ORIGIN.md")}
    assert origins - {folder.name for folder in recorded.folders()} == {"suite-tiny-cpu"}


@pytest.mark.parametrize("name", NAMES)
class TestEachTrace:
    def test_bytes_are_those_of_its_origin(self, name: str) -> None:
        told = origin(TRACES / name)
        stored = (TRACES / name / told["File"]).read_bytes()
        assert hashlib.sha256(stored).hexdigest() == told["SHA-256"]

    def test_origin_and_licence_are_told(self, name: str) -> None:
        told = origin(TRACES / name)
        assert told["Source"].startswith("<https://")
        assert told["Path there"].endswith(".json.gz")
        assert re.fullmatch(r"[0-9a-f]{40}", told["Commit"])
        licence = (TRACES / name / "LICENSE").read_text(encoding="utf-8")
        assert "MIT License" in licence
        assert "Copyright (c) 2024 - 2025 Advanced Micro Devices, Inc." in licence

    def test_index_has_its_figures(self, name: str) -> None:
        (row,) = [
            line
            for line in (TRACES / "README.md").read_text(encoding="utf-8").splitlines()
            if f"({name}/ORIGIN.md)" in line
        ]
        stored = (TRACES / name / origin(TRACES / name)["File"]).read_bytes()
        text = gzip.decompress(stored)
        events = json.loads(text)["traceEvents"]
        device = {"kernel", "gpu_memcpy", "gpu_memset"}
        micros = sum(event["dur"] for event in events if event.get("cat") in device)
        assert f"| {len(stored):,} / {len(text):,} | {len(events):,} |" in row
        assert f"| {micros / 1e3:.1f} ms |" in row

    def test_placed_with_its_licence(self, name: str, tmp_path: Path) -> None:
        written = recorded.place(TRACES / name, tmp_path / "run")
        assert {path.name for path in written} == {"ORIGIN.md", "LICENSE", "h100.pt.trace.json.gz"}
        for path in written:
            assert path.read_bytes() == (TRACES / name / path.name).read_bytes()


def test_placing_again_keeps_what_is_there(tmp_path: Path) -> None:
    source = TRACES / NAMES[0]
    recorded.place(source, tmp_path)
    assert recorded.place(source, tmp_path) == []
    assert len(recorded.place(source, tmp_path, force=True)) == 3


def test_placing_mends_a_copy_that_was_cut_short(tmp_path: Path) -> None:
    source = TRACES / NAMES[0]
    (tmp_path / "h100.pt.trace.json.gz").write_bytes(b"cut")
    recorded.place(source, tmp_path)
    copy = (tmp_path / "h100.pt.trace.json.gz").read_bytes()
    assert copy == (source / "h100.pt.trace.json.gz").read_bytes()


def test_installed_without_the_checkout_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In site-packages the folder two up may well hold somebody else's package `traces`.
    other = tmp_path / "traces" / "vendored"
    other.mkdir(parents=True)
    (other / "data.json.gz").write_bytes(b"not ours")
    monkeypatch.setattr(recorded, "__file__", str(tmp_path / "genscope" / "suite" / "recorded.py"))
    assert recorded.folders() == []
