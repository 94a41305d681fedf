"""`genscope suite`: the models of the paper and newer ones, listed, recorded and reported on.

What runs them imports torch, diffusers and transformers, which the command line does not: it is
looked up by name when it is needed. `--help` reads its options alone, which import nothing.
"""

from __future__ import annotations

import argparse
import importlib
from typing import Any

from genscope.cli import suite_report
from genscope.cli.errors import Unusable

NAME = "suite"
HELP = "Run the model suite of the paper: list it, record it, report on it."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions of `genscope suite`."""
    options = _suite("options")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, words, declare, act in (
        ("list", options.LIST_HELP, options.add_list_arguments, _list),
        ("run", options.RUN_HELP, options.add_run_arguments, _run),
        ("report", suite_report.HELP, suite_report.add_arguments, suite_report.run),
    ):
        action = actions.add_parser(name, help=words, description=words)
        declare(action)
        action.set_defaults(act=act)


def run(args: argparse.Namespace) -> None:
    """Run `genscope suite`. Leaves with SystemExit 1 where something could not be recorded."""
    args.act(args)


def _list(args: argparse.Namespace) -> None:
    print(_suite("command").listed(args))


def _run(args: argparse.Namespace) -> None:
    try:
        status = _suite("command").run(args)
    except _suite("errors").UnavailableError as error:
        raise Unusable(str(error)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unusable(f"{args.output}: cannot be written to: {reason}") from error
    if status:
        raise SystemExit(status)


def _suite(name: str) -> Any:
    return importlib.import_module(f"genscope.suite.{name}")
