"""The options that say how much of a tree to show."""

from __future__ import annotations

import argparse

from genscope.cli.document import Limits

REPORTED = Limits()
"""What `genscope report` shows unless told otherwise."""

COMPARED = Limits(depth=2, rows=10)
"""What `genscope compare` shows."""


def add_limits(parser: argparse.ArgumentParser, default: Limits) -> None:
    """Give `parser` the options `--depth` and `--rows`, with what `default` says."""
    parser.add_argument(
        "--depth",
        type=int,
        choices=(1, 2, 3),
        default=default.depth,
        help="text and markdown: 1 categories, 2 ops too, 3 kernels too (default: %(default)s)",
    )
    parser.add_argument(
        "--rows",
        type=positive,
        metavar="N",
        default=default.rows,
        help="text and markdown: at most N rows under each row (default: %(default)s)",
    )


def limits_of(args: argparse.Namespace) -> Limits:
    """What the options say."""
    return Limits(depth=args.depth, rows=args.rows)


def positive(text: str) -> int:
    """`text` as a number of at least 1, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number
