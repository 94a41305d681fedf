"""`genscope`: the parser, the sub-commands, and what a failure becomes.

Exit status: 0 with a result (warnings are in it), 1 where the result cannot be written or
GenScope itself failed, 2 for a file that cannot be used or a wrong command line, 130 when
interrupted, 141 when the reader of the output went away. Nothing heavy is imported here, so that
`--help` and `--version` are quick.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from genscope.cli import compare, export, merge, plan, replay, report, run, suite
from genscope.cli import open as open_
from genscope.cli.errors import Unusable
from genscope.cli.formatting import neutral

COMMANDS = (report, compare, export, merge, replay, run, open_, suite, plan)
"""The sub-commands: modules with NAME, HELP, `add_arguments` and `run`."""

FAILED, UNUSABLE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141


class _Version(argparse.Action):
    """Look the version up only when asked: reading package metadata takes a while."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("genscope")
        except PackageNotFoundError:
            number = "(not installed, run from its source tree)"
        print(f"genscope {number}")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """Build the command line's parser."""
    top = argparse.ArgumentParser(
        prog="genscope", description="Show where the time of a generative model goes."
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    top.add_argument(
        "--debug", action="store_true", help="show the traceback if GenScope itself fails"
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(command.NAME, help=command.HELP, description=command.HELP)
        command.add_arguments(sub)
        sub.set_defaults(run=command.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: the process's own) and return the exit status."""
    debug = False
    try:
        try:
            args = parser().parse_args(argv)
            debug = args.debug
            args.run(args)
        finally:
            # Here, where a failure can be told, and not when the interpreter ends.
            if sys.stdout is not None:
                sys.stdout.flush()
    except Unusable as error:
        return _fail(UNUSABLE, str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _abandon_stdout()
        return BROKEN_PIPE
    except Exception as error:
        if debug:
            raise
        if isinstance(error, OSError):
            _abandon_stdout()
        return _fail(FAILED, f"failed: {type(error).__name__}: {error} (--debug shows more)")
    return 0


def _fail(status: int, message: str) -> int:
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(f"genscope: {neutral(message)}", file=sys.stderr)
    return status


def _abandon_stdout() -> None:
    """Let the interpreter's last flush of a stdout that cannot be written go nowhere."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # it may be no real file
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


if __name__ == "__main__":
    sys.exit(main())
