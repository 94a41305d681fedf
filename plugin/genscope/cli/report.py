"""`genscope report PATH`: one view of one trace."""

from __future__ import annotations

import argparse

from genscope.cli.document import Limits
from genscope.cli.output import HTML, add_format, check, emit, write
from genscope.cli.sources import labels, read
from genscope.cli.views import VIEWS

NAME = "report"
HELP = "Show where the time of one trace went."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `genscope report`."""
    parser.add_argument(
        "path",
        metavar="PATH",
        help="a trace (*.json, *.json.gz), its fsspec URL, or a directory with one trace",
    )
    parser.add_argument(
        "--view",
        choices=list(VIEWS),
        default="operators",
        help="; ".join(f"{name}: {view.help}" for name, view in VIEWS.items()),
    )
    add_format(parser)
    parser.add_argument(
        "--depth",
        type=int,
        choices=(1, 2, 3),
        default=Limits.depth,
        help="text and markdown: 1 categories, 2 ops too, 3 kernels too (default: %(default)s)",
    )
    parser.add_argument(
        "--rows",
        type=positive,
        metavar="N",
        default=Limits.rows,
        help="text and markdown: at most N rows under each row (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> None:
    """Run `genscope report`."""
    check(args, [args.path])
    if args.format == HTML:
        from genscope.cli import html

        html.script()
        (label,) = labels([args.path])
        write(html.page([html.reported(label, read(args.path))], args.view), args)
        return
    view = VIEWS[args.view]
    result = view.result(read(args.path))
    limits = Limits(depth=args.depth, rows=args.rows)
    emit(result, args, lambda: view.document(result, limits))


def positive(text: str) -> int:
    """`text` as a number of at least 1, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number
