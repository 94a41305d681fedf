"""The paper report of runs that were really recorded."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import pytest

from genscope.analysis.paper.results import NOT_HERE, PaperReport, Taxonomy
from genscope.cli import suite_report
from genscope.cli.errors import Unusable
from genscope.suite.session import Request
from genscope.suite.session import run as record_suite


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("suite")
    request = Request(
        output=output,
        models=("phenaki", "llama2"),
        device="cpu",
        repeats=1,
        say=lambda _: None,
    )
    assert not record_suite(request).failed
    # A trace of something else.
    other = output / "other.pt.trace.json"
    other.write_text('{"traceEvents": []}', encoding="utf-8")
    empty = msgspec.json.encode(Taxonomy(models=[], libraries={}))
    (output / suite_report.TAXONOMY).write_bytes(empty)
    return output


def said(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    parser = argparse.ArgumentParser()
    suite_report.add_arguments(parser)
    suite_report.run(parser.parse_args([str(folder), *options]))
    return capsys.readouterr().out


def test_the_report_of_two_models(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = msgspec.json.decode(said(folder, capsys, "--format", "json"), type=PaperReport)
    (setting,) = found.settings
    assert (setting.scale, setting.hardware, setting.dtype) == ("tiny", "CPU", "float32")
    assert (setting.runs, setting.pairs) == (4, 2)
    rows = {row.claim.id: row.outcomes for row in found.rows}
    speedups = {one.of: one for one in rows["speedup"]}
    assert speedups["phenaki"].measured is not None
    assert speedups["phenaki"].measured > 0
    assert "wall time without a profiler" in speedups["phenaki"].why
    # Of the others nothing was recorded, and that is said.
    (missing,) = (one for one in rows["speedup"] if one.verdict == NOT_HERE)
    assert "imagen, stable-diffusion, muse, parti, sdxl, make-a-video" in missing.of
    (phase, *_) = rows["phases"]
    assert (phase.of, phase.measured_words) == ("llama2", "prefill, decode")
    assert [one.run for one in found.left_out] == ["other"]


def test_text_and_markdown_say_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("text", "markdown"):
        out = said(folder, capsys, "--format", form)
        assert "tiny scale on CPU, float32: 4 runs, 2 pairs" in out
        assert "LLaMA2" in out
        assert "not measurable here" in out


def test_a_folder_that_is_not_there_is_told() -> None:
    with pytest.raises(Unusable, match="no such directory"):
        suite_report.report("nowhere/at/all")
