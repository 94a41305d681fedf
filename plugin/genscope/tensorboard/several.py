"""The routes of runs that belong together: pairs, what fused attention gains, predictions.

What each run contributes comes from the loader, as any view of it does; putting it together, which
takes a while for a hundred thousand calls, is done in the background.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import msgspec
from werkzeug.wrappers import Request, Response

from genscope.analysis.attention.where import Where
from genscope.analysis.selection import Selection
from genscope.analysis.speedup import pair_runs, predicted
from genscope.analysis.speedup.lists import BASELINE, FUSED
from genscope.analysis.speedup.packed import PackedSide, unpack
from genscope.analysis.speedup.pair import ALIGNED, LISTS, Pair, aligned_pair
from genscope.analysis.speedup.results import Pairing, RunInfo
from genscope.analysis.speedup.side import Side
from genscope.analysis.windows import BEGINNING
from genscope.tensorboard.background import Background, NotMade
from genscope.tensorboard.discovery import Discovery, TraceFile
from genscope.tensorboard.http import Handler, Refusal, refuse, respond_json
from genscope.tensorboard.loader import Loader, Status
from genscope.tensorboard.query import runs_of, where_of, window_of
from genscope.tensorboard.routes import (
    PendingRuns,
    RunError,
    Unusable,
    errors_of,
    found_in,
    pending_of,
)
from genscope.tensorboard.tables import TableInfo, Tables
from genscope.tensorboard.views import RUN_INFO, SIDE, Ask

MAX_PAIR_BYTES = 192 << 20
"""Pairs and their answers kept in memory, at most: two runs of 100,000 calls take 60 MB."""

_SIDE = msgspec.json.Decoder(PackedSide)
_RUN_INFO = msgspec.json.Decoder(RunInfo)


class Found(NamedTuple):
    """What is known of a run, or of the part of it that was asked for."""

    file: TraceFile
    ask: Ask
    status: Status


class Pairs(Pairing, kw_only=True):
    """`Pairing` by ids of runs. A run that cannot be read is alone, and in `errors`.

    `tables` are those under the logdir that a run can be predicted from.
    """

    view: str = "pairs"
    errors: list[RunError]
    tables: list[TableInfo]


class Several:
    """Handlers over a discovery and a loader."""

    def __init__(
        self,
        discovery: Discovery,
        loader: Loader,
        *,
        tables: Tables | None = None,
        background: Background | None = None,
    ) -> None:
        self._discovery = discovery
        self._loader = loader
        self._tables = tables or Tables()
        self._background = background or Background(_size, MAX_PAIR_BYTES)

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by route."""
        return {
            "/pairs": self.pairs,
            "/speedup": self.speedup,
            "/aligned": self.aligned,
            "/prediction": self.prediction,
        }

    def pairs(self, request: Request) -> Response:
        """Say which of the `run`s belong together; reads no other."""
        found = self._ask(
            [(found_in(self._discovery, run), Ask(RUN_INFO)) for run in runs_of(request)]
        )
        tables = self._discovery.scan().tables

        def make() -> bytes:
            infos = [
                msgspec.structs.replace(_RUN_INFO.decode(status.answer), label=file.id)
                for file, _, status in found
                if status.answer is not None
            ]
            pairing, errors = pair_runs(infos), _errors(found)
            return msgspec.json.encode(
                Pairs(
                    pairs=pairing.pairs,
                    alone=pairing.alone
                    | {error.run: f"it cannot be read: {error.message}" for error in errors},
                    errors=errors,
                    tables=self._tables.listed(tables),
                )
            )

        return self._respond(request, found, ("pairs", tuple(tables.values())), make, may_lack=True)

    def speedup(self, request: Request) -> Response:
        """Say what the second `run` gains over the first, without single calls."""
        found, where = self._ask_pair(request)

        def make() -> bytes:
            return msgspec.json.encode(self._pair(found).of(where).speedup())

        return self._respond(request, found, ("speedup", where), make)

    def aligned(self, request: Request) -> Response:
        """Give a window of the calls that both runs make, or of those that only one makes."""
        which = request.args.get("which") or ALIGNED
        if which not in LISTS:
            raise Refusal(400, f"which is one of {', '.join(LISTS)}.")
        at_run = request.args.get("at_run") or BASELINE
        if at_run not in (BASELINE, FUSED):
            raise Refusal(400, f"at_run is {BASELINE} or {FUSED}.")
        window = window_of(request, LISTS[which].columns) or BEGINNING
        found, where = self._ask_pair(request)
        pair = self._made(request, found, ("part", where), lambda: self._pair(found).of(where))
        if isinstance(pair, Response):
            return pair
        return respond_json(request, pair.window(which, window, at_run=at_run))

    def prediction(self, request: Request) -> Response:
        """Say what other attention would gain in the first `run`, or the selected part of it.

        The times are those of a pair, which the other two `run`s are, or of a `table` under the
        logdir; without either only the limit is known.
        """
        runs = [run for run in request.args.getlist("run") if run]
        name = request.args.get("table", "")
        if len(runs) not in ((1,) if name else (1, 3)):
            raise Refusal(
                400,
                "Name a run, and with it a table or the two runs of a pair: run=<id>&table=<id>, "
                "run=<id>&run=<baseline>&run=<fused>.",
            )
        file = self._discovery.scan().tables.get(name) if name else None
        if name and file is None:
            raise Refusal(404, "There is no such table under the logdir (any more).", name)
        table = self._tables.read(file) if file is not None else None
        if file is not None and table is None:
            raise Refusal(422, "This is no table of times, or it is damaged.", name)
        own = Ask(SIDE, _plain(where_of(request)))
        wanted = [
            (found_in(self._discovery, run), Ask(SIDE) if place else own)
            for place, run in enumerate(runs)
        ]
        found = self._ask(wanted)

        def make() -> bytes:
            side = _side(found[0])
            if len(found) > 1:
                return msgspec.json.encode(self._pair(found[1:]).prediction(side))
            return msgspec.json.encode(predicted(side, table))

        return self._respond(request, found, ("prediction", file), make)

    def _ask_pair(self, request: Request) -> tuple[Sequence[Found], Where]:
        """Ask for what two runs contribute; also what limits the calls, but not the work."""
        runs = runs_of(request)
        if len(runs) != 2:
            raise Refusal(400, "Name two runs, the baseline first: run=<baseline>&run=<fused>.")
        where = where_of(request)
        ask = Ask(SIDE, _plain(where))
        words = Where(kinds=where.kinds, axes=where.axes, phases=where.phases)
        return self._ask([(found_in(self._discovery, run), ask) for run in runs]), words

    def _ask(self, wanted: Sequence[tuple[TraceFile, Ask]]) -> Sequence[Found]:
        return [Found(file, ask, self._loader.request(file, ask)) for file, ask in wanted]

    def _pair(self, found: Sequence[Found]) -> Pair:
        """Two runs, aligned; takes a while unless it was done before."""
        pair: Pair = self._background.once(
            ("pair", _versions(found)), lambda: aligned_pair(*map(_side, found))
        )
        return pair

    def _respond(
        self,
        request: Request,
        found: Sequence[Found],
        what: Hashable,
        make: Callable[[], bytes],
        *,
        may_lack: bool = False,
    ) -> Response:
        body = self._made(request, found, what, make, may_lack=may_lack)
        if isinstance(body, Response):
            return body
        return respond_json(request, msgspec.Raw(body))

    def _made(
        self,
        request: Request,
        found: Sequence[Found],
        what: Hashable,
        make: Callable[[], Any],
        *,
        may_lack: bool = False,
    ) -> Any:
        """What `make` makes of the runs once all are read; before that, and else, a response.

        With `may_lack`, it is made of those that can be read.
        """
        if any(one.status.answer is None and one.status.error is None for one in found):
            return _pending(request, found)
        errors = _errors(found)
        if errors and not may_lack:
            return respond_json(request, Unusable(errors=errors), 422)
        try:
            value = self._background.get((what, _versions(found)), make)
        except NotMade as error:
            return refuse(
                request,
                500,
                f"Putting the runs together failed in a way that GenScope did not foresee "
                f"({error}); TensorBoard's log has the details.",
            )
        return _pending(request, found) if value is None else value


def _plain(where: Where) -> Selection:
    """The part of `where` that selects work, and not only calls."""
    return Selection(
        components=where.components,
        passes=where.passes,
        first_step=where.first_step,
        last_step=where.last_step,
    )


def _versions(found: Sequence[Found]) -> Hashable:
    """What tells apart the runs, as they are now, and the parts of them."""
    return tuple((one.file, one.ask, one.status.error) for one in found)


def _side(one: Found) -> Side:
    if one.status.answer is None:
        raise ValueError(f"{one.file.id} was not read")
    return unpack(_SIDE.decode(one.status.answer))


def _errors(found: Sequence[Found]) -> list[RunError]:
    return errors_of((one.file, one.status) for one in found)


def _pending(request: Request, found: Sequence[Found]) -> Response:
    runs = {one.file.id: pending_of(one.status) for one in found}
    return respond_json(request, PendingRuns(runs=runs), 202)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, bytes) else int(value.size_bytes)
