"""From a path to the result that the page shows."""

from __future__ import annotations

from genscope.analysis.operators import breakdown
from genscope.analysis.results import Operators
from genscope.tensorboard.files import as_text
from genscope.tensorboard.loader import Progress
from genscope.trace import load


def read_operators(path: str, *, progress: Progress) -> Operators:
    """Read the trace at `path` (or fsspec URL) and return its operator breakdown.

    `progress` is called with the bytes read of the stored file, and its size. Raises TraceError
    for a file that cannot be used.
    """
    result = breakdown(load(path, progress=progress))
    result.trace = as_text(result.trace)
    return result
