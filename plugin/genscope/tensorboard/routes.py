"""The data routes: each turns a request into a look at discovery and loader, and into JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from werkzeug.wrappers import Request, Response

from genscope.analysis.results import SCHEMA_VERSION, Comparison, Operators
from genscope.tensorboard.discovery import Discovery, TraceFile
from genscope.tensorboard.http import Handler, Refusal, refuse, respond_json
from genscope.tensorboard.loader import Loader, State, Status
from genscope.tensorboard.query import run_of, runs_of, selection_of, span_of
from genscope.tensorboard.views import OPERATORS, TIMELINE, Ask

Compare = Callable[[Sequence[tuple[str, Operators]]], Comparison]

_OPERATORS = msgspec.json.Decoder(Operators)


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


class PartialComparison(msgspec.Struct, kw_only=True):
    """A comparison without the traces that cannot be used; None where no other is left."""

    errors: list[RunError]
    comparison: Comparison | None


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
            f"/{TIMELINE}": self.timeline,
            "/compare": self.compare,
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

    def timeline(self, request: Request) -> Response:
        """Give the timeline of a stretch of `run`, in finer bins than the overview has."""
        file = self._file(request)
        ask = Ask(TIMELINE, selection_of(request), span_of(request))
        return self._answer(request, file, ask)

    def _answer(self, request: Request, file: TraceFile, ask: Ask) -> Response:
        status = self._loader.request(file, ask)
        if status.answer is not None:
            return respond_json(request, msgspec.Raw(status.answer))
        if status.error is not None:
            return refuse(request, 422, status.error, file.id)
        return respond_json(request, _pending(status), 202)

    def cancel(self, request: Request) -> Response:
        """Stop reading `run`, or take it from the queue; answers with its state then."""
        return respond_json(request, _pending(self._loader.cancel(self._file(request))))

    def compare(self, request: Request) -> Response:
        """Set the breakdowns of several `run`s side by side, the first being the base."""
        files = [self._found(run) for run in runs_of(request)]
        ask = Ask(OPERATORS, selection_of(request))
        found = [(file, self._loader.request(file, ask)) for file in files]
        if any(status.answer is None and status.error is None for _, status in found):
            pending = {file.id: _pending(status) for file, status in found}
            return respond_json(request, PendingRuns(runs=pending), 202)
        return self._compared(request, found)

    def _compared(self, request: Request, found: list[tuple[TraceFile, Status]]) -> Response:
        good = [
            (file.label, _OPERATORS.decode(status.answer))
            for file, status in found
            if status.answer is not None
        ]
        errors = [
            RunError(run=file.id, file=file.file, message=status.error)
            for file, status in found
            if status.error is not None
        ]
        comparison = self._compare(good) if good else None
        if errors:
            return respond_json(
                request, PartialComparison(errors=errors, comparison=comparison), 422
            )
        return respond_json(request, comparison)

    def _file(self, request: Request) -> TraceFile:
        """The one file that the request names. Raises Refusal."""
        return self._found(run_of(request))

    def _found(self, run: str) -> TraceFile:
        file = self._discovery.find(run)
        if file is None:
            raise Refusal(404, "There is no such run under the logdir (any more).", run)
        return file


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


def _pending(status: Status) -> Pending:
    return Pending(state=status.state, read_bytes=status.read_bytes, size_bytes=status.size_bytes)
