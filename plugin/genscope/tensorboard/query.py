"""What a request asks for: its runs, and the part of them that it selects."""

from __future__ import annotations

from werkzeug.wrappers import Request

from genscope.analysis.classify import PASSES
from genscope.analysis.selection import Selection
from genscope.tensorboard.http import Refusal

MAX_RUNS = 100
MAX_COMPONENTS = 100
MAX_CHARACTERS = 4096
"""Longer names than any file system has."""

MAX_STEP = 2**31 - 1


def run_of(request: Request) -> str:
    """Return the one `run`. Raises Refusal (400) without one."""
    run = request.args.get("run", "")
    if not run:
        raise Refusal(400, "Name a run: run=<id>, as the route runs lists it.")
    return _bounded(run)


def runs_of(request: Request) -> list[str]:
    """Return the `run`s in order, each once. Raises Refusal (400) for none or too many."""
    runs = [run for run in dict.fromkeys(request.args.getlist("run")) if run]
    if not runs:
        raise Refusal(400, "Name the runs: run=<id>&run=<id>, as the route runs lists them.")
    if len(runs) > MAX_RUNS:
        raise Refusal(400, f"{len(runs):,} runs are too many to compare; name {MAX_RUNS} at most.")
    return [_bounded(run) for run in runs]


def selection_of(request: Request) -> Selection:
    """Return the part of a trace that the filters select, everything without any.

    `component` and `pass` may be repeated, and may name what a run does not have. Raises Refusal
    (400) for what makes no sense in any run.
    """
    components = _listed(request, "component")
    if len(components) > MAX_COMPONENTS:
        raise Refusal(400, f"More than {MAX_COMPONENTS} components are too many to select.")
    passes = _listed(request, "pass")
    if not set(passes) <= set(PASSES):
        raise Refusal(400, f"A pass is one of {', '.join(PASSES)}.")
    first, last = _step(request, "first_step"), _step(request, "last_step")
    if first is not None and last is not None and first > last:
        raise Refusal(400, "first_step comes after last_step.")
    return Selection(components=components, passes=passes, first_step=first, last_step=last)


def _listed(request: Request, name: str) -> tuple[str, ...]:
    """The values of a parameter, in one order however they were given."""
    return tuple(sorted({_bounded(value) for value in request.args.getlist(name) if value}))


def _step(request: Request, name: str) -> int | None:
    text = request.args.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= MAX_STEP):
        raise Refusal(400, f"{name} is the number of a step, counted from 0.")
    return int(text)


def _bounded(text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise Refusal(400, f"No name is longer than {MAX_CHARACTERS:,} characters.")
    return text
