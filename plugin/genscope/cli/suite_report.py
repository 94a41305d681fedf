"""`genscope suite report FOLDER`: the paper's claims beside what the recorded suite shows."""

from __future__ import annotations

import argparse
import importlib
import os
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genscope.cli.errors import Unusable
from genscope.cli.output import HTML, add_format, check, emit, write
from genscope.cli.sources import labels, read, traces_in

if TYPE_CHECKING:
    from genscope.analysis.paper.results import LeftOut, ModelTaxonomy, PaperReport

HELP = "Set the paper's claims beside what recorded runs of the suite show."

_MOST_TRACES = 1000
_NEEDED = ("torch", "diffusers", "transformers")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `genscope suite report`."""
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        nargs="?",
        default="runs/suite",
        help="where `genscope suite run` has written (default: %(default)s)",
    )
    add_format(parser)
    parser.add_argument(
        "--no-taxonomy",
        action="store_true",
        help="do not build the models to measure them; a measurement that is there is used",
    )


def run(args: argparse.Namespace) -> None:
    """Run `genscope suite report`."""
    check(args, [args.folder])
    if args.format == HTML:
        from genscope.cli.html import script, single

        script()
        result = report(args.folder, measure=not args.no_taxonomy)
        write(single("paper", result), args)
        return
    result = report(args.folder, measure=not args.no_taxonomy)

    def present() -> Any:
        from genscope.cli.paper import document

        return document(result)

    emit(result, args, present)


def report(folder: str, *, measure: bool = True) -> PaperReport:
    """Read all runs under `folder`, one after the other, and judge. Raises `Unusable`.

    `measure` allows to build the models on the meta device, where their taxonomy is not there yet.
    """
    from genscope.analysis.paper.figures import NotOfTheSuite, figures
    from genscope.analysis.paper.results import LeftOut
    from genscope.analysis.paper.view import report as judged

    if not os.path.isdir(folder):
        raise Unusable(f"{folder}: no such directory; `genscope suite run` records one")
    paths = traces_in(folder, _MOST_TRACES)
    runs, left_out = [], []
    for label, path in zip(_labels(folder, paths), paths, strict=True):
        try:
            runs.append(figures(label, read(path)))
        except (NotOfTheSuite, Unusable) as error:
            left_out.append(LeftOut(run=label, reason=str(error)))
    models, missing = _taxonomy(Path(folder), measure)
    return judged(runs, models, [*left_out, *missing], folder=folder)


def _labels(folder: str, paths: list[str]) -> list[str]:
    """The folders of the traces, which say model, task and attention, where these tell them apart.

    Others go by their usual labels.
    """
    folders = [Path(os.path.relpath(os.path.dirname(path), folder)).as_posix() for path in paths]
    count = Counter(folders)
    return [
        label if place == "." or count[place] > 1 else place
        for place, label in zip(folders, labels(paths), strict=True)
    ]


def _taxonomy(folder: Path, measure: bool) -> tuple[list[ModelTaxonomy], list[LeftOut]]:
    """The taxonomy beside the runs; measured now where it is not there, if that can be."""
    import msgspec

    from genscope.analysis.paper.results import LeftOut, Taxonomy
    from genscope.trace.naming import TAXONOMY

    file = folder / TAXONOMY
    try:
        return msgspec.json.decode(file.read_bytes(), type=Taxonomy).models, []
    except FileNotFoundError:
        pass
    except (OSError, msgspec.MsgspecError) as error:
        return [], [LeftOut(run=TAXONOMY, reason=f"cannot be read: {error}")]
    if not measure:
        return [], [LeftOut(run=TAXONOMY, reason="it was not measured")]
    if absent := [name for name in _NEEDED if find_spec(name) is None]:
        reason = f"building the models needs {' and '.join(absent)}: pip install 'genscope[suite]'"
        return [], [LeftOut(run=TAXONOMY, reason=reason)]
    # Quiet libraries first; the command line itself never imports torch.
    importlib.import_module("genscope.suite.command").be_ready()
    found: Taxonomy = importlib.import_module("genscope.suite.taxonomy").taxonomy()
    file.write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    return found.models, []
