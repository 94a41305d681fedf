"""What tests ask of a written trace."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any


def read(folder: Path) -> dict[str, Any]:
    """The only trace in a folder."""
    (path,) = folder.glob("*.pt.trace.json*")
    data = path.read_bytes()
    trace: dict[str, Any] = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    return trace


def names(trace: dict[str, Any], category: str | None = None) -> list[str]:
    return [
        event["name"]
        for event in trace["traceEvents"]
        if event.get("ph") == "X" and category in (None, event.get("cat"))
    ]
