"""A result on stdout in one of the formats, and nothing else there."""

from __future__ import annotations

import argparse
import codecs
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

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


def add_format(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the option `--format`."""
    parser.add_argument(
        "--format", choices=list(FORMATS), default="text", help="output format (default: text)"
    )


def emit(result: msgspec.Struct, style: str, present: Present) -> None:
    """Write `result` to stdout in format `style`; `present` makes its document if one is needed.

    Raises `OSError` where stdout cannot be written.
    """
    text = FORMATS[style](result, present)
    if sys.stdout is None:
        raise OSError("there is no standard output to write to")
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(text)
        return
    encoding = "utf-8" if style == "json" else sys.stdout.encoding
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
