"""HTTP as TensorBoard wants it: responses with the right headers, and handlers as WSGI apps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from tensorboard.backend import http_util
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Handler = Callable[[Request], Response]

_NOTHING = "default-src 'none'; sandbox"

_log = logging.getLogger(__name__)


class Refusal(Exception):
    """Raised by a handler to answer with an error; see `refuse`."""

    def __init__(self, code: int, message: str, file: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.file = file


class ErrorDetail(msgspec.Struct, kw_only=True):
    """What went wrong, and with which file (the id of a run) where it is one."""

    file: str | None = None
    message: str


class Error(msgspec.Struct, kw_only=True):
    """The body of a refusal."""

    error: ErrorDetail


def respond(
    request: Request, body: bytes, content_type: str, code: int = 200, *, expires_s: int = 0
) -> Response:
    """Return `body`, compressed if the client takes that; not cached unless `expires_s`."""
    response: Response = http_util.Respond(
        request, body, content_type, code=code, expires=expires_s
    )
    return response


def respond_json(request: Request, payload: Any, code: int = 200) -> Response:
    """Return `payload` (Structs, dicts, lists) as JSON that nobody stores."""
    response = respond(request, msgspec.json.encode(payload), "application/json", code)
    response.headers["Cache-Control"] = "no-store"
    # Text from traces is data: nothing may come of it, should a browser be led to show it.
    response.headers["Content-Security-Policy"] = _NOTHING
    return response


def respond_file(parts: Iterator[bytes], size_bytes: int, name: str) -> Response:
    """Return a file of so many bytes, sent as `parts` come; a browser offers it as `name`."""
    response = Response(parts, content_type="application/octet-stream")
    response.content_length = size_bytes
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # For pages of this origin alone: what hands a trace on to another does so by message.
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Content-Security-Policy"] = _NOTHING
    return response


def refuse(request: Request, code: int, message: str, file: str | None = None) -> Response:
    """Return an error for people and programs."""
    return respond_json(request, Error(error=ErrorDetail(file=file, message=message)), code)


def app(handler: Handler) -> WSGIApplication:
    """Wrap a handler of GET and HEAD; what it does not foresee becomes a line, never a trace."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        return _answer(handler, request)(environ, start_response)

    return serve


def _answer(handler: Handler, request: Request) -> Response:
    if request.method not in ("GET", "HEAD"):
        response = refuse(request, 405, f"{request.method} is not supported here, GET is.")
        response.headers["Allow"] = "GET, HEAD"
        return response
    try:
        return handler(request)
    except Refusal as refusal:
        return refuse(request, refusal.code, refusal.message, refusal.file)
    except Exception as error:
        _log.exception("%s failed", request.path)
        return refuse(
            request,
            500,
            f"GenScope failed to answer ({type(error).__name__}); TensorBoard's log has the "
            "details.",
        )
