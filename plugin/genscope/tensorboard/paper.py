"""The routes of the page Paper: the paper's claims beside what runs of the suite show.

`/paper` reads no trace. It tells what is known of those that were read before, and which others
say in their first bytes that they are of the suite; `/of-suite` has one of them read. So nobody
reads hundreds of megabytes at a click, and what is there is shown while the rest is on its way.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import msgspec
from werkzeug.wrappers import Request, Response

from genscope.analysis.paper.figures import Figures
from genscope.analysis.paper.packed import Contribution, unpacked
from genscope.analysis.paper.results import LeftOut, ModelTaxonomy, PaperReport, Taxonomy
from genscope.analysis.paper.view import FOLDER, report
from genscope.analysis.results import SCHEMA_VERSION
from genscope.tensorboard.background import Background, NotMade
from genscope.tensorboard.discovery import Discovery, TraceFile
from genscope.tensorboard.files import FileSystem, file_system_of, one_line
from genscope.tensorboard.http import Handler, Refusal, refuse, respond_json
from genscope.tensorboard.loader import Loader, State
from genscope.tensorboard.memory import Memory
from genscope.tensorboard.query import run_of
from genscope.tensorboard.routes import PendingRuns, pending_of
from genscope.tensorboard.views import OF_SUITE, Ask
from genscope.trace.naming import TAXONOMY

MAX_KEPT_BYTES = 128 << 20
"""Runs and reports kept in memory, at most."""

MAX_TAXONOMY_BYTES = 4 << 20

HEAD_BYTES = 1 << 16
"""Where the annotations begin: after the properties of the devices."""

_MARK = re.compile(rb'"suite"\s*:\s*true')
_NOT_MARKED = "its first bytes name no model of the suite; it was not read"
_CALL_BYTES = 200

_CONTRIBUTION = msgspec.json.Decoder(Contribution)
_TAXONOMY = msgspec.json.Decoder(Taxonomy)

USED, UNREAD, OTHER, FAILED = "used", "unread", "other", "failed"


class PaperRun(msgspec.Struct, kw_only=True):
    """A trace under the logdir: used, unread (of the suite, to be read), other, or failed."""

    id: str
    label: str
    size_bytes: int
    state: str
    reason: str | None = None


class Paper(PaperReport, kw_only=True):
    """The report over what was read; its runs are named by their labels."""

    runs: list[PaperRun]


class OfSuite(msgspec.Struct, kw_only=True):
    """Whether a trace that was read is a run of the suite, else why not."""

    schema_version: int = SCHEMA_VERSION
    run: str
    reason: str | None = None


class _Seen(NamedTuple):
    """A trace and what is known of it."""

    file: TraceFile
    answer: bytes | None
    error: str | None


class PaperRoutes:
    """Handlers over a discovery and a loader."""

    def __init__(
        self,
        discovery: Discovery,
        loader: Loader,
        *,
        background: Background | None = None,
        file_system: Callable[[str], FileSystem] = file_system_of,
    ) -> None:
        self._discovery = discovery
        self._loader = loader
        self._file_system = file_system
        self._background = background or Background(_size, MAX_KEPT_BYTES)
        self._marked: Memory[TraceFile, str] = Memory(lambda _: 1, 100_000)

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by route."""
        return {"/paper": self.paper, "/of-suite": self.of_suite}

    def of_suite(self, request: Request) -> Response:
        """Have `run` read, and say whether it is of the suite."""
        run = run_of(request)
        file = self._discovery.find(run)
        if file is None:
            raise Refusal(404, "There is no such run under the logdir (any more).", run)
        status = self._loader.request(file, Ask(OF_SUITE))
        if status.answer is not None:
            reason = _CONTRIBUTION.decode(status.answer).reason
            return respond_json(request, OfSuite(run=run, reason=reason))
        if status.error is not None:
            return refuse(request, 422, status.error, run)
        return respond_json(request, pending_of(status), 202)

    def paper(self, request: Request) -> Response:
        """Report on what was read of the `run`s, or of all there are; starts no reading."""
        scan = self._discovery.scan()
        wanted = [run for run in request.args.getlist("run") if run]
        unknown = next((run for run in wanted if run not in scan.files), None)
        if unknown is not None:
            raise Refusal(404, "There is no such run under the logdir (any more).", unknown)
        files = [scan.files[run] for run in wanted] or list(scan.files.values())
        seen = [self._look(file) for file in files]
        taxonomies = list(scan.taxonomies.values())
        key = ("paper", *((one.file, one.answer is None, one.error) for one in seen), *taxonomies)
        try:
            body = self._background.get(key, lambda: self._report(seen, taxonomies))
        except NotMade as error:
            return refuse(
                request,
                500,
                f"The report could not be made ({error}); TensorBoard's log has the details.",
            )
        if body is None:
            return respond_json(request, PendingRuns(runs={}), 202)
        return respond_json(request, msgspec.Raw(body))

    def _look(self, file: TraceFile) -> _Seen:
        answer = self._loader.known(file, Ask(OF_SUITE))
        status = self._loader.look(file)
        failed = answer is None and status.state is State.FAILED
        return _Seen(file, answer, status.error if failed else None)

    def _report(self, seen: Sequence[_Seen], taxonomies: Sequence[TraceFile]) -> bytes:
        runs: list[PaperRun] = []
        found: list[Figures] = []
        folders: list[str] = []
        left_out: list[LeftOut] = []
        for one in seen:
            file = one.file
            figures, state, reason = self._taken(one)
            runs.append(
                PaperRun(
                    id=file.id,
                    label=file.label,
                    size_bytes=file.stamp.size_bytes,
                    state=state,
                    reason=reason,
                )
            )
            if figures is not None:
                found.append(figures)
                folders.append(_folder(file, figures.model))
            elif reason is not None:
                left_out.append(LeftOut(run=file.label, reason=reason))
        models, unreadable = self._taxonomy(taxonomies)
        folder = next((folder for folder in folders if folder), FOLDER)
        made = report(found, models, [*left_out, *unreadable], folder=folder)
        fields = {name: getattr(made, name) for name in PaperReport.__struct_fields__}
        return msgspec.json.encode(Paper(**fields, runs=runs))

    def _taken(self, one: _Seen) -> tuple[Figures | None, str, str | None]:
        """What a trace contributes, its state, and why it contributes nothing."""
        if one.error is not None:
            return None, FAILED, one.error
        if one.answer is None:
            return (None, UNREAD, None) if self._is_marked(one.file) else (None, OTHER, _NOT_MARKED)
        answer, label = one.answer, one.file.label
        made = self._background.once(("run", one.file), lambda: _decoded(answer, label))
        return (made, USED, None) if isinstance(made, Figures) else (None, OTHER, made)

    def _is_marked(self, file: TraceFile) -> bool:
        """Whether a trace says at its beginning that it is of the suite; looked at once."""
        known = self._marked.get(file)
        if known is None:
            try:
                head = self._file_system(file.path).head(file.path, HEAD_BYTES)
            except OSError:
                return False
            known = "yes" if _MARK.search(_inflated(head)) else "no"
            self._marked.put(file, known)
        return known == "yes"

    def _taxonomy(
        self, files: Sequence[TraceFile]
    ) -> tuple[Sequence[ModelTaxonomy], list[LeftOut]]:
        """The first taxonomy that can be read, the one nearest to the logdir before others."""
        unreadable = []
        for file in sorted(files, key=lambda one: one.id.count("/")):
            try:
                text = self._file_system(file.path).head(file.path, MAX_TAXONOMY_BYTES)
                return _TAXONOMY.decode(text).models, []
            except (OSError, msgspec.MsgspecError) as error:
                reason = f"it cannot be read: {one_line(error)}"
                unreadable.append(LeftOut(run=file.id, reason=reason))
        if not files:
            reason = "it is not there; `genscope suite report` measures it and keeps it"
            unreadable.append(LeftOut(run=TAXONOMY, reason=reason))
        return [], unreadable


def _decoded(answer: bytes, label: str) -> Figures | str:
    found = _CONTRIBUTION.decode(answer)
    if found.figures is None:
        return found.reason or _NOT_MARKED
    return unpacked(label, found.figures)


def _folder(file: TraceFile, model: str) -> str:
    """Where the suite was recorded to: the folder above MODEL/TASK/ATTENTION."""
    parents = PurePosixPath(file.path.replace("\\", "/")).parents
    named = len(parents) > 3 and parents[2].name == model
    return str(parents[3]) if named and "://" not in file.path else ""


def _inflated(head: bytes) -> bytes:
    if not head.startswith(b"\x1f\x8b"):
        return head
    try:
        return zlib.decompressobj(31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def _size(value: Any) -> int:
    if isinstance(value, Figures):
        return _CALL_BYTES * (1 + len(value.calls)) + 4096
    return len(value)
