"""A result in one of the formats: on stdout with nothing else there, or in a file."""

from __future__ import annotations

import argparse
import codecs
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from genscope.cli.errors import Unusable

if TYPE_CHECKING:
    import msgspec

    from genscope.cli.document import Document

    Present = Callable[[], Document]

PIPE_WIDTH = 120
"""Columns of text output that no terminal limits, unless COLUMNS is set."""

_PLAIN = str.maketrans("µ…→–×█▒", "u~>-x#%")
"""What a terminal gets that cannot show these; one for one, so that columns stay in line."""


def _text(_: msgspec.Struct, present: Present) -> str:
    from rich.console import Console

    from genscope.cli.text import render

    terminal = sys.stdout is not None and sys.stdout.isatty()
    width = None if terminal or os.environ.get("COLUMNS") else PIPE_WIDTH
    console = Console(width=width, markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        render(present(), console)
    return captured.get()


def _markdown(_: msgspec.Struct, present: Present) -> str:
    from genscope.cli.markdown import render

    return render(present())


def _json(result: msgspec.Struct, _: Present) -> str:
    import msgspec

    return msgspec.json.encode(result).decode() + "\n"


FORMATS: dict[str, Callable[[msgspec.Struct, Present], str]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
}


HTML = "html"
"""The format that takes whole runs and not one result: see `genscope.cli.html`."""


def add_format(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options `--format` and `--output`."""
    parser.add_argument(
        "--format",
        choices=[*FORMATS, HTML],
        default="text",
        help="output format; html is one file with the charts, for a browser (default: text)",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write to FILE instead of the standard output"
    )


def check(args: argparse.Namespace, sources: Sequence[str]) -> None:
    """Refuse, before anything is read, what could not be written. Raises `Unusable`."""
    if args.output is not None:
        for source in sources:
            if os.path.exists(args.output) and os.path.exists(source):
                _check_other(args.output, source)
    elif args.format == HTML and sys.stdout is not None and sys.stdout.isatty():
        raise Unusable("an HTML report is not for a terminal; name a file for it with -o FILE")


def _check_other(output: str, source: str) -> None:
    if os.path.samefile(output, source):
        raise Unusable(f"{output}: this is what is read, so it cannot be what is written")


def emit(result: msgspec.Struct, args: argparse.Namespace, present: Present) -> None:
    """Write `result` as `args` ask; `present` makes its document if one is needed.

    Raises `OSError` where it cannot be written.
    """
    write(FORMATS[args.format](result, present), args)


def write(text: str, args: argparse.Namespace) -> None:
    """Write what is ready to where `args` ask. Raises `OSError` where it cannot be written."""
    if args.output is not None:
        with open(args.output, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        return
    if sys.stdout is None:
        raise OSError("there is no standard output to write to")
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(text)
        return
    encoding = "utf-8" if args.format in ("json", HTML) else sys.stdout.encoding
    rest = memoryview(text.encode(encoding, "genscope-plain"))
    while rest:
        # Unbuffered (`python -u`), one write takes no more than a pipe has room for.
        rest = rest[_written(buffer.write(rest)) :]
    buffer.flush()


def _written(count: int | None) -> int:
    if count is None:
        raise BlockingIOError("standard output takes no more, it does not block")
    return count


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", "replace").decode("ascii"), error.end


codecs.register_error("genscope-plain", _plain)
