"""Where tests find the checkout and the recorded traces that lie beside it."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def shared_traces() -> Path | None:
    """The folder of public traces: GENSCOPE_TRACES, else ../shared/traces; None without one."""
    named = os.environ.get("GENSCOPE_TRACES")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "traces"
    return folder if folder.is_dir() else None


def torch_tb_profiler() -> Path | None:
    """The folder into which make puts the other profiler plugin; None where it is not there."""
    folder = REPOSITORY / ".venv" / "torch-tb-profiler"
    return folder if (folder / "torch_tb_profiler").is_dir() else None


def in_ci() -> bool:
    """Whether this is a CI run, where nothing that is missing may be skipped."""
    return os.environ.get("CI", "").lower() in ("1", "true")
