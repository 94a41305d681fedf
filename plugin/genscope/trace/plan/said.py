"""How a trace says that it is predicted, through every format that it goes through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genscope.trace.errors import TraceWarning

METADATA_KEY = "genscopePlan"
"""Top-level key beside the events."""

PREDICTED = "predicted"
"""Code of the warning that every predicted trace has."""


def said_by(metadata: Mapping[str, Any], count: int) -> list[TraceWarning]:
    """The warning of a trace with this metadata and so many events, if it is predicted."""
    if METADATA_KEY not in metadata:
        return []
    found = metadata[METADATA_KEY]
    told = found if isinstance(found, dict) else {}
    return [warning(str(told.get("device", ""))[:200], str(told.get("assumed", ""))[:500], count)]


def warning(device: str, assumed: str, count: int) -> TraceWarning:
    """That all of a trace is predicted."""
    return TraceWarning(
        code=PREDICTED,
        count=count,
        message=f"Predicted, not measured: every time is that of {device}, {assumed}",
    )
