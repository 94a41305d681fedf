"""`genscope plan`: what a run would take that nobody has made, without its weights or its GPU.

What follows the model imports torch, which the command line does not: it is looked up by name.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genscope.cli.errors import Unusable
from genscope.cli.limits import positive
from genscope.cli.output import FORMATS, emit

if TYPE_CHECKING:
    from genscope.analysis.plan.model import Model
    from genscope.analysis.plan.results import PlanResult
    from genscope.analysis.roofline.devices import DeviceRates
    from genscope.trace.plan.document import Plan

NAME = "plan"
HELP = "Predict a run of a model on a device, without its weights and without the device."
EPILOG = """\
A SCRIPT is path.py:function or module:function. The function is called without arguments, where
whatever is constructed has no memory; it returns a module or pipeline and a function that runs it:

    def planned():
        model = Net()
        return model, lambda: model(torch.zeros(8, 3, 224, 224, device="meta"))

It may not load weights, read values that they lead to, or take other devices than that.

The result is a trace in which every op has the time that the device's rates allow, over what runs
that were measured (--like) reached of them. All commands and the TensorBoard page read it, and say
that it is predicted.
"""

CPU = "cpu"
BOTH = "both"
BASELINE, FUSED = "math", "flash"
_OPTIONS = (
    ("--image-size", "image_size", "side of the image or frame, in pixels"),
    ("--frames", "frames", "frames of a video"),
    ("--steps", "steps", "denoising steps"),
    ("--tokens", "tokens", "tokens to generate"),
    ("--prompt", "prompt", "tokens of the prompt"),
)
_DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `genscope plan`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("model", metavar="MODEL", help="a model of the suite, or a SCRIPT")
    parser.add_argument(
        "--device", default="h100", metavar="NAME", help="h100, a100, … or cpu (default: h100)"
    )
    parser.add_argument("--devices", metavar="FILE", help="a table of further devices, in TOML")
    parser.add_argument(
        "--dtype", metavar="TYPE", help="bf16, fp16, fp32 (default: bf16; fp32 on a CPU)"
    )
    parser.add_argument("--scale", choices=("paper", "tiny"), default="paper", help="of the suite")
    parser.add_argument(
        "--attention",
        choices=(BASELINE, FUSED, BOTH),
        default=BOTH,
        help="math, flash, or both and what the second gains (default: both)",
    )
    for flag, name, words in _OPTIONS:
        parser.add_argument(flag, dest=name, type=positive, metavar="N", help=words)
    parser.add_argument(
        "--over",
        type=_over,
        metavar="OPTION=N,N,…",
        help="plan further sizes, as in image-size=256,512, to see where the bottleneck shifts",
    )
    parser.add_argument(
        "--like",
        nargs="+",
        default=[],
        metavar="TRACE",
        help="measured runs of the same device, whose efficiency is taken",
    )
    parser.add_argument(
        "-o",
        dest="trace",
        metavar="FILE",
        help="the trace to write (default: plans/MODEL-SCALE-DEVICE.plan.json.gz); of both "
        "attentions, a name with math and one with flash",
    )
    parser.add_argument(
        "--format", choices=list(FORMATS), default="text", help="of the summary (default: text)"
    )
    parser.set_defaults(output=None)


def run(args: argparse.Namespace) -> None:
    """Run `genscope plan`."""
    from genscope.analysis.plan.results import PlanSpeedup
    from genscope.cli.planned import document

    rates = _rates(args)
    model = _model(args, rates)
    names = (BASELINE, FUSED) if args.attention == BOTH else (args.attention,)
    results = []
    for name in names:
        plan = _followed(args, rates, name, {})
        result = _predicted(plan, model)
        path = _place(args, rates, name if len(names) > 1 else "")
        from genscope.trace.plan.document import save

        save(plan, path)
        results.append(result)
        result.written.append(str(path))
    result = results[-1]
    if len(results) == 2:
        base = results[0]
        result.written.insert(0, base.written[0])
        result.speedup = PlanSpeedup(
            baseline=BASELINE,
            baseline_ns=base.latency_ns,
            fused=FUSED,
            fused_ns=result.latency_ns,
            speedup=base.latency_ns / max(result.latency_ns, 1),
        )
    if args.over is not None:
        _sizes(args, rates, model, names[-1], result)
    emit(result, args, lambda: document(result))


def _sizes(
    args: argparse.Namespace, rates: DeviceRates, model: Model, attention: str, result: PlanResult
) -> None:
    from genscope.analysis.plan.sizes import shift_of, size_of

    option, values = args.over
    for value in values:
        plan = _followed(args, rates, attention, {option: value})
        result.sizes.append(size_of(option, value, _predicted(plan, model)))
    result.shift = shift_of(result.sizes)


def _predicted(plan: Plan, model: Model) -> PlanResult:
    from genscope.analysis.plan.predict import predict

    return predict(plan, model)


def _followed(
    args: argparse.Namespace, rates: DeviceRates, attention: str, more: dict[str, int]
) -> Plan:
    """Have torch follow the model. Raises `Unusable`."""
    task = {name: value for _, name, _ in _OPTIONS if (value := getattr(args, name)) is not None}
    task.update(more)
    said = "".join(f", {name.replace('_', ' ')} {value}" for name, value in more.items())
    print(f"following {args.model} with {attention} attention{said} …", file=sys.stderr)
    try:
        # Quiet libraries first: what they say is read from the environment as they are imported.
        importlib.import_module("genscope.suite.command").be_quiet()
        meta: Any = importlib.import_module("genscope.suite.meta.plan")
        plan: Plan = meta.plan(
            meta.asked(
                task,
                what=args.model,
                scale=args.scale,
                attention=attention,
                device=CPU if _is_cpu(args) else "cuda",
                device_name=rates.name,
                dtype=_dtype(args),
            )
        )
    except ImportError as error:
        raise Unusable(f"{error}; planning needs torch: pip install 'genscope[suite]'") from error
    except Exception as error:
        if type(error).__name__ == "NotPlannedError":
            raise Unusable(str(error)) from error
        raise
    return plan


def _rates(args: argparse.Namespace) -> DeviceRates:
    from genscope.cli import roofline

    more = roofline.table(args.devices) if args.devices else []
    found = roofline.chosen(args.device, more)
    assert found is not None
    return found


def _model(args: argparse.Namespace, rates: DeviceRates) -> Model:
    """What tells times: fitted to measured runs, where there are any. Raises `Unusable`."""
    from genscope.analysis.plan.model import Fits, Model
    from genscope.analysis.roofline.devices import of_trace
    from genscope.cli.sources import read

    if not args.like:
        return Model(rates=rates)
    fits = Fits(rates)
    for path in args.like:
        trace = read(path)
        if any(one.code == "predicted" for one in trace.warnings):
            raise Unusable(f"{path}: is predicted itself; --like takes measured runs")
        if trace.has_device == _is_cpu(args):
            raise Unusable(f"{path}: was not recorded on {rates.name}")
        measured = None if _is_cpu(args) else of_trace(trace.devices, (rates,))
        if measured is not None and measured.name != rates.name:
            raise Unusable(f"{path}: was recorded on {measured.name}, not on {rates.name}")
        fits.add(trace)
    return fits.model()


def _is_cpu(args: argparse.Namespace) -> bool:
    return bool(args.device.lower() == CPU)


def _dtype(args: argparse.Namespace) -> str:
    name = args.dtype or ("fp32" if _is_cpu(args) else "bf16")
    return _DTYPES.get(name, name)


def _place(args: argparse.Namespace, rates: DeviceRates, attention: str) -> Path:
    """Where a trace goes; `attention` is "" if there is but one."""
    more = f"-{attention}" if attention else ""
    if args.trace is None:
        what = os.path.basename(args.model.rpartition(":")[0] or args.model).removesuffix(".py")
        scale = "" if ":" in args.model else f"-{args.scale}"
        return Path("plans", f"{what}{scale}-{args.device.lower()}{more}.plan.json.gz")
    path = Path(args.trace)
    stem, dot, rest = path.name.partition(".")
    return path.with_name(f"{stem}{more}{dot}{rest}")


def _over(text: str) -> tuple[str, Sequence[int]]:
    """Read `image-size=256,512`."""
    name, equals, values = text.partition("=")
    option = name.replace("-", "_").strip()
    if not equals or option not in [one for _, one, _ in _OPTIONS]:
        known = ", ".join(flag.removeprefix("--") for flag, _, _ in _OPTIONS)
        raise argparse.ArgumentTypeError(f"{text!r} does not read OPTION=N,N,… with one of {known}")
    try:
        return option, [positive(one) for one in values.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} has no numbers") from error
