"""The wheel in an environment of its own: the command, the types, the page in TensorBoard."""

from __future__ import annotations

import json
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.conftest import Run
from tests.packaging.serving import get, served

STATIC = "genscope/tensorboard/static/"


@pytest.fixture(scope="module")
def environment(run: Run, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel, and the dependencies of the one at hand.

    Those are reached through a .pth file: the .pth files in the folder that it names are not
    read, so an editable install of the checkout stays out.
    """
    folder = tmp_path_factory.mktemp("environment")
    made = run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    assert made.returncode == 0, made.stdout
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    installed = run(*pip, "install", "--no-index", "--no-deps", wheel, cwd=folder)
    assert installed.returncode == 0, installed.stdout
    (site,) = folder.glob("lib/python*/site-packages")
    paths = sysconfig.get_paths()
    (site / "dependencies.pth").write_text("\n".join({paths["purelib"], paths["platlib"]}))
    where = run(python, "-c", "import genscope; print(*genscope.__path__)", cwd=folder)
    assert where.stdout.split() == [str(site / "genscope")]
    return folder


@pytest.fixture(scope="module")
def tensorboard(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a TensorBoard of that environment, on an empty log directory."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "empty").mkdir()
    python = str(environment / "bin" / "python")
    command = [python, "-m", "tensorboard.main", "--logdir", "empty", "--host", "127.0.0.1"]
    with served([*command, "--port", "0"], cwd=folder, log=folder / "log") as address:
        yield address


def test_tensorboard_lists_the_plugin(tensorboard: str) -> None:
    _, body = get(f"{tensorboard}/data/plugins_listing")
    listed = json.loads(body)["genscope"]
    assert listed["loading_mechanism"]["type"] == "IFRAME"
    assert listed["loading_mechanism"]["module_path"] == "/data/plugin/genscope/index.js"


def test_tensorboard_serves_every_file_of_the_page(tensorboard: str, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [n.removeprefix(STATIC) for n in archive.namelist() if n.startswith(STATIC)]
        files = {n: archive.read(STATIC + n) for n in names if n.endswith((".js", ".css"))}
    # The HTML report's own build, which `genscope report` reads; the page has no use for it.
    del files["report.js"]
    assert "index.js" in files
    for name, content in files.items():
        content_type, body = get(f"{tensorboard}/data/plugin/genscope/{name}")
        assert body == content
        assert ("javascript" if name.endswith(".js") else "css") in content_type


def test_the_command_is_installed(run: Run, environment: Path) -> None:
    answer = run(environment / "bin" / "genscope", "--help", cwd=environment)
    assert answer.returncode == 0, answer.stdout
    assert "report" in answer.stdout


def test_the_types_reach_who_imports_it(run: Run, environment: Path, tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text("import genscope.trace\n\ngenscope.trace.load(3)\n")
    mypy = (sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache")
    python = environment / "bin" / "python"
    answer = run(*mypy, "--python-executable", python, "user.py", cwd=tmp_path)
    assert "user.py:3: error:" in answer.stdout
    assert "[arg-type]" in answer.stdout
    assert "Found 1 error in 1 file" in answer.stdout
