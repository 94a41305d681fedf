"""The paper report of runs that were really recorded."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import pytest

from genscope.analysis.paper import view
from genscope.analysis.paper.figures import figures
from genscope.analysis.paper.packed import Contribution, contribution, unpacked
from genscope.analysis.paper.results import NOT_HERE, PaperReport, Taxonomy
from genscope.cli import html, suite_report
from genscope.cli.errors import Unusable
from genscope.suite.session import Request
from genscope.suite.session import run as record_suite
from genscope.trace import load
from genscope.trace.naming import TAXONOMY


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
    (output / TAXONOMY).write_bytes(empty)
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


def test_the_figures_of_two_models(folder: Path) -> None:
    (panels,) = suite_report.report(str(folder), measure=False).figures.measured
    bars = [(bar.model, bar.role, bar.of_baseline) for bar in panels.operators.bars]
    assert [bar[:2] for bar in bars] == [
        ("llama2", "baseline"),
        ("llama2", "fused"),
        ("phenaki", "baseline"),
        ("phenaki", "fused"),
    ]
    assert [of_baseline for _, role, of_baseline in bars if role == "baseline"] == [1, 1]
    for bar in panels.operators.bars:
        assert sum(bar.shares.values()) == pytest.approx(bar.of_baseline)
    growing, constant = panels.lengths.series
    assert growing.lengths == [*range(512, 528)]
    assert set(constant.lengths) == {384}
    assert {cell.model: set(cell.phases) for cell in panels.phases.cells} == {
        "llama2": {"prefill", "decode"},
        "phenaki": {"parallel_decode"},
    }
    assert {point.model for point in panels.roofline.points if point.intensity} == {
        "llama2",
        "phenaki",
    }
    assert panels.roofline.ridge is None
    (need,) = panels.operators.needs
    assert need.command == (
        "genscope suite run --models imagen,stable-diffusion,muse,parti,sdxl,make-a-video "
        f"--device cpu -o {folder}"
    )


def test_a_run_that_was_kept_tells_the_same(folder: Path) -> None:
    traces = [load(str(path)) for path in sorted(folder.glob("llama2/tiny/*/*.gz"))]
    kept = [msgspec.json.encode(contribution(trace)) for trace in traces]
    runs = []
    for number, text in enumerate(kept):
        found = msgspec.json.decode(text, type=Contribution).figures
        assert found is not None
        runs.append(unpacked(str(number), found))
    fresh = [figures(str(number), trace) for number, trace in enumerate(traces)]
    assert view.report(runs) == view.report(fresh)
    other = contribution(load(str(folder / "other.pt.trace.json")))
    assert (other.figures, other.reason) == (None, "its annotations name no model of the suite")


def test_a_page_of_its_own(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(html, "SCRIPT", tmp_path / "report.js")
    html.SCRIPT.write_text("draw()", "utf-8")
    file = tmp_path / "report.html"
    assert said(folder, capsys, "--format", "html", "-o", str(file)) == ""
    text = file.read_text("utf-8")
    assert "default-src 'none'" in text
    assert '"page":"paper","pages":["paper"]' in text
    assert "of the paper's" in text


def test_text_and_markdown_say_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("text", "markdown"):
        out = said(folder, capsys, "--format", form)
        assert "tiny scale on CPU, float32: 4 runs, 2 pairs" in out
        assert "LLaMA2" in out
        assert "not measurable here" in out


def test_a_folder_that_is_not_there_is_told() -> None:
    with pytest.raises(Unusable, match="no such directory"):
        suite_report.report("nowhere/at/all")
