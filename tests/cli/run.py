"""Running the command line as a user does: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "genscope.cli.main"]


def environment(**more: str) -> dict[str, str]:
    """The environment of a command: as here, but with no colours, width or buffering asked for."""
    asked = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONIOENCODING", "PYTHONUNBUFFERED")
    here = {name: value for name, value in os.environ.items() if name not in asked}
    return {**here, "PYTHONPATH": os.pathsep.join(sys.path), **more}


def genscope(*args: str | Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    """Run `genscope` with `args`; `more` goes into its environment."""
    command = [*COMMAND, *map(str, args)]
    return subprocess.run(
        command, capture_output=True, env=environment(**more), timeout=300, check=False
    )
