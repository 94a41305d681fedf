"""The routes of the page Trace: a trace as it lies there, or with what was found drawn on it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from werkzeug.wrappers import Request, Response

from genscope.tensorboard.cache import Cache, key_of
from genscope.tensorboard.discovery import Discovery, TraceFile
from genscope.tensorboard.exports import ANNOTATED, FORMS, FORMS_OF_JSON, ORIGINAL
from genscope.tensorboard.files import file_system_of
from genscope.tensorboard.http import Handler, Refusal, respond_file, respond_json
from genscope.tensorboard.loader import Loader
from genscope.tensorboard.query import run_of
from genscope.tensorboard.routes import pending_of
from genscope.tensorboard.views import Ask

_ASK = Ask(FORMS)
_ODD = re.compile(r"[^\w.-]+")


class Sent:
    """Handlers over a discovery, a loader, and the cache that the loader keeps exports in."""

    def __init__(self, discovery: Discovery, loader: Loader, cache: Cache) -> None:
        self._discovery = discovery
        self._loader = loader
        self._cache = cache

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by route."""
        return {f"/{FORMS}": self.forms, "/trace": self.trace}

    def forms(self, request: Request) -> Response:
        """Say in which forms there is `run`; the annotated one is made for it."""
        file = self._file(request)
        answer = self._asked(request, file)
        return (
            answer if isinstance(answer, Response) else respond_json(request, msgspec.Raw(answer))
        )

    def trace(self, request: Request) -> Response:
        """Give the bytes of `run` in a `form`."""
        form = request.args.get("form", ORIGINAL)
        if form not in (ORIGINAL, ANNOTATED):
            raise Refusal(400, f"form is {ORIGINAL} or {ANNOTATED}.")
        file = self._file(request)
        if form == ORIGINAL:
            return self._original(request, file)
        return self._annotated(request, file)

    def _original(self, request: Request, file: TraceFile) -> Response:
        size = file.stamp.size_bytes
        return self._stream(request, file, file.path, file.file, size)

    def _annotated(self, request: Request, file: TraceFile) -> Response:
        answer = self._asked(request, file)
        if isinstance(answer, Response):
            return answer
        forms = FORMS_OF_JSON.decode(answer)
        if forms.annotated is None:
            raise Refusal(422, forms.reason or "", file.id)
        key = key_of(file.path, file.stamp)
        path = None if key is None else self._cache.export(key)
        if path is None:
            # It had to make room for others since.
            self._loader.forget(file, _ASK)
            answer = self._asked(request, file)
            if isinstance(answer, Response):
                return answer
            raise Refusal(500, "The annotated form is gone as soon as it is made.", file.id)
        size = path.stat().st_size
        return self._stream(request, file, str(path), forms.annotated.file, size)

    def _asked(self, request: Request, file: TraceFile) -> bytes | Response:
        """The JSON of the forms of `file`, or how far they are. Raises Refusal."""
        status = self._loader.request(file, _ASK)
        if status.answer is not None:
            return status.answer
        if status.error is not None:
            raise Refusal(422, status.error, file.id)
        return respond_json(request, pending_of(status), 202)

    def _stream(
        self, request: Request, file: TraceFile, path: str, name: str, size: int
    ) -> Response:
        parts: Iterator[bytes] = iter(())
        if request.method == "GET":
            try:
                parts = file_system_of(path).parts(path, size)
            except OSError as error:
                raise Refusal(404, "The file is not there any more.", file.id) from error
        return respond_file(parts, size, _ODD.sub("_", name))

    def _file(self, request: Request) -> TraceFile:
        run = run_of(request)
        file = self._discovery.find(run)
        if file is None:
            raise Refusal(404, "There is no such run under the logdir (any more).", run)
        return file
