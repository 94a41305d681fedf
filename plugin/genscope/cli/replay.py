"""`genscope replay TRACE`: measure the trace's attention shapes on this machine's device.

What measures is a collector and imports torch, which the command line does not: it is looked up by
name when it is needed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING, Any

from genscope.cli.errors import Unusable
from genscope.cli.limits import COMPARED, add_limits, limits_of, positive
from genscope.cli.output import FORMATS, check, emit, write
from genscope.cli.sources import read

if TYPE_CHECKING:
    from genscope.analysis.speedup.results import Shape, Table, TableRow

NAME = "replay"
HELP = "Measure the attention shapes of a trace on this device, by implementation."

IMPLEMENTATIONS = ("eager", "math", "flash", "efficient", "cudnn")
"""What can be asked for; `genscope.collect.replay`, which says the same, imports torch."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `genscope replay`."""
    parser.add_argument(
        "path",
        metavar="TRACE",
        help="a trace (*.json, *.pftrace, also .gz), its fsspec URL, or a directory with one trace",
    )
    parser.add_argument(
        "--device", help="where to measure: cpu, cuda, cuda:1 (default: cuda if any)"
    )
    parser.add_argument(
        "--implementations",
        type=_names,
        metavar="A,B",
        help=f"which to measure, of {', '.join(IMPLEMENTATIONS)} (default: all there are)",
    )
    parser.add_argument(
        "--repeats",
        type=positive,
        default=20,
        metavar="N",
        help="calls to time of each shape and implementation (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds",
        type=_above_zero,
        default=2.0,
        metavar="S",
        help="most time for each shape and implementation; one call is always made "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--dtype", help="measure with this data type and not with the recorded ones"
    )
    parser.add_argument("--format", choices=list(FORMATS), help="on the output (default: text)")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write the table to FILE, as JSON unless --format says otherwise; "
        "`genscope report --view speedup --table FILE` takes it",
    )
    add_limits(parser, COMPARED)


def run(args: argparse.Namespace) -> None:
    """Run `genscope replay`."""
    check(args, [args.path])
    from genscope.cli.prediction import table_document

    table = _measured(args)
    if args.output is not None and args.format is None:
        args.format = "json"
        emit(table, args, lambda: table_document(table, limits_of(args)))
        # The table is in the file; what it says is for who waits for it.
        args.output = None
        args.format = "text"
        write(FORMATS["text"](table, lambda: table_document(table, limits_of(args))), args)
        return
    args.format = args.format or "text"
    emit(table, args, lambda: table_document(table, limits_of(args)))


def _measured(args: argparse.Namespace) -> Table:
    from genscope.analysis.speedup.results import Table
    from genscope.analysis.speedup.table import REPLAY, shapes_to_measure
    from genscope.analysis.work import file_name

    replay = _collector()
    device = args.device or replay.default_device()
    try:
        offered = replay.available(device)
    except ValueError as error:
        raise Unusable(f"{device}: attention cannot be measured there: {error}") from error
    names = args.implementations or offered
    trace = read(args.path)
    shapes, warnings = shapes_to_measure(trace, dtype=args.dtype)
    if not shapes:
        raise Unusable(f"{args.path}: it has no attention call whose lengths are known")
    rows = []
    for place, (shape, calls) in enumerate(shapes.items(), 1):
        _progress(f"{place} of {len(shapes)} shapes")
        rows.append(_row(replay, shape, calls, device, names, offered, args))
    _progress("")
    return Table(
        source=REPLAY,
        trace=file_name(trace),
        device=device,
        device_name=replay.device_name(device),
        torch=replay.torch_version(),
        rows=rows,
        warnings=warnings,
    )


def _row(
    replay: Any,
    shape: Shape,
    calls: int,
    device: str,
    names: tuple[str, ...],
    offered: tuple[str, ...],
    args: argparse.Namespace,
) -> TableRow:
    import msgspec

    from genscope.analysis.speedup.results import Skipped, TableRow, Timing

    found = replay.measure(
        replay.Shape(**msgspec.structs.asdict(shape)),
        device,
        [name for name in names if name in offered],
        repeats=args.repeats,
        seconds=args.seconds,
    )
    fields = ("implementation", "median_ns", "low_ns", "high_ns", "repeats")
    skipped = {
        **dict.fromkeys((name for name in names if name not in offered), f"not on {device}"),
        **found.skipped,
    }
    return TableRow(
        shape=shape,
        calls=calls,
        timings=[
            Timing(**{name: getattr(timing, name) for name in fields}) for timing in found.timings
        ],
        skipped=[Skipped(implementation=name, reason=why) for name, why in skipped.items()],
    )


def _collector() -> Any:
    try:
        return importlib.import_module("genscope.collect.replay")
    except ImportError as error:
        raise Unusable(
            f"measuring needs torch, which cannot be imported here ({error}): "
            "pip install 'genscope[collect]'"
        ) from error


def _progress(text: str) -> None:
    """Say on a terminal how far it is; an empty text clears the line."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _names(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in found:
        if name not in IMPLEMENTATIONS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(IMPLEMENTATIONS)}")
    if not found:
        raise argparse.ArgumentTypeError("there is no name in it")
    return found


def _above_zero(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value
