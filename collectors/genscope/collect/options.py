"""What `genscope run` takes. Imports nothing, since it is read for `--help` too."""

from __future__ import annotations

import argparse
import re

DESCRIPTION = "Profile a script as it is: no change to its code, no profiler in it."
EPILOG = """\
What is recorded: the model calls of the script, each called the outermost call of an nn.Module,
from the first one on. Steps count such calls: of a diffusion pipeline the text encoder first, then
one for each denoising step; of a language model one for each token.
"""

_WINDOW = re.compile(r"([0-9]*)(?:(:)([0-9]*))?")


def window(text: str) -> tuple[int, int | None]:
    """Read `2:5`, `2:`, `:5` or `2` as the first step and the one after the last."""
    found = _WINDOW.fullmatch(text)
    if not text or found is None or text == ":":
        raise argparse.ArgumentTypeError(f"{text!r} is no window of steps such as 2:5")
    first = int(found[1] or 0)
    last = (int(found[3]) if found[3] else None) if found[2] else first + 1
    if last is not None and last <= first:
        raise argparse.ArgumentTypeError(f"{text!r} has no step in it")
    return first, last


def names(text: str) -> tuple[str, ...]:
    """Read names with commas between them, each once."""
    found = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not found:
        raise argparse.ArgumentTypeError("there is no name in it")
    return found


def named_classes(text: str) -> dict[str, str]:
    """Read `generator=UNet,critic=Critic`."""
    found = dict(part.strip().partition("=")[::2] for part in text.split(",") if part.strip())
    if not found or not all(name and kind for name, kind in found.items()):
        raise argparse.ArgumentTypeError(f"{text!r} does not read NAME=CLASS,…")
    return found


def count(text: str) -> int:
    """Read a whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def limit(text: str) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return value


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `genscope run`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.usage = "%(prog)s [options] (script.py | -m module) [its arguments]"
    parser.add_argument(
        "--attention",
        type=names,
        metavar="A,B",
        help="run with this attention implementation; with several, once in a fresh process each",
    )
    parser.add_argument(
        "--steps",
        type=window,
        default=(0, None),
        metavar="WINDOW",
        help="which model calls to record, as in 2:5 for the third to the fifth (default: all)",
    )
    parser.add_argument(
        "--warmup",
        type=count,
        default=0,
        metavar="N",
        help="model calls to let pass before steps are counted (default: 0)",
    )
    parser.add_argument(
        "--max-seconds",
        type=limit,
        metavar="S",
        help="end the recording, not the script, after so many seconds (default: 60)",
    )
    parser.add_argument(
        "--max-events",
        type=limit,
        metavar="N",
        help="the same after about so many events (default: 1,000,000)",
    )
    parser.add_argument(
        "--components",
        type=named_classes,
        metavar="NAME=CLASS,…",
        help="what to call parts of the model that are not found by themselves, by their class",
    )
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", help="folder of the traces (default: runs/<script>)"
    )
    parser.add_argument(
        "--worker", metavar="NAME", help="name of this process in the file name (default: its rank)"
    )
    parser.add_argument(
        "-m", dest="as_module", action="store_true", help="run a module, as python -m does"
    )
    # All that follows the script is the script's, a lone -- too.
    parser.add_argument("program", nargs=argparse.PARSER, help=argparse.SUPPRESS)
