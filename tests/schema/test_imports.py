"""What runs inside other people's jobs brings no dependency but torch."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import genscope.schema

SCHEMA = Path(genscope.schema.__file__).parent
COLLECT = SCHEMA.parent / "collect"


def imported(path: Path) -> set[str]:
    """Top-level packages that a file imports, wherever in it; two levels of genscope."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, path
            names = [node.module or ""]
        for name in names:
            first, *rest = name.split(".")
            found.add(".".join([first, *rest[:1]]) if first == "genscope" else first)
    return found


@pytest.mark.parametrize("path", sorted(SCHEMA.glob("*.py")), ids=lambda path: path.name)
def test_the_schema_needs_the_standard_library_alone(path: Path) -> None:
    assert imported(path) <= {*sys.stdlib_module_names, "genscope.schema"}


@pytest.mark.parametrize(
    "path",
    sorted(path for path in COLLECT.rglob("*.py") if "integrations" not in path.parts),
    ids=lambda path: str(path.relative_to(COLLECT)),
)
def test_collectors_need_torch_and_the_schema_alone(path: Path) -> None:
    allowed = {*sys.stdlib_module_names, "torch", "genscope.schema", "genscope.collect"}
    assert imported(path) <= allowed
