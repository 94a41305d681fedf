"""The views of `genscope report`, a row each; functions are named, not imported: a quick start."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, cast

from genscope.cli.errors import Unusable

if TYPE_CHECKING:
    import msgspec

    from genscope.cli.document import Document, Limits
    from genscope.trace.model import Trace


@dataclass(frozen=True)
class Option:
    """An option of `genscope report` that only some views take; equal ones are one option."""

    flag: str
    argument: str
    """The argument of the view's function that gets the value."""
    help: str
    metavar: str | None = None
    choices: tuple[str, ...] | None = None
    value: str | None = None
    """`module:function`, from the text given to the value; without one, the text is the value."""
    of_all: bool = False
    """Of a view of several traces: for what is made of all of them, not for each."""

    @property
    def place(self) -> str:
        """Where the parsed text stands in the namespace."""
        return f"view_{self.argument}"


@dataclass(frozen=True)
class View:
    """One view: what computes its result, and what turns that into a document."""

    help: str
    analyse: str
    """`module:function`, from a trace and the values of `options` to a result."""
    present: str
    """`module:function`, from the result and limits to a document."""
    options: tuple[Option, ...] = ()
    of_each: str | None = None
    """`module:function`, for a view of several traces: from a trace to what `analyse` takes of it,
    with its label."""

    def result(self, trace: Trace, **values: object) -> msgspec.Struct:
        """Compute the view's result for `trace`; `values` are those of options that were given."""
        analyse = cast("Callable[..., msgspec.Struct]", resolve_name(self.analyse))
        return analyse(trace, **values)

    def over(self, traces: Iterable[tuple[str, Trace]], **values: object) -> msgspec.Struct:
        """Compute the result of a view of several traces, each with a label; keeps none of them."""
        of_each = cast("Callable[..., msgspec.Struct]", resolve_name(self.of_each or ""))
        analyse = cast("Callable[..., msgspec.Struct]", resolve_name(self.analyse))
        of_all = {one.argument for one in self.options if one.of_all} & set(values)
        of_one = {name: value for name, value in values.items() if name not in of_all}
        return analyse(
            [(label, of_each(trace, **of_one)) for label, trace in traces],
            **{name: values[name] for name in of_all},
        )

    def document(self, result: msgspec.Struct, limits: Limits) -> Document:
        """Say `result` in words and tables."""
        return cast("Callable[[Any, Limits], Document]", resolve_name(self.present))(result, limits)


_PASS = Option(
    "--pass",
    argument="passes",
    help="the passes whose calls are listed (default: forward)",
    choices=("forward", "backward", "recompute", "all"),
    value="genscope.cli.attention:passes",
)

_CAPTURE = Option(
    "--capture",
    argument="capture",
    metavar="TRACE",
    help="a trace of the same work that shows the shapes which a graph replay hides",
    value="genscope.cli.sources:read",
)

_WORDS = tuple(
    Option(
        f"--{name}",
        argument=argument,
        metavar=name.upper(),
        help=f"only calls of this {name} ({known}), or of several: A,B; none: of no known {name}",
        value="genscope.cli.calls:words",
    )
    for name, argument, known in (
        ("kind", "kinds", "self, cross, joint"),
        ("axis", "axes", "spatial, temporal, spatiotemporal, sequence"),
        ("phase", "phases", "prefill, decode, denoise, encode, …"),
    )
)

