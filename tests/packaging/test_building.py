"""Building with npm, and where there is none."""

from __future__ import annotations

import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import Run
from tests.paths import REPOSITORY, in_ci

PIP_WHEEL = (sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "-w")
INDEX = "genscope/tensorboard/static/index.js"


@pytest.fixture
def no_npm(tmp_path: Path) -> str:
    """A search path on which nothing is found."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return str(folder)


@pytest.fixture
def sources(sdist: Path, tmp_path: Path) -> Path:
    """The unpacked source archive, without the page that it brings."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked")
    (folder,) = (tmp_path / "unpacked").iterdir()
    shutil.rmtree(folder / "plugin" / "genscope" / "tensorboard" / "static")
    return folder


def test_the_page_is_built_from_the_source_archive(run: Run, sources: Path, tmp_path: Path) -> None:
    packages = REPOSITORY / "frontend" / "node_modules"
    if not packages.is_dir():
        assert not in_ci(), "frontend/node_modules is missing"
        pytest.skip("frontend/node_modules is missing: run `make check`")
    # Linked, so that the test needs no network; it must not count as part of the sources.
    (sources / "frontend" / "node_modules").symlink_to(packages, target_is_directory=True)
    built = run(*PIP_WHEEL, tmp_path, sources, cwd=tmp_path)
    assert built.returncode == 0, built.stdout
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read(INDEX) == bundled()


def bundled() -> bytes:
    """The page of the checkout: the same sources and packages give the same bytes."""
    return (REPOSITORY / "plugin" / INDEX).read_bytes()


def test_without_npm_the_build_says_so_in_one_line(
    run: Run, sources: Path, tmp_path: Path, no_npm: str
) -> None:
    failed = run(*PIP_WHEEL, tmp_path, sources, cwd=tmp_path, PATH=no_npm)
    assert failed.returncode != 0
    assert "Traceback" not in failed.stdout
    (line,) = [line for line in failed.stdout.splitlines() if "npm" in line]
    assert "Node.js" in line
    assert "GENSCOPE_SKIP_FRONTEND=1" in line


def test_the_page_can_be_left_out(run: Run, sources: Path, tmp_path: Path, no_npm: str) -> None:
    variables = {"PATH": no_npm, "GENSCOPE_SKIP_FRONTEND": "1"}
    built = run(*PIP_WHEEL, tmp_path, sources, cwd=tmp_path, **variables)
    assert built.returncode == 0, built.stdout
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert INDEX not in archive.namelist()


def test_a_source_archive_installs_without_npm(
    run: Run, sdist: Path, tmp_path: Path, no_npm: str
) -> None:
    built = run(*PIP_WHEEL, tmp_path, sdist, cwd=tmp_path, PATH=no_npm)
    assert built.returncode == 0, built.stdout
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read(INDEX) == bundled()


def test_a_page_of_other_sources_is_not_shipped(
    run: Run, sdist: Path, tmp_path: Path, no_npm: str
) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked")
    (folder,) = (tmp_path / "unpacked").iterdir()
    (folder / "frontend" / "src" / "changed.ts").write_text("export {};\n")
    failed = run(*PIP_WHEEL, tmp_path, folder, cwd=tmp_path, PATH=no_npm)
    assert failed.returncode != 0
    assert "npm is not on PATH" in failed.stdout
