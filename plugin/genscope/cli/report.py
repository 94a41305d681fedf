"""`genscope report PATH`: one view of one trace."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genscope.cli.errors import Unusable
from genscope.cli.limits import REPORTED, add_limits, limits_of
from genscope.cli.output import HTML, add_format, check, emit, write
from genscope.cli.sources import labels, read
from genscope.cli.views import VIEWS, View, add_view_options, given, values

if TYPE_CHECKING:
    import msgspec

PAGES = {
    "operators": "operators",
    "overview": "overview",
    "attention": "attention",
    "sequence": "attention",
    "phases": "phases",
    "spatial-temporal": "spacetime",
    "frames": "spacetime",
    "speedup": "speedup",
    "roofline": "roofline",
    "memory": "memory",
    "memory-growth": "memory",
    "scaling": "scaling",
}
"""The page of an HTML report that shows a view."""

AGAINST = "--against"
"""The option that an HTML report takes: one more run, which is the base."""

NAME = "report"
HELP = "Show where the time of one trace went."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `genscope report`."""
    parser.add_argument(
        "path",
        metavar="PATH",
        nargs="+",
        help="a trace (*.json, *.pftrace, also .gz), its fsspec URL, or a directory with one; "
        "several for views of several; for --view speedup also the baseline and the fused run",
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
    view = VIEWS[args.view]
    if args.view == "speedup" and len(args.path) == 2 and args.view_against is None:
        args.view_against = args.path.pop(0)
    options = given(args)
    check(args, [*args.path, *options.values()])
    if len(args.path) > 1 and view.of_each is None:
        raise Unusable(
            f"--view {args.view} takes one trace; `genscope compare` sets several side by side"
        )
    if args.format == HTML:
        _write_html(args, {option.flag: text for option, text in options.items()})
        return
    result = _result(view, args.path, **values(options))
    limits = limits_of(args)
    emit(result, args, lambda: view.document(result, limits))


def _write_html(args: argparse.Namespace, options: dict[str, str]) -> None:
    from genscope.cli import html

    refused = [flag for flag in options if flag != AGAINST]
    if refused:
        raise Unusable(f"an HTML report takes no {', '.join(refused)}")
    if args.view not in PAGES:
        raise Unusable(f"--view {args.view} has no HTML page yet; text, json and markdown have it")
    html.script()
    paths = [*([options[AGAINST]] if AGAINST in options else []), *args.path]
    runs = [
        html.reported(name, read(path)) for name, path in zip(labels(paths), paths, strict=True)
    ]
    write(html.page(runs, PAGES[args.view]), args)


def _result(view: View, paths: Sequence[str], **given: Any) -> msgspec.Struct:
    if view.of_each is None:
        return view.result(read(paths[0]), **given)
    # One trace at a time: results are small, traces are not.
    return view.over(zip(labels(paths), map(read, paths), strict=True), **given)
