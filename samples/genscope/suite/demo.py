"""`python -m genscope.suite.demo`: fill a logdir with traces to look at.

Records the whole suite at tiny scale, each model with math and with fused attention, two models at
further sizes, what the models are at paper scale, and puts the recorded GPU traces of the checkout
beside it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from genscope.suite import command, recorded
from genscope.suite.errors import UnavailableError
from genscope.suite.options import models, positive
from genscope.suite.registry import NAMES

ATTENTION = ("math", "flash")
SWEEPS = {
    "stable-diffusion": {"image_size": {"tiny-64px": 64, "tiny-128px": 128}},
    "make-a-video": {"frames": {"tiny-4frames": 4, "tiny-16frames": 16}},
}
"""Further sizes of models, by the field of their task, each with its folder."""
FIRST = "stable-diffusion"
"""The model that the next steps name."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo, and return its exit status.

    0 if every run is there; 1 if one could not be recorded; 2 if a package is missing or the logdir
    cannot be written to; 130 if interrupted.
    """
    options = _parser().parse_args(argv)
    out: Path = options.output
    start = time.perf_counter()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _complain(f"Cannot write to {out}: {error.strerror}")
        return 2
    try:
        status = _record_models(out, options.models or NAMES, options.threads, options.force)
        _place_recorded(out, options.force)
    except KeyboardInterrupt:
        _complain("Stopped. What was finished is kept; run the same command to go on.")
        return 130
    if status == 0:
        _say(f"Ready in {time.perf_counter() - start:.0f} s. Next:")
        _say(f"  tensorboard --logdir {out}")
        pair = " ".join(str(out / FIRST / "tiny" / name) for name in ATTENTION)
        _say(f"  genscope compare {pair}")
    return status


def _record_models(out: Path, models: Sequence[str], threads: int, force: bool) -> int:
    # A look at what is there already must not wait for torch to be imported.
    tasks = [out / model / "tiny" for model in models]
    tasks += [
        out / model / folder
        for model, sweep in SWEEPS.items()
        if model in models
        for sizes in sweep.values()
        for folder in sizes
    ]
    folders = [task / name for task in tasks for name in ATTENTION]
    if not force and all(_traces(folder) for folder in folders):
        for folder in folders:
            _say(f"{folder.relative_to(out)}: kept {_file(_traces(folder)[-1])}")
        return 0
    try:
        command.be_ready()
        import torch

        from genscope.suite import session

        torch.set_num_threads(threads)
        usual = session.Request(
            out,
            models,
            device="cpu",
            attention=ATTENTION,
            repeats=1,
            force=force,
            options={"profile_memory": True},
        )
        failed = session.run(usual).failed
        for model, sweep in SWEEPS.items():
            if model in models:
                sizes = {field: list(found.values()) for field, found in sweep.items()}
                failed += session.run(replace(usual, models=[model], sweeps=sizes)).failed
        if set(models) == set(NAMES):
            _measure_models(out)
    except UnavailableError as error:
        _complain(str(error))
        return 2
    return 1 if failed else 0


def _measure_models(out: Path) -> None:
    """Keep what all models are beside the runs, where the page Paper looks for it."""
    from genscope.trace.naming import TAXONOMY

    file = out / TAXONOMY
    if not file.exists():
        from genscope.suite.taxonomy import taxonomy

        _say(f"{TAXONOMY}: measuring the models at paper scale, without memory for them")
        file.write_bytes(msgspec.json.encode(taxonomy()))


def _place_recorded(out: Path, force: bool) -> None:
    sources = recorded.folders()
    if not sources:
        _say("recorded: no GPU traces here; they come with the source checkout, in samples/traces")
    for source in sources:
        target = out / "recorded" / source.name
        verb = "copied" if recorded.place(source, target, force=force) else "kept"
        for trace in _traces(target):
            _say(f"recorded/{source.name}: {verb} {_file(trace)}")


def _traces(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.pt.trace.json.gz"))


def _file(path: Path) -> str:
    return f"{path} ({path.stat().st_size / 1e6:.1f} MB)"


def _say(line: str) -> None:
    print(line, flush=True)


def _complain(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m genscope.suite.demo",
        description="Fill a logdir with traces: the model suite in small, profiled on this CPU "
        "with math and fused attention, and recorded GPU traces. Runs that are there are kept.",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("runs"),
        metavar="LOGDIR",
        help="where to write (default: %(default)s)",
    )
    parser.add_argument(
        "--models", type=models, metavar="A,B", help="which of the suite (default: all)"
    )
    parser.add_argument(
        "--threads",
        type=positive,
        default=1,
        metavar="N",
        help="CPU threads (default: 1, the steadiest for ops this small)",
    )
    parser.add_argument("--force", action="store_true", help="record runs again that are there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
