"""The data routes: each turns a request into a look at discovery and loader, and into JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import msgspec
from werkzeug.wrappers import Request, Response

from genscope.analysis.attention.frames import LeftOut, frames_sweep
from genscope.analysis.attention.results import SpaceTime
from genscope.analysis.attention.sequence import Stretch
from genscope.analysis.attention.view import COLUMNS
from genscope.analysis.results import SCHEMA_VERSION, Comparison, Operators
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.windows import Window
from genscope.tensorboard.discovery import Discovery, TraceFile
from genscope.tensorboard.http import Handler, Refusal, refuse, respond_json
from genscope.tensorboard.loader import Loader, State, Status
from genscope.tensorboard.query import (
    on_device_of,
    run_of,
    runs_of,
    selection_of,
    span_of,
    stretch_of,
    where_of,
    window_of,
)
from genscope.tensorboard.views import MEMORY, OPERATORS, TIMELINE, Ask

Compare = Callable[[Sequence[tuple[str, Operators]]], Comparison]

_OPERATORS = msgspec.json.Decoder(Operators)
_SPACE_TIME = msgspec.json.Decoder(SpaceTime)

SPACE_TIME = "spatial-temporal"

OF_CALLS: Mapping[str, Callable[[Request], Window | Stretch | None]] = {
    "attention": lambda _: None,
    "calls": partial(window_of, columns=COLUMNS),
    "sequence": stretch_of,
    "phases": lambda _: None,
    SPACE_TIME: lambda _: None,
}
"""Views that take the filters of attention calls, and what reads their further parameters."""

OF_RUN: Mapping[str, Callable[[Request], Selection]] = {
    "roofline": on_device_of,
    MEMORY: lambda _: EVERYTHING,
    "work": selection_of,
}
"""Views of one run that are computed when somebody looks, and what reads which part they are of."""


class Run(msgspec.Struct, kw_only=True):
    """One trace under the logdir."""

    id: str
    label: str
    run: str
    file: str
    size_bytes: int
    state: State
    read_bytes: int
    error: str | None


class Runs(msgspec.Struct, kw_only=True):
    """What there is under the logdir; `message` says what is wrong or was left out."""

    schema_version: int = SCHEMA_VERSION
    runs: list[Run]
    message: str | None


class Pending(msgspec.Struct, kw_only=True):
    """A trace that is still to be read."""

    state: State
    read_bytes: int
    size_bytes: int


class PendingRuns(msgspec.Struct, kw_only=True):
    """A comparison that waits for some of its traces, all listed by id."""

    state: State = State.READING
    runs: dict[str, Pending]


class RunError(msgspec.Struct, kw_only=True):
    """A trace that a comparison had to leave out."""

    run: str
    file: str
    message: str


class Unusable(msgspec.Struct, kw_only=True):
    """Traces without which there is no answer."""

    errors: list[RunError]


class PartialComparison(msgspec.Struct, kw_only=True):
    """A comparison without the traces that cannot be used; None where no other is left."""

    errors: list[RunError]
    comparison: Comparison | None = None


def found_in(discovery: Discovery, run: str) -> TraceFile:
    """Return the trace of a run. Raises a `Refusal` where there is none."""
    file = discovery.find(run)
    if file is None:
        raise Refusal(404, "There is no such run under the logdir (any more).", run)
    return file


class Routes:
    """Handlers over a discovery and a loader, one for each of `views`.

    `compare` sets breakdowns side by side.
    """

    def __init__(
        self, discovery: Discovery, loader: Loader, views: Sequence[str], compare: Compare
    ) -> None:
        self._discovery = discovery
        self._loader = loader
        self._views = views
        self._compare = compare

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by route.

        All are GET, also `cancel`: it changes nothing but what is being computed, and the proxies
        that people put before TensorBoard often let nothing else through.
        """
        return {
            "/runs": self.runs,
            **{f"/{view}": partial(self.view, view) for view in self._views},
            **{f"/{view}": partial(self.calls, view) for view in OF_CALLS},
            **{f"/{view}": partial(self.later, view) for view in OF_RUN},
            f"/{TIMELINE}": self.timeline,
            "/compare": self.compare,
            "/frames": self.frames,
            "/cancel": self.cancel,
        }

    def runs(self, request: Request) -> Response:
        """List the traces; starts no reading."""
        scan = self._discovery.scan()
        runs = [_run(file, self._loader.look(file)) for file in scan.files.values()]
        return respond_json(request, Runs(runs=runs, message=scan.message))

    def view(self, view: str, request: Request) -> Response:
        """Give a view of `run`, or how far reading it has come."""
        file = self._file(request)
        return self._answer(request, file, Ask(view, selection_of(request)))

    def later(self, view: str, request: Request) -> Response:
        """Give a view of `run` that is computed when somebody looks at it."""
        file = self._file(request)
        return self._answer(request, file, Ask(view, OF_RUN[view](request)))

    def timeline(self, request: Request) -> Response:
        """Give the timeline of a stretch of `run`, in finer bins than the overview has."""
        file = self._file(request)
        ask = Ask(TIMELINE, selection_of(request), span_of(request))
        return self._answer(request, file, ask)

    def calls(self, view: str, request: Request) -> Response:
        """Give a view of the attention calls of `run`."""
        file = self._file(request)
        ask = Ask(view, where_of(request), window=OF_CALLS[view](request))
        return self._answer(request, file, ask)

    def _answer(self, request: Request, file: TraceFile, ask: Ask) -> Response:
        status = self._loader.request(file, ask)
        if status.answer is not None:
            return respond_json(request, msgspec.Raw(status.answer))
        if status.error is not None:
            return refuse(request, 422, status.error, file.id)
        return respond_json(request, pending_of(status), 202)

    def cancel(self, request: Request) -> Response:
        """Stop reading `run`, or take it from the queue; answers with its state then."""
        return respond_json(request, pending_of(self._loader.cancel(self._file(request))))

    def compare(self, request: Request) -> Response:
        """Set the breakdowns of several `run`s side by side, the first being the base."""
        found, pending = self._of_each(request, Ask(OPERATORS, selection_of(request)))
        return self._compared(request, found) if pending is None else pending

    def frames(self, request: Request) -> Response:
        """Set attention against the number of frames, over several `run`s."""
        found, pending = self._of_each(request, Ask(SPACE_TIME, where_of(request)))
        if pending is not None:
            return pending
        good = [(f.id, _SPACE_TIME.decode(s.answer)) for f, s in found if s.answer is not None]
        if not good:
            return respond_json(request, PartialComparison(errors=errors_of(found)), 422)
        result = frames_sweep(good)
        result.left_out += [LeftOut(run=e.run, reason=e.message) for e in errors_of(found)]
        return respond_json(request, result)

    def _of_each(
        self, request: Request, ask: Ask
    ) -> tuple[list[tuple[TraceFile, Status]], Response | None]:
        """Ask the same of every `run`; also a response for as long as some are to be read."""
        files = [found_in(self._discovery, run) for run in runs_of(request)]
        found = [(file, self._loader.request(file, ask)) for file in files]
        if all(status.answer is not None or status.error is not None for _, status in found):
            return found, None
        pending = {file.id: pending_of(status) for file, status in found}
        return found, respond_json(request, PendingRuns(runs=pending), 202)

    def _compared(self, request: Request, found: list[tuple[TraceFile, Status]]) -> Response:
        good = [
            (file.label, _OPERATORS.decode(status.answer))
            for file, status in found
            if status.answer is not None
        ]
        errors = errors_of(found)
        comparison = self._compare(good) if good else None
        if errors:
            return respond_json(
                request, PartialComparison(errors=errors, comparison=comparison), 422
            )
        return respond_json(request, comparison)

    def _file(self, request: Request) -> TraceFile:
        """The one file that the request names. Raises Refusal."""
        return found_in(self._discovery, run_of(request))


def errors_of(found: Iterable[tuple[TraceFile, Status]]) -> list[RunError]:
    """Name the traces that cannot be used."""
    return [
        RunError(run=file.id, file=file.file, message=status.error)
        for file, status in found
        if status.error is not None
    ]


def _run(file: TraceFile, status: Status) -> Run:
    return Run(
        id=file.id,
        label=file.label,
        run=file.run,
        file=file.file,
        size_bytes=status.size_bytes,
        state=status.state,
        read_bytes=status.read_bytes,
        error=status.error,
    )


def pending_of(status: Status) -> Pending:
    """Say how far a trace has come."""
    return Pending(state=status.state, read_bytes=status.read_bytes, size_bytes=status.size_bytes)