VIEWS = {
    "operators": View(
        help="time by category, op and kernel",
        analyse="genscope.cli.operators:result",
        present="genscope.cli.operators:document",
    ),
    "overview": View(
        help="how busy the device is, and what it waits for",
        analyse="genscope.analysis.overview:overview",
        present="genscope.cli.overview:document",
    ),
    "attention": View(
        help="attention calls: lengths, heads, kind, axis, phase",
        analyse="genscope.cli.calls:attention",
        present="genscope.cli.attention:document",
        options=(
            _PASS,
            *_WORDS,
            _CAPTURE,
        ),
    ),
    "sequence": View(
        help="sequence length per attention call, its period or growth",
        analyse="genscope.cli.calls:sequence",
        present="genscope.cli.sequence:document",
        options=(_PASS, *_WORDS),
    ),
    "phases": View(
        help="prefill, decode, denoise, encode: what each takes",
        analyse="genscope.cli.calls:phases",
        present="genscope.cli.phases:document",
        options=_WORDS,
    ),
    "spatial-temporal": View(
        help="attention along positions and along frames",
        analyse="genscope.cli.calls:space_time",
        present="genscope.cli.space_time:document",
        options=(_PASS, *_WORDS),
    ),
    "frames": View(
        help="how attention grows with the frames, over several traces",
        of_each="genscope.analysis.attention.space_time:space_time",
        analyse="genscope.analysis.attention.frames:frames_sweep",
        present="genscope.cli.frames:document",
    ),
    "scaling": View(
        help="how time, FLOPs and memory grow over several traces of one model",
        of_each="genscope.analysis.scaling:contribution",
        analyse="genscope.analysis.scaling:scaling",
        present="genscope.cli.scaling:document",
        options=(
            Option(
                "--by",
                argument="by",
                help="the parameter that differs (default: whichever does)",
                choices=("image_size", "frames", "batch", "prompt", "tokens", "steps", "length"),
                of_all=True,
            ),
        ),
    ),
    "flops": View(
        help="floating-point operations and bytes moved, by op, and what is not known",
        analyse="genscope.analysis.flops.view:flops",
        present="genscope.cli.flops:document",
    ),
    "roofline": View(
        help="what the device's rates allow, and what to optimise next",
        analyse="genscope.cli.roofline:result",
        present="genscope.cli.roofline:document",
        options=(
            Option(
                "--device",
                argument="device",
                metavar="NAME",
                help="a device by its name, such as h100, instead of the trace's; cpu: this "
                "machine's, measured in a second",
            ),
            Option(
                "--devices",
                argument="devices",
                metavar="FILE",
                help="a table of further devices with their rates, in TOML",
                value="genscope.cli.roofline:table",
            ),
        ),
    ),
    "memory": View(
        help="score matrices, what fused attention avoids, and peak memory",
        analyse="genscope.analysis.memory.view:memory",
        present="genscope.cli.memory:document",
    ),
    "memory-growth": View(
        help="how memory grows with the image, over several traces",
        of_each="genscope.analysis.memory.view:memory",
        analyse="genscope.analysis.memory.sweep:memory_growth",
        present="genscope.cli.memory:growth_document",
    ),
    "speedup": View(
        help="what fused attention gains",
        analyse="genscope.cli.speedup:result",
        present="genscope.cli.speedup:document",
        options=(
            Option(
                "--against",
                argument="against",
                metavar="BASELINE",
                help="the same work with baseline attention: a trace, as PATH",
                value="genscope.cli.sources:read",
            ),
            Option(
                "--table",
                argument="table",
                metavar="FILE",
                help="predict from measured speedups: of `genscope replay`, or what this view "
                "gave of another pair as JSON",
                value="genscope.cli.speedup:read_table",
            ),
            _CAPTURE,
            Option(
                "--capture-against",
                argument="capture_against",
                metavar="TRACE",
                help="what --capture is, of the baseline",
                value="genscope.cli.sources:read",
            ),
        ),
    ),
}


def add_view_options(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of all views, each once."""
    group = parser.add_argument_group("options of single views")
    for option in dict.fromkeys(option for view in VIEWS.values() for option in view.options):
        takers = ", ".join(name for name, view in VIEWS.items() if option in view.options)
        group.add_argument(
            option.flag,
            dest=option.place,
            metavar=option.metavar,
            choices=option.choices,
            help=f"{takers}: {option.help}",
        )


def given(args: argparse.Namespace) -> dict[Option, str]:
    """The options of the view asked for that were given, with their texts.

    Raises `Unusable` for one that the view does not take.
    """
    taken = VIEWS[args.view].options
    found: dict[Option, str] = {}
    for option in dict.fromkeys(option for view in VIEWS.values() for option in view.options):
        text = getattr(args, option.place)
        if text is not None and option in taken:
            found[option] = text
        elif text is not None and not any(one.flag == option.flag for one in taken):
            raise Unusable(f"{option.flag} is no option of --view {args.view}")
    return found


def values(options: dict[Option, str]) -> dict[str, Any]:
    """What the texts stand for, by the argument that takes it. Raises `Unusable`."""
    return {
        option.argument: text if option.value is None else resolve_name(option.value)(text)
        for option, text in options.items()
    }
