"""The PerfettoSQL package: views and functions over traces that `genscope export` wrote.

In trace_processor: `--add-sql-package PACKAGE` with the folder below, then
`INCLUDE PERFETTO MODULE genscope.attention;` (or another module, or `genscope.*`). The UI takes no
packages: paste there what `python -m genscope.perfetto.sql` prints, in front of a query.
"""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).parent / "genscope"
"""The folder for `--add-sql-package`."""

_INCLUDE = re.compile(r"^INCLUDE PERFETTO MODULE genscope\.([a-z_]+);\n", re.MULTILINE)


def modules() -> dict[str, str]:
    """Return the text of each module by name, those that others include before them."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(PACKAGE.glob("*.sql"))}
    ordered: dict[str, str] = {}

    def add(name: str) -> None:
        if name not in ordered:
            for included in _INCLUDE.findall(texts[name]):
                add(included)
            ordered[name] = texts[name]

    for name in texts:
        add(name)
    return ordered


def pasteable() -> str:
    """Return all modules as one text that includes nothing, for the UI's query page."""
    return "\n".join(_INCLUDE.sub("", text) for text in modules().values())
