"""One file, served on this machine to the Perfetto UI until it was fetched.

The UI's own rules let it fetch from `http://127.0.0.1:9001` and no other local address. Only pages
of the UI's origin may read the answer, only under the name of this machine, and only this file:
what a request asks for is compared with one path and never opened.
"""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import IO
from urllib.parse import quote, urlsplit

UI = "https://ui.perfetto.dev"
PORT = 9001
"""The only port of this machine that the UI may fetch from."""

HOST = "127.0.0.1"

_CHUNK = 1 << 18
_TIMEOUT_S = 60.0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Else a second `genscope open` within a minute of the first would find the port taken.
    allow_reuse_address = os.name != "nt"


class Serving:
    """Serves the file at `path` while it is entered.

    `ui` is the address of the UI. Raises OSError where the file cannot be opened or the port is
    taken.
    """

    def __init__(self, path: str, *, ui: str = UI, port: int = PORT) -> None:
        self._path = path
        parts = urlsplit(ui)
        self._ui = ui.rstrip("/")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.place = "/" + quote(os.path.basename(path), safe="")
        self._fetched = threading.Event()
        self._thread: threading.Thread | None = None
        with open(path, "rb"):
            pass
        self._server = _Server((HOST, port), self._handler())
        self.port: int = self._server.server_port

    @property
    def address(self) -> str:
        """Where the file is served."""
        return f"http://{HOST}:{self.port}{self.place}"

    @property
    def link(self) -> str:
        """The address of the UI that opens the file."""
        return f"{self._ui}/#!/?url={quote(self.address, safe=':/')}"

    def __enter__(self) -> Serving:
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the whole file was fetched once, or for so long; say whether it was."""
        return self._fetched.wait(seconds)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        serving = self

        class Handler(_Handler):
            path_served = serving.place
            file_served = serving._path
            origin_allowed = serving.origin
            fetched = serving._fetched

        return Handler


class _Handler(BaseHTTPRequestHandler):
    """Answers for one path; its class attributes say which file, for whom."""

    path_served = ""
    file_served = ""
    origin_allowed = ""
    fetched: threading.Event

    protocol_version = "HTTP/1.1"
    server_version = "GenScope"
    sys_version = ""
    timeout = _TIMEOUT_S

    def do_GET(self) -> None:
        """Send the file."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Say how long the file is."""
        self._answer(with_body=False)

    def do_OPTIONS(self) -> None:
        """Answer the question whether a page of the UI may fetch it."""
        if not self._is_allowed():
            return
        self.send_response(204)
        self._headers_for_the_ui()
        self.send_header("Access-Control-Allow-Methods", "GET, HEAD")
        self.send_header("Access-Control-Max-Age", "600")
        if self.headers.get("Access-Control-Request-Private-Network") == "true":
            self.send_header("Access-Control-Allow-Private-Network", "true")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of requests."""

    def _answer(self, *, with_body: bool) -> None:
        if not self._is_allowed():
            return
        try:
            file = open(self.file_served, "rb")  # noqa: SIM115 - closed below
        except OSError:
            self._refuse(404)
            return
        with file:
            size = os.fstat(file.fileno()).st_size
            self.send_response(200)
            self._headers_for_the_ui()
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(size))
            self.end_headers()
            if with_body and self._send(file, size):
                self.fetched.set()

    def _send(self, file: IO[bytes], size: int) -> bool:
        """Send so many bytes; False where the file has fewer or nobody listens any more."""
        self.close_connection = True
        try:
            while size > 0:
                part = file.read(min(size, _CHUNK))
                if not part:
                    return False
                self.wfile.write(part)
                size -= len(part)
            self.wfile.flush()
        except OSError:
            return False
        return True

    def _is_allowed(self) -> bool:
        """Refuse other paths, pages of other origins, and other names of this machine.

        A page elsewhere could have its own name point here, and would then be of one origin with
        what is served: so the name that a request used is looked at as well.
        """
        server = self.server
        port = server.server_port if isinstance(server, ThreadingHTTPServer) else PORT
        named = self.headers.get("Host") in (f"{HOST}:{port}", f"localhost:{port}")
        if not named or self.headers.get("Origin", self.origin_allowed) != self.origin_allowed:
            self._refuse(403)
        elif self.path != self.path_served:
            self._refuse(404)
        else:
            return True
        return False

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _headers_for_the_ui(self) -> None:
        self.send_header("Access-Control-Allow-Origin", self.origin_allowed)
        self.send_header("Vary", "Origin")
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
