"""`genscope report PATH`: one view of one trace."""

from __future__ import annotations

import argparse

from genscope.cli.errors import Unusable
from genscope.cli.limits import REPORTED, add_limits, limits_of
from genscope.cli.output import HTML, add_format, check, emit, write
from genscope.cli.sources import labels, read
from genscope.cli.views import VIEWS, add_view_options, given, values

PAGES = ("operators", "overview")
"""Views that have a page in an HTML report."""

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
    add_limits(parser, REPORTED)
    add_view_options(parser)


def run(args: argparse.Namespace) -> None:
    """Run `genscope report`."""
    options = given(args)
    check(args, [args.path, *options.values()])
    if args.format == HTML:
        from genscope.cli import html

        if args.view not in PAGES:
            known = " and ".join(PAGES)
            raise Unusable(f"an HTML report has no page for --view {args.view} yet, only {known}")
        if options:
            flags = ", ".join(option.flag for option in options)
            raise Unusable(f"an HTML report takes no {flags}")
        html.script()
        (label,) = labels([args.path])
        write(html.page([html.reported(label, read(args.path))], args.view), args)
        return
    view = VIEWS[args.view]
    result = view.result(read(args.path), **values(options))
    limits = limits_of(args)
    emit(result, args, lambda: view.document(result, limits))
