"""The recorded GPU traces of a source checkout (`samples/traces`), for a logdir.

Runs of the suite lie there as well, a folder for each model; the demo records those itself.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ORIGIN = "ORIGIN.md"
"""Says where a recorded trace comes from; a folder without it is none of ours."""


def folders() -> list[Path]:
    """Return the folder of each recorded trace, sorted; none outside a source checkout."""
    traces = Path(__file__).resolve().parents[2] / "traces"
    origins = traces.glob(f"*/{ORIGIN}")
    return sorted(one.parent for one in origins if any(one.parent.glob("*.pt.trace.json.gz")))


def place(source: Path, target: Path, *, force: bool = False) -> list[Path]:
    """Copy a recorded trace with its origin and licence; return the files that were written.

    Files that are there already with the same size are kept, unless `force`.
    """
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for file in sorted(path for path in source.iterdir() if path.is_file()):
        copy = target / file.name
        if not force and copy.exists() and copy.stat().st_size == file.stat().st_size:
            continue
        partial = target / f"{file.name}.partial"
        try:
            shutil.copyfile(file, partial)
            os.replace(partial, copy)
        finally:
            partial.unlink(missing_ok=True)
        written.append(copy)
    return written
