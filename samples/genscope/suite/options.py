"""What `genscope suite` takes. Imports nothing heavy, since it is read for `--help` too."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from genscope.suite.registry import NAMES, ROWS

SCALES = ("tiny", "paper")
DTYPES = ("float32", "float16", "bfloat16")
SWEEPS = ("steps", "image_size", "frames", "tokens", "prompt")
"""Options with one or more values, each recorded by itself."""

RUN_HELP = "Record models of the suite, each with baseline and with fused attention."
LIST_HELP = "List the models of the suite and what is published of them."

RUN_EPILOG = """\
Traces go to OUTPUT/MODEL/TASK/ATTENTION, as in runs/suite/muse/tiny/flash. What is there already is
passed over, so the same command goes on after an interruption. Scale tiny runs anywhere, in a
second or two a model; paper has the published sizes and needs a GPU. A run that is longer than the
limits of a recording is told before it is recorded: Parti at paper scale, with its 1024 tokens, is.
"""


def add_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `genscope suite list`."""
    parser.add_argument("--format", choices=("text", "json"), default="text")


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `genscope suite run`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = RUN_EPILOG
    parser.add_argument(
        "--models",
        type=models,
        metavar="A,B",
        help=f"which, of {', '.join(NAMES)}; `paper` is those of the paper (default: all)",
    )
    parser.add_argument("--scale", choices=SCALES, default="tiny", help="default: %(default)s")
    parser.add_argument(
        "--attention",
        type=_attention,
        default=("math", "flash"),
        metavar="A,B",
        help="baseline and fused implementation, or one alone (default: math,flash)",
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1 (default: cuda if any)")
    parser.add_argument(
        "--dtype", choices=DTYPES, help="default: bfloat16 on a GPU, float32 on a CPU"
    )
    add_sweeps(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("runs/suite"),
        metavar="FOLDER",
        help="where to write (default: %(default)s)",
    )
    parser.add_argument(
        "--repeats",
        type=positive,
        default=3,
        metavar="N",
        help="timed runs of each without a profiler (default: %(default)s)",
    )
    parser.add_argument(
        "--max-events",
        type=positive,
        metavar="N",
        help="end a recording early beyond so many events, as estimated from the calls of models "
        "(default: 1,000,000; at paper scale 4,000,000, for which torch needs some 16 GB)",
    )
    parser.add_argument(
        "--max-seconds",
        type=positive,
        metavar="N",
        help="end a recording early after so long (default: 60; at paper scale 900)",
    )
    parser.add_argument(
        "--threads", type=positive, default=1, metavar="N", help="CPU threads (default: 1)"
    )
    parser.add_argument(
        "--memory", action="store_true", help="record allocations too (for the view memory)"
    )
    parser.add_argument("--force", action="store_true", help="record again what is there")


def add_sweeps(parser: argparse.ArgumentParser) -> None:
    """Declare what changes the task of a model; each takes several values."""
    words = {
        "steps": "steps of the generator; those of later stages in proportion",
        "image_size": "side of the image or frame in pixels",
        "frames": "frames of a video",
        "tokens": "tokens of an autoregressive model",
        "prompt": "tokens of its prompt",
    }
    for name in SWEEPS:
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=_numbers,
            metavar="N,M",
            help=f"{words[name]}; says nothing to models without",
        )


def positive(text: str) -> int:
    """Read a number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {value}")
    return value


def _listed(read: Callable[[str], str | int], text: str) -> tuple[str | int, ...]:
    found = tuple(dict.fromkeys(read(part.strip()) for part in text.split(",") if part.strip()))
    if not found:
        raise argparse.ArgumentTypeError("there is nothing in it")
    return found


def _numbers(text: str) -> tuple[str | int, ...]:
    return _listed(positive, text)


def _attention(text: str) -> tuple[str | int, ...]:
    found = _listed(str, text)
    if len(found) > 2:
        raise argparse.ArgumentTypeError("at most two: baseline and fused")
    return found


def models(text: str) -> tuple[str, ...]:
    """Read names of models, each once; `paper` is those of the paper."""
    wanted: list[str] = []
    for name in _listed(str, text):
        of_paper = [row.name for row in ROWS if row.in_paper]
        wanted += of_paper if name == "paper" else [str(name)]
    for name in wanted:
        if name not in NAMES:
            raise argparse.ArgumentTypeError(
                f"no model is called {name!r}; there are {', '.join(NAMES)}"
            )
    return tuple(dict.fromkeys(wanted))
