"""`genscope export TRACE`: the trace for Perfetto, with what GenScope found drawn on it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from genscope.cli.errors import Unusable
from genscope.cli.formatting import neutral
from genscope.cli.output import check
from genscope.cli.progress import reading
from genscope.cli.sources import read, resolve

if TYPE_CHECKING:
    from genscope.perfetto.results import Exported

NAME = "export"
HELP = "Write a trace for ui.perfetto.dev, with attention calls, phases and modules drawn on it."

PERFETTO, CHROME = "perfetto", "chrome"

_MEGABYTE = 1e6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `genscope export`."""
    parser.add_argument(
        "path",
        metavar="TRACE",
        help="a trace (*.json, *.json.gz), its fsspec URL, or a directory with one trace",
    )
    parser.add_argument(
        "--format",
        choices=(PERFETTO, CHROME),
        default=PERFETTO,
        help="perfetto: a native trace, small and quick to open; chrome: the same JSON with tracks "
        "added, its own events as they are (default: perfetto)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write to FILE, compressed if it ends in .gz (default: beside the trace, as *.pftrace "
        "or *.genscope.json)",
    )


def run(args: argparse.Namespace) -> None:
    """Run `genscope export`."""
    from genscope.trace import TraceError
    from genscope.trace.naming import is_native_name

    path = resolve(args.path)
    if is_native_name(path):
        raise Unusable(f"{path}: is a native trace already; what is exported is JSON")
    output = args.output = args.output or _beside(path, args.format)
    check(args, [path])
    if not os.path.isdir(os.path.dirname(output) or "."):
        raise Unusable(f"{output}: there is no such folder to write to")
    trace = read(path)
    try:
        with reading(os.path.basename(trace.path)) as progress:
            done = _exporters()[args.format](trace, output, progress=progress)
    except TraceError as error:
        raise Unusable(str(error)) from error
    for line in _told(done):
        print(neutral(line))


def _exporters() -> Mapping[str, Callable[..., Exported]]:
    from genscope.perfetto.chrome import export_chrome
    from genscope.perfetto.native import export_perfetto

    return {PERFETTO: export_perfetto, CHROME: export_chrome}


def _beside(path: str, form: str) -> str:
    """Where to write without being told. Raises `Unusable` where something is there already."""
    from genscope.trace.naming import SUFFIXES

    stem = path.rsplit("/", 1)[-1] if "://" in path else path
    suffix = next((one for one in SUFFIXES if stem.endswith(one)), "")
    stem = stem.removesuffix(suffix)
    ending = ".pftrace" if form == PERFETTO else ".genscope.json"
    if form == CHROME and suffix.endswith(".gz"):
        ending += ".gz"
    if os.path.lexists(stem + ending):
        raise Unusable(f"{stem + ending}: is there already; name it with -o to write over it")
    return stem + ending


def _told(done: Exported) -> list[str]:
    size = os.path.getsize(done.path) / _MEGABYTE
    flows = sum(done.flows.values())
    parts = [f"{done.slices:,} slices"]
    parts += [f"{done.asynchronous:,} asynchronous"] if done.asynchronous else []
    parts += [f"{flows:,} flows"] if flows else []
    lines = [f"{done.path}: {size:,.1f} MB, {', '.join(parts)}"]
    if done.derived:
        listed = ", ".join(f"{title} ({count:,})" for title, count in done.derived.items())
        lines.append(f"Added: {listed}")
    if done.further_lanes:
        lines.append(f"Tracks for slices that intersect others: {done.further_lanes:,}")
    for title, counts in (("Mended", done.repaired), ("Left out", done.left_out)):
        if counts:
            lines.append(f"{title}: " + ", ".join(f"{n:,} x {what}" for what, n in counts.items()))
    if done.unpaired:
        lines.append(f"{done.unpaired:,} asynchronous events have no begin or no end")
    if done.cut:
        lines.append(f"{done.cut:,} slices end early: too many intersect")
    return lines
