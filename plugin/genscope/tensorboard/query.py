"""What a request asks for: its runs, and the part of them that it selects."""

from __future__ import annotations

from collections.abc import Collection

from werkzeug.wrappers import Request

from genscope.analysis.attention.sequence import MAX_POINTS, POINTS, Stretch
from genscope.analysis.attention.where import Where
from genscope.analysis.classify import PASSES
from genscope.analysis.roofline.as_if import OnDevice
from genscope.analysis.roofline.devices import known_devices
from genscope.analysis.selection import Selection
from genscope.analysis.windows import COUNT, MAX_COUNT, Window
from genscope.tensorboard.http import Refusal

MAX_RUNS = 100
MAX_COMPONENTS = 100
"""Components, or kinds, axes or phases."""
MAX_CHARACTERS = 4096
"""Longer names than any file system has."""

MAX_STEP = 2**31 - 1
MAX_NS = 2**53
"""A hundred days, and the largest whole number that every client can write."""


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
    components = _few(request, "component")
    passes = _listed(request, "pass")
    if not set(passes) <= set(PASSES):
        raise Refusal(400, f"A pass is one of {', '.join(PASSES)}.")
    first, last = (_number(request, name, MAX_STEP) for name in ("first_step", "last_step"))
    if first is not None and last is not None and first > last:
        raise Refusal(400, "first_step comes after last_step.")
    return Selection(components=components, passes=passes, first_step=first, last_step=last)


def where_of(request: Request) -> Where:
    """Return which attention calls the filters select: `kind`, `axis` and `phase` too.

    These may be repeated, and may name what a run does not have, as components may. Raises Refusal
    (400) for what makes no sense in any run.
    """
    selection = selection_of(request)
    return Where(
        components=selection.components,
        passes=selection.passes,
        first_step=selection.first_step,
        last_step=selection.last_step,
        kinds=_few(request, "kind"),
        axes=_few(request, "axis"),
        phases=_few(request, "phase"),
    )


def on_device_of(request: Request) -> OnDevice:
    """Return the part of a trace, and the known `device` that it is set beside, if one is named.

    Raises Refusal (400).
    """
    selection, device = selection_of(request), request.args.get("device", "")
    names = [one.name for one in known_devices()]
    if device and device not in names:
        raise Refusal(400, f"A device is one of {', '.join(names)}.")
    return OnDevice(
        components=selection.components,
        passes=selection.passes,
        first_step=selection.first_step,
        last_step=selection.last_step,
        device=device,
    )


def window_of(request: Request, columns: Collection[str]) -> Window | None:
    """Return which rows of a list are wanted, None where the request says nothing of that.

    Its parameters are the fields of a `Window`; `columns` can be sorted by. Raises Refusal (400).
    """
    sort = request.args.get("sort") or None
    if sort is not None and sort not in columns:
        raise Refusal(400, f"sort is one of {', '.join(columns)}.")
    count = _number(request, "count", MAX_COUNT)
    window = Window(
        first=_number(request, "first", MAX_NS) or 0,
        count=COUNT if count is None else count,
        sort=sort,
        descending=bool(_number(request, "descending", 1)),
        at=_number(request, "at", MAX_NS),
        at_ns=_number(request, "at_ns", MAX_NS),
    )
    return None if window == Window() else window


def stretch_of(request: Request) -> Stretch | None:
    """Return which calls of a sequence to draw, `from_call` to `to_call`, and how many `points`.

    None where the request says nothing of that. Raises Refusal (400).
    """
    points = _number(request, "points", MAX_POINTS)
    stretch = Stretch(
        first=_number(request, "from_call", MAX_NS) or 0,
        last=_number(request, "to_call", MAX_NS),
        points=POINTS if points is None else points,
    )
    if stretch.last is not None and stretch.first > stretch.last:
        raise Refusal(400, "from_call comes after to_call.")
    return None if stretch == Stretch() else stretch


def span_of(request: Request) -> tuple[int, int]:
    """Return the stretch of time, `from_ns` to `to_ns`. Raises Refusal (400) for none."""
    first, last = (_number(request, name, MAX_NS) for name in ("from_ns", "to_ns"))
    if first is None or last is None or first >= last:
        raise Refusal(400, "Name a stretch of time: from_ns=<ns>&to_ns=<ns>, the end after it.")
    return first, last


def _listed(request: Request, name: str) -> tuple[str, ...]:
    """The values of a parameter, in one order however they were given."""
    return tuple(sorted({_bounded(value) for value in request.args.getlist(name) if value}))


def _few(request: Request, name: str) -> tuple[str, ...]:
    values = _listed(request, name)
    if len(values) > MAX_COMPONENTS:
        raise Refusal(400, f"More than {MAX_COMPONENTS} values of {name} are too many to select.")
    return values


def _number(request: Request, name: str, largest: int) -> int | None:
    text = request.args.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= largest):
        raise Refusal(400, f"{name} is a whole number, from 0 to {largest:,}.")
    return int(text)


def _bounded(text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise Refusal(400, f"No name is longer than {MAX_CHARACTERS:,} characters.")
    return text
