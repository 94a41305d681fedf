"""The data routes: each turns a request into a look at discovery and loader, and into JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from werkzeug.wrappers import Request, Response

from genscope.analysis.results import SCHEMA_VERSION, Comparison, Operators
from genscope.tensorboard.discovery import Discovery, TraceFile
from genscope.tensorboard.http import Handler, refuse, respond_json
from genscope.tensorboard.loader import Loader, State, Status

Compare = Callable[[Sequence[tuple[str, Operators]]], Comparison]


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
    """Handlers over a discovery and a loader; `compare` sets results side by side."""

    def __init__(self, discovery: Discovery, loader: Loader, compare: Compare) -> None:
        self._discovery = discovery
        self._loader = loader
        self._compare = compare

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by route."""
        return {"/runs": self.runs, "/operators": self.operators, "/compare": self.compare}

    def runs(self, request: Request) -> Response:
        """List the traces; starts no reading."""
        scan = self._discovery.scan()
        runs = [_run(file, self._loader.look(file)) for file in scan.files.values()]
        return respond_json(request, Runs(runs=runs, message=scan.message))

    def operators(self, request: Request) -> Response:
        """Give the operator breakdown of `run`, or how far reading it has come."""
        run = request.args.get("run", "")
        if not run:
            return refuse(request, 400, "Name a run: operators?run=<id>.")
        file = self._discovery.find(run)
        if file is None:
            return _unknown(request, run)
        status = self._loader.request(file)
        if status.result is not None:
            return respond_json(request, status.result)
        if status.error is not None:
            return refuse(request, 422, status.error, run)
        return respond_json(request, _pending(status), 202)

    def compare(self, request: Request) -> Response:
        """Set the breakdowns of several `run`s side by side, the first being the base."""
        asked = [run for run in dict.fromkeys(request.args.getlist("run")) if run]
        if not asked:
            return refuse(request, 400, "Name the runs: compare?run=<id>&run=<id>.")
        files: list[TraceFile] = []
        for run in asked:
            file = self._discovery.find(run)
            if file is None:
                return _unknown(request, run)
            files.append(file)
        found = [(file, self._loader.request(file)) for file in files]
        if any(status.result is None and status.error is None for _, status in found):
            pending = {file.id: _pending(status) for file, status in found}
            return respond_json(request, PendingRuns(runs=pending), 202)
        return self._compared(request, found)

    def _compared(self, request: Request, found: list[tuple[TraceFile, Status]]) -> Response:
        good = [(file.label, status.result) for file, status in found if status.result is not None]
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


def _unknown(request: Request, run: str) -> Response:
    return refuse(request, 404, "There is no such run under the logdir (any more).", run)
