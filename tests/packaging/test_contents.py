"""What a wheel and a source archive hold."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from tests.paths import REPOSITORY

PORTIONS = [REPOSITORY / folder / "genscope" for folder in ("collectors", "plugin", "samples")]
STATIC = "genscope/tensorboard/static"


def names_in_wheel(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_modules_of_every_portion(wheel: Path) -> None:
    sources = {
        path.relative_to(portion.parent).as_posix()
        for portion in PORTIONS
        for path in portion.rglob("*.py")
    }
    assert sources
    assert sources == {name for name in names_in_wheel(wheel) if name.endswith(".py")}


def test_the_wheel_holds_the_sql_package(wheel: Path) -> None:
    folder = REPOSITORY / "plugin" / "genscope" / "perfetto" / "sql" / "genscope"
    assert {
        PurePosixPath(name).name
        for name in names_in_wheel(wheel)
        if name.startswith("genscope/perfetto/sql/genscope/")
    } == {path.name for path in folder.iterdir()}


def test_the_wheel_holds_the_built_page(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert b"render" in archive.read(f"{STATIC}/index.js")
        assert b"genscope-data" in archive.read(f"{STATIC}/report.js")


def test_the_wheel_installs_one_package_and_nothing_beside_it(wheel: Path) -> None:
    tops = {PurePosixPath(name).parts[0] for name in names_in_wheel(wheel)}
    (metadata,) = tops - {"genscope"}
    assert metadata.endswith(".dist-info")
    assert "genscope/__init__.py" not in names_in_wheel(wheel)


def test_the_wheel_is_typed(wheel: Path) -> None:
    assert names_in_wheel(wheel).count("genscope/py.typed") == 1


@pytest.mark.parametrize("portion", PORTIONS, ids=lambda path: path.parent.name)
def test_a_portion_is_typed_and_shares_the_namespace(portion: Path) -> None:
    assert (portion / "py.typed").is_file()
    assert not (portion / "__init__.py").exists()


def test_the_source_archive_holds_what_the_page_is_built_from(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    frontend = {name for name in names if name.startswith("frontend/")}
    assert {"frontend/package.json", "frontend/package-lock.json"} <= frontend
    assert any(name.startswith("frontend/src/") for name in frontend)
    assert not any("node_modules" in name or "__pycache__" in name for name in names)
    assert {"LICENSE", "pyproject.toml", "hatch_build.py", f"plugin/{STATIC}/index.js"} <= names
