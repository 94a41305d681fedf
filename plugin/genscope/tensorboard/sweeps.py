"""The routes that set runs of several sizes side by side: memory growth and scaling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from werkzeug.wrappers import Request, Response

from genscope.analysis.memory import results as of_memory
from genscope.analysis.memory.sweep import memory_growth
from genscope.analysis.scaling import results as of_scaling
from genscope.analysis.scaling import scaling
from genscope.analysis.scaling.sweeps import BY_NAME
from genscope.tensorboard.discovery import Discovery, TraceFile
from genscope.tensorboard.http import Handler, Refusal, respond_json
from genscope.tensorboard.loader import Loader, Status
from genscope.tensorboard.query import runs_of, selection_of
from genscope.tensorboard.routes import (
    PendingRuns,
    RunError,
    Unusable,
    errors_of,
    found_in,
    pending_of,
)
from genscope.tensorboard.views import MEMORY, SCALING_RUN, Ask

_MEMORY = msgspec.json.Decoder(of_memory.Memory)
_CONTRIBUTION = msgspec.json.Decoder(of_scaling.Contribution)


class _Asked(NamedTuple):
    """The answers of runs, by id, and the runs that have none."""

    answers: Sequence[tuple[str, bytes]]
    errors: Sequence[RunError]


class Sweeps:
    """Handlers over a discovery and a loader.

    What each run contributes comes from the loader; runs that cannot be read are among those left
    out, with the reason.
    """

    def __init__(self, discovery: Discovery, loader: Loader) -> None:
        self._discovery = discovery
        self._loader = loader

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by route."""
        return {"/memory-growth": self.memory_growth, "/scaling": self.scaling}

    def memory_growth(self, request: Request) -> Response:
        """Set score matrices and peak memory against the image, over several `run`s."""
        asked = self._asked(request, Ask(MEMORY))
        if isinstance(asked, Response):
            return asked
        growth = memory_growth([(run, _MEMORY.decode(answer)) for run, answer in asked.answers])
        growth.left_out += [
            of_memory.LeftOut(run=error.run, reason=error.message) for error in asked.errors
        ]
        return respond_json(request, growth)

    def scaling(self, request: Request) -> Response:
        """Set several `run`s against what differs in them, or against the parameter `by`."""
        by = request.args.get("by") or None
        if by is not None and by not in BY_NAME:
            raise Refusal(400, f"by is one of {', '.join(BY_NAME)}.")
        asked = self._asked(request, Ask(SCALING_RUN, selection_of(request)))
        if isinstance(asked, Response):
            return asked
        result = scaling([(run, _CONTRIBUTION.decode(answer)) for run, answer in asked.answers], by)
        result.left_out += [
            of_scaling.LeftOut(run=error.run, reason=error.message) for error in asked.errors
        ]
        return respond_json(request, result)

    def _asked(self, request: Request, ask: Ask) -> _Asked | Response:
        """Ask every `run` the same; a response while some are to be read, or if none can be."""
        files = [found_in(self._discovery, run) for run in runs_of(request)]
        found: list[tuple[TraceFile, Status]] = [
            (file, self._loader.request(file, ask)) for file in files
        ]
        if any(status.answer is None and status.error is None for _, status in found):
            pending = {file.id: pending_of(status) for file, status in found}
            return respond_json(request, PendingRuns(runs=pending), 202)
        errors = errors_of(found)
        if len(errors) == len(found):
            return respond_json(request, Unusable(errors=errors), 422)
        answers = [(file.id, status.answer) for file, status in found if status.answer is not None]
        return _Asked(answers, errors)
