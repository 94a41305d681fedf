from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.paths import REPOSITORY

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def run() -> Run:
    """Runs a command, its output as text, with the given variables in its environment."""

    def run(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | variables
        return subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def distributions(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an sdist of the checkout and the wheel built from that sdist."""
    folder = tmp_path_factory.mktemp("distributions")
    built = run(
        *(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, "."),
        cwd=REPOSITORY,
    )
    assert built.returncode == 0, built.stdout
    return folder


@pytest.fixture(scope="session")
def sdist(distributions: Path) -> Path:
    """The source archive."""
    (archive,) = distributions.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    """The wheel that was built from the source archive."""
    (archive,) = distributions.glob("*.whl")
    return archive
