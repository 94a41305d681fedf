"""`genscope run`: records somebody's script as it is.

Nothing is recorded before the first model call: imports and the loading of weights are not what
is looked for. What the script prints, returns and raises is its own; ours goes to stderr.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from genscope.collect import options, program, rendezvous

FAILED, UNUSABLE, INTERRUPTED = 1, 2, 130
_ONE_OF = "GENSCOPE_RUN_ONE_OF"
"""Set in the environment of a process that is one of several implementations."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `python -m genscope.collect`, with the standard library and torch alone."""
    top = argparse.ArgumentParser(prog="python -m genscope.collect")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    sub = commands.add_parser("run", help=options.DESCRIPTION, description=options.DESCRIPTION)
    options.add_arguments(sub)
    return run(top.parse_args(argv))


def run(args: argparse.Namespace) -> int:
    """Run what `args` ask for and return the exit status. Raises the script's own SystemExit."""
    args.script, *args.arguments = args.program
    if args.output is None:
        stem = args.script.rpartition(".")[2] if args.as_module else Path(args.script).stem
        args.output = os.path.join("runs", stem)
    try:
        import torch  # noqa: F401 - told in one line here, before anything needs it
    except ImportError as error:
        return _refuse(f"torch cannot be imported by {sys.executable}: {error}")
    from genscope.collect.switch import NAMES

    unknown = [name for name in args.attention or () if name not in NAMES]
    if unknown:
        return _refuse(f"no attention is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if args.attention and len(args.attention) > 1:
        return _each(args)
    return _here(args)


def _refuse(message: str) -> int:
    _say(message)
    return UNUSABLE


def _say(message: str) -> None:
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(f"genscope: {message}", file=sys.stderr, flush=True)


# One implementation: in this process -------------------------------------------------------------


def _here(args: argparse.Namespace) -> int:
    from genscope.collect.session import Session
    from genscope.collect.switch import AttentionUnavailableError, attention

    name = args.attention[0] if args.attention else None
    try:
        found = program.find(args.script, args.as_module)
    except program.NoProgramError as error:
        return _refuse(str(error))
    except SyntaxError as error:
        return _shown(error)
    outcome: BaseException | None = None
    ran = None
    _log_to_stderr()
    session = Session(args, name)
    with contextlib.ExitStack() as stack:
        if name is not None:
            try:
                ran = stack.enter_context(attention(name, warn=False))
            except AttentionUnavailableError as error:
                return _refuse(str(error))
        session.start()
        try:
            program.run(found, args.arguments)
        except BaseException as error:
            outcome = error
        session.end(outcome)
    if ran is not None and (session.written or ran.watched):
        _say(str(ran))
    _tell(args, session)
    if isinstance(outcome, SystemExit):
        raise outcome.with_traceback(None)
    return 0 if outcome is None else _shown(outcome)


def _tell(args: argparse.Namespace, session: Any) -> None:
    for path in session.written:
        with contextlib.suppress(OSError):
            _say(f"wrote {_near(path)} ({os.path.getsize(path) / 1e6:.1f} MB)")
    if session.why_nothing:
        _say(f"nothing was recorded: {session.why_nothing}")
    if session.written and session.is_first and _ONE_OF not in os.environ:
        _advise([_near(session.written[0])], args.output)


def _log_to_stderr() -> None:
    """Have what the collectors say seen, however the script sets logging up."""
    log = logging.getLogger("genscope")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("genscope: %(message)s"))
    log.addHandler(handler)
    log.propagate = False


def _advise(traces: list[str], folder: str) -> None:
    report = "compare" if len(traces) > 1 else "report"
    _say(f"next: tensorboard --logdir {shlex.quote(folder)}")
    _say(f"  or: genscope {report} {' '.join(map(shlex.quote, traces))}")


def _near(path: str) -> str:
    """The path as short as it can be written from here."""
    with contextlib.suppress(ValueError):
        short = os.path.relpath(path)
        return short if not short.startswith(os.pardir) else path
    return path


def _shown(error: BaseException) -> int:
    """Show what the script raised as Python would, without the frames that are ours."""
    place = error.__traceback__
    while place is not None and _is_ours(place):
        place = place.tb_next
    sys.excepthook(type(error), error.with_traceback(place), place)
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED


def _is_ours(place: TracebackType) -> bool:
    return os.path.dirname(place.tb_frame.f_code.co_filename) == os.path.dirname(__file__)


# Several implementations: one fresh process each -------------------------------------------------


def _each(args: argparse.Namespace) -> int:
    status = 0
    wrote = []
    for place, name in enumerate(args.attention):
        folder = os.path.join(args.output, name)
        before = set(_traces(folder))
        _say(f"attention: {name}")
        code = _child(_command(args, name, folder), place)
        status = status or code
        wrote += sorted(set(_traces(folder)) - before)[:1]
        if code == INTERRUPTED:
            break
    from genscope.collect import worker

    rank = worker.rank()
    if wrote and (rank is None or rank.rank == 0):
        _advise(wrote, args.output)
    return status


def _traces(folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        names = sorted(os.listdir(folder))
        return [os.path.join(folder, name) for name in names if name.endswith(".pt.trace.json.gz")]
    return []


def _command(args: argparse.Namespace, name: str, folder: str) -> list[str]:
    first, last = args.steps
    command = [sys.executable, "-m", "genscope.collect", "run", "--attention", name, "-o", folder]
    command += ["--steps", f"{first}:{'' if last is None else last}", "--warmup", str(args.warmup)]
    for option, value in (
        ("--max-seconds", args.max_seconds),
        ("--max-events", args.max_events),
        ("--components", args.components and ",".join(map("=".join, args.components.items()))),
        ("--worker", args.worker),
    ):
        command += [] if value is None else [option, str(value)]
    return [*command, *(["-m"] if args.as_module else []), args.script, *args.arguments]


def _child(command: list[str], place: int) -> int:
    environment = {**os.environ, _ONE_OF: "1", **rendezvous.environment_of(place)}
    child = subprocess.Popen(command, env=environment)
    while True:
        try:
            code = child.wait()
            break
        except KeyboardInterrupt:
            # It went to the child as well, which writes what it has.
            continue
    if code == -signal.SIGINT:
        return INTERRUPTED
    return code if code >= 0 else 128 - code
