"""The page in a real Chromium against a real TensorBoard: what a person does with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.browser import hostile, pairs, sizes, videos
from tests.cli.record import record
from tests.cli.run import genscope
from tests.packaging.serving import served
from tests.paths import REPOSITORY, in_ci

RECORDED = {
    "qwen": "llm-prefill-qwen1.5-h100",
    "timesformer": "video-timesformer-h100",
}
"""Folders of samples/traces, by the run that they become."""

PATIENCE_S = 240

Drive = Callable[[str, str], None]


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Drive:
    """Runs a scenario against an address; what is missing for it skips the test, and fails CI."""
    needed = {
        "Node.js on PATH": shutil.which("node"),
        "Chromium on PATH or as $CHROMIUM": _chromium(),
        "frontend/node_modules (npm ci)": (
            REPOSITORY / "frontend" / "node_modules" / "playwright-core"
        ).is_dir(),
        "the built page (make bundle)": (
            REPOSITORY / "plugin" / "genscope" / "tensorboard" / "static" / "index.js"
        ).is_file(),
    }
    missing = [name for name, found in needed.items() if not found]
    if missing:
        message = f"the page tests need {', '.join(missing)}"
        if in_ci():
            pytest.fail(message)
        pytest.skip(message)
    shots = tmp_path_factory.mktemp("shots")

    def drive(scenario: str, address: str) -> None:
        done = subprocess.run(
            ["node", str(Path(__file__).with_name("drive.mjs")), scenario, address, str(shots)],
            env=os.environ | {"CHROMIUM": str(_chromium())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\nThe page when it ended: {shots}"

    return drive


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recorded GPU traces and one of the CPU, recorded now."""
    logdir = tmp_path_factory.mktemp("runs")
    for run, folder in RECORDED.items():
        (source,) = (REPOSITORY / "samples" / "traces" / folder).glob("*.pt.trace.json.gz")
        (logdir / run).mkdir()
        shutil.copy(source, logdir / run)
    (logdir / "cpu").mkdir()
    record(logdir / "cpu" / "worker0.1700000000000.pt.trace.json")
    return logdir


@pytest.fixture(scope="module")
def address(logdir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where TensorBoard serves `logdir`."""
    with _tensorboard(logdir, tmp_path_factory.mktemp("log")) as address:
        yield address


@pytest.mark.parametrize(
    "scenario",
    [
        "chooses runs",
        "draws bars",
        "drills down",
        "keeps state in the address",
        "saves figures",
        "shows the overview",
        "zooms the timeline",
        "filters",
        "stops reading",
        "sets beside the base",
        "follows the theme",
        "shows phases",
        "compares phases",
        "shows space and time",
        "shows the roofline",
        "fits the window",
        "shows attention calls",
        "sets sequences side by side",
        "opens Perfetto",
        "finds Perfetto silent",
        "may not frame Perfetto",
    ],
)
def test_page(drive: Drive, address: str, scenario: str) -> None:
    drive(scenario, address)


@pytest.mark.parametrize("scenario", ["drills down", "keeps state in the address", "filters"])
def test_page_below_a_path_prefix(
    drive: Drive, logdir: Path, tmp_path: Path, scenario: str
) -> None:
    with _tensorboard(logdir, tmp_path, "--path_prefix", "/team/board") as address:
        assert address.endswith("/team/board")
        drive(scenario, address)


def test_videos_of_several_lengths(drive: Drive, tmp_path: Path) -> None:
    videos.write(tmp_path / "runs")
    with _tensorboard(tmp_path / "runs", tmp_path) as address:
        drive("sweeps over frames", address)


def test_images_of_several_sizes(drive: Drive, tmp_path: Path) -> None:
    sizes.write(tmp_path / "runs")
    with _tensorboard(tmp_path / "runs", tmp_path) as address:
        drive("sets sizes side by side", address)


@pytest.mark.parametrize("scenario", ["explains a speedup", "chooses a pair", "shows the paper"])
def test_a_pair(drive: Drive, tmp_path: Path, scenario: str) -> None:
    pairs.write(tmp_path / "runs")
    with _tensorboard(tmp_path / "runs", tmp_path) as address:
        drive(scenario, address)


def test_names_of_a_trace_are_never_markup(drive: Drive, tmp_path: Path) -> None:
    hostile.write(tmp_path / "runs")
    with _tensorboard(tmp_path / "runs", tmp_path) as address:
        drive("shows text as text", address)


def test_a_report_needs_no_network_and_takes_names_for_text(drive: Drive, tmp_path: Path) -> None:
    hostile.write(tmp_path / "runs")
    (source,) = (REPOSITORY / "samples" / "traces" / RECORDED["qwen"]).glob("*.pt.trace.json.gz")
    traces = [tmp_path / "runs" / hostile.RUNS[0], source]
    report = tmp_path / "report.html"
    done = genscope("compare", *traces, "--format", "html", "-o", report)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    drive("reads a report", report.as_uri())


def test_every_page_of_a_report(drive: Drive, tmp_path: Path) -> None:
    pairs.write(tmp_path / "runs")
    traces = [next((tmp_path / "runs" / run).iterdir()) for run in ("math", "flash")]
    report = tmp_path / "report.html"
    done = genscope("compare", *traces, "--format", "html", "-o", report)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    drive("reads every page of a report", report.as_uri())


def test_files_that_cannot_be_used(drive: Drive, tmp_path: Path) -> None:
    for run in ("good", "text"):
        (tmp_path / "runs" / run).mkdir(parents=True)
    record(tmp_path / "runs" / "good" / "worker0.pt.trace.json")
    (tmp_path / "runs" / "text" / "notes.pt.trace.json").write_text("These are notes.\n")
    with _tensorboard(tmp_path / "runs", tmp_path) as address:
        drive("says what is wrong", address)


def test_an_empty_logdir(drive: Drive, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with _tensorboard(tmp_path / "runs", tmp_path) as address:
        drive("explains an empty logdir", address)


def _tensorboard(logdir: Path, folder: Path, *arguments: str) -> AbstractContextManager[str]:
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir)]
    options = ["--host", "127.0.0.1", "--port", "0", *arguments]
    return served([*command, *options], cwd=folder, log=folder / "tensorboard.log")


def _chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    return named or next((path for path in found if path), None)
