"""`python -m genscope.suite.demo`: fill a logdir with traces to look at.

Profiles each model on the CPU, once with math and once with fused attention, and puts the
recorded GPU traces of the checkout beside them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from genscope.suite import recorded

# Named here too, since a look at what is there already must not wait for torch to be imported.
MODELS = ("stable-diffusion", "llama")
ATTENTION = ("math", "flash")
NEEDED = ("torch", "diffusers", "transformers")

# Read when torch and transformers are imported: no log lines between those of the demo, no network.
QUIET = {"KINETO_LOG_LEVEL": "6", "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_OFFLINE": "1"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo, and return its exit status.

    0 if every run is there; 1 if one could not be recorded as asked; 2 if a package is missing or
    the logdir cannot be written to; 130 if interrupted.
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
        status = _record_models(out, options.steps, options.threads, options.force)
        _place_recorded(out, options.force)
    except KeyboardInterrupt:
        _complain("Stopped. What was finished is kept; run the same command to go on.")
        return 130
    if status == 0:
        _say(f"Ready in {time.perf_counter() - start:.0f} s. Next:")
        _say(f"  tensorboard --logdir {out}")
        _say(f"  genscope compare {' '.join(str(out / MODELS[0] / name) for name in ATTENTION)}")
    return status


def _record_models(out: Path, steps: int | None, threads: int, force: bool) -> int:
    missing = []
    for model in MODELS:
        have = {name: _traces(out / model / name) for name in ATTENTION}
        for name, traces in have.items():
            if traces and not force:
                _say(f"{model}/{name}: kept {_file(traces[-1])}; --force records it again")
        wanted = [name for name in ATTENTION if force or not have[name]]
        if wanted:
            missing.append((model, wanted))
    if not missing:
        return 0
    if absent := [name for name in NEEDED if find_spec(name) is None]:
        _complain(
            f"To record models, install {' and '.join(absent)}: pip install 'genscope[suite]'"
        )
        return 2
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    return max([_record(out, model, names, steps, threads) for model, names in missing])


def _record(
    out: Path, model: str, attention: Sequence[str], steps: int | None, threads: int
) -> int:
    import torch

    from genscope.collect.switch import AttentionUnavailableError, WrongAttentionError
    from genscope.suite.record import NotRecordedError, record
    from genscope.suite.workloads import BUILD

    torch.set_num_threads(threads)
    workload = BUILD[model](steps)
    _say(
        f"{model}: {workload.parameters / 1e6:.1f} M random weights, {workload.task}, "
        f"{'one thread' if threads == 1 else f'{threads} threads'}"
    )
    status = 0
    for name in attention:
        try:
            made = record(
                name,
                out / model / name,
                model=workload.model,
                warm_up=workload.warm_up,
                run=workload.run,
            )
        except (AttentionUnavailableError, WrongAttentionError, NotRecordedError) as error:
            _complain(f"{model}/{name}: NOT RECORDED: {error}")
            status = 1
            continue
        _say(
            f"{model}/{name}: warm-up {made.warm_up_s:.1f} s, recorded {made.recorded_s:.1f} s; "
            f"all {made.attention_calls} attention calls ran as {name}; wrote {_file(made.path)}"
        )
    return status


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


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {value}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m genscope.suite.demo",
        description="Fill a logdir with traces: small real models profiled on this CPU with math "
        "and with fused attention, and recorded GPU traces. Runs that are there are kept.",
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
        "--steps",
        type=_positive,
        metavar="N",
        help="denoising steps of Stable Diffusion (default: 3); each adds 0.5 MB to its traces",
    )
    parser.add_argument(
        "--threads",
        type=_positive,
        default=1,
        metavar="N",
        help="CPU threads (default: 1, the steadiest for ops this small)",
    )
    parser.add_argument("--force", action="store_true", help="record runs again that are there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
