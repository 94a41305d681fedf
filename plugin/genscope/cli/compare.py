"""`genscope compare A B…`: several traces side by side, the first is the base."""

from __future__ import annotations

import argparse

from genscope.cli.limits import COMPARED, add_limits, limits_of
from genscope.cli.output import HTML, add_format, check, emit, write
from genscope.cli.sources import labels, read

NAME = "compare"
PAGE = "operators"
"""The page that an HTML report opens with."""
HELP = "Compare where the time went in several traces; the first is the base."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `genscope compare`."""
    parser.add_argument(
        "base",
        metavar="A",
        help="the base: a trace (*.json, *.pftrace, also .gz), its fsspec URL, or a directory "
        "with one trace",
    )
    parser.add_argument("others", metavar="B", nargs="+", help="what to compare with it")
    add_format(parser)
    add_limits(parser, COMPARED)


def run(args: argparse.Namespace) -> None:
    """Run `genscope compare`."""
    from genscope.analysis.compare import compare
    from genscope.analysis.operators import breakdown
    from genscope.analysis.speedup import side_of
    from genscope.analysis.speedup.comparison import with_attention
    from genscope.cli.comparison import document

    paths = [args.base, *args.others]
    check(args, paths)
    # One trace at a time: results are small, traces are not.
    if args.format == HTML:
        from genscope.cli import html

        html.script()
        whole = zip(labels(paths), paths, strict=True)
        write(html.page([html.reported(name, read(path)) for name, path in whole], PAGE), args)
        return
    runs, sides = [], []
    for name, path in zip(labels(paths), paths, strict=True):
        trace = read(path)
        runs.append((name, breakdown(trace)))
        sides.append((name, side_of(trace)))
        del trace
    result = with_attention(compare(runs), sides)
    emit(result, args, lambda: document(result, limits_of(args)))
