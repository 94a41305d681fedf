"""Shared traces, each read once in a test run however many tests look at it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from genscope.analysis.operators import breakdown
from genscope.analysis.results import Operators
from genscope.trace import Trace, load
from tests import paths

TRACES = tuple(
    path.name.removesuffix(".json.gz")
    for path in sorted((paths.shared_traces() or Path("missing")).glob("*.json.gz"))
)
"""Names of the shared traces, for parametrize; empty where the folder is missing."""


@cache
def trace_of(path: Path) -> Trace:
    """Read a trace."""
    return load(path)


@cache
def operators_of(path: Path) -> Operators:
    """Break a trace down."""
    return breakdown(trace_of(path))
