"""`genscope run script.py …`: profile somebody's script as it is.

What runs it is a collector and imports torch, which the command line does not. It is looked up by
name when it is needed: `--help` reads its options alone, which import nothing.
"""

from __future__ import annotations

import argparse
import importlib
from typing import Any

NAME = "run"
HELP = "Profile a script as it is: no change to its code, no profiler in it."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `genscope run`."""
    _collector("options").add_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Run `genscope run`. Always leaves with SystemExit, whose code is the script's."""
    raise SystemExit(_collector("launch").run(args))


def _collector(name: str) -> Any:
    return importlib.import_module(f"genscope.collect.{name}")
