"""`genscope open TRACE`: the trace in the Perfetto UI."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack

from genscope.cli.errors import Unusable
from genscope.cli.sources import read, resolve

NAME = "open"
HELP = "Open a trace in the Perfetto UI: serve it on this machine until the UI has fetched it."

_UI = "https://ui.perfetto.dev"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `genscope open`."""
    parser.add_argument(
        "path",
        metavar="TRACE",
        help="a trace (*.json, *.pftrace, also .gz) or a directory with one trace",
    )
    parser.add_argument(
        "--annotated",
        action="store_true",
        help="export it first, with what GenScope found in it drawn on it",
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="only print the link, for a browser elsewhere"
    )
    parser.add_argument(
        "--ui", metavar="URL", default=_UI, help=f"a Perfetto UI of your own (default: {_UI})"
    )


def run(args: argparse.Namespace) -> None:
    """Run `genscope open`."""
    if "://" in args.path:
        raise Unusable(f"{args.path}: is not on this machine; copy it here and open the copy")
    path = resolve(args.path)
    if not args.ui.startswith(("https://", "http://")):
        raise Unusable(f"--ui {args.ui}: must begin with https:// or http://")
    with ExitStack() as stack:
        if args.annotated:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="genscope-"))
            path = _annotated(path, folder)
        _serve(path, args.ui, browser=not args.no_browser)


def _annotated(path: str, folder: str) -> str:
    """Export a trace into `folder`; return where it is."""
    from genscope.perfetto.native import export_perfetto
    from genscope.trace import TraceError
    from genscope.trace.naming import stem
    from genscope.trace.sniff import HEAD_BYTES, looks_native

    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
        if looks_native(head):
            raise Unusable(f"{path}: --annotated is for JSON traces, and this is a native one")
        target = os.path.join(folder, f"{stem(os.path.basename(path))}.pftrace")
        export_perfetto(read(path), target)
    except TraceError as error:
        raise Unusable(str(error)) from error
    except OSError as error:
        raise Unusable(f"{path}: cannot be exported: {error.strerror or error}") from error
    return target


def _serve(path: str, ui: str, *, browser: bool) -> None:
    from genscope.perfetto.serve import PORT, Serving

    try:
        serving = Serving(path, ui=ui, port=PORT)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Unusable(
                f"{path}: port {PORT} of this machine is in use, and the UI may fetch from no "
                "other; end what uses it (another `genscope open`, or trace_processor)"
            ) from error
        raise Unusable(f"{path}: {error.strerror or error}") from error
    with serving:
        if browser and can_show(os.environ, sys.platform) and _show(serving.link):
            print(f"Opening {serving.link}")
        else:
            print(f"Open this in a browser on this machine:\n  {serving.link}")
            print(
                "With the browser on another machine, first run this there:\n"
                f"  ssh -N -L {PORT}:127.0.0.1:{PORT} {_here(os.environ)}"
            )
        print("Waiting until the UI has fetched the trace (Ctrl-C ends this).", flush=True)
        while not serving.wait(3600):
            pass
    print("The UI has the trace.")


def can_show(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a browser that is started here has a screen that somebody sees."""
    if "SSH_CONNECTION" in environment and "DISPLAY" not in environment:
        return False
    if platform in ("darwin", "win32", "cygwin"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _show(link: str) -> bool:
    import webbrowser

    try:
        return webbrowser.open(link, new=2)
    except webbrowser.Error:
        return False


def _here(environment: Mapping[str, str]) -> str:
    """How this machine is reached by ssh: the address that somebody came by, else its name."""
    parts = environment.get("SSH_CONNECTION", "").split()
    if len(parts) == 4:
        return parts[2]
    import socket

    return socket.gethostname()
