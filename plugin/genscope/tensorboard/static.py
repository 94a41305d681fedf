"""Serving the built page: the files of one folder, and nothing beside them."""

from __future__ import annotations

import re
from pathlib import Path

from werkzeug.wrappers import Request, Response

from genscope.tensorboard.http import Handler, refuse, respond

ENTRY = "/index.js"
"""Route of the module that TensorBoard loads; the names of assets are relative to it."""

ASSETS = "/assets/"

FOLDER = Path(__file__).parent / "static"
"""Where the build of the front end puts the page; not there in a fresh checkout."""

_DAY_S = 86_400
_HASHED = re.compile(r"-[\w-]{8,}\.\w+")

_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
}

_NOT_BUILT = b"""\
export function render() {
  const text = document.createElement("p");
  text.style.font = "14px/1.5 Roboto, sans-serif";
  text.style.margin = "24px";
  text.textContent =
    "The GenScope page is not built in this checkout: run `npm ci && npm run build` " +
    "in its frontend folder, then reload.";
  document.body.append(text);
}
"""


class Static:
    """Handlers of the files in `folder`, the output of the front end's build."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by route."""
        return {ENTRY: self.entry, f"{ASSETS}*": self.asset}

    def entry(self, request: Request) -> Response:
        """Serve the entry module, or one that says how to build it."""
        try:
            body = (self._folder / "index.js").read_bytes()
        except OSError:
            body = _NOT_BUILT
        return respond(request, body, _TYPES[".js"])

    def asset(self, request: Request) -> Response:
        """Serve a file of the folder `assets`, looked up among those that are there."""
        name = request.path.partition(ASSETS)[2]
        path = self._assets().get(name)
        if path is None:
            return refuse(request, 404, "The page has no such file; reload it.")
        content_type = _TYPES.get(path.suffix, "application/octet-stream")
        # A name with a hash never changes its content.
        expires_s = _DAY_S if _HASHED.search(name) else 0
        return respond(request, path.read_bytes(), content_type, expires_s=expires_s)

    def _assets(self) -> dict[str, Path]:
        root = self._folder / "assets"
        return {
            path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()
        }
