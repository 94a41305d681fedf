"""`genscope suite list` and `genscope suite run`, as the command line calls them."""

from __future__ import annotations

import argparse
import json
import os
from importlib.util import find_spec

from genscope.suite import table
from genscope.suite.errors import UnavailableError
from genscope.suite.options import SWEEPS
from genscope.suite.registry import NAMES

NEEDED = ("torch", "diffusers", "transformers")

QUIET = {
    "KINETO_LOG_LEVEL": "6",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_OFFLINE": "1",
}
"""Read when torch and transformers are imported: no log lines of theirs, no network."""


def be_ready() -> None:
    """Set the libraries up before they are imported.

    Raises:
        UnavailableError: One of them is not there.
    """
    if absent := [name for name in NEEDED if find_spec(name) is None]:
        raise UnavailableError(
            f"the models of the suite need {' and '.join(absent)}: pip install 'genscope[suite]'"
        )
    be_quiet()


def be_quiet() -> None:
    """Have the libraries write no lines of theirs, if they are not imported yet."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def listed(args: argparse.Namespace) -> str:
    """Return what `genscope suite list` prints."""
    return json.dumps(table.document(), indent=2) if args.format == "json" else table.text()


def run(args: argparse.Namespace) -> int:
    """Run `genscope suite run`; return its exit status, 1 if something could not be recorded.

    Raises:
        UnavailableError: Nothing of it can be recorded here.
        OSError: The output cannot be written to.
    """
    be_ready()
    import torch

    from genscope.suite import session

    torch.set_num_threads(args.threads)
    limits = {"max_events": args.max_events, "max_seconds": args.max_seconds}
    request = session.Request(
        output=args.output,
        models=args.models or NAMES,
        scale=args.scale,
        attention=args.attention,
        device=args.device,
        dtype=args.dtype,
        sweeps={name: values for name in SWEEPS if (values := getattr(args, name)) is not None},
        repeats=args.repeats,
        force=args.force,
        options={
            **{name: value for name, value in limits.items() if value is not None},
            **({"profile_memory": True} if args.memory else {}),
        },
    )
    outcome = session.run(request)
    said = [
        f"{len(found)} {word}"
        for word in ("recorded", "kept", "failed", "refused")
        if (found := getattr(outcome, word))
    ]
    request.say(f"{', '.join(said)}. Next: tensorboard --logdir {args.output}")
    return 1 if outcome.failed or outcome.refused else 0
