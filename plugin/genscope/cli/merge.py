"""`genscope merge RANKS… -o FILE`: the ranks of a run as one Perfetto trace."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from genscope.cli.errors import Unusable
from genscope.cli.formatting import neutral
from genscope.cli.output import check
from genscope.cli.progress import reading
from genscope.cli.sources import traces_in

if TYPE_CHECKING:
    from genscope.perfetto.results import Exported, Merged, MergedRank
    from genscope.trace.source import Progress

NAME = "merge"
HELP = "Write the ranks of a run as one trace for ui.perfetto.dev, their clocks aligned."

MOST_RANKS = 4096

_MEGABYTE = 1e6
_ENDINGS = (".pftrace", ".pftrace.gz")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `genscope merge`."""
    parser.add_argument(
        "paths",
        metavar="RANK",
        nargs="+",
        help="the traces of the ranks (*.json, *.json.gz), or a directory with those of one run",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="write to FILE (*.pftrace), compressed if it ends in .gz",
    )


def run(args: argparse.Namespace) -> None:
    """Run `genscope merge`."""
    from genscope.perfetto.merge import merge_perfetto
    from genscope.trace import TraceError

    paths = _ranks(args.paths)
    check(args, paths)
    if not args.output.endswith(_ENDINGS):
        raise Unusable(f"{args.output}: what is written is a native trace: end it in .pftrace")
    if not os.path.isdir(os.path.dirname(args.output) or "."):
        raise Unusable(f"{args.output}: there is no such folder to write to")
    try:
        with ExitStack() as shown:

            def told(path: str) -> Progress | None:
                shown.close()
                return shown.enter_context(reading(os.path.basename(path)))

            done = merge_perfetto(paths, args.output, telling=told)
    except TraceError as error:
        raise Unusable(str(error)) from error
    for line in _lines(done):
        print(neutral(line))


def _ranks(paths: Sequence[str]) -> list[str]:
    from genscope.trace.naming import is_native_name

    found: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            # Native traces beside the ranks are what was made of them.
            found += [one for one in traces_in(path, MOST_RANKS) if not is_native_name(one)]
        elif is_native_name(path):
            raise Unusable(f"{path}: is a native trace already; what is merged is JSON")
        else:
            found.append(path)
    found = list(dict.fromkeys(found))
    if not found:
        raise Unusable(f"{paths[0]}: no JSON trace in this directory")
    return found


def _lines(done: Merged) -> list[str]:
    size = os.path.getsize(done.path) / _MEGABYTE
    slices, flows = (sum(getattr(one, what) for one in done.ranks) for what in ("slices", "flows"))
    count = f"{len(done.ranks):,} rank{'' if len(done.ranks) == 1 else 's'}"
    lines = [f"{done.path}: {size:,.1f} MB, {count}, {slices:,} slices, {flows:,} flows"]
    first, *others = done.ranks
    lines.append(f"rank {first.rank}: {_BY[first.clock]}")
    lines += [f"rank {one.rank}: {_clock(one)}" for one in others]
    if done.missing:
        missing = sum(last - first + 1 for first, last in done.missing)
        gaps = ", ".join(
            str(first) if first == last else f"{first}-{last}" for first, last in done.missing[:8]
        )
        more = ", …" if len(done.missing) > 8 else ""
        lines.append(f"{missing:,} of {done.world_size:,} ranks are missing: {gaps}{more}")
    for one in done.ranks:
        lines += [f"rank {one.rank}: {line}" for line in _losses(one.exported)]
    return lines


def _losses(done: Exported) -> list[str]:
    lines = []
    for title, counts in (("mended", done.repaired), ("left out", done.left_out)):
        if counts:
            listed = ", ".join(f"{n:,} x {what}" for what, n in counts.items())
            lines.append(f"{title} {listed}")
    if done.unpaired:
        lines.append(f"{done.unpaired:,} asynchronous events have no begin or no end")
    if done.cut:
        lines.append(f"{done.cut:,} slices end early: too many intersect")
    return lines


_BY = {
    "base": "clock by its epoch time",
    "recorded": "clock as recorded, for no rank tells its epoch time",
    "start": "tells no epoch time, laid to begin with the first that does",
}


def _clock(one: MergedRank) -> str:
    if not one.matched:
        return f"{_BY[one.clock]}; no collectives to match"
    apart = f"{one.matched:,} collectives matched, ends {_time(one.before_ns)} apart"
    if one.clock in _BY:
        return f"{_BY[one.clock]}, which agrees with collectives: {apart} (median)"
    return f"shifted by {_time(one.shift_ns)}: {apart}, then {_time(one.after_ns)} (median)"


def _time(nanos: int | None) -> str:
    micros = (nanos or 0) / 1e3
    if abs(micros) < 1e4:
        return f"{micros:,.1f} µs"
    return f"{micros / 1e3:,.1f} ms" if abs(micros) < 1e7 else f"{micros / 1e6:,.1f} s"
